import Consensus
import Model
import Testing

@testable import Server

private func member(_ name: String, _ address: String, _ tags: [String: String?] = [:]) throws -> ServerMember {
  try #require(ServerMember(.server(name, address, tags: tags)))
}

@Suite("Who takes part in consensus")
struct ElectorateTests {
  private let electorate = Electorate(
    ownID: "id-s1",
    configuration: RaftConfiguration(servers: [
      RaftServer(id: "id-s1", address: "10.0.0.1:8300"), RaftServer(id: "id-s2", address: "10.0.0.2:8300"),
    ]))

  @Test func aNewServerJoinsWithoutAVote() throws {
    let new = try member("s3", "10.0.0.3")
    #expect(electorate.changes(for: new, among: [new]) == [.addNonVoter(id: "id-s3", address: "10.0.0.3:8300")])
  }

  @Test func whoTakesPartAlreadyChangesNothing() throws {
    let known = try member("s2", "10.0.0.2")
    #expect(electorate.changes(for: known, among: [known]).isEmpty)
    let own = try member("s1", "10.0.0.9")
    #expect(electorate.changes(for: own, among: [own]).isEmpty)
  }

  @Test func aServerThatMovedGetsItsNewAddress() throws {
    let moved = try member("s2", "10.0.0.22")
    #expect(electorate.changes(for: moved, among: [moved]) == [.addNonVoter(id: "id-s2", address: "10.0.0.22:8300")])
  }

  @Test func aServerThatReplacesAnotherAtItsAddressPushesItOut() throws {
    let new = try member("s3", "10.0.0.2")
    #expect(
      electorate.changes(for: new, among: [new]) == [
        .removeServer(id: "id-s2"), .addNonVoter(id: "id-s3", address: "10.0.0.2:8300"),
      ])
  }

  @Test func twoServersThatWouldEachBeginAClusterStayApart() throws {
    let one = try member("s3", "10.0.0.3", ["bootstrap": "1"])
    let two = try member("s4", "10.0.0.4", ["bootstrap": "1"])
    #expect(electorate.changes(for: one, among: [one, two]).isEmpty)
    #expect(!electorate.changes(for: one, among: [one]).isEmpty)
  }

  @Test func whoeverLeavesIsTakenOutOnce() throws {
    #expect(electorate.changes(afterLeaving: try member("s2", "10.0.0.2")) == [.removeServer(id: "id-s2")])
    #expect(electorate.changes(afterLeaving: try member("s3", "10.0.0.3")).isEmpty)
    #expect(electorate.changes(afterLeaving: try member("s1", "10.0.0.1")).isEmpty)
  }
}

@Suite("What autopilot does")
struct AutopilotDecisionTests {
  /// Servers by name: `+` healthy, `-` dead, `?` failed for gossip although consensus hears of it, `~` gone without gossip
  /// having noticed; `v` voter, `n` not. The first leads.
  private func state(_ servers: [(String, String)], at seconds: Int64 = 0) -> AutopilotState {
    let observations = servers.map { name, kind in
      var server = ServerObservation(id: name, address: "\(name):1")
      server.nodeStatus = kind.contains("+") || kind.contains("~") ? "alive" : "failed"
      server.isVoter = kind.contains("v")
      server.lastContact = kind.contains("+") || kind.contains("?") ? .zero : .seconds(60)
      return server
    }
    return AutopilotState().next(
      observations, leader: servers[0].0, configuration: AutopilotConfiguration(), now: Timestamp(unixSeconds: seconds))
  }

  private func decisions(_ change: (inout AutopilotConfiguration) -> Void = { _ in }) -> AutopilotDecisions {
    var configuration = AutopilotConfiguration()
    change(&configuration)
    return AutopilotDecisions(configuration: configuration, watchingSince: Timestamp(unixSeconds: 0))
  }

  @Test func aServerGetsItsVoteWhenItWasHealthyForLongEnough() {
    let state = state([("a", "+v"), ("b", "+n"), ("c", "-n")], at: 100)
    func promoted(at seconds: Int64) -> [ServerID] {
      decisions().promotions(state, replicas: [], now: Timestamp(unixSeconds: seconds))
    }
    #expect(promoted(at: 109) == [])
    #expect(promoted(at: 110) == ["b"])
  }

  @Test func rightAfterAnElectionNobodyWaits() {
    let state = state([("a", "+v"), ("b", "+n")], at: 5)
    #expect(decisions().promotions(state, replicas: [], now: Timestamp(unixSeconds: 6)) == ["b"])
  }

  @Test func aReadReplicaNeverVotes() {
    let state = state([("a", "+v"), ("b", "+n")])
    #expect(decisions().promotions(state, replicas: ["b"], now: Timestamp(unixSeconds: 100)).isEmpty)
  }

  @Test(arguments: [
    (["-v"], 0, 0), (["-v", "+v"], 0, 1), (["-v", "-v"], 0, 0), (["-v", "-v", "+v", "+v"], 0, 2),
    (["-v", "-v", "-v", "+v"], 0, 0), (["-v", "+v"], 3, 0), (["-n", "+v"], 3, 1), (["?v", "+v"], 0, 0),
    (["?v", "-v", "+v", "+v"], 0, 1), (["?v", "-v", "-v", "+v"], 0, 2), (["?v", "?v", "-v", "+v"], 0, 1),
    (["+v", "~v", "~v", "?v"], 0, 0), (["?n", "+v"], 0, 0),
  ])
  func deadServersGoAsLongAsThoseThatAreHeardAreAMajority(others: [String], minQuorum: UInt64, expected: Int) {
    let all = [("leader", "+v")] + others.enumerated().map { ("s\($0)", $1) }
    let removals = decisions { $0.minQuorum = minQuorum }.removals(state(all))
    // Of two voters neither can go: the rest would not be a majority of them.
    #expect(removals.count == expected)
  }

  @Test func whoeverWantsDeadServersToStayKeepsThem() {
    #expect(decisions { $0.cleanupDeadServers = false }.removals(state([("a", "+v"), ("b", "-v"), ("c", "+v")])) == [])
  }
}

@Suite("How a cluster begins")
struct ClusterBirthTests {
  private func decide(_ members: [ClusterMember], expect: Int = 3) -> ClusterBirth.Decision {
    ClusterBirth.decide(
      members.compactMap { ServerMember($0) }, ownID: "id-s1", expect: expect, datacenter: "dc1")
  }

  private func server(_ name: String, _ number: Int, _ tags: [String: String?] = ["expect": "3"]) -> ClusterMember {
    .server(name, "10.0.0.\(number)", tags: tags)
  }

  @Test func serversWaitForAsManyAsTheyExpect() {
    #expect(decide([server("s1", 1), server("s2", 2)]) == .wait)
    #expect(decide([server("s1", 1), server("s2", 2), .client("c1")]) == .wait)
    let dead = ClusterMember.server("s3", "10.0.0.3", status: .failed, tags: ["expect": "3"])
    #expect(decide([server("s1", 1), server("s2", 2), dead]) == .wait)
  }

  @Test func allOfThemBeginWithTheSameConfiguration() {
    let all = [server("s3", 3), server("s1", 1), server("s2", 2)]
    guard case .begin(let others, let configuration) = decide(all) else { return #expect(Bool(false)) }
    #expect(others.map(\.id) == ["id-s3", "id-s2"])
    #expect(configuration.servers.map(\.id) == ["id-s1", "id-s2", "id-s3"])
    #expect(configuration.servers.map(\.address) == ["10.0.0.1:8300", "10.0.0.2:8300", "10.0.0.3:8300"])
    #expect(configuration.servers.allSatisfy { $0.suffrage == .voter })
  }

  @Test func readReplicasDoNotCountAndDoNotVote() {
    let replica = server("s4", 4, ["expect": nil, "read_replica": "1"])
    #expect(decide([server("s1", 1), server("s2", 2), replica]) == .wait)
    guard case .begin(_, let configuration) = decide([server("s1", 1), server("s2", 2), server("s3", 3), replica])
    else { return #expect(Bool(false)) }
    #expect(configuration.servers.map(\.suffrage) == [.voter, .voter, .voter, .nonVoter])
  }

  @Test func serversThatDisagreeDoNotBegin() {
    let all = [server("s1", 1), server("s2", 2, ["expect": "5"]), server("s3", 3)]
    guard case .conflict(let reason) = decide(all) else { return #expect(Bool(false)) }
    #expect(reason.contains("s2"))
    guard case .conflict = decide([server("s1", 1), server("s2", 2), server("s3", 3, ["bootstrap": "1"])]) else {
      return #expect(Bool(false))
    }
  }

  @Test func serversOfOtherDatacentersDoNotCount() {
    #expect(decide([server("s1", 1), server("s2", 2), server("s3", 3, ["expect": "3", "dc": "dc2"])]) == .wait)
  }
}
