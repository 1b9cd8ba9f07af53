import Model

/// Watches that an application reports in time. Instants are monotonic nanoseconds.
struct TTLCountdown: Sendable, Equatable {
  enum Outcome: Equatable {
    /// A report moved the deadline meanwhile: look again then.
    case wait(until: UInt64)
    /// Nobody reported in time; the output to show with status critical.
    case expired(output: String)
  }

  /// Nanoseconds.
  private let ttl: UInt64
  private(set) var deadline: UInt64
  private var lastOutput = ""
  private var isExpired = false

  /// - Parameter ttl: more than zero.
  init(ttl: GoDuration, now: UInt64) {
    self.ttl = UInt64(max(ttl.nanoseconds, 0))
    deadline = now &+ self.ttl
  }

  /// The application reported.
  ///
  /// - Returns: whether a timer for `deadline` has to be started. While the countdown runs there is one already, which finds
  ///   the new deadline when it fires, so that reports cost no timers.
  mutating func reported(output: String, now: UInt64) -> Bool {
    lastOutput = output
    deadline = now &+ ttl
    defer { isExpired = false }
    return isExpired
  }

  mutating func timerFired(now: UInt64) -> Outcome {
    if now < deadline { return .wait(until: deadline) }
    isExpired = true
    if lastOutput.isEmpty { return .expired(output: "TTL expired") }
    return .expired(output: "TTL expired (last output before timeout follows): \(lastOutput)")
  }
}
