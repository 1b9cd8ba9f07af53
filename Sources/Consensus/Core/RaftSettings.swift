/// Timers and limits of the algorithm.
public struct RaftSettings: Sendable, Equatable {
  /// How long a follower waits without hearing from the leader (uniformly 1 … 2 times this) before it stands for
  /// election. Longer: fewer needless elections on slow machines; shorter: faster failover.
  public var heartbeatTimeout: Duration
  /// How long a candidate waits (1 … 2 times this) before it tries again.
  public var electionTimeout: Duration
  /// A leader that has not been answered by a quorum for this long steps down.
  public var leaderLeaseTimeout: Duration
  /// How soon (1 … 2 times this) followers learn of a new commit index when nothing else is sent to them.
  public var commitTimeout: Duration
  /// Entries in one AppendEntries request.
  public var appendEntriesMax: Int
  /// Requests to one follower that may be under way once it is known to be in step.
  public var pipelineDepthMax: Int
  /// Ask before a real election whether it could be won, so that a server that was cut off does not disturb the others.
  public var preVote: Bool

  public init(
    heartbeatTimeout: Duration = .seconds(1), electionTimeout: Duration = .seconds(1),
    leaderLeaseTimeout: Duration = .milliseconds(500), commitTimeout: Duration = .milliseconds(50),
    appendEntriesMax: Int = 64, pipelineDepthMax: Int = 2, preVote: Bool = true
  ) {
    self.heartbeatTimeout = heartbeatTimeout
    self.electionTimeout = electionTimeout
    self.leaderLeaseTimeout = leaderLeaseTimeout
    self.commitTimeout = commitTimeout
    self.appendEntriesMax = appendEntriesMax
    self.pipelineDepthMax = pipelineDepthMax
    self.preVote = preVote
  }

  /// Timers of `performance.raft_multiplier` (1 … 10; 5 is the default of an agent).
  public static func scaled(multiplier: Int) -> RaftSettings {
    RaftSettings(
      heartbeatTimeout: .seconds(1) * multiplier, electionTimeout: .seconds(1) * multiplier,
      leaderLeaseTimeout: .milliseconds(500) * multiplier)
  }

  /// Timers of `agent -dev`.
  public static let development = RaftSettings(
    heartbeatTimeout: .milliseconds(35), electionTimeout: .milliseconds(52), leaderLeaseTimeout: .milliseconds(20))
}
