import Model
import Testing

@testable import Gossip

@Suite struct TransmitQueueTests {
  private func bytes(_ count: Int, _ value: UInt8 = 0) -> [UInt8] { [UInt8](repeating: value, count: count) }

  @Test func amongEquallyOftenToldTheLongestThatFitsGoesFirst() {
    var queue = TransmitQueue()
    for count in [10, 30, 20] { queue.add(bytes(count)) }
    let whole = queue.take(overhead: 2, limit: 100, transmitLimit: 3).map(\.count)
    #expect(whole == [30, 20, 10])
    let small = queue.take(overhead: 2, limit: 25, transmitLimit: 3).map(\.count)
    #expect(small == [20])
    // 20 has been told twice, the others once.
    let rest = queue.take(overhead: 2, limit: 44, transmitLimit: 3).map(\.count)
    #expect(rest == [30, 10])
  }

  @Test func amongEqualsTheNewestGoesFirst() {
    var queue = TransmitQueue()
    for value in UInt8(1)...3 { queue.add(bytes(5, value)) }
    let order = queue.take(overhead: 0, limit: 100, transmitLimit: 9).map { $0[0] }
    #expect(order == [3, 2, 1])
  }

  @Test func messagesEndAfterTheirTransmissions() {
    var queue = TransmitQueue()
    queue.add(bytes(5), token: 7)
    for _ in 0..<2 {
      let sent = queue.take(overhead: 0, limit: 100, transmitLimit: 3).count
      #expect(sent == 1)
      let ended = queue.takeFinished()
      #expect(ended == [])
    }
    let last = queue.take(overhead: 0, limit: 100, transmitLimit: 3).count
    #expect(last == 1)
    #expect(queue.isEmpty)
    let ended = queue.takeFinished()
    #expect(ended == [7])
  }

  @Test func newsOfANodeReplaceOlderOnes() {
    var queue = TransmitQueue()
    queue.add(bytes(5, 1), name: "a", token: 1)
    queue.add(bytes(5, 2), name: "b")
    _ = queue.take(overhead: 0, limit: 5, transmitLimit: 9)
    queue.add(bytes(5, 3), name: "b")
    queue.add(bytes(5, 4), name: "a")
    #expect(queue.count == 2)
    let replaced = queue.takeFinished()
    #expect(replaced == [1])
    let order = queue.take(overhead: 0, limit: 100, transmitLimit: 9).map { $0[0] }
    #expect(order == [4, 3])
  }

  @Test func pruningKeepsWhatWasToldLeast() {
    var queue = TransmitQueue()
    queue.add(bytes(5, 1))
    _ = queue.take(overhead: 0, limit: 100, transmitLimit: 9)
    queue.add(bytes(5, 2))
    queue.prune(to: 1)
    let kept = queue.take(overhead: 0, limit: 100, transmitLimit: 9).map { $0[0] }
    #expect(kept == [2])
  }

  @Test(arguments: [(1, 4), (8, 4), (9, 4), (10, 8), (99, 8), (100, 12), (1000, 16)])
  func theLimitGrowsWithTheLogarithm(_ nodes: Int, _ limit: Int) {
    #expect(TransmitQueue.transmitLimit(multiplier: 4, nodeCount: nodes) == limit)
  }
}

@Suite struct SuspicionTests {
  private func suspicion(_ wanted: Int) -> Suspicion {
    Suspicion(
      from: "a", confirmationsWanted: wanted, minimum: .seconds(2), maximum: .seconds(30), now: .init(nanoseconds: 0),
      generation: 1)
  }

  private func seconds(_ suspicion: Suspicion) -> Double { (suspicion.deadline - suspicion.startedAt).inSeconds }

  @Test func confirmationsShortenIt() {
    var it = suspicion(3)
    #expect(seconds(it) == 30)
    let again = it.confirm(by: "a")
    #expect(again == false)
    let expected = [16.0, 7.81, 2.0]
    for (accuser, limit) in zip(["b", "c", "d"], expected) {
      let counted = it.confirm(by: accuser)
      #expect(counted)
      #expect(abs(seconds(it) - limit) < 0.01)
      let again = it.confirm(by: accuser)
      #expect(!again)
    }
    let tooMany = it.confirm(by: "e")
    #expect(!tooMany)
  }

  @Test func withoutPossibleConfirmationsItIsShort() {
    var it = suspicion(0)
    #expect(seconds(it) == 2)
    let counted = it.confirm(by: "b")
    #expect(!counted)
  }

  @Test(arguments: [(5, 5.0), (10, 5.0), (50, 8.495), (100, 10.0), (1000, 15.0)])
  func theMinimumGrowsWithTheLogarithm(_ nodes: Int, _ seconds: Double) {
    let timeout = Suspicion.minimumTimeout(multiplier: 5, nodeCount: nodes, probeInterval: .seconds(1))
    #expect(abs(timeout.inSeconds - seconds) < 0.005)
  }
}

@Suite struct TimerQueueTests {
  @Test func timersComeInTheirOrder() {
    var random = SeededRandom(seed: 5)
    var queue = TimerQueue<Int>()
    let times = (0..<500).map { _ in Int64.random(in: 0..<100, using: &random) }
    for (index, time) in times.enumerated() { queue.schedule(index, at: GossipInstant(nanoseconds: time)) }
    var fired: [Int] = []
    while let next = queue.next, let index = queue.pop(next) { fired.append(index) }
    #expect(fired == times.indices.sorted { (times[$0], $0) < (times[$1], $1) })
    let late = queue.pop(GossipInstant(nanoseconds: .max))
    #expect(late == nil)
  }

  @Test func nothingFiresEarly() {
    var queue = TimerQueue<Int>()
    queue.schedule(1, at: GossipInstant(nanoseconds: 10))
    let early = queue.pop(GossipInstant(nanoseconds: 9))
    #expect(early == nil)
    let due = queue.pop(GossipInstant(nanoseconds: 10))
    #expect(due == 1)
  }
}

/// What one node believes of another, word by word.
@Suite struct NewsTests {
  private let now = GossipInstant(nanoseconds: 1)

  private func core() -> SwimCore {
    var core = SwimCore(
      .lan(name: "me", advertised: GossipSimulation.address(1)), seed: 1, refusal: { _ in nil })
    core.start(meta: [], now)
    return core
  }

  private func alive(_ node: String = "a", _ incarnation: UInt32 = 1, _ index: Int = 2) -> Alive {
    Alive(
      incarnation: incarnation, node: node, address: Bytes(GossipSimulation.address(index).ip.bytes), port: 8301,
      versions: Bytes(ProtocolVersions.own.bytes))
  }

  private func accusation(_ incarnation: UInt32 = 1, _ node: String = "a", from: String = "b") -> Accusation {
    Accusation(incarnation: incarnation, node: node, from: from)
  }

  @Test func olderWordsDoNotCount() {
    var core = core()
    core.alive(alive("a", 3), isOwnWord: false, now)
    core.suspect(accusation(2), now)
    core.dead(accusation(2), now)
    core.alive(alive("a", 2), isOwnWord: false, now)
    #expect(core.nodes["a"]?.state == .alive)
    #expect(core.nodes["a"]?.incarnation == 3)
  }

  @Test func onlyAHigherIncarnationRefutesASuspicion() {
    var core = core()
    core.alive(alive(), isOwnWord: false, now)
    core.suspect(accusation(), now)
    #expect(core.nodes["a"]?.state == .suspect)
    core.alive(alive(), isOwnWord: false, now)
    #expect(core.nodes["a"]?.state == .suspect)
    core.alive(alive("a", 2), isOwnWord: false, now)
    #expect(core.nodes["a"]?.state == .alive)
    #expect(core.suspicions.isEmpty)
  }

  @Test func whatANodeSaysOfItselfIsLeaving() {
    var core = core()
    core.alive(alive("a"), isOwnWord: false, now)
    core.alive(alive("b", 1, 3), isOwnWord: false, now)
    core.dead(accusation(1, "a", from: "a"), now)
    core.dead(accusation(1, "b", from: "a"), now)
    #expect(core.nodes["a"]?.state == .left)
    #expect(core.nodes["b"]?.state == .dead)
  }

  @Test func accusationsAgainstOurselvesAreRefuted() {
    for kind in 0..<2 {
      var core = core()
      if kind == 0 { core.suspect(accusation(5, "me"), now) } else { core.dead(accusation(5, "me"), now) }
      #expect(core.own?.state == .alive)
      #expect(core.own?.incarnation == 6)
      #expect(core.healthScore == 1)
    }
  }

  @Test func anEarlierLifeOfOursIsOvertaken() {
    var core = core()
    core.alive(alive("me", 9, 1), isOwnWord: false, now)
    #expect(core.own?.incarnation == 10)
  }

  @Test func versionsThatMakeNoSenseAreIgnored() {
    for versions in [[0, 5, 2, 2, 5, 4], [1, 0, 2, 2, 5, 4], [5, 1, 2, 2, 5, 4], [1, 5, 2]] as [[UInt8]] {
      var core = core()
      var message = alive()
      message.versions = Bytes(versions)
      core.alive(message, isOwnWord: false, now)
      #expect(core.nodes["a"] == nil)
    }
  }

  @Test func unknownNodesAreNotAccused() {
    var core = core()
    core.suspect(accusation(), now)
    core.dead(accusation(), now)
    #expect(core.nodes.count == 1)
  }

  @Test func incompatibleVersionsDoNotMerge() {
    var core = core()
    var node = RemoteNode(name: "x", address: Bytes([10, 0, 0, 9]), port: 8301, incarnation: 1)
    node.versions = Bytes([1, 1, 1, 2, 5, 4])
    core.requested(
      1, .pushPull(PushPull(isJoin: true, nodes: [node], userState: [])), from: GossipSimulation.address(9),
      userState: [], now)
    #expect(core.nodes["x"] == nil)
    let logged = core.notices.compactMap { if case .log(_, let text) = $0 { text } else { nil } }
    #expect(logged.last?.contains("protocol version (2) is incompatible: [1, 1]") == true)
  }

  @Test func missedAnswersSlowDownOurOwnProbes() {
    var core = core()
    core.changeHealth(by: 100)
    #expect(core.healthScore == 7)
    core.changeHealth(by: -100)
    #expect(core.healthScore == 0)
  }

  @Test func packetsKeepTheirSize() {
    var core = core()
    for index in 0..<200 { core.alive(alive("node-\(index)", 1, index + 2), isOwnWord: false, now) }
    core.tick(GossipInstant(nanoseconds: 5_000_000_000))
    let sizes = core.effects.compactMap { if case .send(let bytes, _, _) = $0 { bytes.count } else { nil } }
    #expect(sizes.max() ?? 0 > 1300)
    #expect(sizes.allSatisfy { $0 <= 1400 })
  }
}
