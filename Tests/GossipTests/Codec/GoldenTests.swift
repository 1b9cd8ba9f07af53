import Foundation
import Model
import Testing

@testable import Gossip

/// Real bytes of the reference, where the recordings lie beside the repository.
enum Golden {
  static let folder = URL(filePath: #filePath).appending(path: "../../../../../shared/golden/gossip")
    .standardizedFileURL
  static let isThere = FileManager.default.fileExists(atPath: folder.path)

  static func entries(_ file: String) throws -> [Dynamic] {
    try Dynamic(json: Array(Data(contentsOf: folder.appending(path: file)))).array ?? []
  }

  static func codec(_ entry: Dynamic) throws -> PacketCodec {
    var codec = PacketCodec()
    let keys = (entry["keys"]?.array ?? []).compactMap(\.string).map { [UInt8](hex: $0) }
    codec.keyring = try GossipKeyring(keys: keys)
    codec.label = entry["label"]?.string ?? ""
    codec.compresses = false
    return codec
  }
}

@Suite(.enabled(if: Golden.isThere, "the folder shared/golden is not beside the repository"))
struct GoldenTests {
  @Test func everyDatagramIsReadAsRecorded() throws {
    let packets = try Golden.entries("packets.json")
    #expect(packets.count > 250)
    for entry in packets {
      let id = try #require(entry["id"]?.string)
      let decoded = try #require(entry["decoded"])
      var codec = try Golden.codec(entry)
      codec.label = decoded["label"]?.string ?? ""
      let content = try codec.open([UInt8](hex: entry["hex"]?.string ?? ""))
      let decoder = MessageDecoder(content)
      #expect(decoder.problems.isEmpty, "\(id)")
      let expected = Self.parts(decoded)
      let found = decoder.messages.map(GoldenDescription.message)
      #expect(found.count == expected.count, "\(id)")
      for (found, expected) in zip(found, expected) {
        #expect(found == expected, "\(id): \(found.json) instead of \(expected.json)")
      }
    }
  }

  /// The messages of a datagram without what wraps them.
  private static func parts(_ decoded: Dynamic) -> [Dynamic] {
    if let inner = decoded["inner"] { return parts(inner) }
    if let parts = decoded["parts"]?.array { return parts.flatMap(Self.parts) }
    let members = (decoded.object ?? DynamicObject()).filter { !["label", "crc", "encryption"].contains($0.key) }
    return [.object(DynamicObject(Array(members)))]
  }

  @Test func messagesAreWrittenAsTheReferenceWritesThem() throws {
    var compared = 0
    for entry in try Golden.entries("packets.json") {
      let id = try #require(entry["id"]?.string)
      var codec = try Golden.codec(entry)
      codec.label = entry["decoded"]?["label"]?.string ?? ""
      let content = try codec.open([UInt8](hex: entry["hex"]?.string ?? ""))
      guard content.first != MessageType.compress.rawValue else {
        try compareCompressed(content, id)
        continue
      }
      let messages = MessageDecoder(content).messages
      let encoded = CompoundMessage.packets(messages.map(\.encoded))
      #expect(encoded == [content], "\(id)")
      for case .user(let bytes) in messages {
        guard let message = try? SerfMessage(bytes), !Self.holdsTags(message) else { continue }
        #expect(message.encoded == bytes, "\(id)")
        compared += 1
      }
    }
    #expect(compared > 100)
  }

  /// Tags are maps, which the reference writes in any order.
  private static func holdsTags(_ message: SerfMessage) -> Bool {
    guard case .queryResponse(let response) = message else { return false }
    return response.payload.bytes.first == SerfMessageType.conflictResponse.rawValue
  }

  private func compareCompressed(_ content: [UInt8], _ id: String) throws {
    let inflated = try Array(content.dropFirst()).withBytes { (bytes) throws(GossipError) in
      try MessageDecoder.decompress(bytes, limit: 1 << 20)
    }
    let again = Compressed(content: Bytes(LZW.compress(inflated))).message(.compress)
    #expect(again == content, "\(id)")
  }

  @Test func everyStreamIsReadAsRecorded() throws {
    let streams = try Golden.entries("streams.json")
    #expect(streams.count > 30)
    for entry in streams {
      let id = try #require(entry["id"]?.string)
      let codec = try Golden.codec(entry)
      for side in ["client", "server"] {
        let bytes = [UInt8](hex: entry["\(side)_hex"]?.string ?? "")
        guard !bytes.isEmpty else { continue }
        let found = try #require(try codec.openStream(bytes, fromOpener: side == "client"), "\(id)")
        let expected = (entry["decoded"]?[side]?.object ?? DynamicObject()).filter {
          !["label", "compressed", "encryption"].contains($0.key)
        }
        #expect(
          Dynamic.object(DynamicObject(GoldenDescription.stream(found)))
            == .object(DynamicObject(Array(expected))), "\(id) \(side)")
        for count in stride(from: 0, to: bytes.count - 1, by: 37) {
          #expect(try codec.openStream(Array(bytes.prefix(count)), fromOpener: side == "client") == nil, "\(id)")
        }
      }
    }
  }

  @Test func streamsAreWrittenAsTheReferenceWritesThem() throws {
    for entry in try Golden.entries("streams.json") where entry["keys"] == nil {
      let id = try #require(entry["id"]?.string)
      var codec = try Golden.codec(entry)
      for side in ["client", "server"] {
        let bytes = [UInt8](hex: entry["\(side)_hex"]?.string ?? "")
        guard !bytes.isEmpty, let message = try codec.openStream(bytes, fromOpener: side == "client") else { continue }
        codec.compresses = entry["decoded"]?[side]?["compressed"]?.bool ?? false
        var random = SeededRandom(seed: 1)
        #expect(
          try codec.sealStream(message.encoded, opens: side == "client", using: &random) == bytes, "\(id) \(side)")
      }
    }
  }
}
