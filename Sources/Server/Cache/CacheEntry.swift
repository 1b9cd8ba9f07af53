import Model
import NIOCore
import Synchronization

/// Fetches an answer: `minIndex` and the longest time to wait, as a blocking query has them.
typealias CacheFetch<Reply: Sendable> =
  @Sendable (
    _ minIndex: UInt64, _ loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Answer<Reply>, ServerError>) -> Void
  ) -> (any PendingQuery)?

/// An entry whatever it holds.
protocol AnyCacheEntry: AnyObject, Sendable {
  /// When somebody last asked.
  var usedAt: UInt64 { get }
  /// Nobody will ask again: stops following.
  func end()
}

/// One remembered answer: fetches it, follows it, and tells those who wait for it.
final class CacheEntry<Reply: Sendable>: AnyCacheEntry {
  private struct State {
    var core: CacheEntryState<Reply>
    var allowance: FetchAllowance
    var readers: [ObjectIdentifier: CacheReader<Reply>] = [:]
    /// The fetch that is under way, or the pause before the next.
    var pending: (any PendingQuery)?
    var pause: Scheduled<Void>?
    var isOver = false
  }

  private let mode: CacheMode
  /// Where it is refreshed; the loop of whoever asked first.
  private let loop: any EventLoop
  private let fetch: CacheFetch<Reply>
  private let keeps: @Sendable (Reply) -> Bool
  private let settings: CacheSettings
  /// Told when nobody has asked for so long that the answer is not followed any more.
  private let expired: @Sendable () -> Void
  private let state: Mutex<State>

  /// - Parameter keeps: whether an answer is worth remembering.
  init(
    _ mode: CacheMode, on loop: any EventLoop, settings: CacheSettings, keeps: @escaping @Sendable (Reply) -> Bool,
    fetch: @escaping CacheFetch<Reply>, expired: @escaping @Sendable () -> Void
  ) {
    self.mode = mode
    self.loop = loop
    self.settings = settings
    self.keeps = keeps
    self.fetch = fetch
    self.expired = expired
    let now = settings.now()
    state = Mutex(
      State(core: CacheEntryState(now: now), allowance: FetchAllowance(burst: settings.rate.burst, now: now)))
  }

  var usedAt: UInt64 { state.withLock { $0.core.usedAt } }

  // MARK: readers

  /// What is remembered, if it does for the reader as it is.
  func found(minIndex: UInt64, _ freshness: CacheFreshness) -> CachedAnswer<Reply>? {
    let now = settings.now()
    return state.withLock { state in
      state.core.usedAt = now
      return state.core.found(mode, minIndex: minIndex, freshness, now: now)
    }
  }

  /// Lets a reader wait for the next answer, and fetches it where nothing brings it by itself.
  func wait(_ reader: CacheReader<Reply>) {
    let startsFetch = state.withLock { state in
      state.readers[ObjectIdentifier(reader)] = reader
      // Who has nothing at all does not wait until a pause after failures is over.
      let isNeeded = !state.core.isFetching && (mode == .fetched || state.core.answer == nil)
      if isNeeded { state.core.isFetching = true }
      return isNeeded
    }
    // With the rights that the reader has now, not those of whoever asked first.
    if startsFetch { fetchNow(on: reader.loop, reader.fetch) }
  }

  func forget(_ reader: CacheReader<Reply>) {
    state.withLock { _ = $0.readers.removeValue(forKey: ObjectIdentifier(reader)) }
  }

  /// What there is, for a reader whose time is over.
  func current() -> Answer<Reply>? { state.withLock { $0.core.answer } }

  // MARK: fetching

  private func fetchNow(on loop: any EventLoop, _ fetch: CacheFetch<Reply>) {
    let minIndex: UInt64? = state.withLock { state in
      state.pause?.cancel()
      state.pause = nil
      if state.isOver { return nil }
      return mode == .followed ? state.core.answer?.index ?? 0 : 0
    }
    guard let minIndex else { return }
    let pending = fetch(minIndex, loop) { [weak self] result in self?.fetched(result, after: minIndex) }
    let isOver = state.withLock { state in
      if let pending, state.core.isFetching, state.pending == nil { state.pending = pending }
      return state.isOver
    }
    if isOver { pending?.cancel() }
  }

  private func fetched(_ result: Result<Answer<Reply>, ServerError>, after minIndex: UInt64) {
    let now = settings.now()
    switch result {
    case .success(let answer):
      CacheMetrics.fetched(changed: answer.index != minIndex).increment()
      let readers = state.withLock { state in
        state.core.isFetching = false
        state.pending = nil
        if keeps(answer.value) { state.core.succeeded(answer, now: now) }
        // A restored state may have a lower index than before. Then everybody gets it.
        let hasGoneBack = answer.index < minIndex
        return remove(&state) { mode == .fetched || hasGoneBack || $0.takes(answer.index) }
      }
      for reader in readers { reader.finish(.success(CachedAnswer(answer: answer, age: nil))) }
      if mode == .followed { followOn(after: state.withLock { delay(&$0, now: now) }) }
    case .failure(let error):
      CacheMetrics.failed.increment()
      let (readers, pause) = state.withLock { state in
        state.core.isFetching = false
        state.pending = nil
        let pause = state.core.failed(now: now)
        // Those who follow something that is there go on waiting for news.
        let endsWaiting = mode == .fetched || state.core.answer == nil
        return (remove(&state) { _ in endsWaiting }, pause)
      }
      for reader in readers { fail(reader, error, now: now) }
      if mode == .followed, current() != nil { followOn(after: pause) }
    }
  }

  private func fail(_ reader: CacheReader<Reply>, _ error: ServerError, now: UInt64) {
    let fallback = state.withLock { $0.core.fallback(mode, reader.freshness, now: now) }
    reader.finish(fallback.map { .success($0) } ?? .failure(error))
  }

  private func remove(_ state: inout State, _ condition: (CacheReader<Reply>) -> Bool) -> [CacheReader<Reply>] {
    let chosen = state.readers.values.filter(condition)
    for reader in chosen { state.readers[ObjectIdentifier(reader)] = nil }
    return chosen
  }

  private func delay(_ state: inout State, now: UInt64) -> UInt64 {
    let rate = settings.rate
    return state.allowance.take(rate: rate.perSecond, burst: rate.burst, now: now)
  }

  /// Asks for the next change, in a new turn of the loop: answers that come at once would pile up on the stack.
  private func followOn(after nanoseconds: UInt64) {
    let task = loop.scheduleTask(in: .nanoseconds(Int64(clamping: nanoseconds))) { [weak self] in
      guard let self else { return }
      if settings.now() > usedAt &+ AgentCache.lifetime { return expired() }
      let isFree = state.withLock { state in
        defer { state.core.isFetching = true }
        return !state.core.isFetching
      }
      if isFree { fetchNow(on: loop, fetch) }
    }
    let isOver = state.withLock { state in
      state.pause?.cancel()
      state.pause = task
      return state.isOver
    }
    if isOver { task.cancel() }
  }

  func end() {
    let (pending, pause) = state.withLock { state in
      state.isOver = true
      defer { (state.pending, state.pause) = (nil, nil) }
      return (state.pending, state.pause)
    }
    pending?.cancel()
    pause?.cancel()
  }
}

/// Somebody who waits for an answer of the cache.
final class CacheReader<Reply: Sendable>: PendingQuery {
  typealias Completion = @Sendable (Result<CachedAnswer<Reply>, ServerError>) -> Void

  private struct State {
    var completion: Completion?
    var deadline: Scheduled<Void>?
    /// Has waited long enough: takes anything.
    var isOverdue = false
  }

  let loop: any EventLoop
  private let minIndex: UInt64
  let freshness: CacheFreshness
  let fetch: CacheFetch<Reply>
  private let entry: CacheEntry<Reply>
  private let state: Mutex<State>

  init(
    _ entry: CacheEntry<Reply>, minIndex: UInt64, _ freshness: CacheFreshness, on loop: any EventLoop,
    fetch: @escaping CacheFetch<Reply>, completion: @escaping Completion
  ) {
    self.entry = entry
    self.minIndex = minIndex
    self.freshness = freshness
    self.loop = loop
    self.fetch = fetch
    state = Mutex(State(completion: completion))
  }

  /// Begins to wait. One who has an index already waits no longer than `limit`, and then gets what there is.
  func start(atMost limit: TimeAmount) {
    entry.wait(self)
    guard minIndex > 0 else { return }
    let deadline = loop.scheduleTask(in: limit) { self.timeIsOver() }
    let isLate = state.withLock { state in
      if state.completion != nil { state.deadline = deadline }
      return state.completion == nil
    }
    if isLate { deadline.cancel() }
  }

  private func timeIsOver() {
    state.withLock { $0.isOverdue = true }
    // Without an answer, the fetch under way brings one, or an error.
    guard let answer = entry.current() else { return }
    entry.forget(self)
    finish(.success(CachedAnswer(answer: answer, age: nil)))
  }

  /// Whether an answer with this index is news to the reader.
  func takes(_ index: UInt64) -> Bool { index > minIndex || state.withLock { $0.isOverdue } }

  func finish(_ result: Result<CachedAnswer<Reply>, ServerError>) {
    let completion = take()
    guard let completion else { return }
    if loop.inEventLoop { completion(result) } else { loop.execute { completion(result) } }
  }

  private func take() -> Completion? {
    let (completion, deadline) = state.withLock { state in
      defer { state = State() }
      return (state.completion, state.deadline)
    }
    deadline?.cancel()
    return completion
  }

  func cancel() {
    _ = take()
    entry.forget(self)
  }
}
