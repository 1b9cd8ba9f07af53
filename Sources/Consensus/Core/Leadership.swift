/// State that exists only while a server leads.
struct Leadership: Sendable {
  /// All other servers of the latest configuration, in its order.
  var progress: [Progress]
  /// Index of the noop that began this term: the first entry that may be committed by counting (the paper, section 5.4.2).
  var termStart: LogIndex
  /// When the lease has to be checked next; nil without other voters.
  var leaseCheckAt: MonotonicInstant?
  /// Numbers the rounds of heartbeats that confirm leadership.
  var round: UInt64 = 0
  /// Waiting for the round under way.
  var verifying: [UInt64] = []
  /// Came too late for the round under way: served by the next.
  var verifyNext: [UInt64] = []
  var transfer: Transfer?
  /// Position reserved for an operator's restore.
  var restore: (index: LogIndex, term: Term)?

  struct Transfer: Sendable {
    var target: ServerID
    var deadline: MonotonicInstant
    var timeoutNowSent = false
  }

  func position(of id: ServerID) -> Int? { progress.firstIndex { $0.server.id == id } }
}

/// State that exists only while a server stands for election.
struct Candidacy: Sendable {
  enum Phase: Sendable { case preVote, vote }

  var phase: Phase
  /// The term that is asked for; during a pre-vote one above the own term.
  var term: Term
  var granted: Set<ServerID>
  /// Voters whose consent will not come, because they refused or could not be asked.
  var refused: Set<ServerID> = []
  /// Asked to stand by the leader (TimeoutNow).
  var isTransfer: Bool
}
