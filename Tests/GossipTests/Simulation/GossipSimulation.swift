import Model

@testable import Gossip

/// Nodes of gossip under one virtual clock and network, replayable from a seed.
final class GossipSimulation {
  /// What the network does to datagrams.
  struct Faults {
    /// Of 1.
    var loss = 0.0
    var duplication = 0.0
    var delay = GoDuration.milliseconds(1)...GoDuration.milliseconds(5)
    /// Between these two hosts no datagram gets through.
    var isDeaf: (Int, Int)?
    /// Nor a stream.
    var refusesStreams = false

    func blocks(_ one: Int, _ other: Int) -> Bool {
      guard let pair = isDeaf else { return false }
      return pair == (one, other) || pair == (other, one)
    }
  }

  struct Host {
    var core: SerfCore
    let address: NodeAddress
    var isUp = true
    var events: [GossipEvent] = []
    var joins: [UInt64: (joined: Int, failures: [GossipError])] = [:]
    var outcomes: [UInt64: [QueryOutcome]] = [:]
    var keyResults: [UInt64: KeyOperationResult] = [:]
    var keptKeys: [[String]] = []
    /// Why keys cannot be kept; nil while they can.
    var keepProblem: String?
    /// Whether the disk is busy: the tokens of keys that wait for it.
    var waitingKeys: [UInt64]?
    var snapshot: [UInt8] = []
    var hasLeft = false
    var hasLostName = false
    /// Answers given to queries, by name.
    var answers: [String: [UInt8]] = [:]
    /// Hosts of one number reach each other.
    var side = 0
  }

  private enum Happening {
    case datagram(to: NodeAddress, from: NodeAddress, [UInt8])
    case opened(to: NodeAddress, from: Int, StreamID, [UInt8])
    case answered(Int, StreamID, [UInt8])
    case failed(Int, StreamID, GossipError)
  }

  private(set) var now = GossipInstant(nanoseconds: 1_000_000_000)
  var hosts: [Host] = []
  var faults = Faults()
  private var random: SeededRandom
  private var network = TimerQueue<Box>()
  private var lastStream: StreamID = 0
  /// Streams that others opened: who waits for the answer.
  private var waiting: [StreamID: (host: Int, stream: StreamID, from: Int)] = [:]
  private(set) var log: [String] = []
  private(set) var datagramCount = 0
  private(set) var largestDatagram = 0
  /// Changes with everything that happens.
  private(set) var fingerprint: UInt64 = 14_695_981_039_346_656_037

  /// `Happening` is private and not Sendable-checked by the queue; nothing here leaves the test's thread.
  private struct Box: @unchecked Sendable {
    var happening: Happening
  }

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  // MARK: Hosts

  static func address(_ index: Int) -> NodeAddress {
    guard let ip = IPAddress(bytes: [10, 0, UInt8(index >> 8), UInt8(index & 0xFF)]) else { preconditionFailure() }
    return NodeAddress(ip, 8301)
  }

  @discardableResult func add(
    _ name: String? = nil, snapshot: SerfSnapshot? = nil, _ adjust: (inout GossipSettings) -> Void = { _ in },
    refusal: @escaping @Sendable ([Member]) -> String? = { _ in nil }
  ) throws -> Int {
    let index = hosts.count
    let address = Self.address(index + 1)
    var settings = GossipSettings.lan(name: name ?? "n\(index)", advertised: address)
    settings.compresses = index % 2 == 0
    adjust(&settings)
    hosts.append(
      Host(
        core: SerfCore(settings, seed: random.next(), snapshot: snapshot, refusal: refusal),
        address: settings.advertised))
    try change(index) { try $0.start(self.now) }
    return index
  }

  /// Adds hosts and lets all of them join the first.
  func addCluster(_ count: Int, _ adjust: (inout GossipSettings) -> Void = { _ in }) throws {
    for _ in 0..<count { try add(nil, adjust) }
    for index in 1..<max(1, count) { join(index, [0]) }
  }

  /// The process ends without a word.
  func crash(_ index: Int) { hosts[index].isUp = false }

  /// A new process at the same place, which remembers nothing but its snapshot file.
  func restart(_ index: Int, remembers: Bool = false) throws {
    let settings = hosts[index].core.settings
    let snapshot = remembers ? SerfSnapshot(hosts[index].snapshot, rejoinsAfterLeave: false) : nil
    hosts[index].core = SerfCore(settings, seed: random.next(), snapshot: snapshot)
    hosts[index].isUp = true
    hosts[index].hasLeft = false
    try change(index) { try $0.start(self.now) }
  }

  /// A process that was stopped goes on.
  func resume(_ index: Int) { hosts[index].isUp = true }

  func part(_ side: [Int], as number: Int) { for index in side { hosts[index].side = number } }

  func setAnswer(_ index: Int, to query: String, _ payload: [UInt8]) { hosts[index].answers[query] = payload }

  func join(_ index: Int, _ others: [Int], request: UInt64 = 1, ignoresOldEvents: Bool = false) {
    let addresses = others.map { hosts[$0].address }
    change(index) { $0.join(request, addresses, ignoresOldEvents: ignoresOldEvents, self.now) }
  }

  /// Does something with a host's core and carries out what follows.
  func change<R>(_ index: Int, _ body: (inout SerfCore) throws -> R) rethrows -> R {
    defer { carryOut(index) }
    return try body(&hosts[index].core)
  }

  // MARK: Time

  func run(_ duration: GoDuration) { run(duration) { false } }

  /// Runs until `isDone` or the end of `duration`; tells how long it took, or nil.
  @discardableResult func run(_ duration: GoDuration, until isDone: () -> Bool) -> GoDuration? {
    let start = now
    let end = now + duration
    while !isDone() {
      var next = network.next ?? end
      for host in hosts where host.isUp { if let deadline = host.core.nextDeadline { next = min(next, deadline) } }
      if next >= end {
        now = end
        return nil
      }
      now = max(now, next)
      while let box = network.pop(now) { happen(box.happening) }
      for index in hosts.indices where hosts[index].isUp {
        if let deadline = hosts[index].core.nextDeadline, deadline <= now { change(index) { $0.tick(self.now) } }
      }
    }
    return now - start
  }

  // MARK: The network

  private func later(_ happening: Happening, after duration: GoDuration? = nil) {
    let delay =
      duration
      ?? GoDuration(
        nanoseconds: Int64.random(
          in: faults.delay.lowerBound.nanoseconds...faults.delay.upperBound.nanoseconds, using: &random))
    network.schedule(Box(happening: happening), at: now + delay)
  }

  /// The host that listens at an address, if `from` reaches it.
  private func reach(_ address: NodeAddress, from side: Int) -> Int? {
    hosts.indices.last { hosts[$0].address == address && hosts[$0].isUp && hosts[$0].side == side }
  }

  private func mix(_ bytes: [UInt8]) {
    for byte in bytes { fingerprint = (fingerprint ^ UInt64(byte)) &* 1_099_511_628_211 }
  }

  private func happen(_ happening: Happening) {
    switch happening {
    case .datagram(let to, let from, let packet):
      guard let sender = hosts.first(where: { $0.address == from }), let index = reach(to, from: sender.side) else {
        return
      }
      if let source = hosts.firstIndex(where: { $0.address == from }), faults.blocks(source, index) { return }
      mix(packet)
      do throws(GossipError) {
        let content = try hosts[index].core.swim.codec.open(packet)
        change(index) { $0.received(content, from: from, self.now) }
      } catch {
        log.append("\(index): \(error)")
      }
    case .opened(let to, let from, let stream, let bytes):
      guard let index = reach(to, from: hosts[from].side), !(faults.refusesStreams && faults.blocks(from, index)) else {
        let isRefused = hosts.contains { $0.address == to && $0.side == hosts[from].side }
        return later(
          .failed(from, stream, isRefused ? .connection("connection refused") : .timeout), after: .seconds(2))
      }
      do throws(GossipError) {
        guard let message = try hosts[index].core.swim.codec.openStream(bytes, fromOpener: true) else {
          throw .truncated(part: "stream")
        }
        lastStream += 1
        let id = lastStream
        waiting[id] = (from, stream, index)
        let sender = hosts[from].address
        change(index) { $0.requested(id, message, from: sender, self.now) }
      } catch {
        log.append("\(index): \(error)")
        later(.failed(from, stream, .remote("\(error)")))
      }
    case .answered(let index, let stream, let bytes):
      guard hosts[index].isUp else { return }
      do throws(GossipError) {
        guard let message = try hosts[index].core.swim.codec.openStream(bytes, fromOpener: false) else {
          throw .truncated(part: "stream")
        }
        change(index) { $0.answered(stream, message, self.now) }
      } catch {
        change(index) { $0.streamFailed(stream, error, self.now) }
      }
    case .failed(let index, let stream, let error):
      guard hosts[index].isUp else { return }
      change(index) { $0.streamFailed(stream, error, self.now) }
    }
  }

  // MARK: Effects

  private func carryOut(_ index: Int) {
    while true {
      let effects = hosts[index].core.drain()
      if effects.isEmpty { return }
      for effect in effects { carryOut(effect, index) }
    }
  }

  private func carryOut(_ effect: GossipEffect, _ index: Int) {
    switch effect {
    case .network(let effect): carryOut(effect, index)
    case .deliver(let event):
      hosts[index].events.append(event)
      if case .nameLost = event { hosts[index].hasLostName = true }
      if case .query(let query) = event, let answer = hosts[index].answers[query.name] {
        try? hosts[index].core.respond(query.key, answer, now)
      }
    case .joinFinished(let request, let joined, let failures):
      hosts[index].joins[request] = (joined, failures.map(\.1))
    case .query(let request, let outcome): hosts[index].outcomes[request, default: []].append(outcome)
    case .keysFinished(let request, let result): hosts[index].keyResults[request] = result
    case .keepKeys(let token, let keys):
      hosts[index].keptKeys.append(keys)
      if hosts[index].waitingKeys?.append(token) == nil {
        hosts[index].core.keysKept(token, problem: hosts[index].keepProblem, now)
      }
    case .appendSnapshot(let bytes): hosts[index].snapshot += bytes
    case .replaceSnapshot(let bytes): hosts[index].snapshot = bytes
    case .leaveFinished:
      hosts[index].hasLeft = true
      hosts[index].isUp = false
    case .log(let level, let text): log.append("\(now.nanoseconds / 1_000_000) \(index) \(level): \(text)")
    }
  }

  private func carryOut(_ effect: NetworkEffect, _ index: Int) {
    let codec = hosts[index].core.swim.codec
    let from = hosts[index].address
    switch effect {
    case .send(let message, let address, let checksum):
      guard let packet = try? codec.seal(message, checksum: checksum, using: &random) else { return }
      datagramCount += 1
      largestDatagram = max(largestDatagram, packet.count)
      if Double.random(in: 0..<1, using: &random) < faults.loss { return }
      later(.datagram(to: address, from: from, packet))
      if Double.random(in: 0..<1, using: &random) < faults.duplication {
        later(.datagram(to: address, from: from, packet))
      }
    case .open(let stream, let address, let message, _):
      guard let bytes = try? codec.sealStream(message.encoded, opens: true, using: &random) else { return }
      later(.opened(to: address, from: index, stream, bytes))
    case .answer(let stream, let message):
      guard let waiter = waiting.removeValue(forKey: stream),
        let bytes = try? codec.sealStream(message.encoded, opens: false, using: &random)
      else { return }
      later(.answered(waiter.host, waiter.stream, bytes))
    case .close(let stream): waiting[stream] = nil
    }
  }
}

extension GossipSimulation {
  func status(of name: String, at index: Int) -> MemberStatus? { hosts[index].core.members[name]?.member.status }

  /// Whether all hosts that are up see all of them alive.
  func isWhole(_ indices: [Int]? = nil) -> Bool {
    let indices = indices ?? hosts.indices.filter { hosts[$0].isUp }
    let names = indices.map { hosts[$0].core.settings.name }
    return indices.allSatisfy { index in names.allSatisfy { status(of: $0, at: index) == .alive } }
  }

  func userEvents(_ index: Int) -> [String] {
    hosts[index].events.compactMap { if case .userEvent(let event) = $0 { event.name } else { nil } }
  }

  func failures(_ index: Int) -> [String] {
    hosts[index].events.compactMap { if case .failed(let member) = $0 { member.name } else { nil } }
  }
}
