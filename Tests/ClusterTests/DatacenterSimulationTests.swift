import Testing

@testable import Server
@testable import SimulatedDatacenter
@testable import Simulation

/// See `DatacenterSimulation`, and `Seeds` for running more of them, or one again.
@Suite struct DatacenterSimulationTests {
  @Test func threeServersKeepTheirPromises() throws { try run(.three, defaultCount: 150) }

  @Test func fiveServersKeepTheirPromises() throws { try run(.five, defaultCount: 50) }

  @Test func promisesHoldWhileTheMembershipChanges() throws { try run(.membership, defaultCount: 75) }

  @Test func promisesHoldAlthoughDisksFail() throws { try run(.disks, defaultCount: 75) }

  /// Crashed agents, dead servers and those that return: what the leader does about them, from gossip to the catalog and to
  /// the votes.
  @Test func theLeaderKeepsUpWithAgentsThatComeAndGo() throws {
    let figures = try run(.agents, defaultCount: 16)
    #expect(figures.promoted > 0 && figures.removed > 0)
  }

  /// The leader takes out two servers at once, after two others had been taken out and had returned.
  @Test func aRemovalThatWasCarriedOutNoLongerCounts() throws {
    let figures = try Scenario.agents.run(seed: 56_047)
    #expect(figures.removed > 2)
  }

  @Test(arguments: [(Scenario.membership, UInt64(8)), (.disks, 4), (.agents, 3)])
  func aSeedReplaysExactly(_ scenario: Scenario, count: UInt64) throws {
    for seed in 0..<count {
      let fingerprints = try (0..<2).map { _ in
        let simulation = DatacenterSimulation(seed: seed, plan: scenario.plan(seed: seed))
        try simulation.run()
        return simulation.fingerprint
      }
      #expect(fingerprints[0] == fingerprints[1], "seed \(seed)")
    }
  }

  /// The canaries: checkers that do not notice what is wrong would notice nothing.
  @Test(arguments: [
    (DatacenterSimulation.Lie.unconfirmedReads, "linearizable"), (.deafQueries, "sleeps"),
    (.shortSessions, "after it was renewed"),
  ])
  func brokenPromisesAreFoundOut(_ lie: DatacenterSimulation.Lie, complaint: String) throws {
    var caught = 0
    for seed in UInt64(0)..<20 {
      do {
        try DatacenterSimulation(seed: seed, plan: .init(lie: lie)).run()
      } catch let violation as Violation {
        #expect(violation.what.contains(complaint), "seed \(seed): \(violation.what.prefix(200))")
        caught += 1
      }
    }
    #expect(caught >= 5)
  }

  @Test(arguments: [
    (DatacenterSimulation.Lie.carelessRemovals, "hears only from"), (.forgottenMembers, "it never came to this"),
  ])
  func leadersThatNeglectTheirDutiesAreFoundOut(_ lie: DatacenterSimulation.Lie, complaint: String) throws {
    var caught = 0
    for seed in UInt64(0)..<3 {
      var plan = Scenario.agents.plan(seed: seed)
      plan.lie = lie
      do {
        try DatacenterSimulation(seed: seed, plan: plan).run()
      } catch let violation as Violation {
        if violation.what.contains(complaint) { caught += 1 }
      }
    }
    #expect(caught > 0)
  }

  @discardableResult private func run(_ scenario: Scenario, defaultCount: Int) throws -> Figures {
    var figures = Figures()
    for seed in Seeds.range(defaultCount: defaultCount) { figures += try scenario.run(seed: seed) }
    print("\(scenario): \(figures)")
    // A simulation in which nothing happens proves nothing.
    #expect(figures.answered > 0 && figures.counts > 0 && figures.watches > 0)
    return figures
  }
}
