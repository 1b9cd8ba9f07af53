import Testing

@testable import Consensus

/// What a leader does besides replicating: lease, confirmation, membership, transfer, restore.
@Suite struct LeaderTests {
  /// The dissertation, section 6.2.
  @Test func aLeaderThatNobodyAnswersStepsDown() {
    var harness = CoreHarness()
    harness.lead()
    let start = harness.now
    var effects: [RaftEffect] = []
    for _ in 0..<200 where harness.core.isLeader { effects = harness.timeOut() }
    #expect(!harness.core.isLeader)
    #expect(effects.lostLeadership)
    #expect(harness.now.since(start) <= 1_100_000_000, "one lease after the last contact")
    #expect(harness.core.leader == nil)
    #expect(harness.step(.propose([CoreHarness.command()])).refusal == .notLeader(leader: nil))
  }

  @Test func oneOfTwoFollowersIsEnoughToStayLeader() {
    var harness = CoreHarness()
    harness.lead()
    for _ in 0..<300 {
      for request in harness.timeOut().requests where request.to.id == "b" { _ = harness.accept(request) }
    }
    #expect(harness.core.isLeader)
  }

  /// The dissertation, section 6.4.
  @Test func oneRoundOfHeartbeatsConfirmsEverybodyWhoWaitedBeforeIt() {
    var harness = CoreHarness()
    harness.lead()
    let first = harness.step(.verifyLeader(id: 1))
    #expect(first.heartbeats.count == 2)
    #expect(harness.step(.verifyLeader(id: 2)).heartbeats.isEmpty, "too late for the round under way")
    #expect(harness.step(.verifyLeader(id: 3)).heartbeats.isEmpty)
    let effects = harness.accept(first.heartbeats[0])
    #expect(effects.verified == [1])
    #expect(effects.heartbeats.count == 2)
    #expect(harness.accept(effects.heartbeats[1]).verified == [2, 3])
  }

  @Test func heartbeatsSentBeforeTheQuestionConfirmNothing() {
    var harness = CoreHarness()
    harness.lead()
    var old: [OutgoingRequest] = []
    for _ in 0..<20 where old.isEmpty { old = harness.timeOut().heartbeats }
    _ = harness.step(.verifyLeader(id: 1))
    #expect(harness.accept(old[0]).verified.isEmpty)
  }

  @Test func whoeverAsksADeposedLeaderIsToldSo() {
    var harness = CoreHarness()
    harness.lead()
    _ = harness.step(.verifyLeader(id: 1))
    let effects = harness.request(.appendEntries(AppendEntriesRequest(term: 9)), from: "b")
    #expect(effects.contains { if case .verificationFailed(ids: [1]) = $0 { true } else { false } })
    #expect(harness.core.leader?.id == "b")
  }

  /// The dissertation, section 4.1.
  @Test func aNewVoterCountsFromTheMomentItsEntryIsAppended() {
    var harness = CoreHarness(voters: ["a", "b", "c"])
    harness.lead()
    let effects = harness.step(
      .changeConfiguration(.addVoter(id: "d", address: "d:1"), expectedIndex: nil, appendedAt: .unset))
    #expect(harness.core.membership.latest.quorum == 3)
    #expect(!harness.core.mayChangeConfiguration, "one at a time")
    #expect(effects.appends.contains { $0.to == "d" })
    _ = harness.makeDurable()
    #expect(harness.accept(effects.requests[0]).committed == nil, "two of four")
    #expect(harness.accept(effects.requests[1]).committed == 3)
    #expect(harness.core.mayChangeConfiguration)
  }

  @Test func aNonVoterReceivesEverythingAndCountsForNothing() {
    var harness = CoreHarness(voters: ["a", "b", "c"], nonVoters: ["n"])
    harness.lead()
    let effects = harness.step(.propose([CoreHarness.command()]))
    _ = harness.makeDurable()
    guard let toN = effects.requests.first(where: { $0.to.id == "n" }) else { return #expect(Bool(false)) }
    #expect(harness.accept(toN).committed == nil)
  }

  @Test func theFirstChangeWaitsForAnEntryOfTheOwnTerm() {
    var harness = CoreHarness()
    _ = harness.accept(harness.timeOut().requests[0])
    _ = harness.step(.response(.success(.requestVote(VoteResponse(term: 2, granted: true))), from: "b", .vote(term: 2)))
    #expect(harness.core.isLeader)
    #expect(!harness.core.mayChangeConfiguration)
  }

  @Test func aLeaderThatIsRemovedLeadsUntilThatIsCommitted() {
    var harness = CoreHarness()
    harness.lead()
    let effects = harness.step(.changeConfiguration(.removeServer(id: "a"), expectedIndex: 1, appendedAt: .unset))
    _ = harness.makeDurable()
    #expect(harness.accept(effects.requests[0]).committed == nil, "the leader itself does not count any more")
    #expect(harness.core.isLeader)
    let last = harness.accept(effects.requests[1])
    #expect(last.committed == 3)
    #expect(last.lostLeadership)
    for _ in 0..<5 { _ = harness.timeOut() }
    #expect(harness.core.role == .follower, "and never stands again")
  }

  @Test func theLastServerCanTakeOverFromALeaderThatRemovesItself() {
    var harness = CoreHarness(voters: ["a", "b"])
    harness.lead()
    let effects = harness.step(.changeConfiguration(.removeServer(id: "a"), expectedIndex: nil, appendedAt: .unset))
    #expect(harness.makeDurable().committed == nil)
    #expect(harness.accept(effects.requests[0]).committed == 3)
    #expect(!harness.core.isLeader)
  }

  struct ChangeCase: Sendable {
    var change: ConfigurationChange
    var error: ConfigurationChangeError?
    var suffrage: [ServerID: RaftServer.Suffrage] = [:]
  }

  @Test(arguments: [
    ChangeCase(change: .addVoter(id: "n", address: "n:1"), suffrage: ["n": .voter]),
    ChangeCase(change: .addNonVoter(id: "b", address: "b:2"), suffrage: ["b": .voter]),
    ChangeCase(change: .addNonVoter(id: "x", address: "x:1"), suffrage: ["x": .nonVoter]),
    ChangeCase(change: .demoteVoter(id: "b"), suffrage: ["b": .nonVoter]),
    ChangeCase(change: .addVoter(id: "", address: "x:1"), error: .emptyID),
    ChangeCase(change: .addVoter(id: "x", address: ""), error: .emptyAddress(id: "x")),
    ChangeCase(change: .addVoter(id: "x", address: "b:1"), error: .duplicateAddress("b:1")),
  ]) func changesAreCheckedBeforeTheyAreAppended(test: ChangeCase) throws {
    let before = RaftConfiguration(servers: [
      RaftServer(id: "a", address: "a:1"), RaftServer(id: "b", address: "b:1"),
      RaftServer(id: "n", address: "n:1", suffrage: .nonVoter),
    ])
    if let error = test.error {
      #expect(throws: error) { try before.applying(test.change) }
    } else {
      let after = try before.applying(test.change)
      for (id, suffrage) in test.suffrage { #expect(after.server(id)?.suffrage == suffrage) }
    }
  }

  @Test func theLastVoterStays() {
    let alone = RaftConfiguration(servers: [
      RaftServer(id: "a", address: "a:1"), RaftServer(id: "n", address: "n:1", suffrage: .nonVoter),
    ])
    #expect(throws: ConfigurationChangeError.noVoterLeft) { try alone.applying(.removeServer(id: "a")) }
    #expect(throws: ConfigurationChangeError.noVoterLeft) { try alone.applying(.demoteVoter(id: "a")) }
  }

  @Test func aChangeBasedOnAnOlderConfigurationIsRefused() {
    var harness = CoreHarness()
    harness.lead()
    let effects = harness.step(
      .changeConfiguration(.removeServer(id: "b"), expectedIndex: 7, appendedAt: .unset))
    #expect(effects.refusal == .configurationChange(.changedSince(expected: 7, latest: 1)))
    #expect(harness.core.membership.latest.servers.count == 3)
  }

  /// The dissertation, section 3.10.
  @Test func aTransferWaitsUntilTheTargetHasEverything() {
    var harness = CoreHarness()
    harness.lead()
    let pending = harness.step(.propose([CoreHarness.command()])).requests.first { $0.to.id == "c" }
    var effects = harness.step(.transferLeadership(to: "c"))
    #expect(effects.requests.isEmpty)
    #expect(harness.step(.propose([CoreHarness.command()])).refusal == .leadershipTransferInProgress)
    guard let pending else { return #expect(Bool(false)) }
    effects = harness.accept(pending)
    guard case .timeoutNow? = effects.requests.first?.body else { return #expect(Bool(false)) }
    effects = harness.request(
      .requestVote(RequestVoteRequest(term: 3, lastLogIndex: 3, lastLogTerm: 2, leadershipTransfer: true)), from: "c")
    #expect(effects.voteReply?.granted == true)
    #expect(effects.contains { if case .transferFinished(.success) = $0 { true } else { false } })
  }

  @Test func aTransferThatLeadsNowhereIsGivenUpAfterTheElectionTimeout() {
    var harness = CoreHarness()
    harness.lead()
    _ = harness.step(.propose([CoreHarness.command()]))
    _ = harness.step(.transferLeadership(to: "c"))
    let start = harness.now
    var isOver = false
    for _ in 0..<500 where !isOver {
      let effects = harness.timeOut()
      isOver = effects.contains {
        if case .transferFinished(.failure(.leadershipTransferTimedOut)) = $0 { true } else { false }
      }
      for request in effects.requests where request.to.id == "b" { _ = harness.accept(request) }
    }
    #expect(isOver && harness.core.isLeader)
    #expect(harness.now.since(start) == 1_000_000_000)
    #expect(harness.step(.propose([CoreHarness.command()])).refusal == nil)
  }

  @Test func onlyOtherVotersCanBeTargets() {
    var harness = CoreHarness(nonVoters: ["n"])
    harness.lead()
    for target in ["n", "a", "nobody"] {
      #expect(harness.step(.transferLeadership(to: target)).refusal == .invalidTransferTarget(target))
    }
  }

  @Test func anOperatorsRestoreLeavesAGapThatSendsEverybodyASnapshot() {
    var harness = CoreHarness()
    harness.lead()
    var effects = harness.step(.beginRestore)
    #expect(effects.contains { if case .restoreReserved(index: 3, term: 2) = $0 { true } else { false } })
    #expect(harness.step(.propose([CoreHarness.command()])).refusal == .abortedByRestore)
    effects = harness.step(.finishRestore(success: true))
    #expect(harness.core.log.snapshotIndex == 3 && harness.core.log.baseIndex == 3)
    #expect(effects.appended.map { $0.index } == [4])
    #expect(effects.requests.map { $0.to.id } == ["b", "c"])
    #expect(effects.requests.allSatisfy { if case .snapshot = $0.body { true } else { false } })
  }

  @Test func snapshotsAreInstalledOnlyIfTheyAreAhead() {
    var harness = CoreHarness(term: 2, logTerms: [1, 1, 1])
    let configuration = RaftConfiguration(servers: [RaftServer(id: "b", address: "b:1")])
    func install(_ index: LogIndex) -> InstallSnapshotRequest {
      InstallSnapshotRequest(
        term: 2, lastLogIndex: index, lastLogTerm: 2, configuration: configuration, configurationIndex: 5, size: 10)
    }
    let effects = harness.request(.installSnapshot(install(9)), from: "b")
    #expect(effects.contains { if case .receiveSnapshot = $0 { true } else { false } })
    let adopted = harness.step(.snapshotInstalled(install(9)))
    #expect(adopted.contains { if case .adoptSnapshot(index: 9, term: 2) = $0 { true } else { false } })
    #expect(harness.core.commitIndex == 9 && harness.core.log.lastIndex == 9)
    #expect(harness.core.membership.latest == configuration)
    let again = harness.request(.installSnapshot(install(8)), from: "b")
    #expect(again.replies == [.installSnapshot(InstallSnapshotResponse(term: 2, success: true))])
  }
}
