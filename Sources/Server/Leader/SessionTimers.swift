import Model
import NIOCore
import State
import Synchronization

/// Ends sessions that are not renewed in time, while this server leads: `SessionExpiry` on an event loop, with one scheduled
/// task for the next deadline.
final class SessionTimers: Sendable {
  private struct State {
    var expiry = SessionExpiry()
    var scheduled: Scheduled<Void>?
    var scheduledFor: UInt64 = .max
    var isLeading = false
    /// Sessions whose end is on its way into the log: too late to renew them.
    var ending: Set<String> = []
  }

  /// When the end of a session that could not be logged is tried again: twice this, as for every TTL.
  private static let retryTime = GoDuration.milliseconds(500)

  private let state = Mutex(State())
  private let loop: any EventLoop
  private let now: @Sendable () -> UInt64
  private let destroy: Destroy

  /// Logs the end of a session, and tells whether it was logged.
  typealias Destroy = @Sendable (_ id: String, _ completion: @escaping @Sendable (_ isLogged: Bool) -> Void) -> Void

  /// - Parameters:
  ///   - now: the clock of `loop`, in nanoseconds.
  ///   - destroy: called on `loop`.
  init(
    loop: any EventLoop, now: @escaping @Sendable () -> UInt64 = MonotonicClock.now,
    destroy: @escaping Destroy
  ) {
    self.loop = loop
    self.now = now
    self.destroy = destroy
  }

  /// Starts the time of all sessions anew: what a new leader does, since it does not know how much of it was left.
  func lead(_ sessions: [Row<Session>]) {
    let now = now()
    state.withLock {
      $0.isLeading = true
      $0.expiry.removeAll()
      $0.ending = []
      for session in sessions { $0.expiry.arm(session.value.id, ttl: Self.ttl(session), now: now) }
    }
    schedule()
  }

  func follow() {
    state.withLock {
      $0.isLeading = false
      $0.expiry.removeAll()
      $0.ending = []
      $0.scheduled?.cancel()
      $0.scheduled = nil
      $0.scheduledFor = .max
    }
  }

  /// Starts the time of one session, anew if it runs.
  /// - Returns: false if the time was over and the end of the session is on its way.
  @discardableResult
  func arm(_ session: Row<Session>) -> Bool {
    let ttl = Self.ttl(session)
    guard ttl.nanoseconds > 0 else { return true }
    let now = now()
    let isAlive = state.withLock { state in
      guard !state.ending.contains(session.value.id) else { return false }
      if state.isLeading { state.expiry.arm(session.value.id, ttl: ttl, now: now) }
      return true
    }
    schedule()
    return isAlive
  }

  /// Sessions whose time runs.
  var activeCount: Int { state.withLock { $0.expiry.count } }

  func disarm(_ id: String) {
    state.withLock {
      $0.expiry.disarm(id)
      $0.ending.remove(id)
    }
  }

  private static func ttl(_ session: Row<Session>) -> GoDuration { GoDuration(session.value.ttl) ?? .zero }

  private func schedule() {
    state.withLock {
      guard let deadline = $0.expiry.nextDeadline(), deadline < $0.scheduledFor else { return }
      $0.scheduled?.cancel()
      $0.scheduledFor = deadline
      let now = now()
      let delay = Int64(clamping: deadline > now ? deadline - now : 0)
      $0.scheduled = loop.scheduleTask(in: .nanoseconds(delay)) { [weak self] in self?.fire() }
    }
  }

  private func fire() {
    let ended = state.withLock {
      $0.scheduled = nil
      $0.scheduledFor = .max
      let ended = $0.expiry.expired(now: now())
      $0.ending.formUnion(ended)
      return ended
    }
    for id in ended {
      destroy(id) { [weak self] isLogged in if !isLogged { self?.retry(id) } }
    }
    schedule()
  }

  private func retry(_ id: String) {
    let now = now()
    state.withLock {
      guard $0.isLeading, $0.ending.remove(id) != nil else { return }
      $0.expiry.arm(id, ttl: Self.retryTime, now: now)
    }
    schedule()
  }
}
