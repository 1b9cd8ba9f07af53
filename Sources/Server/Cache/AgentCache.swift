import Model
import NIOCore
import Synchronization
import Telemetry

/// The agent's memory of what servers answered, for readers that ask for it (`?cached`): many clients of an agent then cost
/// the servers one blocking query, and get an answer even while no server can be reached.
///
///     reader ── AgentCache ── CacheEntry ──fetch, follow──▶ Backend
///                        └─── HealthViews, for the health of services on agents without a server
///
/// It knows servers as `Backend` only: a client agent has the same cache in front of remote servers.
public final class AgentCache: Sendable {
  /// Entries that nobody asked for in this time are forgotten: three days, in nanoseconds.
  static let lifetime: UInt64 = 3 * 24 * 3600 * 1_000_000_000
  /// Entries that are kept. Beyond, those are forgotten first that nobody asked for in the longest time.
  static let limit = 16_384

  private let backend: any Backend
  /// What streams of events keep current; nil where queries do.
  public let views: HealthViews?
  private let settings: CacheSettings
  private let entries = Mutex<[CacheKey: any AnyCacheEntry]>([:])

  /// - Parameters:
  ///   - views: what streams of events keep current.
  ///   - now: monotonic nanoseconds.
  public init(
    backend: any Backend, views: HealthViews? = nil,
    now: @escaping @Sendable () -> UInt64 = { NIODeadline.now().uptimeNanoseconds }
  ) {
    self.backend = backend
    self.views = views
    settings = CacheSettings(now: now)
  }

  /// For each entry, so many refreshes per second, and so many at once (`cache.entry_fetch_rate`, `…max_burst`).
  public func setFetchRate(_ perSecond: Double, burst: Int) { settings.rate = FetchRate(perSecond, burst: burst) }

  /// The answer of a query: from memory where it is there and does, else from the servers.
  @discardableResult
  public func query<Query: CacheableQuery>(
    _ query: Query, _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<CachedAnswer<Query.Reply>, ServerError>) -> Void
  ) -> PendingQuery? {
    let otherwise: @Sendable () -> (any PendingQuery)? = { [self] in
      remember(query, options, on: loop, completion)
    }
    if let read = views.flatMap({ query.read($0, options, on: loop, otherwise: otherwise, completion) }) {
      return read.pending
    }
    return remember(query, options, on: loop, completion)
  }

  private func remember<Query: CacheableQuery>(
    _ query: Query, _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<CachedAnswer<Query.Reply>, ServerError>) -> Void
  ) -> PendingQuery? {
    read(query, mode: Query.cacheMode, options, on: loop) { [backend] minIndex, loop, answer in
      var fetch = QueryOptions()
      fetch.datacenter = options.datacenter
      fetch.token = options.token
      // Any server will do: a memory is not the place for the last word.
      fetch.consistency = .stale
      fetch.minIndex = minIndex
      fetch.maxTime = BlockingTime.maximumWait
      return backend.query(query, fetch, on: loop, answer)
    } completion: {
      completion($0)
    }
  }

  /// The answer of a query that waits for news: from a stream of events where there is one, else from the servers.
  @discardableResult
  public func follow<Query: CacheableQuery>(
    _ query: Query, _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<CachedAnswer<Query.Reply>, ServerError>) -> Void
  ) -> PendingQuery? {
    let ask: @Sendable () -> (any PendingQuery)? = { [backend] in
      backend.query(query, options, on: loop) { completion($0.map { CachedAnswer(answer: $0, age: nil) }) }
    }
    if let read = views.flatMap({ query.read($0, options, on: loop, otherwise: ask, completion) }) {
      return read.pending
    }
    return ask()
  }

  /// The same for answers that are no read of one server.
  ///
  /// - Parameters:
  ///   - question: what stands for the answer; equal questions have equal answers.
  ///   - keeps: whether an answer is worth remembering.
  ///   - fetch: gets it from the servers.
  @discardableResult
  public func read<Reply: Sendable>(
    _ question: any Hashable & Sendable, mode: CacheMode = .fetched, _ options: QueryOptions,
    on loop: any EventLoop, keeps: @escaping @Sendable (Reply) -> Bool = { _ in true },
    fetch:
      @escaping @Sendable (
        _ minIndex: UInt64, _ loop: any EventLoop,
        _ completion: @escaping @Sendable (Result<Answer<Reply>, ServerError>) -> Void
      ) -> (any PendingQuery)?,
    completion: @escaping @Sendable (Result<CachedAnswer<Reply>, ServerError>) -> Void
  ) -> PendingQuery? {
    let key = CacheKey(query: question, datacenter: options.datacenter, token: options.token)
    let entry = entry(key) {
      CacheEntry(mode, on: loop, settings: settings, keeps: keeps, fetch: fetch) { [weak self] in self?.forget(key) }
    }
    let freshness = options.cache ?? CacheFreshness()
    let minIndex = mode == .followed ? options.minIndex : 0
    if let found = entry.found(minIndex: minIndex, freshness) {
      completion(.success(found))
      return nil
    }
    let reader = CacheReader(entry, minIndex: minIndex, freshness, on: loop, fetch: fetch, completion: completion)
    reader.start(atMost: BlockingTime.timeout(options.maxTime))
    return reader
  }

  // MARK: entries

  var count: Int { entries.withLock { $0.count } }

  private func entry<Reply>(_ key: CacheKey, _ make: () -> CacheEntry<Reply>) -> CacheEntry<Reply> {
    let (entry, forgotten) = entries.withLock { entries in
      if let found = entries[key] as? CacheEntry<Reply> { return (found, [any AnyCacheEntry]()) }
      let forgotten = makeRoom(&entries)
      let new = make()
      entries[key] = new
      CacheMetrics.count.set(Double(entries.count))
      return (new, forgotten)
    }
    for entry in forgotten { entry.end() }
    return entry
  }

  private func forget(_ key: CacheKey) {
    let entry = entries.withLock { entries in
      defer { CacheMetrics.count.set(Double(entries.count)) }
      return entries.removeValue(forKey: key)
    }
    guard let entry else { return }
    CacheMetrics.expired.increment()
    entry.end()
  }

  /// Takes out what nobody asked for in a long time, before something new comes in.
  private func makeRoom(_ entries: inout [CacheKey: any AnyCacheEntry]) -> [any AnyCacheEntry] {
    // Not with every new entry: looking at all of them takes time.
    guard entries.count >= Self.limit || entries.count.isMultiple(of: 256) else { return [] }
    let now = settings.now()
    var expired = entries.filter { now > $0.value.usedAt &+ Self.lifetime }.map(\.key)
    if entries.count - expired.count >= Self.limit {
      let oldest = entries.sorted { $0.value.usedAt < $1.value.usedAt }.prefix(Self.limit / 16).map(\.key)
      expired = Array(Set(expired).union(oldest))
    }
    CacheMetrics.expired.increment(by: expired.count)
    return expired.compactMap { entries.removeValue(forKey: $0) }
  }

  /// Forgets everything and stops following.
  public func shutdown() {
    let all = entries.withLock { entries in
      defer { entries = [:] }
      return entries.values
    }
    for entry in all { entry.end() }
    views?.shutdown()
  }
}

/// How often one entry may be refreshed.
struct FetchRate: Sendable {
  /// Infinite unless set.
  var perSecond: Double
  var burst: Int

  init(_ perSecond: Double = .infinity, burst: Int = 2) {
    self.perSecond = perSecond
    self.burst = burst
  }
}

/// What all entries have in common.
final class CacheSettings: Sendable {
  let now: @Sendable () -> UInt64
  private let current = Mutex(FetchRate())

  init(now: @escaping @Sendable () -> UInt64) { self.now = now }

  var rate: FetchRate {
    get { current.withLock { $0 } }
    set { current.withLock { $0 = newValue } }
  }
}

enum CacheMetrics {
  static let count = MetricsRegistry.shared.gauge("cache.entries_count")
  static let expired = MetricsRegistry.shared.counter("cache.evict_expired")
  static let failed = MetricsRegistry.shared.counter("cache.fetch_error")
  private static let news = MetricsRegistry.shared.counter(
    "cache.fetch_success", [MetricLabel("result_not_modified", "false")])
  private static let nothingNew = MetricsRegistry.shared.counter(
    "cache.fetch_success", [MetricLabel("result_not_modified", "true")])

  static func fetched(changed: Bool) -> MetricCounter { changed ? news : nothingNew }
}
