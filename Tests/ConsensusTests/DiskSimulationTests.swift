import Testing

@testable import Consensus
@testable import Simulation

@Suite struct DiskSimulationTests {
  @Test func whatWasAcknowledgedSurvivesEveryCrash() throws {
    var crashes = 0
    for seed in Seeds.range(defaultCount: 500) {
      var simulation = SingleServerSimulation(seed: seed, plan: .init())
      try simulation.run()
      crashes += simulation.crashCount
    }
    print("crashes survived: \(crashes)")
  }

  @Test func whatWasAcknowledgedSurvivesFailingSyncsAndWrites() throws {
    for seed in Seeds.range(defaultCount: 500) {
      var plan = SingleServerSimulation.Plan()
      plan.faults.syncFailure = 20
      plan.faults.writeFailure = 10
      var simulation = SingleServerSimulation(seed: seed, plan: plan)
      try simulation.run()
    }
  }

  @Test func aFullDiskLosesNothing() throws {
    for seed in Seeds.range(defaultCount: 200) {
      var plan = SingleServerSimulation.Plan()
      plan.faults.capacity = 60 << 10 + Int(seed % 100) * 1500
      var simulation = SingleServerSimulation(seed: seed, plan: plan)
      try simulation.run()
    }
  }

  @Test func damageBeforeTheLastBatchIsRefused() throws {
    var tried = 0
    for seed in Seeds.range(defaultCount: 300) {
      var simulation = SingleServerSimulation(seed: seed, plan: .init())
      if try simulation.runDamage() { tried += 1 }
    }
    #expect(tried > 0)
  }

  /// What a seed found must be found again with it: nothing may depend on the order of a dictionary or on time.
  @Test func aSeedReplaysExactly() throws {
    for seed in UInt64(0)..<40 {
      var plan = SingleServerSimulation.Plan()
      plan.faults.syncFailure = 20
      plan.faults.writeFailure = 10
      var first = SingleServerSimulation(seed: seed, plan: plan)
      try first.run()
      var second = SingleServerSimulation(seed: seed, plan: plan)
      try second.run()
      #expect(first.fingerprint == second.fingerprint, "seed \(seed)")
    }
  }

  /// The canary: a checker that does not notice a lying disk would notice nothing.
  @Test func aDiskThatOnlyClaimsToSynchroniseIsFoundOut() throws {
    var caught = 0
    for seed in UInt64(0)..<40 {
      var plan = SingleServerSimulation.Plan()
      plan.faults.lies = true
      var simulation = SingleServerSimulation(seed: seed, plan: plan)
      do { try simulation.run() } catch is Violation { caught += 1 }
    }
    #expect(caught >= 30)
  }
}
