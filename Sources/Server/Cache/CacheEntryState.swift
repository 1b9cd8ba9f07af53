/// What is known of one remembered answer. A value: time is passed in as monotonic nanoseconds.
struct CacheEntryState<Reply: Sendable>: Sendable {
  /// Nil until the first fetch succeeded.
  private(set) var answer: Answer<Reply>?
  /// When it was fetched.
  private var fetchedAt: UInt64 = 0
  /// Since when the servers cannot be asked; nil while they can.
  private var lostContactAt: UInt64?
  private(set) var failures = 0
  var isFetching = false
  /// When somebody last asked.
  var usedAt: UInt64

  private static var second: UInt64 { 1_000_000_000 }
  /// The longest time between two tries to reach the servers.
  private static var longestPause: UInt64 { 60 * second }

  init(now: UInt64) { usedAt = now }

  mutating func succeeded(_ answer: Answer<Reply>, now: UInt64) {
    self.answer = answer
    fetchedAt = now
    lostContactAt = nil
    failures = 0
  }

  /// Returns how long to wait before the next try: a second, then twice as long each time.
  mutating func failed(now: UInt64) -> UInt64 {
    failures += 1
    if lostContactAt == nil { lostContactAt = now }
    return min(Self.second << UInt64(min(failures - 1, 6)), Self.longestPause)
  }

  /// For how many seconds the servers may know better.
  func age(_ mode: CacheMode, now: UInt64) -> UInt64 {
    let since =
      switch mode {
      case .followed: lostContactAt ?? now
      case .fetched: fetchedAt
      }
    return now > since ? (now - since) / Self.second : 0
  }

  /// The remembered answer, if it does for the reader as it is.
  func found(_ mode: CacheMode, minIndex: UInt64, _ freshness: CacheFreshness, now: UInt64) -> CachedAnswer<Reply>? {
    guard let answer else { return nil }
    let age = age(mode, now: now)
    switch mode {
    case .followed: return answer.index > minIndex ? CachedAnswer(answer: answer, age: age) : nil
    case .fetched: return freshness.accepts(age: age) ? CachedAnswer(answer: answer, age: age) : nil
    }
  }

  /// What a reader gets instead whose fetch failed.
  func fallback(_ mode: CacheMode, _ freshness: CacheFreshness, now: UInt64) -> CachedAnswer<Reply>? {
    guard let answer, mode == .fetched, freshness.staleIfError > 0 else { return nil }
    let age = age(mode, now: now)
    return age <= freshness.staleIfError ? CachedAnswer(answer: answer, age: age) : nil
  }
}

/// Holds the refreshes of an entry to a rate (`cache.entry_fetch_rate`): tokens flow in evenly, each refresh takes one.
struct FetchAllowance: Sendable {
  private var tokens: Double
  private var last: UInt64

  init(burst: Int, now: UInt64) {
    tokens = Double(burst)
    last = now
  }

  /// Takes a token and returns after how many nanoseconds it may be used.
  mutating func take(rate: Double, burst: Int, now: UInt64) -> UInt64 {
    guard rate.isFinite, rate > 0 else { return 0 }
    if now > last { tokens = min(tokens + Double(now - last) / 1e9 * rate, Double(max(burst, 1))) }
    last = max(last, now)
    tokens -= 1
    return tokens >= 0 ? 0 : UInt64(min(-tokens / rate * 1e9, 3.6e12))
  }
}
