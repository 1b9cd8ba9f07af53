import Synchronization

@testable import Consensus
@testable import Simulation

/// Several servers on a bad network, with crashes, partitions and changing membership. Safety is checked at every step,
/// liveness once everything has been healed.
struct ClusterSimulation {
  struct Plan {
    var founders = 3
    /// Servers that exist from the start without being members.
    var spares = 2
    var steps = 2500
    var changesMembership = true
    /// What the disks do besides losing unsynchronised writes.
    var faults = SimulatedDisk.Faults()
  }

  private let plan: Plan
  private var cluster: SimulatedCluster<RecordingMachine>
  private var nextCommand: UInt64 = 0
  private let answers = Answers()

  final class Answers: Sendable {
    struct State: Sendable {
      var acknowledged = 0
      var highest: LogIndex = 0
      var verified = 0
      var changed = 0
      var transferred = 0
    }
    let state = Mutex(State())
  }

  init(seed: UInt64, plan: Plan) {
    self.plan = plan
    var layout = SimulatedCluster<RecordingMachine>.Layout()
    layout.founders = plan.founders
    layout.spares = plan.spares
    layout.faults = plan.faults
    let checker = SafetyChecker()
    cluster = SimulatedCluster(seed: seed, layout: layout, checker: checker) { _, _ in
      RecordingMachine(observer: checker)
    }
  }

  var acknowledgedCount: Int { answers.state.withLock { $0.acknowledged } }
  var verifiedCount: Int { answers.state.withLock { $0.verified } }
  var changedCount: Int { answers.state.withLock { $0.changed } }
  var transferredCount: Int { answers.state.withLock { $0.transferred } }
  var snapshotsInstalled: Int { cluster.snapshotsInstalled }

  /// Equal for runs that went the same way.
  var fingerprint: [UInt64] { cluster.fingerprint + [UInt64(acknowledgedCount)] }

  mutating func run() throws {
    try cluster.startAll()
    cluster.network.conditions = SimulatedNetwork.Conditions(
      loss: [0, 20, 100].randomElement(using: &cluster.random) ?? 0,
      duplication: [0, 50].randomElement(using: &cluster.random) ?? 0,
      interruption: [0, 300].randomElement(using: &cluster.random) ?? 0,
      delayMax: [1_000_000, 20_000_000, 150_000_000].randomElement(using: &cluster.random) ?? 1_000_000)
    while cluster.step < plan.steps {
      try cluster.advance()
      if Int.random(in: 0..<12, using: &cluster.random) == 0 { try disturb() }
    }
    try heal()
  }

  // MARK: What happens

  private mutating func disturb() throws {
    switch Int.random(in: 0..<100, using: &cluster.random) {
    case 0..<55: propose()
    case 55..<65: verify()
    case 65..<70: cluster.crash()
    case 70..<82: try cluster.revive()
    case 82..<86: cluster.partition()
    case 86..<92: cluster.network.cut = []
    case 92..<94:
      cluster.transfer { [answers] result in
        if case .success = result { answers.state.withLock { $0.transferred += 1 } }
      }
    case 94..<96: cluster.takeSnapshot()
    default:
      guard plan.changesMembership else { return }
      cluster.changeMembership { [answers] result in
        if case .success = result { answers.state.withLock { $0.changed += 1 } }
      }
    }
  }

  private mutating func propose() {
    // Also to servers that only believe to lead, and to those that do not.
    let leaders = cluster.leaders
    let candidates =
      leaders.isEmpty || Int.random(in: 0..<10, using: &cluster.random) == 0 ? cluster.running : leaders
    guard let server = candidates.randomElement(using: &cluster.random) else { return }
    for _ in 0..<Int.random(in: 1...6, using: &cluster.random) {
      nextCommand += 1
      var bytes: [UInt8] = []
      bytes.appendLittleEndian(nextCommand)
      bytes += [UInt8](repeating: 7, count: Int.random(in: 0...300, using: &cluster.random))
      let command = bytes
      server.propose([command], now: cluster.now) { [checker = cluster.checker, answers] result in
        guard case .success(let applied) = result else { return }
        checker.acknowledged(command, at: applied.index)
        answers.state.withLock { state in
          state.acknowledged += 1
          state.highest = max(state.highest, applied.index)
        }
      }
    }
    cluster.route(server)
  }

  /// A read after this must see everything that was acknowledged before.
  private mutating func verify() {
    guard let server = cluster.leaders.randomElement(using: &cluster.random) else { return }
    let before = answers.state.withLock { $0.highest }
    let machine = server.machine
    server.handle(
      .verifyLeader { [checker = cluster.checker, answers] result in
        guard case .success = result else { return }
        answers.state.withLock { $0.verified += 1 }
        if machine.lastIndex < before { checker.report("a verified leader has not applied \(before)") }
      }, now: cluster.now)
    cluster.route(server)
  }

  // MARK: Liveness

  /// With everything working again, a leader must emerge, accept commands, and all members must agree.
  private mutating func heal() throws {
    cluster.mend()
    let deadline = cluster.now + 120_000_000_000
    var proposed: LogIndex?
    let marker = Marker()
    var nextTry = cluster.now
    while cluster.now < deadline {
      if cluster.step > plan.steps + 500_000 {
        throw cluster.violation("busy without getting anywhere: \(cluster.summary)")
      }
      try cluster.advance()
      if let index = marker.index.withLock({ $0 }) { proposed = index }
      for position in cluster.servers.indices where !cluster.servers[position].isRunning { try cluster.start(position) }
      if proposed == nil, marker.isFree, cluster.now >= nextTry, let leader = cluster.leaders.first {
        marker.take()
        nextTry = cluster.now + 50_000_000
        leader.propose([[0xff]], now: cluster.now) { result in
          if case .success(let applied) = result {
            marker.index.withLock { $0 = applied.index }
          } else {
            marker.release()
          }
        }
        cluster.route(leader)
      }
      if let proposed, let leader = cluster.leaders.first(where: { $0.machine.lastIndex >= proposed }) {
        let members = leader.replica?.core.membership.latest.servers.map { $0.id } ?? []
        let present = cluster.servers.filter { members.contains($0.id) }
        if present.allSatisfy({ $0.machine.lastIndex >= proposed }) { return }
      }
    }
    throw cluster.violation("no agreement two minutes after everything was healed: \(cluster.summary)")
  }

  private final class Marker: Sendable {
    let index = Mutex<LogIndex?>(nil)
    private let taken = Mutex(false)
    var isFree: Bool { taken.withLock { !$0 } }
    func take() { taken.withLock { $0 = true } }
    func release() { taken.withLock { $0 = false } }
  }
}
