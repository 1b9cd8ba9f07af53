/// Something a client wants in the log.
struct Proposal: Sendable {
  var kind: LogEntry.Kind
  var data: [UInt8]
  var extensions: [UInt8]
  var completion: ProposalCompletion
}

/// Everything that reaches a replica from outside or from its own helpers.
enum ReplicaInput: Sendable {
  // Clients
  case seed(RaftConfiguration, completion: @Sendable (Result<Void, RaftError>) -> Void)
  case propose(Proposal)
  case change(ConfigurationChange, expectedIndex: LogIndex?, completion: ProposalCompletion)
  case verifyLeader(completion: @Sendable (Result<Void, RaftError>) -> Void)
  case transferLeadership(to: ServerID?, completion: @Sendable (Result<Void, RaftError>) -> Void)
  case snapshot(completion: @Sendable (Result<any SnapshotReader, RaftError>) -> Void)
  case restore(any SnapshotContent, size: Int64, prepared: (any PreparedState)?, completion: ProposalCompletion)

  // Other servers
  case request(RaftRequest, from: RaftHeader, token: UInt64, content: (any SnapshotContent)?)
  case response(Result<RaftResponse, PeerFailure>, from: ServerID, RequestContext)
  case connectionLost(ServerID)

  // Own helpers
  case logWritten(LogBatch, Result<Void, StorageError>)
  /// The state machine caught up, and the replica had asked to be told.
  case applied
  case snapshotCaptured(Result<any StateSnapshotWriter, RaftError>, LogIndex, Term)
  case snapshotWritten(Result<SnapshotMetadata, RaftError>)
  case snapshotReceived(token: UInt64, InstallSnapshotRequest, Result<any SnapshotSink, RaftError>)
  case snapshotInstalled(token: UInt64, Result<Void, RaftError>)
  case restoreReceived(Result<any SnapshotSink, RaftError>)
  case restoreApplied(Result<Void, RaftError>)
}

/// What leaves a replica towards other servers.
enum ReplicaOutput: Sendable {
  case request(RaftRequest, to: RaftServer, RequestContext)
  case snapshot(InstallSnapshotRequest, any SnapshotReader, to: RaftServer, RequestContext)
  case reply(token: UInt64, RaftResponse)
}
