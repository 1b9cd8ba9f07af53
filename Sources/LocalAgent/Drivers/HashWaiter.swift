import Model
import NIOCore
import Server
import Synchronization

/// A client that waits until a service has another content than the one it knows.
final class HashWaiter: PendingQuery, Sendable {
  private struct State {
    var completion: (@Sendable (HashedService?) -> Void)?
    var timer: Scheduled<Void>?
  }

  let hash: String
  private let loop: any EventLoop
  private let state: Mutex<State>

  init(hash: String, on loop: any EventLoop, _ completion: @escaping @Sendable (HashedService?) -> Void) {
    self.hash = hash
    self.loop = loop
    state = Mutex(State(completion: completion))
  }

  /// - Parameter expired: called when the time is over, to answer with what there is.
  func start(wait: TimeAmount, expired: @escaping @Sendable (HashWaiter) -> Void) {
    let timer = loop.scheduleTask(in: wait) { expired(self) }
    let isOver = state.withLock { state in
      state.timer = timer
      return state.completion == nil
    }
    if isOver { timer.cancel() }
  }

  /// Answers, once. Nil: the service is gone.
  func finish(_ service: HashedService?) {
    guard let completion = end() else { return }
    loop.execute { completion(service) }
  }

  func cancel() { _ = end() }

  var isOver: Bool { state.withLock { $0.completion == nil } }

  private func end() -> (@Sendable (HashedService?) -> Void)? {
    let ended = state.withLock { state in
      let ended = state
      state = State()
      return ended
    }
    ended.timer?.cancel()
    return ended.completion
  }
}

extension LocalAgent.Core {
  /// Answers for the clients that wait for one of these services and see another content now.
  mutating func waiterNotices(_ services: Set<String>) -> [@Sendable () -> Void] {
    guard !waiters.isEmpty else { return [] }
    var notices: [@Sendable () -> Void] = []
    for id in services {
      guard let waiting = waiters[id] else { continue }
      let entry = state.service(id)
      let found = entry.map { HashedService(service: $0.service, contentHash: $0.contentHash) }
      let (woken, others) = waiting.split { $0.hash != found?.contentHash }
      waiters[id] = others.isEmpty ? nil : others
      for waiter in woken { notices.append { waiter.finish(found) } }
    }
    return notices
  }
}

extension Array {
  /// The elements that satisfy `condition`, and the others.
  fileprivate func split(_ condition: (Element) -> Bool) -> ([Element], [Element]) {
    (filter(condition), filter { !condition($0) })
  }
}

extension LocalAgent {
  /// A service as soon as its content hash is not `hash`, or as it is when the time is over; nil when it is not there.
  ///
  /// - Parameters:
  ///   - hash: what the client knows; "" or an old one is answered at once.
  ///   - wait: how long to wait at most.
  ///   - completion: runs on `loop`, before this call returns if there is nothing to wait for.
  /// - Returns: what cancels the wait when the client goes away; nil if the answer was given.
  @discardableResult
  public func service(
    _ id: String, hash: String, wait: TimeAmount, on loop: any EventLoop,
    _ completion: @escaping @Sendable (HashedService?) -> Void
  ) -> (any PendingQuery)? {
    let waiter = HashWaiter(hash: hash, on: loop, completion)
    let present = core.withLock { core -> (found: HashedService?, waits: Bool) in
      let found = core.state.service(id).map { HashedService(service: $0.service, contentHash: $0.contentHash) }
      guard let found, found.contentHash == hash, !core.isStopped else { return (found, false) }
      core.waiters[id, default: []].removeAll(where: \.isOver)
      core.waiters[id, default: []].append(waiter)
      return (found, true)
    }
    guard present.waits else {
      if loop.inEventLoop { completion(present.found) } else { loop.execute { completion(present.found) } }
      return nil
    }
    waiter.start(wait: wait) { [weak self] waiter in waiter.finish(self?.hashedService(id)) }
    return waiter
  }

  /// A service with its content hash; nil when it is not there.
  public func hashedService(_ id: String) -> HashedService? {
    core.withLock { core in
      core.state.service(id).map { HashedService(service: $0.service, contentHash: $0.contentHash) }
    }
  }
}
