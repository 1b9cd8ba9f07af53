import NIOCore
import Synchronization

/// Whether this server leads and has applied what its predecessors committed; tells those who wait for it.
final class Leadership: Sendable {
  private struct State {
    var isOver = false
    /// Called whenever this server begins to lead.
    var observers: [@Sendable () -> Void] = []
    /// Requests that wait until it leads, or until it is clear that it never will.
    var waiting: [ObjectIdentifier: HeldRequest] = [:]
  }

  /// Beside the lock: every read asks for it.
  private let flag = Atomic<Bool>(false)
  private let state = Mutex(State())

  var isLeading: Bool { flag.load(ordering: .acquiring) }

  func gained() {
    let (observers, held) = state.withLock { state in
      flag.store(true, ordering: .releasing)
      defer { state.waiting = [:] }
      return (state.observers, Array(state.waiting.values))
    }
    for observer in observers { observer() }
    for request in held { request.run() }
  }

  func lost() { state.withLock { _ in flag.store(false, ordering: .releasing) } }

  /// The server ends: nobody waits any longer.
  func end() {
    let held = state.withLock { state in
      flag.store(false, ordering: .releasing)
      state.isOver = true
      defer { state.waiting = [:] }
      return Array(state.waiting.values)
    }
    for request in held { request.give(up: .shuttingDown) }
  }

  /// Calls `observer` whenever this server begins to lead, and at once if it leads already: none is missed.
  func observe(_ observer: @escaping @Sendable () -> Void) {
    let isLeading = state.withLock { state in
      state.observers.append(observer)
      return self.isLeading
    }
    if isLeading { observer() }
  }

  /// Lets a request wait. False if it need not wait any more.
  fileprivate func enter(_ request: HeldRequest) -> Bool {
    state.withLock { state in
      if state.isOver || isLeading { return false }
      state.waiting[ObjectIdentifier(request)] = request
      return true
    }
  }

  fileprivate func leave(_ request: HeldRequest) {
    state.withLock { _ = $0.waiting.removeValue(forKey: ObjectIdentifier(request)) }
  }
}

/// A request that came while there was no leader: an election takes a moment, and clients need not notice it.
final class HeldRequest: PendingQuery {
  private enum State {
    case waiting(timeout: Scheduled<Void>?)
    case running((any PendingQuery)?)
    case over
  }

  private let state = Mutex(State.waiting(timeout: nil))
  private let leadership: Leadership
  private let loop: any EventLoop
  private let start: @Sendable () -> (any PendingQuery)?
  private let failure: @Sendable (ServerError) -> Void

  /// - Parameters:
  ///   - start: carries the request out.
  ///   - failure: answers it with an error. One of the two is called, once, on `loop`, unless the request is cancelled.
  init(
    _ leadership: Leadership, on loop: any EventLoop, start: @escaping @Sendable () -> (any PendingQuery)?,
    failure: @escaping @Sendable (ServerError) -> Void
  ) {
    self.leadership = leadership
    self.loop = loop
    self.start = start
    self.failure = failure
  }

  /// Waits for a leader, but no longer than `limit`.
  func wait(atMost limit: TimeAmount) {
    guard leadership.enter(self) else { return run() }
    let timeout = loop.scheduleTask(in: limit) { self.give(up: .noLeader) }
    let isLate = state.withLock { state in
      guard case .waiting = state else { return true }
      state = .waiting(timeout: timeout)
      return false
    }
    if isLate { timeout.cancel() }
  }

  /// There is a leader. The request may find it gone again, but then it does not wait anew.
  fileprivate func run() {
    guard finishWaiting(.running(nil)) else { return }
    loop.execute { [self] in
      if case .over = state.withLock({ $0 }) { return }
      guard let inner = start() else { return }
      let isCancelled = state.withLock { state in
        if case .over = state { return true }
        state = .running(inner)
        return false
      }
      if isCancelled { inner.cancel() }
    }
  }

  fileprivate func give(up error: ServerError) {
    guard finishWaiting(.over) else { return }
    leadership.leave(self)
    let failure = failure
    loop.execute { failure(error) }
  }

  /// Whether the request waited until now.
  private func finishWaiting(_ next: State) -> Bool {
    let timeout: Scheduled<Void>?? = state.withLock { state in
      guard case .waiting(let timeout) = state else { return nil }
      state = next
      return .some(timeout)
    }
    guard let timeout else { return false }
    timeout?.cancel()
    return true
  }

  func cancel() {
    let before = state.withLock { state in
      defer { state = .over }
      return state
    }
    switch before {
    case .waiting(let timeout):
      timeout?.cancel()
      leadership.leave(self)
    case .running(let inner): inner?.cancel()
    case .over: break
    }
  }
}
