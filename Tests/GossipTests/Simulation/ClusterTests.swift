import Model
import Testing

@testable import Gossip

@Suite struct ClusterTests {
  static let seeds = UInt64(0)..<6

  @Test(arguments: seeds) func allMembersLearnOfEachOther(_ seed: UInt64) throws {
    let simulation = GossipSimulation(seed: seed)
    simulation.faults = .init(loss: 0.05, duplication: 0.05, delay: .milliseconds(1)...(.milliseconds(80)))
    try simulation.addCluster(20)
    let time = try #require(simulation.run(.seconds(20)) { simulation.isWhole() }, "seed \(seed)")
    #expect(time <= .seconds(10), "seed \(seed)")
    #expect(simulation.hosts[3].joins[1]?.joined == 1)
    #expect(simulation.largestDatagram <= 1500)
  }

  @Test func aSeedReplaysExactly() throws {
    func fingerprint(_ seed: UInt64) throws -> UInt64 {
      let simulation = GossipSimulation(seed: seed)
      simulation.faults = .init(loss: 0.1, duplication: 0.1, delay: .milliseconds(1)...(.milliseconds(50)))
      try simulation.addCluster(8)
      simulation.run(.seconds(20))
      simulation.crash(3)
      simulation.run(.seconds(20))
      return simulation.fingerprint
    }
    #expect(try fingerprint(5) == fingerprint(5))
    #expect(try fingerprint(5) != fingerprint(6))
  }

  @Test(arguments: seeds) func aCrashedMemberIsDetectedByAll(_ seed: UInt64) throws {
    let simulation = GossipSimulation(seed: seed)
    simulation.faults = .init(loss: 0.01, duplication: 0.01)
    try simulation.addCluster(10)
    _ = try #require(simulation.run(.seconds(20)) { simulation.isWhole() })
    simulation.run(.seconds(10))
    simulation.crash(4)
    // A round of probes, the probe itself, and the longest suspicion.
    let time = try #require(
      simulation.run(.seconds(60)) {
        simulation.hosts.indices.allSatisfy { $0 == 4 || simulation.status(of: "n4", at: $0) == .failed }
      }, "seed \(seed)")
    #expect(time >= .seconds(4), "seed \(seed)")
    #expect(time <= .seconds(40), "seed \(seed)")
  }

  @Test(arguments: UInt64(0)..<4) func nobodyIsDeclaredDeadUnderModestLoss(_ seed: UInt64) throws {
    let simulation = GossipSimulation(seed: seed)
    simulation.faults = .init(loss: 0.10, duplication: 0.05, delay: .milliseconds(1)...(.milliseconds(100)))
    try simulation.addCluster(12)
    _ = try #require(simulation.run(.seconds(30)) { simulation.isWhole() })
    simulation.run(.minutes(4))
    for index in simulation.hosts.indices { #expect(simulation.failures(index) == [], "seed \(seed)") }
    #expect(simulation.isWhole())
  }

  @Test(arguments: seeds) func othersProbeWhomOneNodeCannotReach(_ seed: UInt64) throws {
    let simulation = GossipSimulation(seed: seed)
    try simulation.addCluster(6)
    _ = try #require(simulation.run(.seconds(20)) { simulation.isWhole() })
    simulation.faults.isDeaf = (1, 2)
    simulation.faults.refusesStreams = true
    simulation.run(.minutes(4))
    for index in simulation.hosts.indices { #expect(simulation.failures(index) == [], "seed \(seed)") }
    #expect(simulation.hosts[1].core.swim.nodes["n2"]?.incarnation == 1)
  }

  @Test func streamsReachWhomDatagramsDoNot() throws {
    let simulation = GossipSimulation(seed: 1)
    try simulation.addCluster(2)
    _ = try #require(simulation.run(.seconds(20)) { simulation.isWhole() })
    simulation.faults.isDeaf = (0, 1)
    simulation.run(.minutes(3))
    #expect(simulation.failures(0) == [] && simulation.failures(1) == [])
    #expect(simulation.log.contains { $0.contains("network may be misconfigured") })
    simulation.faults.refusesStreams = true
    simulation.run(.minutes(1))
    #expect(simulation.failures(0) == ["n1"] && simulation.failures(1) == ["n0"])
  }

  /// One member hears that another one leaves, as after a forced departure of long ago, and whom it is about does not.
  @Test func whoIsTakenForLeavingWithoutKnowingItSaysThatItStays() throws {
    let simulation = GossipSimulation(seed: 3)
    try simulation.addCluster(5)
    _ = try #require(simulation.run(.seconds(20)) { simulation.isWhole() })
    simulation.change(0) { _ = $0.heard(LeaveIntent(time: 40, node: "n2"), simulation.now) }
    #expect(simulation.status(of: "n2", at: 0) == .leaving)
    _ = try #require(simulation.run(.minutes(5)) { simulation.isWhole() })
  }

  @Test func whoLeavesHasLeftAlthoughNobodyHeardOfItsIntent() throws {
    let simulation = GossipSimulation(seed: 4)
    try simulation.addCluster(5)
    _ = try #require(simulation.run(.seconds(20)) { simulation.isWhole() })
    simulation.change(3) { core in
      core.swim.leave(simulation.now)
      core.settle(simulation.now)
    }
    _ = try #require(
      simulation.run(.seconds(10)) { [0, 1, 2, 4].allSatisfy { simulation.status(of: "n3", at: $0) == .left } })
  }

  /// The word of another's leaving is as old as its own word that it joined: nobody knows better any more.
  @Test func whoIsThereLongAfterTheWordOfItsLeavingStays() throws {
    let simulation = GossipSimulation(seed: 3)
    try simulation.addCluster(5)
    _ = try #require(simulation.run(.seconds(20)) { simulation.isWhole() })
    simulation.run(.seconds(10))
    let time = try #require(simulation.hosts[2].core.members["n2"]?.statusTime)
    simulation.change(0) { core in
      core.members["n2"]?.statusTime = time - 1
      let isNews = core.heard(LeaveIntent(time: time, node: "n2"), simulation.now)
      #expect(isNews)
    }
    #expect(simulation.status(of: "n2", at: 0) == .leaving)
    _ = try #require(simulation.run(.minutes(2)) { simulation.isWhole() })
  }

  @Test func aWordOfLeavingThatIsAsOldAsOnesOwnIsRefuted() throws {
    let simulation = GossipSimulation(seed: 3)
    try simulation.addCluster(5)
    _ = try #require(simulation.run(.seconds(20)) { simulation.isWhole() })
    simulation.run(.seconds(10))
    let time = try #require(simulation.hosts[2].core.members["n2"]?.statusTime)
    simulation.change(0) { core in
      core.members["n2"]?.statusTime = time - 1
      let intent = LeaveIntent(time: time, node: "n2")
      let isNews = core.heard(intent, simulation.now)
      #expect(isNews)
      core.swim.broadcast(intent.message(.leave), in: .intents)
    }
    #expect(simulation.status(of: "n2", at: 0) == .leaving)
    _ = try #require(simulation.run(.seconds(10)) { simulation.isWhole() })
  }

  @Test func aLargePoolLearnsOfEverythingInTime() throws {
    let simulation = GossipSimulation(seed: 7)
    simulation.faults = .init(loss: 0.02, duplication: 0.02, delay: .milliseconds(1)...(.milliseconds(30)))
    try simulation.addCluster(60)
    let joined = try #require(simulation.run(.minutes(2)) { simulation.isWhole() })
    #expect(joined <= .seconds(15))
    try simulation.change(17) { try $0.fire("deploy", [], coalesces: false, simulation.now) }
    let heard = try #require(
      simulation.run(.minutes(2)) { simulation.hosts.indices.allSatisfy { simulation.userEvents($0) == ["deploy"] } })
    #expect(heard <= .seconds(5))
  }

  @Test(arguments: seeds) func aMemberThatPausesRefutesItsDeath(_ seed: UInt64) throws {
    let simulation = GossipSimulation(seed: seed)
    try simulation.addCluster(6)
    _ = try #require(simulation.run(.seconds(20)) { simulation.isWhole() })
    simulation.crash(2)
    _ = try #require(
      simulation.run(.seconds(60)) {
        simulation.hosts[0].core.swim.nodes["n2"]?.state == .suspect
      })
    simulation.resume(2)
    _ = try #require(
      simulation.run(.seconds(60)) {
        (simulation.hosts[0].core.swim.nodes["n2"]?.incarnation ?? 0) > 1 && simulation.isWhole()
      }, "seed \(seed)")
    #expect(simulation.failures(0) == [])
  }

  @Test(arguments: seeds) func aFailedMemberComesBackByItself(_ seed: UInt64) throws {
    let simulation = GossipSimulation(seed: seed)
    try simulation.addCluster(5)
    _ = try #require(simulation.run(.seconds(20)) { simulation.isWhole() })
    simulation.crash(2)
    _ = try #require(simulation.run(.seconds(60)) { simulation.status(of: "n2", at: 0) == .failed })
    simulation.run(.minutes(2))
    simulation.resume(2)
    _ = try #require(simulation.run(.minutes(10)) { simulation.isWhole() }, "seed \(seed)")
  }

  @Test(arguments: seeds) func aRestartedMemberJoinsByItsSnapshot(_ seed: UInt64) throws {
    let simulation = GossipSimulation(seed: seed)
    for index in 0..<5 { try simulation.add(nil, snapshot: index == 3 ? SerfSnapshot() : nil) }
    for index in 1..<5 { simulation.join(index, [0]) }
    _ = try #require(simulation.run(.seconds(20)) { simulation.isWhole() })
    try simulation.change(1) { try $0.fire("before", [], coalesces: false, simulation.now) }
    simulation.run(.seconds(10))
    #expect(simulation.userEvents(3) == ["before"])
    simulation.crash(3)
    simulation.run(.seconds(1))
    try simulation.restart(3, remembers: true)
    _ = try #require(
      simulation.run(.seconds(30)) { simulation.hosts[3].core.members.count == 5 && simulation.isWhole() },
      "seed \(seed)")
    // Its clocks go on where they were: nothing is delivered twice.
    simulation.run(.minutes(2))
    #expect(simulation.userEvents(3) == ["before"])
    #expect(simulation.hosts[3].core.eventMinimum == 2)
  }

  @Test(arguments: seeds) func leavingIsNotFailing(_ seed: UInt64) throws {
    let simulation = GossipSimulation(seed: seed)
    simulation.faults = .init(loss: 0.02, duplication: 0.02)
    try simulation.addCluster(6)
    _ = try #require(simulation.run(.seconds(20)) { simulation.isWhole() })
    simulation.change(5) { $0.leave(simulation.now) }
    let time = try #require(simulation.run(.seconds(20)) { simulation.hosts[5].hasLeft })
    #expect(time <= .seconds(11))
    simulation.run(.seconds(5))
    for index in 0..<5 { #expect(simulation.status(of: "n5", at: index) == .left, "seed \(seed)") }
    simulation.run(.seconds(60))
    for index in 0..<5 { #expect(simulation.failures(index) == [], "seed \(seed)") }
    // It may come back.
    try simulation.restart(5)
    simulation.join(5, [2])
    _ = try #require(simulation.run(.seconds(30)) { simulation.isWhole() }, "seed \(seed)")
  }

  @Test(arguments: seeds) func aPartHealsAndBothSidesAgree(_ seed: UInt64) throws {
    let simulation = GossipSimulation(seed: seed)
    try simulation.addCluster(8)
    _ = try #require(simulation.run(.seconds(20)) { simulation.isWhole() })
    simulation.part([0, 1, 2], as: 1)
    _ = try #require(
      simulation.run(.minutes(3)) {
        simulation.status(of: "n7", at: 0) == .failed && simulation.status(of: "n0", at: 7) == .failed
      })
    simulation.run(.minutes(5))
    #expect(simulation.isWhole([0, 1, 2]))
    #expect(simulation.isWhole([3, 4, 5, 6, 7]))
    simulation.part([0, 1, 2], as: 0)
    _ = try #require(simulation.run(.minutes(15)) { simulation.isWhole() }, "seed \(seed)")
  }

  @Test func aMemberIsForgottenAfterItsTime() throws {
    let simulation = GossipSimulation(seed: 1)
    try simulation.addCluster(4) {
      $0.reconnectTimeout = .minutes(10)
      $0.reconnectTimeoutTag = "rc_tm"
      if $0.name == "n3" { $0.tags = ["rc_tm": "2m"] }
    }
    _ = try #require(simulation.run(.seconds(20)) { simulation.isWhole() })
    simulation.crash(2)
    simulation.crash(3)
    simulation.run(.minutes(5))
    #expect(simulation.status(of: "n2", at: 0) == .failed)
    #expect(simulation.status(of: "n3", at: 0) == nil)
    simulation.run(.minutes(10))
    #expect(simulation.status(of: "n2", at: 0) == nil)
  }

  @Test func aFailedMemberCanBeForcedToLeave() throws {
    let simulation = GossipSimulation(seed: 1)
    try simulation.addCluster(5)
    _ = try #require(simulation.run(.seconds(20)) { simulation.isWhole() })
    simulation.crash(4)
    simulation.crash(3)
    _ = try #require(
      simulation.run(.minutes(2)) {
        [0, 1, 2].allSatisfy { index in
          ["n3", "n4"].allSatisfy { simulation.status(of: $0, at: index) == .failed }
        }
      })
    simulation.change(1) { $0.forceLeave("n4", prune: false, simulation.now) }
    simulation.change(1) { $0.forceLeave("n3", prune: true, simulation.now) }
    simulation.run(.seconds(10))
    for index in 0..<3 {
      #expect(simulation.status(of: "n4", at: index) == .left)
      #expect(simulation.status(of: "n3", at: index) == nil)
    }
  }

  @Test func tagsReachEverybody() throws {
    let simulation = GossipSimulation(seed: 1)
    try simulation.addCluster(6)
    _ = try #require(simulation.run(.seconds(20)) { simulation.isWhole() })
    try simulation.change(2) { try $0.setTags(["role": "web", "version": "2"], simulation.now) }
    _ = try #require(
      simulation.run(.seconds(10)) {
        simulation.hosts.allSatisfy { $0.core.members["n2"]?.member.tags == ["role": "web", "version": "2"] }
      })
    #expect(throws: GossipError.metaTooLarge(bytes: 607, limit: 512)) {
      try simulation.change(2) { try $0.setTags(["a": String(repeating: "x", count: 600)], simulation.now) }
    }
  }

  @Test func aRefusedMemberDoesNotGetIn() throws {
    let simulation = GossipSimulation(seed: 1)
    let refusal: @Sendable ([Member]) -> String? = { members in
      members.contains { $0.tags["dc"] == "dc2" } ? "wrong datacenter" : nil
    }
    try simulation.add("a", refusal: refusal)
    try simulation.add("b", { $0.tags = ["dc": "dc2"] })
    simulation.join(1, [0])
    simulation.join(0, [1], request: 2)
    simulation.run(.seconds(30))
    #expect(simulation.hosts[0].core.members.keys.sorted() == ["a"])
    #expect(simulation.hosts[0].joins[2]?.failures == [.mergeRefused("wrong datacenter")])
  }

  @Test func addressesOutsideTheAllowedNetworksDoNotGetIn() throws {
    let simulation = GossipSimulation(seed: 1)
    try simulation.add("a", { $0.allowedNetworks = IPNetwork("10.0.0.0/30").map { [$0] } })
    for name in ["b", "c", "d"] { try simulation.add(name) }
    for index in 1...3 { simulation.join(index, [0]) }
    simulation.run(.seconds(30))
    #expect(simulation.hosts[0].core.members.keys.sorted() == ["a", "b", "c"])
  }

  @Test func aNameIsTakenOverOnlyFromWhoIsGone() throws {
    let simulation = GossipSimulation(seed: 1)
    try simulation.addCluster(3) { $0.deadNodeReclaimTime = .seconds(30) }
    _ = try #require(simulation.run(.seconds(20)) { simulation.isWhole() })
    try simulation.add("n2", { $0.resolvesNameConflicts = true })
    simulation.join(3, [0])
    simulation.run(.seconds(10))
    #expect(simulation.hosts[0].core.members["n2"]?.member.address == simulation.hosts[2].address)
    #expect(simulation.hosts[3].hasLostName)
    #expect(!simulation.hosts[2].hasLostName)
    simulation.crash(2)
    simulation.crash(3)
    _ = try #require(simulation.run(.minutes(2)) { simulation.status(of: "n2", at: 0) == .failed })
    simulation.run(.seconds(31))
    try simulation.add("n2")
    simulation.join(4, [0])
    simulation.run(.seconds(10))
    #expect(simulation.hosts[0].core.members["n2"]?.member.address == simulation.hosts[4].address)
    #expect(simulation.status(of: "n2", at: 0) == .alive)
  }
}
