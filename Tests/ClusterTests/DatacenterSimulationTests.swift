import Testing

@testable import Server
@testable import Simulation

/// See `DatacenterSimulation`, and `Seeds` for running more of them, or one again.
@Suite struct DatacenterSimulationTests {
  @Test func threeServersKeepTheirPromises() throws { try run(.init(), defaultCount: 150) }

  @Test func fiveServersKeepTheirPromises() throws { try run(.init(founders: 5), defaultCount: 50) }

  @Test func promisesHoldWhileTheMembershipChanges() throws { try run(.init(spares: 2), defaultCount: 75) }

  @Test func promisesHoldAlthoughDisksFail() throws {
    var plan = DatacenterSimulation.Plan()
    plan.disks.syncFailure = 5
    plan.disks.writeFailure = 3
    try run(plan, defaultCount: 75)
  }

  @Test func aSeedReplaysExactly() throws {
    for seed in UInt64(0)..<10 {
      let fingerprints = try (0..<2).map { _ in
        let simulation = DatacenterSimulation(seed: seed, plan: .init(spares: 2))
        try simulation.run()
        return simulation.fingerprint
      }
      #expect(fingerprints[0] == fingerprints[1], "seed \(seed)")
    }
  }

  /// The canary: a checker that does not notice old answers would notice nothing.
  @Test func readsThatNobodyConfirmedAreFoundOut() throws {
    var caught = 0
    for seed in UInt64(0)..<20 {
      do { try DatacenterSimulation(seed: seed, plan: .init(lies: true)).run() } catch is Violation { caught += 1 }
    }
    #expect(caught >= 5)
  }

  private func run(_ plan: DatacenterSimulation.Plan, defaultCount: Int) throws {
    var (answered, silent, counts, watches, expired, snapshots) = (0, 0, 0, 0, 0, 0)
    let seeds = Seeds.range(defaultCount: defaultCount)
    for seed in seeds {
      let simulation = DatacenterSimulation(seed: seed, plan: plan)
      try simulation.run()
      answered += simulation.answered
      silent += simulation.silent
      counts += simulation.countCount
      watches += simulation.oversight.watchesAnswered
      expired += simulation.oversight.expiredCount
      snapshots += simulation.snapshotsInstalled
    }
    print(
      "\(seeds.count) seeds: \(answered) requests answered, \(silent) not, \(counts) counts behind a lock, "
        + "\(watches) watches answered, \(expired) sessions expired, \(snapshots) snapshots installed")
    // A simulation in which nothing happens proves nothing.
    #expect(answered > 0 && counts > 0 && watches > 0)
  }
}
