import Model

@testable import Gossip

/// Many members of a pool, membership core only, under one virtual clock: how fast failures and news get around. They begin as
/// a pool in which everybody knows everybody; what they know is shared in memory until it differs.
final class SwimSimulation {
  private struct Letter: Sendable {
    var to: Int
    var from: NodeAddress
    var content: [UInt8]
  }

  private enum Due: Sendable {
    case tick(Int)
    case letter(Letter)
    case refused(Int, StreamID)
    case answered(Int, StreamID, StreamMessage)
  }

  private(set) var cores: [SwimCore] = []
  private(set) var now = GossipInstant(nanoseconds: 1_000_000_000)
  private(set) var isUp: [Bool]
  /// Of 1.
  var loss = 0.0
  private var scheduled: [GossipInstant?]
  private var queue = TimerQueue<Due>()
  private var random: SeededRandom
  private var places: [NodeAddress: Int] = [:]
  private(set) var datagramCount = 0
  /// Members that have heard each message of the layer above, and when the last one did.
  private(set) var heard: [[UInt8]: Set<Int>] = [:]
  /// When a member first suspected another one, or took it for dead, since `forgetNews`.
  private(set) var firstSuspicion: GossipInstant?
  private(set) var deaths: [Int: GossipInstant] = [:]
  private var watched: String?

  init(count: Int, seed: UInt64) {
    random = SeededRandom(seed: seed)
    isUp = Array(repeating: true, count: count)
    scheduled = Array(repeating: nil, count: count)
    var table = NodeTable()
    var names: [String] = []
    for index in 0..<count {
      let address = GossipSimulation.address(index + 1)
      places[address] = index
      names.append("n\(index)")
      var node = Node(name: names[index], address: address, changedAt: now)
      node.versions = .own
      node.incarnation = 1
      node.state = .alive
      table[names[index]] = node
    }
    for index in 0..<count {
      let settings = GossipSettings.lan(name: names[index], advertised: GossipSimulation.address(index + 1))
      var core = SwimCore(settings, seed: random.next(), refusal: { _ in nil })
      core.nodes = table
      core.probeOrder = names
      core.probeOrder.shuffle(using: &core.random)
      core.start(meta: [], now)
      // That they are there is no news.
      core.broadcasts = TransmitQueue()
      core.effects = []
      core.notices = []
      cores.append(core)
      schedule(index)
    }
  }

  func crash(_ index: Int) {
    isUp[index] = false
    watched = "n\(index)"
    firstSuspicion = nil
    deaths = [:]
  }

  /// A message of the layer above, such as a user event.
  func tell(_ message: [UInt8], by index: Int) {
    heard[message] = [index]
    cores[index].broadcast(message, in: .events)
    schedule(index)
  }

  func run(_ duration: GoDuration, until isDone: () -> Bool) -> GoDuration? {
    let start = now
    while !isDone() {
      guard let next = queue.next, next <= start + duration else { return nil }
      now = max(now, next)
      guard let due = queue.pop(now) else { continue }
      switch due {
      case .tick(let index):
        guard isUp[index], scheduled[index].map({ $0 <= now }) == true else { continue }
        scheduled[index] = nil
        cores[index].tick(now)
        carryOut(index)
      case .letter(let letter):
        guard isUp[letter.to] else { continue }
        cores[letter.to].received(letter.content, from: letter.from, now)
        carryOut(letter.to)
      case .refused(let index, let stream):
        cores[index].streamFailed(stream, .timeout)
        carryOut(index)
      case .answered(let index, let stream, let message):
        cores[index].answered(stream, message, now)
        carryOut(index)
      }
    }
    return now - start
  }

  private func schedule(_ index: Int) {
    guard let deadline = cores[index].timers.next else { return }
    if let known = scheduled[index], known <= deadline { return }
    scheduled[index] = deadline
    queue.schedule(.tick(index), at: deadline)
  }

  private func carryOut(_ index: Int) {
    let effects = cores[index].effects
    cores[index].effects = []
    for effect in effects {
      switch effect {
      case .send(let content, let address, _):
        datagramCount += 1
        guard let to = places[address], Double.random(in: 0..<1, using: &random) >= loss else { continue }
        let delay = GoDuration(nanoseconds: Int64.random(in: 500_000...2_000_000, using: &random))
        queue.schedule(
          .letter(Letter(to: to, from: cores[index].settings.advertised, content: content)), at: now + delay)
      case .open(let stream, let address, let message, let timeout):
        // Exchanges of whole states are not simulated: they only help.
        guard case .ping(let ping) = message, let to = places[address], isUp[to] else {
          queue.schedule(.refused(index, stream), at: now + timeout)
          continue
        }
        queue.schedule(
          .answered(index, stream, .ack(Ack(sequence: ping.sequence))), at: now + .milliseconds(2))
      case .answer, .close: break
      }
    }
    let notices = cores[index].notices
    cores[index].notices = []
    for notice in notices {
      switch notice {
      case .user(let message, _):
        if heard[message]?.insert(index).inserted == true { cores[index].broadcast(message, in: .events) }
      case .left(let node) where node.name == watched: deaths[index] = now
      case .log(.info, let text):
        guard firstSuspicion == nil, let watched, text.contains("suspect \(watched) ") else { continue }
        firstSuspicion = now
      default: break
      }
    }
    schedule(index)
  }
}
