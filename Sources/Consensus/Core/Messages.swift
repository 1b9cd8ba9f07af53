// What servers say to each other. Field names are those of the wire.

/// Header of every message.
public struct RaftHeader: Sendable, Equatable {
  public var protocolVersion: Int
  public var id: ServerID
  public var address: ServerAddress

  public init(protocolVersion: Int = 3, id: ServerID, address: ServerAddress) {
    self.protocolVersion = protocolVersion
    self.id = id
    self.address = address
  }
}

/// Appends entries; with nothing in it but a term, a heartbeat.
public struct AppendEntriesRequest: Sendable, Equatable {
  public var term: Term
  public var previousIndex: LogIndex
  public var previousTerm: Term
  public var entries: [LogEntry]
  public var leaderCommitIndex: LogIndex

  public init(
    term: Term, previousIndex: LogIndex = 0, previousTerm: Term = 0, entries: [LogEntry] = [],
    leaderCommitIndex: LogIndex = 0
  ) {
    self.term = term
    self.previousIndex = previousIndex
    self.previousTerm = previousTerm
    self.entries = entries
    self.leaderCommitIndex = leaderCommitIndex
  }

  /// Heartbeats travel on their own connection and carry nothing of the log.
  public var isHeartbeat: Bool {
    term != 0 && previousIndex == 0 && previousTerm == 0 && entries.isEmpty && leaderCommitIndex == 0
  }
}

public struct AppendEntriesResponse: Sendable, Equatable {
  public var term: Term
  /// The responder's last index before it handled the request.
  public var lastLog: LogIndex
  public var success: Bool
  /// The failure says where to continue, so the leader need not slow down.
  public var noRetryBackoff: Bool

  public init(term: Term, lastLog: LogIndex, success: Bool, noRetryBackoff: Bool = false) {
    self.term = term
    self.lastLog = lastLog
    self.success = success
    self.noRetryBackoff = noRetryBackoff
  }
}

public struct RequestVoteRequest: Sendable, Equatable {
  public var term: Term
  public var lastLogIndex: LogIndex
  public var lastLogTerm: Term
  /// The candidate was asked by the leader to take over; voters do not protect that leader.
  public var leadershipTransfer: Bool

  public init(term: Term, lastLogIndex: LogIndex, lastLogTerm: Term, leadershipTransfer: Bool) {
    self.term = term
    self.lastLogIndex = lastLogIndex
    self.lastLogTerm = lastLogTerm
    self.leadershipTransfer = leadershipTransfer
  }
}

/// Asks whether a vote would be granted, without anybody changing a term (the dissertation, section 9.6).
public struct RequestPreVoteRequest: Sendable, Equatable {
  public var term: Term
  public var lastLogIndex: LogIndex
  public var lastLogTerm: Term

  public init(term: Term, lastLogIndex: LogIndex, lastLogTerm: Term) {
    self.term = term
    self.lastLogIndex = lastLogIndex
    self.lastLogTerm = lastLogTerm
  }
}

/// Answer to a vote and to a pre-vote.
public struct VoteResponse: Sendable, Equatable {
  public var term: Term
  public var granted: Bool

  public init(term: Term, granted: Bool) {
    self.term = term
    self.granted = granted
  }
}

/// Announces a snapshot whose `size` bytes follow.
public struct InstallSnapshotRequest: Sendable, Equatable {
  public var snapshotVersion: Int
  public var term: Term
  public var lastLogIndex: LogIndex
  public var lastLogTerm: Term
  public var configuration: RaftConfiguration
  public var configurationIndex: LogIndex
  /// Bytes of snapshot content.
  public var size: Int64

  public init(
    snapshotVersion: Int = 1, term: Term, lastLogIndex: LogIndex, lastLogTerm: Term,
    configuration: RaftConfiguration, configurationIndex: LogIndex, size: Int64
  ) {
    self.snapshotVersion = snapshotVersion
    self.term = term
    self.lastLogIndex = lastLogIndex
    self.lastLogTerm = lastLogTerm
    self.configuration = configuration
    self.configurationIndex = configurationIndex
    self.size = size
  }
}

public struct InstallSnapshotResponse: Sendable, Equatable {
  public var term: Term
  public var success: Bool

  public init(term: Term, success: Bool) {
    self.term = term
    self.success = success
  }
}

public enum RaftRequest: Sendable, Equatable {
  case appendEntries(AppendEntriesRequest)
  case requestVote(RequestVoteRequest)
  case requestPreVote(RequestPreVoteRequest)
  case installSnapshot(InstallSnapshotRequest)
  /// Tells the receiver to become a candidate at once.
  case timeoutNow
}

public enum RaftResponse: Sendable, Equatable {
  case appendEntries(AppendEntriesResponse)
  case requestVote(VoteResponse)
  case requestPreVote(VoteResponse)
  case installSnapshot(InstallSnapshotResponse)
  case timeoutNow
}

/// Why a request got no response.
public enum PeerFailure: Error, Sendable, Equatable {
  /// Not connected, connection broken, deadline passed.
  case unreachable(String)
  /// The peer does not know this request.
  case unsupported
  /// The peer answered with an error text.
  case refused(String)
}
