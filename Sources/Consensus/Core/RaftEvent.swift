/// What can happen to a server.
enum RaftEvent: Sendable {
  /// `nextDeadline` has passed.
  case tick
  /// Begin a new cluster.
  case seed(RaftConfiguration)
  /// Entries of this server's clients; index and term are still open.
  case propose([LogEntry])
  case changeConfiguration(ConfigurationChange, expectedIndex: LogIndex?, appendedAt: WallTime)
  /// Confirm that this server still leads; answered by `verified` with the same id.
  case verifyLeader(id: UInt64)
  /// Hand leadership over; to the voter that is furthest along if no target is given.
  case transferLeadership(to: ServerID?)
  /// A request of another server; answered by `reply` with the same token.
  case request(RaftRequest, from: RaftHeader, token: UInt64)
  /// The outcome of an own request.
  case response(Result<RaftResponse, PeerFailure>, from: ServerID, RequestContext)
  /// The connection to this server broke: evidence that it is gone, well before any timer.
  case connectionLost(ServerID)
  /// Everything up to this entry is on disk.
  case logDurable(index: LogIndex, term: Term)
  /// A snapshot of the own state machine is safe; the log may forget entries through `compactThrough`.
  case snapshotTaken(index: LogIndex, term: Term, compactThrough: LogIndex)
  /// Entries through this index were applied and are to be forgotten, although no snapshot contains them.
  case compactLog(through: LogIndex)
  /// The leader's snapshot is stored and replaces the log.
  case snapshotInstalled(InstallSnapshotRequest)
  /// An operator restores foreign content: reserve a position for it.
  case beginRestore
  /// The restored snapshot is stored at the reserved position (or could not be).
  case finishRestore(success: Bool)
}

/// What a server wants done, to be carried out in this order.
enum RaftEffect: Sendable {
  /// Must be durable before any later effect is carried out.
  case persist(HardState)
  /// To be written; `logDurable` reports that it happened.
  case append([LogEntry])
  /// Entries from here on are in conflict with the leader's and are deleted.
  case truncate(from: LogIndex)
  /// The log begins anew after this index.
  case reset(next: LogIndex)
  /// Entries up to and including this index are not needed any more.
  case compact(through: LogIndex)
  case send(OutgoingRequest)
  case reply(token: UInt64, RaftResponse)
  /// The stored snapshot at this position becomes this server's state; followed by `reset`.
  case adoptSnapshot(index: LogIndex, term: Term)
  /// Receive the snapshot that follows the request; then `snapshotInstalled` and a reply.
  case receiveSnapshot(InstallSnapshotRequest, token: UInt64)
  /// Entries through this index are decided and go to the state machine.
  case commit(through: LogIndex)
  case becameLeader(term: Term)
  case lostLeadership(term: Term)
  /// The known leader changed (nil: unknown).
  case leaderChanged(RaftServer?)
  case membershipChanged
  case verified(ids: [UInt64])
  case verificationFailed(ids: [UInt64])
  case transferFinished(Result<Void, RaftError>)
  /// A slow follower needs entries that are gone and no snapshot covers them.
  case snapshotNeeded
  /// The position for an operator's restore.
  case restoreReserved(index: LogIndex, term: Term)
  /// The event was not accepted.
  case refused(RaftError)
}

/// A request with everything needed to understand its answer later.
struct OutgoingRequest: Sendable {
  enum Body: Sendable {
    case heartbeat
    /// Entries `first ... last` (none if `last < first`), read from the log when sent.
    case append(previousTerm: Term, first: LogIndex, last: LogIndex, commit: LogIndex)
    case vote(RequestVoteRequest)
    case preVote(RequestPreVoteRequest)
    /// The newest snapshot, whichever that is when it is sent.
    case snapshot
    case timeoutNow
  }

  var to: RaftServer
  var term: Term
  var body: Body
  var context: RequestContext
}

/// What an answer is matched with.
enum RequestContext: Sendable, Equatable {
  case heartbeat(term: Term, round: UInt64, sentAt: MonotonicInstant)
  case append(term: Term, previous: LogIndex, last: LogIndex, sequence: UInt64, sentAt: MonotonicInstant)
  case vote(term: Term)
  case preVote(term: Term)
  case snapshot(term: Term, index: LogIndex, sentAt: MonotonicInstant)
  case timeoutNow(term: Term)
}

/// What a server must never forget (the paper, figure 2, "persistent state").
public struct HardState: Sendable, Equatable {
  public var term: Term
  /// Address of the candidate that got this term's vote.
  public var votedFor: ServerAddress?

  public init(term: Term = 0, votedFor: ServerAddress? = nil) {
    self.term = term
    self.votedFor = votedFor
  }
}
