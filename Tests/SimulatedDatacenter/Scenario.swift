@testable import Simulation

/// The kinds of datacenters that are simulated.
enum Scenario: String, CaseIterable, Sendable {
  case three, five
  /// Servers come and go.
  case membership
  /// Disks fail.
  case disks

  var plan: DatacenterSimulation.Plan {
    var plan = DatacenterSimulation.Plan()
    switch self {
    case .three: break
    case .five: plan.founders = 5
    case .membership: plan.spares = 2
    case .disks:
      plan.disks.syncFailure = 5
      plan.disks.writeFailure = 3
    }
    return plan
  }

  /// Which of them a seed of a mixed batch is.
  init(seed: UInt64) { self = Self.allCases[Int(seed % UInt64(Self.allCases.count))] }

  func run(seed: UInt64) throws -> Figures {
    let simulation = DatacenterSimulation(seed: seed, plan: plan)
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

  static func += (sum: inout Figures, figures: Figures) {
    sum.seeds += figures.seeds
    sum.answered += figures.answered
    sum.silent += figures.silent
    sum.counts += figures.counts
    sum.watches += figures.watches
    sum.expired += figures.expired
    sum.snapshots += figures.snapshots
  }

  var description: String {
    "\(seeds) seeds: \(answered) requests answered, \(silent) not, \(counts) counts behind a lock, "
      + "\(watches) watches answered, \(expired) sessions expired, \(snapshots) snapshots installed"
  }
}

extension DatacenterSimulation {
  var figures: Figures {
    Figures(
      seeds: 1, answered: answered, silent: silent, counts: locks.counts.count, watches: oversight.watchesAnswered,
      expired: oversight.expiredCount, snapshots: cluster.snapshotsInstalled)
  }
}
