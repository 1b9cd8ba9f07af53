// Standing for election and voting (the paper, section 5.2; pre-vote: the dissertation, section 9.6).

extension RaftCore {
  mutating func heartbeatTimerFired(now: MonotonicInstant) {
    guard let deadline = electionDeadline, deadline <= now else { return }
    if let lastContact, now.since(lastContact) < timing.heartbeat {
      electionDeadline = lastContact + random.timeout(timing.heartbeat)
      if let next = electionDeadline, next <= now { electionDeadline = now + timing.heartbeat }
      return
    }
    setLeader(nil)
    guard mayStand else {
      // No configuration, or one in which this server does not vote: wait to be contacted.
      electionDeadline = now + random.timeout(timing.heartbeat)
      return
    }
    becomeCandidate(isTransfer: false, now: now)
  }

  mutating func electionTimerFired(now: MonotonicInstant) {
    guard let deadline = electionDeadline, deadline <= now else { return }
    becomeCandidate(isTransfer: false, now: now)
  }

  /// A closed connection to the leader is as good as a missed heartbeat. Others who still hear the leader refuse the
  /// pre-vote, so nothing is disturbed if only this connection broke.
  mutating func connectionLost(_ peer: ServerID, now: MonotonicInstant) {
    guard role == .follower, leader?.id == peer, mayStand, settings.preVote else { return }
    setLeader(nil)
    lastContact = nil
    // A fraction of the timeout, randomised, keeps survivors from asking at the same moment.
    electionDeadline = now + UInt64.random(in: 0...max(timing.heartbeat / 10, 1), using: &random)
  }

  /// A voter whose removal is not known to be committed still stands: it may be the only one whose log is complete
  /// enough to be elected (the dissertation, section 4.2.2). Its own vote does not count then.
  private var mayStand: Bool { isVoter || (!membership.isCommitted && membership.committed.isVoter(id)) }

  private var ownVote: Set<ServerID> { isVoter ? [id] : [] }

  mutating func becomeCandidate(isTransfer: Bool, now: MonotonicInstant) {
    role = .candidate
    setLeader(nil)
    electionDeadline = now + random.timeout(timing.election)
    if settings.preVote && !isTransfer {
      candidacy = Candidacy(phase: .preVote, term: term + 1, granted: ownVote, isTransfer: false)
      let request = RequestPreVoteRequest(term: term + 1, lastLogIndex: log.lastIndex, lastLogTerm: log.lastTerm)
      sendToOtherVoters(.preVote(request), context: .preVote(term: term + 1))
      concludePreVote(now: now)
    } else {
      beginElection(isTransfer: isTransfer, now: now)
    }
  }

  private mutating func beginElection(isTransfer: Bool, now: MonotonicInstant) {
    hardState = HardState(term: term + 1, votedFor: address)
    candidacy = Candidacy(phase: .vote, term: term, granted: ownVote, isTransfer: isTransfer)
    electionDeadline = now + random.timeout(timing.election)
    let request = RequestVoteRequest(
      term: term, lastLogIndex: log.lastIndex, lastLogTerm: log.lastTerm, leadershipTransfer: isTransfer)
    sendToOtherVoters(.vote(request), context: .vote(term: term))
    concludeElection(now: now)
  }

  private mutating func sendToOtherVoters(_ body: OutgoingRequest.Body, context: RequestContext) {
    for server in membership.latest.servers where server.suffrage == .voter && server.id != id {
      emit(.send(OutgoingRequest(to: server, term: term, body: body, context: context)))
    }
  }

  private mutating func concludePreVote(now: MonotonicInstant) {
    guard let candidacy, candidacy.phase == .preVote else { return }
    if candidacy.granted.count >= membership.latest.quorum {
      beginElection(isTransfer: false, now: now)
    } else if isLost(candidacy) {
      // Others still hear the leader, or have not noticed yet that it is gone.
      retrySoon(within: timing.election / 4...timing.election / 2, now: now)
    }
  }

  /// So many refused, or cannot be reached, that the others are no majority. With one of three servers gone, the two that
  /// are left may have taken the votes from each other.
  private func isLost(_ candidacy: Candidacy) -> Bool {
    candidacy.refused.count > membership.latest.voters.count - membership.latest.quorum
  }

  /// Nothing is to be won by waiting for the rest of the election timeout. The random pause keeps candidates apart that
  /// took the votes from each other.
  private mutating func retrySoon(within pause: ClosedRange<UInt64>, now: MonotonicInstant) {
    let retryAt = now + UInt64.random(in: pause, using: &random)
    electionDeadline = electionDeadline.map { min($0, retryAt) } ?? retryAt
  }

  private mutating func concludeElection(now: MonotonicInstant) {
    guard let candidacy, candidacy.phase == .vote else { return }
    if candidacy.granted.count >= membership.latest.quorum {
      becomeLeader(now: now)
    } else if isLost(candidacy) {
      retrySoon(within: timing.election / 20...timing.election / 4, now: now)
    }
  }

  mutating func receivePreVoteResponse(
    _ result: Result<RaftResponse, PeerFailure>, from peer: ServerID, term asked: Term, now: MonotonicInstant
  ) {
    guard role == .candidate, candidacy?.phase == .preVote, candidacy?.term == asked else { return }
    switch result {
    case .success(.requestPreVote(let response)):
      if response.term > asked, isNewer(response.term) {
        becomeFollower(term: response.term, now: now)
        return
      }
      if response.granted { candidacy?.granted.insert(peer) } else { candidacy?.refused.insert(peer) }
    case .failure(.unsupported):
      // A server that does not know pre-votes would not object.
      candidacy?.granted.insert(peer)
    case .failure: candidacy?.refused.insert(peer)
    default: return
    }
    concludePreVote(now: now)
  }

  mutating func receiveVoteResponse(
    _ result: Result<RaftResponse, PeerFailure>, from peer: ServerID, term asked: Term, now: MonotonicInstant
  ) {
    var isGranted = false
    switch result {
    case .success(.requestVote(let response)):
      if isNewer(response.term) {
        becomeFollower(term: response.term, now: now)
        return
      }
      isGranted = response.granted
    case .failure: break
    default: return
    }
    guard role == .candidate, candidacy?.phase == .vote, candidacy?.term == asked, asked == term else { return }
    if isGranted { candidacy?.granted.insert(peer) } else { candidacy?.refused.insert(peer) }
    concludeElection(now: now)
  }

  mutating func receiveVoteRequest(
    _ request: RequestVoteRequest, from: RaftHeader, token: UInt64, now: MonotonicInstant
  ) {
    func answer(_ granted: Bool) {
      emit(.reply(token: token, .requestVote(VoteResponse(term: term, granted: granted))))
    }
    let position = LogPosition(index: request.lastLogIndex, term: request.lastLogTerm)
    guard mayAsk(from, position) else { return answer(false) }
    if let leader, leader.address != from.address, !request.leadershipTransfer { return answer(false) }
    guard isCurrent(request.term) else { return answer(false) }
    if request.term > term { becomeFollower(term: request.term, now: now) }
    guard isEligible(from, position) else { return answer(false) }
    if let vote = hardState.votedFor {
      // One vote per term; a repeated request of the same candidate gets the same answer.
      if vote == from.address { lastContact = now }
      return answer(vote == from.address)
    }
    guard position >= lastPosition else { return answer(false) }
    hardState.votedFor = from.address
    lastContact = now
    answer(true)
  }

  mutating func receivePreVoteRequest(_ request: RequestPreVoteRequest, from: RaftHeader, token: UInt64) {
    let position = LogPosition(index: request.lastLogIndex, term: request.lastLogTerm)
    let granted =
      mayAsk(from, position)
      && (leader == nil || leader?.address == from.address)
      && isCurrent(request.term)
      && isEligible(from, position)
      && position >= lastPosition
    let response = VoteResponse(term: max(term, request.term), granted: granted)
    emit(.reply(token: token, .requestPreVote(response)))
  }

  /// Servers that were removed may not know it yet and are not listened to. But one that has entries which are missing
  /// here may be a member by one of them, and perhaps nobody can be elected without this vote (the dissertation,
  /// section 4.1: requests are answered without regard to the own configuration).
  private func mayAsk(_ peer: RaftHeader, _ position: LogPosition) -> Bool {
    let latest = membership.latest
    return peer.id.isEmpty || latest.servers.isEmpty || latest.server(peer.id) != nil || position > lastPosition
  }

  private func isEligible(_ peer: RaftHeader, _ position: LogPosition) -> Bool {
    let latest = membership.latest
    return peer.id.isEmpty || latest.servers.isEmpty || latest.isVoter(peer.id) || position > lastPosition
  }

  private var lastPosition: LogPosition { LogPosition(index: log.lastIndex, term: log.lastTerm) }

  mutating func receiveTimeoutNow(token: UInt64, now: MonotonicInstant) {
    emit(.reply(token: token, .timeoutNow))
    guard isVoter, role != .leader else { return }
    becomeCandidate(isTransfer: true, now: now)
  }
}

/// The end of a log. A candidate whose log ends later than, or where, those of a majority do contains all committed
/// entries (the paper, section 5.4.1).
private struct LogPosition: Comparable {
  var index: LogIndex
  var term: Term

  static func < (left: Self, right: Self) -> Bool { (left.term, left.index) < (right.term, right.index) }
}
