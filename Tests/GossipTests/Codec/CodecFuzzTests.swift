import Model
import Testing

@testable import Gossip

/// Whatever arrives, nothing crashes and nothing grows without bounds.
@Suite struct CodecFuzzTests {
  private static let seeds = UInt64(0)..<400

  private static func samples() -> [[UInt8]] {
    let state = SerfState(
      time: 4, statusTimes: ["a": 1, "b": 300], leftMembers: ["c"], eventTime: 9,
      events: [nil, EventSlot(time: 2, events: [BufferedEvent(name: "deploy", payload: Bytes([1, 2]))])], queryTime: 7)
    let alive = Alive(
      incarnation: 3, node: "n", address: Bytes([10, 0, 0, 1]), port: 8301, meta: Bytes(Tags.encode(["role": "x"])),
      versions: Bytes(ProtocolVersions.own.bytes))
    let query = QueryMessage(
      time: 3, id: 77, address: Bytes([127, 0, 0, 1]), port: 1, sourceNode: "n",
      filters: [Bytes(QueryFilter.nodes(["a"]).encoded)], flags: 1, name: "q", payload: Bytes([1]))
    let remote = RemoteNode(name: "n", address: Bytes([10, 0, 0, 1]), port: 8301, incarnation: 3, state: 1)
    let inner = CompoundMessage.encode([
      alive.message(.alive), Ping(sequence: 4, node: "b").message(.ping),
      SwimMessage.user(query.message(.query)).encoded,
      Accusation(incarnation: 1, node: "a", from: "b").message(.suspect),
    ])
    return [
      inner, Compressed(content: Bytes(LZW.compress(inner))).message(.compress), state.encoded, query.message(.query),
      StreamMessage.pushPull(PushPull(isJoin: true, nodes: [remote, remote], userState: state.encoded)).encoded,
      StreamMessage.user([1, 2, 3]).encoded,
      SerfMessage.relay(RelayHeader(name: "x"), query.message(.query)).encoded, QueryFilter.nodes(["a", "b"]).encoded,
    ]
  }

  private static func damage(_ bytes: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...6, using: &random) where !bytes.isEmpty {
      let place = Int.random(in: bytes.indices, using: &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
      case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 2: bytes.removeSubrange(place...)
      default: bytes.insert([0xDF, 0xDD, 0xDB, 0xC0, 0xFF].randomElement(using: &random) ?? 0, at: place)
      }
    }
    return bytes
  }

  @Test func damagedBytesNeverCrash() throws {
    var read = 0
    for seed in Self.seeds {
      var random = SeededRandom(seed: seed)
      for sample in Self.samples() {
        let bytes = Self.damage(sample, &random)
        read += MessageDecoder(bytes).messages.count
        _ = try? SerfMessage(bytes)
        _ = try? QueryFilter(bytes)
        _ = Tags.decode(bytes)
        _ = try? PacketCodec().openStream(bytes, fromOpener: seed % 2 == 0)
        _ = try? PacketCodec().open(bytes)
      }
    }
    #expect(read > 0)
  }

  @Test func randomBytesNeverCrash() throws {
    var codec = PacketCodec()
    codec.keyring = try GossipKeyring(keys: [[UInt8](repeating: 1, count: 16)])
    for seed in Self.seeds {
      var random = SeededRandom(seed: seed)
      let count = Int.random(in: 0...200, using: &random)
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      _ = MessageDecoder(bytes)
      _ = try? SerfMessage(bytes)
      _ = try? codec.open(bytes)
      _ = try? codec.openStream(bytes, fromOpener: true)
      _ = try? bytes.withBytes { (bytes) throws(GossipError) in try LZW.decompress(bytes, limit: 1 << 16) }
    }
  }
}
