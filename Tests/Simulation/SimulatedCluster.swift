@testable import Consensus

/// Servers on a bad network under one virtual clock: carries messages, lets each server do what it has to do in random order,
/// and watches that consensus is never contradicted. What clients do is for the simulations that use it.
struct SimulatedCluster<Machine: SimulatedMachine> {
  struct Layout {
    var founders = 3
    /// Servers that exist from the start without being members.
    var spares = 2
    /// What the disks do besides losing unsynchronised writes.
    var faults = SimulatedDisk.Faults()
    var snapshots = SnapshotPolicy(threshold: 30, interval: .seconds(3), trailingEntries: 6)
    var settings = RaftSettings()
    /// How fast their clocks may go, in 1/1000 of true time.
    var clockRates: ClosedRange<UInt64> = 900...1100
    /// By the number of the server.
    var address: (Int) -> ServerAddress = { "s\($0):8300" }
  }

  let seed: UInt64
  let layout: Layout
  var random: SeededRandom
  var network: SimulatedNetwork
  let checker: SafetyChecker
  private(set) var servers: [SimulatedServer<Machine>]
  private let founders: RaftConfiguration
  private(set) var now = MonotonicInstant(nanoseconds: 1_000_000_000)
  private(set) var step = 0
  private(set) var snapshotsInstalled = 0
  private var tokens: [UInt64: Int] = [:]
  private var nextToken: UInt64 = 0

  /// - Parameter makeMachine: makes the state machine of a server, at each of its starts.
  init(
    seed: UInt64, layout: Layout, checker: SafetyChecker, makeMachine: @escaping (ServerID, ServerClock) -> Machine
  ) {
    self.seed = seed
    self.layout = layout
    self.checker = checker
    random = SeededRandom(seed: seed)
    network = SimulatedNetwork(seed: seed ^ 0x9e7)
    let ids = (0..<layout.founders + layout.spares).map { "s\($0)" }
    founders = RaftConfiguration(
      servers: ids.prefix(layout.founders).enumerated().map { RaftServer(id: $1, address: layout.address($0)) })
    servers = ids.enumerated().map { offset, id in
      SimulatedServer(
        id: id, address: layout.address(offset),
        disk: SimulatedDisk(seed: seed &* 31 &+ UInt64(offset), faults: layout.faults), settings: layout.settings,
        snapshots: layout.snapshots, makeMachine: { makeMachine(id, $0) })
    }
  }

  var fingerprint: [UInt64] {
    var random = self.random
    return [random.next(), now.nanoseconds] + servers.map { $0.disk.fingerprint }
  }

  func violation(_ what: String) -> Violation { Violation(seed: seed, step: step, what: what) }

  var running: [SimulatedServer<Machine>] { servers.filter { $0.isRunning } }
  var leaders: [SimulatedServer<Machine>] { servers.filter { $0.replica?.core.isLeader == true } }

  // MARK: One step

  /// Delivers one message, or lets one server do one thing, or lets time pass.
  ///
  /// - Parameter limit: time does not pass beyond this.
  mutating func advance(until limit: MonotonicInstant? = nil) throws {
    step += 1
    if let (message, exchange) = network.takeDue(now: now) {
      deliver(message, exchange)
    } else if !act() {
      // Nothing to do at this moment: on to the next one.
      var next = now + 50_000_000
      if let limit { next = min(next, limit) }
      if let delivery = network.nextDelivery { next = min(next, delivery) }
      for server in servers { if let deadline = server.nextDeadline { next = min(next, deadline) } }
      now = max(now + 1, next)
    }
    try check()
  }

  private mutating func act() -> Bool {
    for position in servers.indices.shuffled(using: &random) where servers[position].isRunning {
      let server = servers[position]
      guard server.pausedUntil <= now, server.act(now: now, random: &random) else { continue }
      route(server)
      return true
    }
    return false
  }

  /// Passes on what a server wants sent.
  mutating func route(_ server: SimulatedServer<Machine>) {
    let header = RaftHeader(id: server.id, address: server.address)
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
    if server.pausedUntil > now { return network.postpone(message, until: server.pausedUntil) }
    switch message.payload {
    case .request(let request, let from, let content):
      nextToken += 1
      tokens[nextToken] = message.exchange
      server.handle(
        .request(
          request, from: from, token: nextToken, content: content.map { BytesContent($0.bytes, isCut: $0.isCut) }),
        now: now)
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
      } else if replica.core.isLeader {
        checker.observe(replica.core)
      }
    }
    if let error = checker.state.withLock({ $0.errors.first }) { throw violation(error) }
  }

  // MARK: Life of the servers

  mutating func startAll() throws { for position in servers.indices { try start(position) } }

  mutating func start(_ position: Int) throws {
    let server = servers[position]
    let bootstrap = position < layout.founders ? founders : nil
    do throws(RaftError) {
      let clock = ServerClock(
        origin: now, base: UInt64.random(in: 1...1_000_000_000_000_000, using: &random),
        rate: UInt64.random(in: layout.clockRates, using: &random))
      try server.start(bootstrap: bootstrap, now: now, seed: random.next(), clock: clock, segmentBytes: 16 << 10)
    } catch {
      guard server.disk.isCrashed || error.isFailureOfDisk else {
        throw violation("\(server.id) does not start: \(error)")
      }
      kill(server)
    }
  }

  mutating func kill(_ server: SimulatedServer<Machine>) {
    server.stop()
    if server.disk.isCrashed || Bool.random(using: &random) {
      server.disk.losePower()
    } else {
      server.disk.killProcess()
    }
  }

  mutating func crash() {
    guard let server = running.randomElement(using: &random) else { return }
    if Int.random(in: 0..<3, using: &random) == 0 {
      // In the middle of a write, or of a later start.
      return server.disk.planCrash(afterOperations: Int.random(in: 0..<60, using: &random))
    }
    kill(server)
    if Bool.random(using: &random) {
      for other in running {
        other.handle(.connectionLost(server.id), now: now)
        route(other)
      }
    }
  }

  /// The whole place is without power for a moment.
  mutating func losePowerEverywhere() {
    for server in running {
      server.stop()
      server.disk.losePower()
    }
  }

  mutating func revive() throws {
    guard let position = servers.indices.filter({ !servers[$0].isRunning }).randomElement(using: &random) else {
      return
    }
    try start(position)
  }

  /// Two groups that do not reach each other.
  ///
  /// - Parameter others: hosts that are no servers.
  mutating func partition(_ others: [ServerID] = []) {
    let hosts = servers.map { $0.id } + others
    let side = Set(hosts.filter { _ in Bool.random(using: &random) })
    network.cut = []
    for one in hosts {
      for other in hosts where one < other && side.contains(one) != side.contains(other) {
        network.cut.insert([one, other])
      }
    }
  }

  mutating func transfer(_ completion: @escaping @Sendable (Result<Void, RaftError>) -> Void) {
    guard let server = leaders.randomElement(using: &random) else { return }
    let target = Bool.random(using: &random) ? nil : servers.randomElement(using: &random)?.id
    server.handle(.transferLeadership(to: target, completion: completion), now: now)
    route(server)
  }

  mutating func takeSnapshot() {
    guard let server = running.randomElement(using: &random) else { return }
    server.handle(.snapshot(completion: { _ in }), now: now)
    route(server)
  }

  mutating func changeMembership(_ completion: @escaping ProposalCompletion) {
    guard let leader = leaders.randomElement(using: &random), let other = servers.randomElement(using: &random),
      let configuration = leader.replica?.core.membership.latest
    else { return }
    let address = other.address
    let change: ConfigurationChange
    switch Int.random(in: 0..<4, using: &random) {
    case 0: change = .addNonVoter(id: other.id, address: address)
    case 1 where configuration.voters.count > 2: change = .removeServer(id: other.id)
    case 2 where configuration.voters.count > 2: change = .demoteVoter(id: other.id)
    default: change = .addVoter(id: other.id, address: address)
    }
    leader.handle(.change(change, expectedIndex: nil, completion: completion), now: now)
    route(leader)
  }

  /// Everything works from now on.
  mutating func mend() {
    network.cut = []
    network.oneWay = []
    network.slow = [:]
    network.conditions = SimulatedNetwork.Conditions()
    for server in servers {
      server.disk.heal()
      server.pausedUntil = now
      server.diskBusyUntil = now
    }
  }

  var summary: String {
    servers.map { server in
      guard let core = server.replica?.core else { return "\(server.id) is down" }
      return "\(server.id) \(core.role) term \(core.term) log \(core.log.baseIndex)-\(core.log.lastIndex) "
        + "commit \(core.commitIndex) "
        + "deadline \(Int64(core.nextDeadline?.nanoseconds ?? 0) - Int64(now.nanoseconds)) \(core.membership.latest)"
        + " \(core.leadership.map { "\($0)" } ?? "")"
    }.joined(separator: "\n")
  }
}
