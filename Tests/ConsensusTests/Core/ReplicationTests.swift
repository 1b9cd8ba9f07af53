import Testing

@testable import Consensus

/// The paper, sections 5.3 to 5.5: the follower's and the leader's side of the log.
@Suite struct ReplicationTests {
  private func append(
    _ term: Term, previous: LogIndex, previousTerm: Term, _ entries: [LogEntry] = [], commit: LogIndex = 0
  ) -> RaftRequest {
    .appendEntries(
      AppendEntriesRequest(
        term: term, previousIndex: previous, previousTerm: previousTerm, entries: entries, leaderCommitIndex: commit))
  }

  // MARK: Followers

  struct FollowerCase: Sendable, CustomTestStringConvertible {
    var name: String
    var log: [Term]
    var previous: LogIndex
    var previousTerm: Term
    var entries: [Term]
    var success: Bool
    var truncatedFrom: LogIndex?
    var result: [Term]
    var testDescription: String { name }
  }

  /// The paper, figure 7: logs a new leader may meet, its own being 1 1 1 4 4 5 5 6 6 6.
  static let followerCases: [FollowerCase] = [
    FollowerCase(
      name: "(a) misses an entry", log: [1, 1, 1, 4, 4, 5, 5, 6, 6], previous: 9, previousTerm: 6, entries: [6],
      success: true, result: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6]),
    FollowerCase(
      name: "(b) misses many", log: [1, 1, 1, 4], previous: 9, previousTerm: 6, entries: [6], success: false,
      result: [1, 1, 1, 4]),
    FollowerCase(
      name: "(c) has one more", log: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6], previous: 9, previousTerm: 6, entries: [6],
      success: true, result: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6]),
    FollowerCase(
      name: "(d) has entries of a later term", log: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7], previous: 10,
      previousTerm: 6, entries: [8], success: true, truncatedFrom: 11, result: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 8]),
    FollowerCase(
      name: "(e) stops in term 4", log: [1, 1, 1, 4, 4, 4, 4], previous: 5, previousTerm: 4, entries: [5, 5, 6, 6, 6],
      success: true, truncatedFrom: 6, result: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6]),
    FollowerCase(
      name: "(f) followed another branch", log: [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3], previous: 5, previousTerm: 4,
      entries: [5], success: false, result: [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]),
    FollowerCase(
      name: "(f) from the last common entry", log: [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3], previous: 3, previousTerm: 1,
      entries: [4, 4, 5], success: true, truncatedFrom: 4, result: [1, 1, 1, 4, 4, 5]),
  ]

  @Test(arguments: followerCases) func aFollowerAdoptsTheLeadersLog(test: FollowerCase) {
    var harness = CoreHarness(term: 8, logTerms: test.log)
    let entries = CoreHarness.entries(test.previous + 1, terms: test.entries)
    var effects = harness.request(
      append(8, previous: test.previous, previousTerm: test.previousTerm, entries), from: "b")
    #expect(effects.truncated == test.truncatedFrom)
    if test.success, !effects.appended.isEmpty {
      #expect(effects.appendReply == nil, "not acknowledged before it is durable")
      effects = harness.makeDurable()
    }
    #expect(effects.appendReply?.success == test.success)
    #expect(effects.appendReply?.noRetryBackoff == !test.success)
    #expect(effects.appendReply?.lastLog == UInt64(test.log.count), "the last index before the request")
    let result = (1...harness.core.log.lastIndex).map { harness.core.log.term(at: $0) ?? 0 }
    #expect(result == test.result)
  }

  @Test func anOldTermIsRefused() {
    var harness = CoreHarness(term: 3)
    let reply = harness.request(append(2, previous: 1, previousTerm: 1), from: "b").appendReply
    #expect(reply == AppendEntriesResponse(term: 3, lastLog: 1, success: false))
    #expect(harness.core.leader == nil)
  }

  @Test func theCommitIndexNeverPassesWhatTheRequestProved() {
    var harness = CoreHarness(term: 2, logTerms: [1, 1, 1, 1])
    // Entries 3 and 4 may be in conflict with the leader's: it has only vouched for 2.
    #expect(harness.request(append(2, previous: 2, previousTerm: 1, commit: 4), from: "b").committed == 2)
    #expect(harness.request(append(2, previous: 4, previousTerm: 1, commit: 3), from: "b").committed == 3)
  }

  @Test func aHeartbeatSetsContactAndChangesNothing() {
    var harness = CoreHarness(term: 2, logTerms: [1, 1])
    let effects = harness.request(.appendEntries(AppendEntriesRequest(term: 2)), from: "b")
    #expect(effects.appendReply == AppendEntriesResponse(term: 2, lastLog: 2, success: true))
    #expect(effects.committed == nil)
    #expect(harness.core.leader?.id == "b")
  }

  @Test func malformedEntriesAreRefused() {
    for entries in [
      CoreHarness.entries(5, terms: [1]), CoreHarness.entries(2, terms: [2, 1]), CoreHarness.entries(2, terms: [9]),
    ] {
      var harness = CoreHarness(term: 2)
      let effects = harness.request(append(2, previous: 1, previousTerm: 1, entries), from: "b")
      #expect(effects.appendReply?.success == false)
      #expect(harness.core.log.lastIndex == 1)
    }
  }

  @Test func aConfigurationIsInForceWhenAppendedAndRolledBackWhenDeleted() {
    var harness = CoreHarness(term: 2)
    let larger = RaftConfiguration(servers: ["a", "b", "c", "d"].map { RaftServer(id: $0, address: $0 + ":1") })
    let entry = LogEntry(index: 2, term: 2, kind: .configuration, data: larger.encoded())
    _ = harness.request(append(2, previous: 1, previousTerm: 1, [entry]), from: "b")
    #expect(harness.core.membership.latest == larger)
    #expect(!harness.core.membership.isCommitted)
    _ = harness.request(append(3, previous: 1, previousTerm: 1, CoreHarness.entries(2, terms: [3])), from: "c")
    #expect(harness.core.membership.latest.servers.count == 3)
    #expect(harness.core.membership.latestIndex == 1)
  }

  // MARK: Leaders

  @Test func anEntryIsCommittedOnceAMajorityHasStoredIt() {
    var harness = CoreHarness()
    harness.lead()
    let effects = harness.step(.propose([CoreHarness.command()]))
    #expect(effects.appended.map { $0.index } == [3])
    #expect(effects.appends.map { $0.to } == ["b", "c"], "followers get it while the own disk is writing")
    #expect(harness.accept(effects.requests[0]).committed == nil, "one of three")
    #expect(harness.makeDurable().committed == 3)
    #expect(harness.accept(effects.requests[1]).committed == nil)
  }

  @Test func theOwnWriteCountsOnlyOnceDurable() {
    var harness = CoreHarness()
    harness.lead()
    let effects = harness.step(.propose([CoreHarness.command()]))
    #expect(harness.accept(effects.requests[0]).committed == nil)
    #expect(harness.accept(effects.requests[1]).committed == 3, "two followers are a majority without the leader")
  }

  /// The paper, section 5.4.2 and figure 8.
  @Test func entriesOfEarlierTermsAreCommittedOnlyThroughOneOfTheOwn() {
    var harness = CoreHarness(term: 2, logTerms: [1, 2, 2])
    _ = harness.accept(harness.timeOut().requests[0])
    let votes = harness.core
    #expect(!votes.isLeader)
    var effects = harness.step(
      .response(.success(.requestVote(VoteResponse(term: 3, granted: true))), from: "b", .vote(term: 3)))
    #expect(harness.core.isLeader)
    // `b` turns out to have everything but the noop.
    let context = RequestContext.append(term: 3, previous: 2, last: 3, sequence: 0, sentAt: harness.now)
    let response = RaftResponse.appendEntries(AppendEntriesResponse(term: 3, lastLog: 3, success: true))
    effects = harness.step(.response(.success(response), from: "b", context))
    #expect(effects.committed == nil)
    harness.settle(effects)
    #expect(harness.core.commitIndex == 4)
  }

  @Test func afterAMismatchTheLeaderGoesWhereTheFollowersLogEnds() {
    var harness = CoreHarness(logTerms: Array(repeating: 1, count: 100))
    _ = harness.accept(harness.timeOut().requests[0])
    let effects = harness.step(
      .response(.success(.requestVote(VoteResponse(term: 2, granted: true))), from: "b", .vote(term: 2)))
    guard let probe = effects.requests.first(where: { $0.to.id == "c" }) else { return #expect(Bool(false)) }
    #expect(effects.appends.first { $0.to == "c" }?.previous == 100)
    let refusal = RaftResponse.appendEntries(
      AppendEntriesResponse(term: 2, lastLog: 40, success: false, noRetryBackoff: true))
    let next = harness.step(.response(.success(refusal), from: "c", probe.context))
    #expect(next.appends.map { $0.previous } == [40])
    #expect(next.appends.map { $0.last } == [101])
    #expect(next.appends.count == 1, "one request at a time until the logs agree")
  }

  @Test func requestsHoldAtMost64EntriesAndTwoAreUnderWay() {
    var harness = CoreHarness()
    harness.lead()
    let effects = harness.step(.propose(Array(repeating: CoreHarness.command(), count: 300)))
    let toB = effects.appends.filter { $0.to == "b" }
    #expect(toB.map { $0.last - $0.previous } == [64, 64])
    let next = harness.accept(effects.requests.filter { $0.to.id == "b" }[0])
    #expect(next.appends.map { $0.previous } == [130])
  }

  @Test func failuresSlowTheLeaderDownAndSuccessSpeedsItUpAgain() {
    #expect(
      (1...14).map { Progress.backoff(failures: $0) / 10_000_000 } == [
        1, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1024, 1024,
      ])
    var harness = CoreHarness()
    harness.lead()
    var request = harness.step(.propose([CoreHarness.command()])).requests.first { $0.to.id == "b" }
    for _ in 0..<5 {
      guard let sent = request else { return #expect(Bool(false)) }
      let effects = harness.step(.response(.failure(.unreachable("down")), from: "b", sent.context))
      #expect(effects.appends.isEmpty)
      for _ in 0..<2000 where harness.core.isLeader {
        let effects = harness.timeOut()
        request = effects.requests.first {
          if case .append = $0.body { $0.to.id == "b" } else { false }
        }
        for other in effects.requests where other.to.id == "c" || other.context != request?.context {
          _ = harness.accept(other)
        }
        if request != nil { break }
      }
    }
    guard let sent = request else { return #expect(Bool(false)) }
    _ = harness.accept(sent)
    #expect(harness.core.leadership?.progress.first { $0.server.id == "b" }?.failures == 0)
  }

  @Test func aFollowerThatNeedsCompactedEntriesGetsTheSnapshot() {
    var harness = CoreHarness()
    harness.lead()
    harness.settle(harness.step(.propose(Array(repeating: CoreHarness.command(), count: 50))))
    _ = harness.step(.snapshotTaken(index: 40, term: 2, compactThrough: 40))
    #expect(harness.core.log.baseIndex == 40)
    let sent = harness.step(.propose([CoreHarness.command()])).requests.first { $0.to.id == "b" }
    guard let sent else { return #expect(Bool(false)) }
    let refusal = RaftResponse.appendEntries(
      AppendEntriesResponse(term: 2, lastLog: 3, success: false, noRetryBackoff: true))
    let effects = harness.step(.response(.success(refusal), from: "b", sent.context))
    guard case .snapshot? = effects.requests.first?.body else { return #expect(Bool(false)) }
    #expect(harness.step(.propose([CoreHarness.command()])).appends.allSatisfy { $0.to != "b" })
    let after = harness.accept(effects.requests[0])
    #expect(after.appends.map { $0.previous } == [40])
  }

  @Test func followersLearnTheCommitIndexWithinTheCommitTimeout() {
    var harness = CoreHarness()
    harness.lead()
    harness.settle(harness.step(.propose([CoreHarness.command()])))
    var told = false
    let start = harness.now
    for _ in 0..<20 where !told {
      let effects = harness.timeOut()
      told = effects.appends.contains { $0.to == "b" && $0.commit == 3 && $0.last == $0.previous }
      for request in effects.requests { _ = harness.accept(request) }
    }
    #expect(told)
    #expect(harness.now.since(start) <= 100_000_000)
  }
}
