/// A consistent view of a server, as in the `raft` section of `consul info`.
public struct RaftStatus: Sendable, Equatable {
  public enum State: String, Sendable {
    case follower = "Follower"
    case candidate = "Candidate"
    case leader = "Leader"
    case shutdown = "Shutdown"
  }

  public var state: State
  public var term: Term
  public var leader: RaftServer?
  public var lastLogIndex: LogIndex
  public var lastLogTerm: Term
  public var commitIndex: LogIndex
  public var appliedIndex: LogIndex
  /// Committed entries that are waiting to be applied.
  public var pendingApplyCount: UInt64
  public var lastSnapshotIndex: LogIndex
  public var lastSnapshotTerm: Term
  public var latestConfiguration: RaftConfiguration
  public var latestConfigurationIndex: LogIndex
  /// Other voters.
  public var peerCount: Int
  /// What a leader knows of the others; empty on all others.
  public var peers: [PeerStatus] = []
  /// Time since the leader was heard from: zero on the leader, nil if it never was.
  public var lastContact: Duration?
  public var protocolVersion: Int { 3 }
  public var protocolVersionMin: Int { 0 }
  public var protocolVersionMax: Int { 3 }
  public var snapshotVersionMin: Int { 0 }
  public var snapshotVersionMax: Int { 1 }
  /// What ended this server, if storage did.
  public var failure: RaftError?
}

/// Another server, as its leader knows it.
public struct PeerStatus: Sendable, Equatable {
  public var id: ServerID
  /// Since the server last answered.
  public var lastContact: Duration
  /// The last entry that is known to be in its log.
  public var matchIndex: LogIndex
  public var matchTerm: Term
}
