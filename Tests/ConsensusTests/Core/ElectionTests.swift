import Testing

@testable import Consensus

/// The paper, section 5.2; pre-vote: the dissertation, section 9.6.
@Suite struct ElectionTests {
  private func vote(
    _ term: Term, last: LogIndex = 1, lastTerm: Term = 1, transfer: Bool = false
  ) -> RaftRequest {
    .requestVote(
      RequestVoteRequest(term: term, lastLogIndex: last, lastLogTerm: lastTerm, leadershipTransfer: transfer))
  }

  private func preVote(_ term: Term, last: LogIndex = 1, lastTerm: Term = 1) -> RaftRequest {
    .requestPreVote(RequestPreVoteRequest(term: term, lastLogIndex: last, lastLogTerm: lastTerm))
  }

  @Test func aFollowerThatHearsNothingAsksForPreVotesWithoutChangingItsTerm() {
    var harness = CoreHarness()
    let waited = harness.core.nextDeadline?.since(harness.now) ?? 0
    #expect((1_000_000_000...2_000_000_000).contains(waited))
    let effects = harness.timeOut()
    #expect(harness.core.role == .candidate)
    #expect(harness.core.term == 1)
    #expect(effects.persisted == nil)
    #expect(effects.requests.map { $0.to.id } == ["b", "c"])
    guard case .preVote(let request)? = effects.requests.first?.body else { return #expect(Bool(false)) }
    #expect(request == RequestPreVoteRequest(term: 2, lastLogIndex: 1, lastLogTerm: 1))
  }

  @Test func termAndOwnVoteAreDurableBeforeVotesAreAskedFor() {
    var harness = CoreHarness()
    let preVotes = harness.timeOut().requests
    let effects = harness.accept(preVotes[0])
    guard case .persist(let state)? = effects.first else { return #expect(Bool(false)) }
    #expect(state == HardState(term: 2, votedFor: "a:1"))
    #expect(effects.requests.count == 2)
  }

  @Test func aMajorityElectsAndTheLeaderAppendsANoopOfItsTerm() {
    var harness = CoreHarness()
    let votes = harness.accept(harness.timeOut().requests[0]).requests
    let effects = harness.accept(votes[1])
    #expect(harness.core.isLeader)
    #expect(harness.core.leader?.id == "a")
    #expect(effects.appended.map { $0.kind } == [.noop])
    #expect(effects.appended.map { $0.term } == [2])
    #expect(effects.appends.map { $0.to } == ["b", "c"])
  }

  @Test func votesOfAnEarlierCandidacyDoNotCount() {
    var harness = CoreHarness(voters: ["a", "b", "c", "d", "e"])
    let preVotes = harness.timeOut().requests
    _ = harness.accept(preVotes[0])
    let old = harness.accept(preVotes[1]).requests
    _ = harness.timeOut()
    _ = harness.accept(old[0])
    _ = harness.accept(old[1])
    #expect(!harness.core.isLeader)
  }

  /// Candidates that took the votes from each other, and one that asks while others still hear the leader.
  @Test func aCandidateThatCannotWinTriesAgainBeforeItsTimeout() {
    var harness = CoreHarness()
    func refuse(_ request: OutgoingRequest, _ response: RaftResponse) {
      _ = harness.step(.response(.success(response), from: request.to.id, request.context))
    }
    let preVotes = harness.timeOut().requests
    refuse(preVotes[0], .requestPreVote(VoteResponse(term: 2, granted: false)))
    #expect((harness.core.nextDeadline?.since(harness.now) ?? 0) >= 1_000_000_000, "one more may still agree")
    refuse(preVotes[1], .requestPreVote(VoteResponse(term: 2, granted: false)))
    let pause = harness.core.nextDeadline?.since(harness.now) ?? 0
    #expect((250_000_000...500_000_000).contains(pause))

    let votes = harness.accept(harness.timeOut().requests[0]).requests
    for vote in votes { refuse(vote, .requestVote(VoteResponse(term: 2, granted: false))) }
    let second = harness.core.nextDeadline?.since(harness.now) ?? 0
    #expect((50_000_000...250_000_000).contains(second))
    #expect(harness.core.role == .candidate && harness.core.term == 2)
  }

  /// The leader of three servers is dead, and the other two stood for election at the same moment.
  @Test func aVoterThatCannotBeReachedCountsAsOneThatRefuses() {
    var harness = CoreHarness()
    func fail(_ request: OutgoingRequest) {
      _ = harness.step(.response(.failure(.unreachable("refused")), from: request.to.id, request.context))
    }
    let preVotes = harness.timeOut().requests
    fail(preVotes[1])
    #expect((harness.core.nextDeadline?.since(harness.now) ?? 0) >= 1_000_000_000, "one more may still agree")
    let votes = harness.accept(preVotes[0]).requests
    fail(votes[1])
    #expect((harness.core.nextDeadline?.since(harness.now) ?? 0) >= 1_000_000_000, "one more may still agree")
    let refusal = RaftResponse.requestVote(VoteResponse(term: 2, granted: false))
    _ = harness.step(.response(.success(refusal), from: votes[0].to.id, votes[0].context))
    let pause = harness.core.nextDeadline?.since(harness.now) ?? 0
    #expect((50_000_000...250_000_000).contains(pause))
    #expect(harness.core.role == .candidate && harness.core.term == 2)
  }

  @Test func aSingleVoterLeadsAtOnceAndNeedsNoTimers() {
    var harness = CoreHarness(voters: ["a"])
    #expect(harness.core.nextDeadline == harness.now)
    let effects = harness.step(.tick)
    #expect(harness.core.isLeader)
    #expect(effects.persisted == HardState(term: 2, votedFor: "a:1"))
    #expect(harness.makeDurable().committed == 2)
    #expect(harness.core.nextDeadline == nil)
  }

  @Test(arguments: [[], ["b", "c"]]) func whoeverDoesNotVoteNeverStands(voters: [ServerID]) {
    var harness = CoreHarness(voters: voters, nonVoters: voters.isEmpty ? [] : ["a"])
    for _ in 0..<5 { #expect(harness.timeOut().requests.isEmpty) }
    #expect(harness.core.role == .follower)
    #expect(harness.core.term == 1)
  }

  /// The dissertation, figure 4.6: whoever has the removal may be the only one with a complete log.
  @Test func aVoterStandsUntilItsRemovalIsCommittedWithoutCountingItself() throws {
    var harness = CoreHarness(voters: ["a", "b"], term: 1, logTerms: [1])
    let others = RaftConfiguration(servers: [RaftServer(id: "b", address: "b:1")])
    let removal = LogEntry(index: 2, term: 1, kind: .configuration, data: others.encoded())
    _ = harness.request(
      .appendEntries(AppendEntriesRequest(term: 1, previousIndex: 1, previousTerm: 1, entries: [removal])), from: "b")
    _ = harness.makeDurable()
    var effects = harness.timeOut()
    #expect(harness.core.role == .candidate && effects.requests.map { $0.to.id } == ["b"])
    effects = harness.accept(try #require(effects.requests.first))
    effects = harness.accept(try #require(effects.requests.first))
    #expect(harness.core.isLeader)
    #expect(harness.makeDurable().committed == nil)
    effects = harness.accept(try #require(effects.requests.first { $0.to.id == "b" }))
    #expect(effects.committed == 3 && effects.lostLeadership)
    #expect(harness.timeOut().requests.isEmpty)
  }

  @Test func aRefusedPreVoteLeavesTheTermAloneForever() {
    var harness = CoreHarness()
    for _ in 0..<10 {
      for request in harness.timeOut().requests {
        let refusal = RaftResponse.requestPreVote(VoteResponse(term: 1, granted: false))
        _ = harness.step(.response(.success(refusal), from: request.to.id, request.context))
      }
    }
    #expect(harness.core.term == 1)
    #expect(harness.core.role == .candidate)
  }

  @Test func aPeerThatDoesNotKnowPreVotesCountsAsGranting() {
    var harness = CoreHarness()
    let request = harness.timeOut().requests[0]
    let effects = harness.step(.response(.failure(.unsupported), from: request.to.id, request.context))
    #expect(harness.core.term == 2)
    #expect(effects.requests.count == 2)
  }

  @Test func aHigherTermInAnAnswerIsAdopted() {
    var harness = CoreHarness()
    let request = harness.timeOut().requests[0]
    let response = RaftResponse.requestPreVote(VoteResponse(term: 9, granted: false))
    let effects = harness.step(.response(.success(response), from: "b", request.context))
    #expect(effects.persisted == HardState(term: 9))
    #expect(harness.core.role == .follower)
  }

  struct VoteCase: Sendable, CustomTestStringConvertible {
    var name: String
    var from: ServerID = "b"
    var term: Term = 2
    var last: LogIndex = 3
    var lastTerm: Term = 2
    var leader: ServerID?
    var votedFor: ServerID?
    var transfer = false
    var granted: Bool
    var preVoteGranted: Bool?
    var newTerm: Term
    var testDescription: String { name }
  }

  static let voteCases: [VoteCase] = [
    VoteCase(name: "equal log, higher term", term: 3, granted: true, newTerm: 3),
    VoteCase(name: "same term, no vote yet", granted: true, newTerm: 2),
    VoteCase(name: "lower term", term: 1, granted: false, newTerm: 2),
    VoteCase(name: "unknown server", from: "x", term: 5, granted: false, newTerm: 2),
    VoteCase(
      name: "unknown server with entries that are missing here", from: "x", term: 5, last: 4, granted: true, newTerm: 5),
    VoteCase(
      name: "unknown server, another leads", from: "x", term: 5, last: 4, leader: "c", granted: false, newTerm: 2),
    VoteCase(name: "non-voter", from: "n", term: 5, granted: false, newTerm: 5),
    VoteCase(
      name: "non-voter that may have been promoted since", from: "n", term: 5, last: 4, granted: true, newTerm: 5),
    VoteCase(name: "shorter log", term: 3, last: 2, granted: false, newTerm: 3),
    VoteCase(name: "older last term", term: 3, last: 9, lastTerm: 1, granted: false, newTerm: 3),
    VoteCase(name: "newer last term", term: 3, last: 1, lastTerm: 3, granted: true, newTerm: 3),
    VoteCase(name: "voted for another", votedFor: "c", granted: false, preVoteGranted: true, newTerm: 2),
    VoteCase(name: "asked again by the same", votedFor: "b", granted: true, newTerm: 2),
    VoteCase(name: "another leads", term: 3, leader: "c", granted: false, newTerm: 2),
    VoteCase(name: "the leader itself asks", term: 3, leader: "b", granted: true, newTerm: 3),
    VoteCase(
      name: "another leads, but handed over", term: 3, leader: "c", transfer: true, granted: true,
      preVoteGranted: false, newTerm: 3),
  ]

  private func voter(_ test: VoteCase) -> CoreHarness {
    var harness = CoreHarness(
      nonVoters: ["n"], term: 2, logTerms: [1, 2, 2], votedFor: test.votedFor.map { $0 + ":1" })
    if let leader = test.leader {
      _ = harness.request(.appendEntries(AppendEntriesRequest(term: 2)), from: leader)
    }
    return harness
  }

  @Test(arguments: voteCases) func votesAreGrantedByTheRules(test: VoteCase) {
    var harness = voter(test)
    let effects = harness.request(
      vote(test.term, last: test.last, lastTerm: test.lastTerm, transfer: test.transfer), from: test.from)
    #expect(effects.voteReply == VoteResponse(term: test.newTerm, granted: test.granted))
    #expect(harness.core.term == test.newTerm)
    if test.granted, test.votedFor == nil {
      #expect(effects.persisted == HardState(term: test.newTerm, votedFor: test.from + ":1"))
    }
  }

  @Test(arguments: voteCases) func preVotesFollowTheSameRulesButChangeNothing(test: VoteCase) {
    var harness = voter(test)
    let before = harness.core.hardState
    let effects = harness.request(preVote(test.term, last: test.last, lastTerm: test.lastTerm), from: test.from)
    #expect(effects.preVoteReply?.granted == test.preVoteGranted ?? test.granted)
    #expect(effects.preVoteReply?.term == max(2, test.term))
    #expect(harness.core.hardState == before)
    #expect(effects.persisted == nil)
  }

  @Test func aHealthyFollowerProtectsItsLeaderUntilItFallsSilent() {
    var harness = CoreHarness(term: 2)
    _ = harness.request(.appendEntries(AppendEntriesRequest(term: 2)), from: "c")
    #expect(harness.request(preVote(3), from: "b").preVoteReply?.granted == false)
    _ = harness.timeOut()
    #expect(harness.request(preVote(3), from: "b").preVoteReply?.granted == true)
  }

  @Test func contactPostponesTheElection() {
    var harness = CoreHarness()
    for _ in 0..<20 {
      harness.wait(.milliseconds(900))
      _ = harness.request(.appendEntries(AppendEntriesRequest(term: 1)), from: "b")
      if let deadline = harness.core.nextDeadline, deadline <= harness.now { _ = harness.step(.tick) }
      #expect(harness.core.role == .follower)
    }
  }

  @Test func aBrokenConnectionToTheLeaderStartsAPreVoteSoon() {
    var harness = CoreHarness()
    _ = harness.request(.appendEntries(AppendEntriesRequest(term: 1)), from: "b")
    _ = harness.step(.connectionLost("c"))
    #expect((harness.core.nextDeadline?.since(harness.now) ?? 0) > 500_000_000)
    _ = harness.step(.connectionLost("b"))
    #expect((harness.core.nextDeadline?.since(harness.now) ?? .max) <= 100_000_000)
    #expect(harness.timeOut().requests.count == 2)
    #expect(harness.core.term == 1)
  }

  @Test func timeoutNowSkipsThePreVoteAndSaysSo() {
    var harness = CoreHarness()
    let effects = harness.request(.timeoutNow, from: "b")
    #expect(effects.persisted == HardState(term: 2, votedFor: "a:1"))
    guard case .vote(let request)? = effects.requests.first?.body else { return #expect(Bool(false)) }
    #expect(request.leadershipTransfer)
  }
}
