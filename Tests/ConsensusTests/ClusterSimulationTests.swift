import Testing

@testable import Consensus
@testable import Simulation

@Suite struct ClusterSimulationTests {
  @Test func threeServersAgreeInSpiteOfEverything() throws { try run(.init(spares: 0, changesMembership: false)) }

  @Test func fiveServersAgreeInSpiteOfEverything() throws {
    try run(.init(founders: 5, spares: 0, changesMembership: false))
  }

  @Test func serversAgreeWhileTheMembershipChanges() throws { try run(.init()) }

  @Test func serversAgreeAlthoughTheirDisksFail() throws {
    var plan = ClusterSimulation.Plan()
    plan.faults.syncFailure = 5
    plan.faults.writeFailure = 3
    try run(plan)
  }

  @Test func aSeedReplaysExactly() throws {
    for seed in UInt64(0)..<20 {
      var first = ClusterSimulation(seed: seed, plan: .init())
      try first.run()
      var second = ClusterSimulation(seed: seed, plan: .init())
      try second.run()
      #expect(first.fingerprint == second.fingerprint, "seed \(seed)")
    }
  }

  private func run(_ plan: ClusterSimulation.Plan) throws {
    var acknowledged = 0
    var verified = 0
    var changed = 0
    var transferred = 0
    var installed = 0
    for seed in Seeds.range(defaultCount: 60) {
      var simulation = ClusterSimulation(seed: seed, plan: plan)
      try simulation.run()
      acknowledged += simulation.acknowledgedCount
      verified += simulation.verifiedCount
      changed += simulation.changedCount
      transferred += simulation.transferredCount
      installed += simulation.snapshotsInstalled
    }
    // A simulation in which nothing happens proves nothing.
    #expect(acknowledged > 0 && verified > 0)
    print(
      "acknowledged \(acknowledged), verified \(verified), changes \(changed), transfers \(transferred), "
        + "snapshots installed \(installed)")
  }
}
