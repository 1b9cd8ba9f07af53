import Model

@testable import Gossip
@testable import Server

/// What carries the messages of a simulated pool, and what it costs them.
protocol GossipCarriage: AnyObject {
  /// True time, in nanoseconds.
  var now: UInt64 { get }
  func later(_ delay: UInt64, _ action: @escaping () -> Void)
  /// When each copy of a datagram arrives, after now; empty if it is lost.
  func datagram(from: String, to: String) -> [UInt64]
  /// Whether a connection can be opened, as far as the network is concerned.
  func reaches(from: String, to: String) -> Bool
  /// Until when a host does not take anything.
  func pause(of id: String) -> UInt64?
  func anySeed() -> UInt64
}

/// The pool of a datacenter: the production core of gossip on each of its agents, over the network of the simulation.
final class SimulatedPool: @unchecked Sendable {
  // Sendable: a simulation has one thread.

  /// How long an agent waits until it tries again to join.
  private static let joinInterval: UInt64 = 5_000_000_000

  /// A place where an agent runs, or ran.
  final class Host: @unchecked Sendable {
    // Sendable: a simulation has one thread.

    let id: String
    let address: NodeAddress
    let isServer: Bool
    fileprivate(set) var core: SerfCore?
    /// Number of starts: what was meant for an earlier life reaches nobody.
    fileprivate(set) var life = 0
    /// What the agent's table of members is told; nil for agents whose table nobody reads.
    fileprivate var table: MemberTable?
    fileprivate var snapshot: [UInt8] = []
    /// When it is woken, if it is going to be.
    fileprivate var alarm: GossipInstant?
    fileprivate var hasJoined = false
    fileprivate var left: (() -> Void)?
    /// Streams that others opened: who waits for the answer.
    fileprivate var waiting: [StreamID: (host: Host, life: Int, stream: StreamID)] = [:]
    fileprivate var lastStream: StreamID = 0

    init(id: String, address: NodeAddress, isServer: Bool) {
      self.id = id
      self.address = address
      self.isServer = isServer
    }

    var isUp: Bool { core != nil }

    /// What this agent takes the others for.
    func status(of name: String) -> MemberStatus? { core?.members[name]?.member.status }
  }

  let hosts: [Host]
  private unowned let carriage: any GossipCarriage
  private var random: SeededRandom
  private var places: [NodeAddress: Host] = [:]

  init(servers: [String], clients: [String], carriage: any GossipCarriage, seed: UInt64) {
    self.carriage = carriage
    random = SeededRandom(seed: seed)
    hosts = (servers + clients).enumerated().compactMap { number, id in
      guard let address = Self.address(number) else { return nil }
      return Host(id: id, address: address, isServer: number < servers.count)
    }
    for host in hosts { places[host.address] = host }
  }

  func host(_ id: String) -> Host? { hosts.first { $0.id == id } }

  private static func address(_ number: Int) -> NodeAddress? {
    Gossip.IPAddress(bytes: [10, 0, 0, UInt8(number + 1)]).map { NodeAddress($0, 8301) }
  }

  /// Where a server's port is, by its number.
  static func serverAddress(_ number: Int) -> String { "10.0.0.\(number + 1):8300" }

  /// How a server's own agent describes it.
  static func member(_ id: String, number: Int) -> ClusterMember {
    ClusterMember(name: id, address: "10.0.0.\(number + 1)", port: 8301, tags: tags(id, isServer: true))
  }

  private static func tags(_ id: String, isServer: Bool) -> [String: String] {
    var tags = ["dc": "dc1", "id": id, "vsn": "2", "vsn_min": "2", "vsn_max": "3", "build": "1.21.4:abcdef01"]
    tags["role"] = isServer ? "consul" : "node"
    if isServer {
      tags["port"] = "8300"
      tags["raft_vsn"] = "3"
    }
    return tags
  }

  // MARK: Life

  /// - Parameter table: what the agent's table of members is told.
  func start(_ id: String, table: MemberTable?) {
    guard let host = host(id) else { return }
    host.life += 1
    host.table = table
    host.waiting = [:]
    host.alarm = nil
    host.hasJoined = false
    host.left = nil
    var settings = GossipSettings.agents(name: id, advertised: host.address, isServer: host.isServer)
    settings.tags = Self.tags(id, isServer: host.isServer)
    settings.compresses = false
    let snapshot = SerfSnapshot(host.snapshot, rejoinsAfterLeave: false)
    host.core = SerfCore(
      settings, seed: carriage.anySeed(), snapshot: snapshot,
      refusal: Admission.agents(name: id, nodeID: id, datacenter: "dc1"))
    table?.setForceLeave { [weak self, weak host] name in
      guard let self, let host else { return }
      change(host) { $0.forceLeave(name, prune: false, self.now) }
    }
    change(host) { try? $0.start(self.now) }
    join(host, life: host.life)
  }

  /// The process ends without a word.
  func stop(_ id: String) {
    guard let host = host(id) else { return }
    host.core = nil
    host.table = nil
    host.waiting = [:]
  }

  /// Tells the others that the agent goes; `done` when they have been told.
  func leave(_ id: String, done: @escaping () -> Void) {
    guard let host = host(id), host.isUp else { return }
    host.left = done
    change(host) { $0.leave(self.now) }
  }

  private func join(_ host: Host, life: Int) {
    guard host.isUp, host.life == life, !host.hasJoined else { return }
    let others = hosts.filter { $0.isServer && $0.id != host.id }.map(\.address)
    change(host) { $0.join(1, others, ignoresOldEvents: true, self.now) }
    carriage.later(Self.joinInterval) { [self] in join(host, life: life) }
  }

  // MARK: Driving

  private var now: GossipInstant { GossipInstant(nanoseconds: Int64(carriage.now)) }

  /// Does something with a host's core and carries out what follows.
  private func change(_ host: Host, _ body: (inout SerfCore) -> Void) {
    guard host.core != nil else { return }
    if var core = host.core.take() {
      body(&core)
      host.core = core
    }
    while let effects = host.core?.drain(), !effects.isEmpty {
      for effect in effects { carryOut(effect, host) }
    }
    setAlarm(host)
  }

  private func setAlarm(_ host: Host) {
    guard let deadline = host.core?.nextDeadline else { return }
    if let alarm = host.alarm, alarm <= deadline { return }
    host.alarm = deadline
    let life = host.life
    carriage.later(UInt64(max(deadline.nanoseconds - now.nanoseconds, 0))) { [self] in
      guard host.life == life, host.alarm == deadline else { return }
      whenAwake(host, life: life) { [self] in
        host.alarm = nil
        change(host) { $0.tick(self.now) }
      }
    }
  }

  /// A process that is stopped goes on with what waits for it.
  private func whenAwake(_ host: Host, life: Int, _ body: @escaping () -> Void) {
    guard host.isUp, host.life == life else { return }
    guard let pause = carriage.pause(of: host.id) else { return body() }
    carriage.later(pause - carriage.now) { [self] in whenAwake(host, life: life, body) }
  }

  // MARK: Effects

  private func carryOut(_ effect: GossipEffect, _ host: Host) {
    switch effect {
    case .network(let effect): carryOut(effect, host)
    case .deliver(let event): tell(event, host)
    case .joinFinished(_, let joined, _): if joined > 0 { host.hasJoined = true }
    case .appendSnapshot(let bytes): host.snapshot += bytes
    case .replaceSnapshot(let bytes): host.snapshot = bytes
    case .leaveFinished:
      host.left?()
      host.left = nil
    case .query, .keysFinished, .keepKeys, .log: break
    }
  }

  private func tell(_ event: GossipEvent, _ host: Host) {
    guard let table = host.table else { return }
    switch event {
    case .joined(let member), .left(let member), .failed(let member), .updated(let member),
      .statusChanged(let member):
      table.put(ClusterMember(member))
    case .reaped(let member): table.forget(ClusterMember(member))
    case .userEvent, .query, .nameLost: break
    }
  }

  private func carryOut(_ effect: NetworkEffect, _ host: Host) {
    guard let codec = host.core?.swim.codec else { return }
    switch effect {
    case .send(let message, let address, let checksum):
      guard let to = places[address], let packet = try? codec.seal(message, checksum: checksum, using: &random) else {
        return
      }
      for delay in carriage.datagram(from: host.id, to: to.id) {
        carriage.later(delay) { [self] in receive(packet, at: to, from: host.address) }
      }
    case .open(let stream, let address, let message, let timeout):
      let life = host.life
      guard let to = places[address], let bytes = try? codec.sealStream(message.encoded, opens: true, using: &random),
        to.isUp, carriage.reaches(from: host.id, to: to.id), carriage.reaches(from: to.id, to: host.id)
      else {
        return carriage.later(UInt64(min(max(timeout.nanoseconds, 0), 2_000_000_000))) { [self] in
          fail(stream, host, life: life)
        }
      }
      carriage.later(UInt64(max(timeout.nanoseconds, 0))) { [self] in fail(stream, host, life: life) }
      carriage.later(anyDelay) { [self] in
        accept(bytes, at: to, life: to.life, from: host, life: life, stream: stream)
      }
    case .answer(let stream, let message):
      guard let waiter = host.waiting.removeValue(forKey: stream) else { return }
      guard carriage.reaches(from: host.id, to: waiter.host.id),
        let bytes = try? codec.sealStream(message.encoded, opens: false, using: &random)
      else { return fail(waiter.stream, waiter.host, life: waiter.life) }
      carriage.later(anyDelay) { [self] in
        answer(bytes, to: waiter.host, life: waiter.life, stream: waiter.stream)
      }
    case .close(let stream): host.waiting[stream] = nil
    }
  }

  private var anyDelay: UInt64 { UInt64.random(in: 500_000...20_000_000, using: &random) }

  // MARK: Arrivals

  private func receive(_ packet: [UInt8], at host: Host, from: NodeAddress) {
    whenAwake(host, life: host.life) { [self] in
      guard let content = try? host.core?.swim.codec.open(packet) else { return }
      change(host) { $0.received(content, from: from, self.now) }
    }
  }

  private func accept(_ bytes: [UInt8], at host: Host, life: Int, from: Host, life opener: Int, stream: StreamID) {
    guard host.isUp, host.life == life else { return fail(stream, from, life: opener) }
    whenAwake(host, life: life) { [self] in
      guard let message = try? host.core?.swim.codec.openStream(bytes, fromOpener: true) else {
        return fail(stream, from, life: opener)
      }
      host.lastStream += 1
      let id = host.lastStream
      host.waiting[id] = (from, opener, stream)
      change(host) { $0.requested(id, message, from: from.address, self.now) }
    }
  }

  private func answer(_ bytes: [UInt8], to host: Host, life: Int, stream: StreamID) {
    whenAwake(host, life: life) { [self] in
      guard let message = try? host.core?.swim.codec.openStream(bytes, fromOpener: false) else {
        return fail(stream, host, life: life)
      }
      change(host) { $0.answered(stream, message, self.now) }
    }
  }

  private func fail(_ stream: StreamID, _ host: Host, life: Int) {
    whenAwake(host, life: life) { [self] in change(host) { $0.streamFailed(stream, .timeout, self.now) } }
  }
}

extension ClusterMember {
  /// As an agent writes what gossip tells into its table.
  fileprivate init(_ member: Member) {
    let status: Status =
      switch member.status {
      case .none: .none
      case .alive: .alive
      case .leaving: .leaving
      case .left: .left
      case .failed: .failed
      }
    self.init(
      name: member.name, address: member.address.ip.description, port: Int(member.address.port), tags: member.tags,
      status: status, protocolMinimum: Int(member.versions.minimum), protocolMaximum: Int(member.versions.maximum),
      protocolCurrent: Int(member.versions.current))
  }
}
