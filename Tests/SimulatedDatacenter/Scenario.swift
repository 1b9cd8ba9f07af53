@testable import Simulation

/// The kinds of datacenters that are simulated.
enum Scenario: String, CaseIterable, Sendable {
  case three, five
  /// Servers come and go.
  case membership
  /// Disks fail.
  case disks
  /// Agents find each other by gossip, and the leader keeps the catalog and consensus in line with who is there.
  case agents

  func plan(seed: UInt64) -> DatacenterSimulation.Plan {
    var plan = DatacenterSimulation.Plan()
    switch self {
    case .three: break
    case .five: plan.founders = 5
    case .membership: plan.spares = 2
    case .disks:
      plan.disks.syncFailure = 5
      plan.disks.writeFailure = 3
    case .agents:
      // In a mixed batch every sixteenth seed is one of these.
      let kind = seed ^ seed >> 4
      plan.founders = kind % 2 == 0 ? 3 : 5
      plan.spares = Int(kind / 2 % 2)
      plan.agents = 3
      plan.raftMultiplier = 5
      plan.duration = 120_000_000_000
      plan.pause = 20_000_000...600_000_000
    }
    return plan
  }

  /// Which of them a seed of a mixed batch is.
  init(seed: UInt64) {
    let cases: [Scenario] = [.three, .five, .membership, .disks]
    self = seed % 16 == 15 ? .agents : cases[Int(seed % 4)]
  }

  func run(seed: UInt64) throws -> Figures {
    let simulation = DatacenterSimulation(seed: seed, plan: plan(seed: seed))
    try simulation.run()
    return simulation.figures
  }
}

/// What happened in simulations: one in which nothing happens proves nothing.
struct Figures: Sendable, CustomStringConvertible {
  var seeds = 0
  var answered = 0
  var silent = 0
  var counts = 0
  var watches = 0
  var expired = 0
  var snapshots = 0
  var promoted = 0
  var removed = 0

  static func += (sum: inout Figures, figures: Figures) {
    sum.seeds += figures.seeds
    sum.answered += figures.answered
    sum.silent += figures.silent
    sum.counts += figures.counts
    sum.watches += figures.watches
    sum.expired += figures.expired
    sum.snapshots += figures.snapshots
    sum.promoted += figures.promoted
    sum.removed += figures.removed
  }

  var description: String {
    "\(seeds) seeds: \(answered) requests answered, \(silent) not, \(counts) counts behind a lock, "
      + "\(watches) watches answered, \(expired) sessions expired, \(snapshots) snapshots installed, "
      + "\(promoted) servers given a vote, \(removed) taken out"
  }
}

extension DatacenterSimulation {
  var figures: Figures {
    Figures(
      seeds: 1, answered: answered, silent: silent, counts: locks.counts.count, watches: oversight.watchesAnswered,
      expired: oversight.expiredCount, snapshots: cluster.snapshotsInstalled, promoted: judge.promoted,
      removed: judge.removed)
  }
}
