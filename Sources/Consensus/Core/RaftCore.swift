/// The algorithm for one server, as a value: no I/O, no clock, no threads. `step` takes what happened and returns what to
/// do, in order. The log's entries stay outside; the core sees indexes and terms (`LogView`).
struct RaftCore: Sendable {
  enum Role: UInt8, Sendable { case follower, candidate, leader }

  /// What survived a restart.
  struct Restored: Sendable {
    var hardState = HardState()
    var log = LogView()
    var membership = Membership()
  }

  let id: ServerID
  let address: ServerAddress
  let settings: RaftSettings
  let timing: Timing

  var random: SeededRandom
  var hardState: HardState
  var log: LogView
  var membership: Membership
  var commitIndex: LogIndex
  var role: Role = .follower
  var leader: RaftServer?
  var lastContact: MonotonicInstant?
  /// Follower: when silence becomes suspicious. Candidate: when to try again.
  var electionDeadline: MonotonicInstant?
  var candidacy: Candidacy?
  var leadership: Leadership?
  /// Successful appends that are answered once durable: (needed index, token, response).
  var pendingReplies: [(index: LogIndex, token: UInt64, response: AppendEntriesResponse)] = []

  private var effects: [RaftEffect] = []
  private var persistedHardState: HardState

  /// Settings as nanoseconds.
  struct Timing: Sendable {
    let heartbeat, election, lease, commit: UInt64

    init(_ settings: RaftSettings) {
      heartbeat = settings.heartbeatTimeout.clampedNanoseconds
      election = settings.electionTimeout.clampedNanoseconds
      lease = settings.leaderLeaseTimeout.clampedNanoseconds
      commit = settings.commitTimeout.clampedNanoseconds
    }
  }

  init(
    id: ServerID, address: ServerAddress, settings: RaftSettings, restored: Restored, seed: UInt64,
    now: MonotonicInstant
  ) {
    self.id = id
    self.address = address
    self.settings = settings
    timing = Timing(settings)
    random = SeededRandom(seed: seed)
    hardState = restored.hardState
    persistedHardState = restored.hardState
    log = restored.log
    membership = restored.membership
    commitIndex = restored.log.snapshotIndex
    log.markDurable(log.lastIndex, term: log.lastTerm)
    // With nobody else to hear from there is no reason to wait before leading.
    electionDeadline = isOnlyVoter ? now : now + random.timeout(timing.heartbeat)
  }

  var term: Term { hardState.term }

  /// Terms beyond this are nonsense: nobody counts that far, and the next one must still be a number.
  static let termMax = Term.max / 2

  /// A term in an answer that ends whatever this server was doing.
  func isNewer(_ other: Term) -> Bool { other > term && other <= Self.termMax }

  /// A request that is not of the past, nor of a term that cannot be.
  func isCurrent(_ other: Term) -> Bool { other >= term && other <= Self.termMax }
  var isLeader: Bool { role == .leader }
  var isVoter: Bool { membership.latest.isVoter(id) }
  var isOnlyVoter: Bool { isVoter && membership.latest.quorum == 1 && membership.latest.voters.count == 1 }

  /// The next configuration change is allowed: none under way, and an entry of the own term is committed
  /// (the dissertation, section 4.1, and the correction to it).
  var mayChangeConfiguration: Bool {
    guard let leadership else { return false }
    return membership.isCommitted && commitIndex >= leadership.termStart && leadership.restore == nil
  }

  /// Why a proposal would be refused now.
  var proposalObstacle: RaftError? {
    guard let leadership else { return .notLeader(leader: leader) }
    if leadership.transfer != nil { return .leadershipTransferInProgress }
    if leadership.restore != nil { return .abortedByRestore }
    return nil
  }

  mutating func step(_ event: RaftEvent, now: MonotonicInstant) -> [RaftEffect] {
    switch event {
    case .tick: tick(now: now)
    case .seed(let configuration): seed(configuration, now: now)
    case .propose(let entries): propose(entries, now: now)
    case .changeConfiguration(let change, let expected, let appendedAt):
      changeConfiguration(change, expectedIndex: expected, appendedAt: appendedAt, now: now)
    case .verifyLeader(let id): verifyLeader(id: id, now: now)
    case .transferLeadership(let target): beginTransfer(to: target, now: now)
    case .request(let request, let from, let token): receive(request, from: from, token: token, now: now)
    case .response(let result, let from, let context): receive(result, from: from, context: context, now: now)
    case .connectionLost(let peer): connectionLost(peer, now: now)
    case .logDurable(let index, let term): logDurable(index: index, term: term, now: now)
    case .snapshotTaken(let index, let term, let through):
      snapshotTaken(index: index, term: term, compactThrough: through)
    case .compactLog(let through): compactLog(through: through)
    case .snapshotInstalled(let request): snapshotInstalled(request, now: now)
    case .beginRestore: beginRestore()
    case .finishRestore(let success): finishRestore(success: success, now: now)
    }
    return takeEffects()
  }

  mutating func emit(_ effect: RaftEffect) { effects.append(effect) }

  /// A changed term or vote comes first: nothing may be sent before it is durable (the paper, figure 2).
  private mutating func takeEffects() -> [RaftEffect] {
    if hardState != persistedHardState {
      effects.insert(.persist(hardState), at: 0)
      persistedHardState = hardState
    }
    defer { effects = [] }
    return effects
  }

  /// When `tick` is due; nil if nothing depends on time.
  var nextDeadline: MonotonicInstant? {
    var next = isLeader ? leadership?.leaseCheckAt : electionDeadline
    func consider(_ instant: MonotonicInstant?) {
      guard let instant else { return }
      next = next.map { min($0, instant) } ?? instant
    }
    if let leadership {
      consider(leadership.transfer?.deadline)
      for progress in leadership.progress {
        consider(progress.heartbeatAt)
        consider(progress.retryAt)
        if progress.mode != .snapshot, progress.retryAt == nil { consider(progress.idleAppendAt) }
      }
    }
    return next
  }

  private mutating func tick(now: MonotonicInstant) {
    switch role {
    case .follower: heartbeatTimerFired(now: now)
    case .candidate: electionTimerFired(now: now)
    case .leader: leaderTimersFired(now: now)
    }
  }

  private mutating func receive(_ request: RaftRequest, from: RaftHeader, token: UInt64, now: MonotonicInstant) {
    switch request {
    case .appendEntries(let append): receiveAppend(append, from: from, token: token, now: now)
    case .requestVote(let vote): receiveVoteRequest(vote, from: from, token: token, now: now)
    case .requestPreVote(let vote): receivePreVoteRequest(vote, from: from, token: token)
    case .installSnapshot(let install): receiveInstallSnapshot(install, from: from, token: token, now: now)
    case .timeoutNow: receiveTimeoutNow(token: token, now: now)
    }
  }

  private mutating func receive(
    _ result: Result<RaftResponse, PeerFailure>, from peer: ServerID, context: RequestContext, now: MonotonicInstant
  ) {
    switch context {
    case .preVote(let term): receivePreVoteResponse(result, from: peer, term: term, now: now)
    case .vote(let term): receiveVoteResponse(result, from: peer, term: term, now: now)
    case .heartbeat(let term, let round, let sentAt):
      receiveHeartbeatResponse(result, from: peer, term: term, round: round, sentAt: sentAt, now: now)
    case .append(let term, let previous, let last, let sequence, let sentAt):
      receiveAppendResponse(
        result, from: peer, sent: (term, previous, last, sequence), sentAt: sentAt, now: now)
    case .snapshot(let term, let index, let sentAt):
      receiveSnapshotResponse(result, from: peer, term: term, index: index, sentAt: sentAt, now: now)
    case .timeoutNow: break
    }
  }

  /// Adopts a term seen elsewhere and follows (the paper, section 5.1: "rules for all servers").
  mutating func becomeFollower(term newTerm: Term, now: MonotonicInstant) {
    precondition(newTerm >= term, "terms never decrease")
    if newTerm > term { hardState = HardState(term: newTerm, votedFor: nil) }
    let wasLeading = leadership
    role = .follower
    candidacy = nil
    leadership = nil
    setLeader(nil)
    electionDeadline = now + random.timeout(timing.heartbeat)
    if let wasLeading { endLeadership(wasLeading) }
  }

  private mutating func endLeadership(_ ended: Leadership) {
    // Contact with others says nothing about a leader; wait one full timeout before standing again.
    lastContact = nil
    emit(.lostLeadership(term: term))
    let waiting = ended.verifying + ended.verifyNext
    if !waiting.isEmpty { emit(.verificationFailed(ids: waiting)) }
    if let transfer = ended.transfer {
      emit(.transferFinished(transfer.timeoutNowSent ? .success(()) : .failure(.leadershipLost)))
    }
  }

  mutating func setLeader(_ server: RaftServer?) {
    guard leader?.id != server?.id || leader?.address != server?.address else { return }
    leader = server
    emit(.leaderChanged(server))
  }
}
