import Model
import Testing

@testable import Gossip

@Suite struct LamportClockTests {
  @Test func whatWasSeenIsInThePast() {
    var clock = LamportClock()
    let first = clock.tick()
    #expect(first == 1)
    clock.witness(1)
    #expect(clock.time == 2)
    clock.witness(41)
    #expect(clock.time == 42)
    clock.witness(.max)
    #expect(clock.time == 42)
  }
}

@Suite struct SnapshotTests {
  @Test func linesTellPeersAndClocks() {
    let text = """
      alive: a b 10.0.0.1:8301
      alive: c [::1]:8301
      clock: 7
      event-clock: 5
      query-clock: 3
      coordinate: {"Vec":[]}
      # comment
      not-alive: c
      alive: d nonsense
      clock: 8
      ali
      """
    let snapshot = SerfSnapshot(Array(text.utf8), rejoinsAfterLeave: false)
    #expect(snapshot.alive == ["a b": NodeAddress("10.0.0.1:8301")].compactMapValues { $0 })
    #expect(snapshot.time == 8)
    #expect(snapshot.eventTime == 5)
    #expect(snapshot.queryTime == 3)
    let again = SerfSnapshot(snapshot.text, rejoinsAfterLeave: false)
    #expect(again.alive == snapshot.alive)
    #expect(again.time == 8)
  }

  @Test(arguments: [false, true]) func leavingForgetsUnlessToldOtherwise(_ rejoins: Bool) {
    let text = "alive: a 10.0.0.1:8301\nclock: 7\nleave\n"
    let snapshot = SerfSnapshot(Array(text.utf8), rejoinsAfterLeave: rejoins)
    #expect(snapshot.alive.count == (rejoins ? 1 : 0))
    #expect(snapshot.time == (rejoins ? 7 : 0))
  }

  @Test func theFileIsWrittenAnewWhenItIsTooLong() {
    var log = SnapshotLog(SerfSnapshot())
    var file: [UInt8] = []
    var replacements = 0
    for time in UInt64(1)...20_000 {
      log.note(.userEvent(ReceivedUserEvent(lamportTime: time, name: "e", payload: [], coalesces: false)))
      switch log.flush(nodeCount: 3) {
      case .appendSnapshot(let bytes): file += bytes
      case .replaceSnapshot(let bytes):
        file = bytes
        replacements += 1
      default: break
      }
      #expect(file.count <= 128 * 1024 + 64)
    }
    #expect(replacements > 1)
    #expect(SerfSnapshot(file, rejoinsAfterLeave: false).eventTime == 20_000)
    let rest = log.flush(nodeCount: 3)
    #expect(rest == nil)
  }

  @Test func damagedFilesNeverCrash() {
    for seed in UInt64(0)..<200 {
      var random = SeededRandom(seed: seed)
      var text = Array(
        "alive: a 10.0.0.1:8301\nclock: 7\nnot-alive: a\nevent-clock: 18446744073709551615\nleave\n".utf8)
      for _ in 0..<5 { text[Int.random(in: text.indices, using: &random)] = UInt8.random(in: 0...255, using: &random) }
      _ = SerfSnapshot(text, rejoinsAfterLeave: seed % 2 == 0)
    }
  }
}

extension GossipEffect: Equatable {
  public static func == (a: GossipEffect, b: GossipEffect) -> Bool { "\(a)" == "\(b)" }
}

@Suite struct CoordinateTests {
  /// Nodes on a line with a known distance find out where they are.
  @Test(arguments: UInt64(0)..<4) func estimatesApproachTheTruth(_ seed: UInt64) {
    var random = SeededRandom(seed: seed)
    let places = [0.0, 0.010, 0.025, 0.040, 0.080]
    var estimators = places.map { _ in CoordinateEstimator() }
    for _ in 0..<2000 {
      let one = Int.random(in: places.indices, using: &random)
      let other = Int.random(in: places.indices, using: &random)
      guard one != other else { continue }
      let roundTrip = GoDuration(nanoseconds: Int64(abs(places[one] - places[other]) * 1e9))
      let counted = estimators[one].update(
        "\(other)", estimators[other].coordinate, roundTrip: roundTrip, using: &random)
      #expect(counted)
    }
    for one in places.indices {
      for other in places.indices where one != other {
        let estimate = estimators[one].coordinate.distance(to: estimators[other].coordinate)
        #expect(abs(estimate - abs(places[one] - places[other])) < 0.006, "seed \(seed)")
      }
      #expect(estimators[one].coordinate.error < 0.5)
      #expect(estimators[one].resets == 0)
    }
  }

  @Test func nonsenseIsRefused() {
    var random = SeededRandom(seed: 1)
    var estimator = CoordinateEstimator()
    var bad = estimator.coordinate
    bad.vec[3] = .nan
    let undefined = estimator.update("a", bad, roundTrip: .milliseconds(1), using: &random)
    #expect(!undefined)
    bad = estimator.coordinate
    bad.vec.removeLast()
    let short = estimator.update("a", bad, roundTrip: .milliseconds(1), using: &random)
    #expect(!short)
    let good = estimator.coordinate
    for roundTrip in [GoDuration.seconds(11), GoDuration(nanoseconds: -1)] {
      let counted = estimator.update("a", good, roundTrip: roundTrip, using: &random)
      #expect(!counted)
    }
    #expect(CoordinateEstimator.coordinate(in: [2] + estimator.payload.dropFirst()) == nil)
    #expect(CoordinateEstimator.coordinate(in: estimator.payload) == good)
  }

  @Test func hugeValuesLeadBackToTheStart() {
    var random = SeededRandom(seed: 1)
    var estimator = CoordinateEstimator()
    var far = estimator.coordinate
    far.vec = [Double](repeating: 1e300, count: 8)
    for _ in 0..<50 { _ = estimator.update("a", far, roundTrip: .milliseconds(1), using: &random) }
    #expect(estimator.coordinate.isFinite)
    #expect(estimator.resets > 0)
  }
}

@Suite struct AdmissionTests {
  private func member(_ name: String, _ tags: [String: String], _ status: MemberStatus = .none) -> Member {
    var node = Node(name: name, address: GossipSimulation.address(1), changedAt: .init(nanoseconds: 0))
    node.meta = Tags.encode(tags)
    return Member(node, status: status)
  }

  @Test func agentsBelongToOneDatacenterAndHaveIdsOfTheirOwn() {
    let refusal = Admission.agents(name: "me", nodeID: "id-me", datacenter: "dc1")
    let tags = ["role": "node", "dc": "dc1"]
    func with(_ id: String, _ datacenter: String = "dc1") -> [String: String] {
      tags.merging(["id": id, "dc": datacenter]) { $1 }
    }
    #expect(refusal([member("a", with("1")), member("b", with("2")), member("ME", with("id-me"))]) == nil)
    #expect(refusal([member("a", with("1", "dc2"))]) == "Member 'a' part of wrong datacenter 'dc2'")
    #expect(
      refusal([member("a", with("id-me"))]) == "Member 'a' has conflicting node ID 'id-me' with this agent's ID")
    #expect(refusal([member("a", with("id-me"), .left)]) == nil)
    #expect(
      refusal([member("a", with("1")), member("b", with("1"))])
        == "Member 'b' has conflicting node ID '1' with member 'a'")
    #expect(refusal([member("a", with("1", String(repeating: "x", count: 600)))]) != nil)
  }

  @Test func onlyServersGetIntoTheirPool() {
    let refusal = Admission.servers { $0.tags["role"] == "consul" }
    #expect(refusal([member("a.dc1", ["role": "consul"])]) == nil)
    #expect(refusal([member("a.dc1", ["role": "node"])]) == "Member 'a.dc1' is not a server")
  }
}
