import Foundation
import Model
import Testing

@testable import Gossip

/// Costs of single steps; `PROCONSUL_BENCHMARK=1` prints them.
@Suite(
  .enabled(
    if: ProcessInfo.processInfo.environment["PROCONSUL_BENCHMARK"] != nil, "prints figures; set PROCONSUL_BENCHMARK"))
struct GossipBenchmark {
  private func measure(_ name: String, _ count: Int = 20_000, _ body: () throws -> Void) rethrows {
    let clock = ContinuousClock()
    let time = try clock.measure { for _ in 0..<count { try body() } }
    let nanoseconds = time.components.seconds * 1_000_000_000 + time.components.attoseconds / 1_000_000_000
    print("\(name): \(nanoseconds / Int64(count)) ns")
  }

  @Test func costsOfDatagrams() throws {
    var core = SerfCore(.lan(name: "me", advertised: GossipSimulation.address(1)), seed: 1)
    let now = GossipInstant(nanoseconds: 1)
    try core.start(now)
    _ = core.drain()
    let tags = [
      "role": "consul", "dc": "dc1", "id": "5246bcc5-25d8-03c7-04f2-f6e65d75ede6", "build": "1.21.4:abcdef01",
      "port": "8300", "vsn": "2", "acls": "1", "ft_fs": "1",
    ]
    func alive(_ index: Int, _ incarnation: UInt32) -> Alive {
      Alive(
        incarnation: incarnation, node: "node-\(index)", address: Bytes(GossipSimulation.address(index).ip.bytes),
        port: 8301, meta: Bytes(Tags.encode(tags)), versions: Bytes(ProtocolVersions.own.bytes))
    }
    for index in 2..<1002 { core.received(alive(index, 1).message(.alive), from: GossipSimulation.address(2), now) }
    _ = core.drain()
    let ping = Ping(
      sequence: 1, node: "me", sourceAddress: Bytes([10, 0, 0, 2]), sourcePort: 8301, sourceNode: "node-2")
    measure("answer to a ping, with as much news as fits") {
      core.received(ping.message(.ping), from: GossipSimulation.address(2), now)
      _ = core.drain()
    }
    let old = CompoundMessage.encode((2..<8).map { alive($0, 1).message(.alive) })
    measure("six old alive messages") {
      core.received(old, from: GossipSimulation.address(2), now)
      _ = core.drain()
    }
    var incarnation: UInt32 = 1
    measure("a new alive message") {
      incarnation += 1
      core.received(alive(5, incarnation).message(.alive), from: GossipSimulation.address(2), now)
      _ = core.drain()
    }
    var random = SystemRandomNumberGenerator()
    var codec = PacketCodec()
    measure("sealing 1 KiB with compression") { _ = try? codec.seal(old, checksum: true, using: &random) }
    codec.keyring = try GossipKeyring(keys: [[UInt8](repeating: 1, count: 32)])
    codec.compresses = false
    let packet = try codec.seal(old, checksum: true, using: &random)
    try measure("opening 1 KiB with encryption") { _ = try codec.open(packet) }
    measure("a push/pull of 1000 nodes", 20) {
      core.requested(
        1, .pushPull(PushPull(isJoin: false, nodes: [], userState: [])), from: GossipSimulation.address(2), now)
      for case .network(.answer(_, let message)) in core.drain() { _ = message.encoded }
    }
  }
}
