import Synchronization

@testable import Consensus

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

  private let seed: UInt64
  private let plan: Plan
  private var random: SeededRandom
  private var network: SimulatedNetwork
  private let checker = SafetyChecker()
  private var servers: [SimulatedServer]
  private let founders: RaftConfiguration
  private var now = MonotonicInstant(nanoseconds: 1_000_000_000)
  private var step = 0
  private var nextCommand: UInt64 = 0
  private var tokens: [UInt64: Int] = [:]
  private var nextToken: UInt64 = 0
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
    self.seed = seed
    self.plan = plan
    random = SeededRandom(seed: seed)
    network = SimulatedNetwork(seed: seed ^ 0x9e7)
    let ids = (0..<plan.founders + plan.spares).map { "s\($0)" }
    founders = RaftConfiguration(servers: ids.prefix(plan.founders).map { RaftServer(id: $0, address: $0 + ":8300") })
    let checker = self.checker
    servers = ids.enumerated().map { offset, id in
      SimulatedServer(
        id: id, disk: SimulatedDisk(seed: seed &* 31 &+ UInt64(offset), faults: plan.faults), settings: RaftSettings(),
        snapshots: SnapshotPolicy(threshold: 30, interval: .seconds(3), trailingEntries: 6), observer: checker)
    }
  }

  var acknowledgedCount: Int { answers.state.withLock { $0.acknowledged } }
  var verifiedCount: Int { answers.state.withLock { $0.verified } }
  var changedCount: Int { answers.state.withLock { $0.changed } }
  var transferredCount: Int { answers.state.withLock { $0.transferred } }
  private(set) var snapshotsInstalled = 0

  /// Equal for runs that went the same way.
  var fingerprint: [UInt64] {
    var random = self.random
    return [random.next(), now.nanoseconds, UInt64(acknowledgedCount)] + servers.map { $0.disk.fingerprint }
  }

  private func violation(_ what: String) -> Violation { Violation(seed: seed, step: step, what: what) }

  mutating func run() throws {
    for position in servers.indices { try start(position) }
    network.conditions = SimulatedNetwork.Conditions(
      loss: [0, 20, 100].randomElement(using: &random) ?? 0,
      duplication: [0, 50].randomElement(using: &random) ?? 0,
      delayMax: [1_000_000, 20_000_000, 150_000_000].randomElement(using: &random) ?? 1_000_000)
    while step < plan.steps {
      step += 1
      try advance()
      if Int.random(in: 0..<12, using: &random) == 0 { try disturb() }
    }
    try heal()
  }

  // MARK: One step

  private mutating func advance() throws {
    if let (message, exchange) = network.takeDue(now: now) {
      deliver(message, exchange)
    } else if !act() {
      // Nothing to do at this moment: on to the next one.
      var next = network.nextDelivery
      for server in servers {
        guard let deadline = server.replica?.nextDeadline else { continue }
        next = next.map { min($0, deadline) } ?? deadline
      }
      now = max(now + 1, min(next ?? now, now + 50_000_000))
    }
    try check()
  }

  private mutating func act() -> Bool {
    for position in servers.indices.shuffled(using: &random) where servers[position].isRunning {
      let server = servers[position]
      guard server.act(now: now, random: &random) else { continue }
      route(server)
      return true
    }
    return false
  }

  /// Passes on what a server wants sent.
  private mutating func route(_ server: SimulatedServer) {
    let header = RaftHeader(id: server.id, address: server.id + ":8300")
    for output in server.takeOutputs() {
      switch output {
      case .request(let request, let to, let context):
        network.send(request, from: header, life: server.life, to: to.id, context: context, now: now)
      case .snapshot(let request, let reader, let to, let context):
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while let count = try? buffer.withUnsafeMutableBytes({ try reader.read(into: $0) }), count > 0 {
          content += buffer[0..<count]
        }
        network.send(
          .installSnapshot(request), content: content, from: header, life: server.life, to: to.id, context: context,
          now: now)
      case .reply(let token, let response):
        if let exchange = tokens.removeValue(forKey: token) { network.reply(response, to: exchange, now: now) }
        if case .installSnapshot(let response) = response, response.success { snapshotsInstalled += 1 }
      }
    }
  }

  private mutating func deliver(_ message: SimulatedNetwork.Message, _ exchange: SimulatedNetwork.Exchange) {
    guard let server = servers.first(where: { $0.id == message.to }), server.isRunning else { return }
    switch message.payload {
    case .request(let request, let from, let content):
      nextToken += 1
      tokens[nextToken] = message.exchange
      server.handle(
        .request(request, from: from, token: nextToken, content: content.map { BytesContent($0) }), now: now)
    case .response(let result):
      guard server.life == exchange.life else { return }
      server.handle(.response(result, from: exchange.to, exchange.context), now: now)
    }
    route(server)
  }

  private mutating func check() throws {
    for server in servers {
      guard let replica = server.replica else { continue }
      if server.disk.isCrashed {
        server.stop()
        server.disk.losePower()
      } else if let failure = replica.failure {
        guard failure.isFailureOfDisk else { throw violation("\(server.id) failed: \(failure)") }
        kill(server)
      } else {
        checker.observe(replica.core)
      }
    }
    if let error = checker.state.withLock({ $0.errors.first }) { throw violation(error) }
  }

  // MARK: Life of the cluster

  private mutating func start(_ position: Int) throws {
    let server = servers[position]
    let bootstrap = position < plan.founders ? founders : nil
    do throws(RaftError) {
      try server.start(bootstrap: bootstrap, now: now, seed: random.next(), segmentBytes: 16 << 10)
    } catch {
      guard server.disk.isCrashed || error.isFailureOfDisk else {
        throw violation("\(server.id) does not start: \(error)")
      }
      kill(server)
    }
  }

  private mutating func kill(_ server: SimulatedServer) {
    server.stop()
    if server.disk.isCrashed || Bool.random(using: &random) {
      server.disk.losePower()
    } else {
      server.disk.killProcess()
    }
  }

  private var leaders: [SimulatedServer] { servers.filter { $0.replica?.core.isLeader == true } }

  private mutating func disturb() throws {
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<55: propose()
    case 55..<65: verify()
    case 65..<70: crash()
    case 70..<82: try revive()
    case 82..<86: partition()
    case 86..<92: network.cut = []
    case 92..<94: transfer()
    case 94..<96:
      if let server = servers.filter({ $0.isRunning }).randomElement(using: &random) {
        server.handle(.snapshot(completion: { _ in }), now: now)
        route(server)
      }
    default: if plan.changesMembership { changeMembership() }
    }
  }

  private mutating func propose() {
    // Also to servers that only believe to lead, and to those that do not.
    let candidates = leaders.isEmpty || Int.random(in: 0..<10, using: &random) == 0 ? servers : leaders
    guard let server = candidates.filter({ $0.isRunning }).randomElement(using: &random) else { return }
    for _ in 0..<Int.random(in: 1...6, using: &random) {
      nextCommand += 1
      var bytes: [UInt8] = []
      bytes.appendLittleEndian(nextCommand)
      bytes += [UInt8](repeating: 7, count: Int.random(in: 0...300, using: &random))
      let command = bytes
      server.propose([command], now: now) { [checker, answers] result in
        guard case .success(let applied) = result else { return }
        checker.acknowledged(command, at: applied.index)
        answers.state.withLock { state in
          state.acknowledged += 1
          state.highest = max(state.highest, applied.index)
        }
      }
    }
    route(server)
  }

  /// A read after this must see everything that was acknowledged before.
  private mutating func verify() {
    guard let server = leaders.randomElement(using: &random) else { return }
    let before = answers.state.withLock { $0.highest }
    let machine = server.machine
    server.handle(
      .verifyLeader { [checker, answers] result in
        guard case .success = result else { return }
        answers.state.withLock { $0.verified += 1 }
        if machine.lastIndex < before { checker.report("a verified leader has not applied \(before)") }
      }, now: now)
    route(server)
  }

  private mutating func crash() {
    guard let server = servers.filter({ $0.isRunning }).randomElement(using: &random) else { return }
    if Int.random(in: 0..<3, using: &random) == 0 {
      // In the middle of a write, or of a later start.
      return server.disk.planCrash(afterOperations: Int.random(in: 0..<60, using: &random))
    }
    kill(server)
    if Bool.random(using: &random) {
      for other in servers where other.isRunning {
        other.handle(.connectionLost(server.id), now: now)
        route(other)
      }
    }
  }

  private mutating func revive() throws {
    guard let position = servers.indices.filter({ !servers[$0].isRunning }).randomElement(using: &random) else {
      return
    }
    try start(position)
  }

  private mutating func partition() {
    let side = Set(servers.map { $0.id }.filter { _ in Bool.random(using: &random) })
    network.cut = []
    for one in servers.map({ $0.id }) {
      for other in servers.map({ $0.id }) where one < other && side.contains(one) != side.contains(other) {
        network.cut.insert([one, other])
      }
    }
  }

  private mutating func transfer() {
    guard let server = leaders.randomElement(using: &random) else { return }
    let target = Bool.random(using: &random) ? nil : servers.randomElement(using: &random)?.id
    server.handle(
      .transferLeadership(to: target) { [answers] result in
        if case .success = result { answers.state.withLock { $0.transferred += 1 } }
      }, now: now)
    route(server)
  }

  private mutating func changeMembership() {
    guard let leader = leaders.randomElement(using: &random), let other = servers.randomElement(using: &random),
      let configuration = leader.replica?.core.membership.latest
    else { return }
    let address = other.id + ":8300"
    let change: ConfigurationChange
    switch Int.random(in: 0..<4, using: &random) {
    case 0: change = .addNonVoter(id: other.id, address: address)
    case 1 where configuration.voters.count > 2: change = .removeServer(id: other.id)
    case 2 where configuration.voters.count > 2: change = .demoteVoter(id: other.id)
    default: change = .addVoter(id: other.id, address: address)
    }
    leader.handle(
      .change(change, expectedIndex: nil) { [answers] result in
        if case .success = result { answers.state.withLock { $0.changed += 1 } }
      }, now: now)
    route(leader)
  }

  // MARK: Liveness

  /// With everything working again, a leader must emerge, accept commands, and all members must agree.
  private mutating func heal() throws {
    network.cut = []
    network.conditions = SimulatedNetwork.Conditions()
    for server in servers { server.disk.heal() }
    let deadline = now + 120_000_000_000
    var proposed: LogIndex?
    let marker = Marker()
    var nextTry = now
    while now < deadline {
      step += 1
      if step > plan.steps + 500_000 { throw violation("busy without getting anywhere: \(summary)") }
      try advance()
      if let index = marker.index.withLock({ $0 }) { proposed = index }
      for position in servers.indices where !servers[position].isRunning { try start(position) }
      if proposed == nil, marker.isFree, now >= nextTry, let leader = leaders.first {
        marker.take()
        nextTry = now + 50_000_000
        leader.propose([[0xff]], now: now) { result in
          if case .success(let applied) = result {
            marker.index.withLock { $0 = applied.index }
          } else {
            marker.release()
          }
        }
        route(leader)
      }
      if let proposed, let leader = leaders.first(where: { $0.machine.lastIndex >= proposed }) {
        let members = leader.replica?.core.membership.latest.servers.map { $0.id } ?? []
        let present = servers.filter { members.contains($0.id) }
        if present.allSatisfy({ $0.machine.lastIndex >= proposed }) { return }
      }
    }
    throw violation("no agreement two minutes after everything was healed: \(summary)")
  }

  private var summary: String {
    servers.map { server in
      guard let core = server.replica?.core else { return "\(server.id) is down" }
      return "\(server.id) \(core.role) term \(core.term) log \(core.log.baseIndex)-\(core.log.lastIndex) "
        + "commit \(core.commitIndex) applied \(server.machine.lastIndex) "
        + "deadline \(Int64(core.nextDeadline?.nanoseconds ?? 0) - Int64(now.nanoseconds)) \(core.membership.latest)"
        + " \(core.leadership.map { "\($0)" } ?? "")"
    }.joined(separator: "\n")
  }

  private final class Marker: Sendable {
    let index = Mutex<LogIndex?>(nil)
    private let taken = Mutex(false)
    var isFree: Bool { taken.withLock { !$0 } }
    func take() { taken.withLock { $0 = true } }
    func release() { taken.withLock { $0 = false } }
  }
}
