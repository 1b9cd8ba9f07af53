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
  /// Whose answer it is; nil on servers without access control.
  private let access: RequestAccess?
  /// What they might see when the query began.
  private var sight: ObjectIdentifier?
  private let loop: any EventLoop
  private var completion: (@Sendable (Result<Answer<Query.Reply>, ServerError>) -> Void)?
  private var watch: Watch?
  private var deadline: Scheduled<Void>?

  init(
    _ query: Query, store: StateStore, minIndex: UInt64, access: RequestAccess? = nil, on loop: any EventLoop,
    completion: @escaping @Sendable (Result<Answer<Query.Reply>, ServerError>) -> Void
  ) {
    self.query = query
    self.store = store
    self.minIndex = minIndex
    self.access = access
    self.loop = loop
    self.completion = completion
  }

  /// Answers at once or begins to wait.
  func start(timeout: TimeAmount) {
    evaluate()
    guard completion != nil else { return }
    ServerMetrics.blockingQueries.add(1)
    // When the token stops being valid, there is something to answer.
    let lifetime = access?.lifetime().map { TimeAmount.nanoseconds(max($0, 0) &+ 1_000_000) }
    deadline = loop.scheduleTask(in: min(timeout, lifetime ?? timeout)) { [weak self] in self?.answerNow() }
  }

  private func evaluate() {
    while completion != nil {
      let snapshot = store.current
      let found: LimitedResult<Query.Reply>
      do throws(ServerError) {
        let reader = try access?.reader()
        found = try query.answer(snapshot, for: reader)
        if max(found.result.index, 1) > minIndex || hasChanged(reader) { return finish(found) }
      } catch {
        return finish(.failure(error))
      }
      let points = access == nil ? found.result.watch : found.result.watch + StateSnapshot.accessWatch
      watch = store.register(points, seen: snapshot) { [weak self] restored in
        guard let self else { return }
        loop.execute { self.woken(restored: restored) }
      }
      if watch != nil { return }
    }
  }

  /// Whether the token may do something else now than when the query began.
  private func hasChanged(_ reader: Reader?) -> Bool {
    guard let identity = reader?.identity else { return false }
    guard let sight else {
      sight = identity
      return false
    }
    return sight != identity
  }

  private func woken(restored: Bool) {
    watch = nil
    // After a restore indexes may have gone back: the reader gets what there is now.
    if restored { answerNow() } else { evaluate() }
  }

  private func answerNow() {
    guard completion != nil else { return }
    do throws(ServerError) {
      finish(try query.answer(store.current, for: try access?.reader()))
    } catch {
      finish(.failure(error))
    }
  }

  private func finish(_ found: LimitedResult<Query.Reply>) {
    query.count(found.result.value)
    finish(.success(Answer(found)))
  }

  private func finish(_ result: Result<Answer<Query.Reply>, ServerError>) {
    let completion = completion
    stop()
    completion?(result)
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
