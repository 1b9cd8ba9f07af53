/// What a leader knows about one follower (the paper, figure 2: nextIndex and matchIndex).
struct Progress: Sendable, Equatable {
  enum Mode: Sendable, Equatable {
    /// One request at a time until the logs are known to agree.
    case probe
    /// In step: requests follow each other without waiting.
    case pipeline
    /// A snapshot is under way; no entries meanwhile.
    case snapshot
  }

  var server: RaftServer
  var mode: Mode = .probe
  var matchIndex: LogIndex = 0
  var nextIndex: LogIndex
  /// Append requests without an answer yet.
  var inFlight = 0
  /// Grows when requests under way lose their meaning for flow control.
  var sequence: UInt64 = 0
  var failures = 0
  var retryAt: MonotonicInstant?
  /// When the newest answered request was sent: nothing later is known about the peer.
  var lastContact: MonotonicInstant
  var heartbeatAt: MonotonicInstant
  var heartbeatsInFlight = 0
  var heartbeatFailures = 0
  /// When to repeat the commit index if nothing else is sent.
  var idleAppendAt: MonotonicInstant
  /// Newest verification round the peer has answered.
  var ackedRound: UInt64 = 0

  init(server: RaftServer, nextIndex: LogIndex, now: MonotonicInstant) {
    self.server = server
    self.nextIndex = nextIndex
    lastContact = now
    heartbeatAt = now
    idleAppendAt = now
  }

  /// Pause after the n-th failure in a row: 10 ms × 2^(n−2), at most 2^10 times that.
  static func backoff(failures: Int) -> UInt64 {
    guard failures > 2 else { return 10_000_000 }
    return 10_000_000 << UInt64(min(failures, 12) - 2)
  }

  /// Forgets requests under way and starts one at a time from `nextIndex`.
  mutating func restart(at next: LogIndex) {
    mode = .probe
    nextIndex = max(next, 1)
    inFlight = 0
    sequence += 1
  }

  mutating func noteContact(sentAt: MonotonicInstant) {
    lastContact = max(lastContact, sentAt)
  }
}
