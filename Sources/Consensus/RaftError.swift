/// Everything the room answers instead of a result.
public enum RaftError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Ask `leader` instead, if one is known.
  case notLeader(leader: RaftServer?)
  /// The entry may or may not become part of the log.
  case leadershipLost
  case leadershipTransferInProgress
  case leadershipTransferTimedOut
  /// Nobody could take over.
  case noTransferTarget
  /// A transfer target that is not a voter of the configuration, or this server itself.
  case invalidTransferTarget(ServerID)
  /// An operator's restore is replacing the state; entries in flight were dropped.
  case abortedByRestore
  case restoreFailed(String)
  case configurationChange(ConfigurationChangeError)
  /// Nothing was applied since the last snapshot.
  case nothingToSnapshot
  case snapshotInProgress
  /// The applied index has not reached the configuration that a snapshot must contain.
  case snapshotBelowConfiguration(applied: LogIndex, configuration: LogIndex)
  case snapshotFailed(String)
  /// An operator's configuration is only for a server that has a state.
  case nothingToRecover
  /// Seeding is only for a server without any state.
  case alreadyBootstrapped
  /// A single entry above `RaftOptions.entryBytesMax`.
  case entryTooLarge(bytes: Int, limit: Int)
  /// The log, the term or a snapshot cannot be read or written any more. Nothing is acknowledged after that.
  case storage(StorageError)
  /// The state machine could not be restored from a snapshot.
  case stateMachine(String)
  /// The operating system refused to start a thread.
  case noThread
  case shutDown

  public var description: String {
    switch self {
    case .notLeader: "node is not the leader"
    case .leadershipLost: "leadership lost while committing log"
    case .leadershipTransferInProgress: "leadership transfer in progress"
    case .leadershipTransferTimedOut: "leadership transfer timeout"
    case .noTransferTarget: "cannot find peer"
    case .invalidTransferTarget(let id): "cannot transfer leadership to server \"\(id)\""
    case .abortedByRestore: "snapshot restored while committing log"
    case .restoreFailed(let reason): "failed to restore snapshot: \(reason)"
    case .configurationChange(let error): error.description
    case .nothingToSnapshot: "nothing new to snapshot"
    case .snapshotInProgress: "a snapshot is already in progress"
    case .snapshotBelowConfiguration(let applied, let configuration):
      "cannot take snapshot now, wait until the configuration entry at \(configuration) has been applied "
        + "(have applied \(applied))"
    case .snapshotFailed(let reason): "failed to take snapshot: \(reason)"
    case .nothingToRecover: "refused to recover cluster with no initial state, this is probably an operator error"
    case .alreadyBootstrapped: "bootstrap only works on new clusters"
    case .entryTooLarge(let bytes, let limit): "entry of \(bytes) bytes exceeds the limit of \(limit) bytes"
    case .storage(let error): error.description
    case .stateMachine(let reason): "state machine: \(reason)"
    case .noThread: "cannot start a thread"
    case .shutDown: "raft is already shutdown"
    }
  }
}
