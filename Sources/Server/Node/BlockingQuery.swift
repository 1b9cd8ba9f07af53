import Model
import NIOCore
import State
import Synchronization

/// A read that waits until its answer changes: evaluated once, then registered on the watch points it named and evaluated
/// again whenever one of them is touched, until its index passes the one that the reader has, or its time is over.
///
/// All steps run on the event loop of the request, so that the connection that waits pays with one scheduled task and one
/// watch, and nothing else runs on its behalf.
final class BlockingQuery<Query: ReadQuery>: PendingQuery, @unchecked Sendable {
  // Sendable: every property but `loop` is only touched on `loop`.

  private let query: Query
  private let store: StateStore
  private let minIndex: UInt64
  private let audience: QueryAudience?
  private let loop: any EventLoop
  private var completion: (@Sendable (Result<Answer<Query.Reply>, ServerError>) -> Void)?
  private var watch: Watch?
  private var deadline: Scheduled<Void>?

  init(
    _ query: Query, store: StateStore, minIndex: UInt64, audience: QueryAudience? = nil, on loop: any EventLoop,
    completion: @escaping @Sendable (Result<Answer<Query.Reply>, ServerError>) -> Void
  ) {
    self.query = query
    self.store = store
    self.minIndex = minIndex
    self.audience = audience
    self.loop = loop
    self.completion = completion
  }

  /// Answers at once or begins to wait.
  func start(timeout: TimeAmount) {
    evaluate()
    guard completion != nil else { return }
    ServerMetrics.blockingQueries.add(1)
    deadline = loop.scheduleTask(in: timeout) { [weak self] in self?.answerNow() }
  }

  private func evaluate() {
    while completion != nil {
      let snapshot = store.current
      let result = query.evaluate(snapshot)
      if max(result.index, 1) > minIndex || audience?.hasChanged() == true { return finish(result) }
      let points = audience == nil ? result.watch : result.watch + StateSnapshot.accessWatch
      watch = store.register(points, seen: snapshot) { [weak self] restored in
        guard let self else { return }
        loop.execute { self.woken(restored: restored) }
      }
      if watch != nil { return }
    }
  }

  private func woken(restored: Bool) {
    watch = nil
    // After a restore indexes may have gone back: the reader gets what there is now.
    if restored { answerNow() } else { evaluate() }
  }

  private func answerNow() {
    guard completion != nil else { return }
    finish(query.evaluate(store.current))
  }

  private func finish(_ result: QueryResult<Query.Reply>) {
    let completion = completion
    query.count(result.value)
    stop()
    completion?(.success(Answer(value: result.value, index: max(result.index, 1))))
  }

  private func stop() {
    completion = nil
    if let deadline {
      deadline.cancel()
      ServerMetrics.blockingQueries.add(-1)
    }
    deadline = nil
    if let watch { store.cancel(watch) }
    watch = nil
  }

  func cancel() {
    if loop.inEventLoop { stop() } else { loop.execute { self.stop() } }
  }
}

/// How long blocking queries wait (Consul documentation, "Blocking Queries").
enum BlockingTime {
  static let defaultWait = GoDuration.minutes(5)
  static let maximumWait = GoDuration.minutes(10)

  /// The asked time within bounds, plus up to a sixteenth so that many waiting clients do not return at once.
  static func timeout(_ asked: GoDuration) -> TimeAmount {
    let wait = bounded(asked)
    return .nanoseconds(wait.nanoseconds + Int64.random(in: 0...max(wait.nanoseconds / 16, 1)))
  }

  /// The longest that `timeout` can be.
  static func limit(_ asked: GoDuration) -> TimeAmount {
    let wait = bounded(asked)
    return .nanoseconds(wait.nanoseconds + max(wait.nanoseconds / 16, 1))
  }

  private static func bounded(_ asked: GoDuration) -> GoDuration {
    let wait = asked.nanoseconds <= 0 ? defaultWait : asked
    return min(wait, maximumWait)
  }
}
