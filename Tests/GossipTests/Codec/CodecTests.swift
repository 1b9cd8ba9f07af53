import Model
import Testing

@testable import Gossip

@Suite struct CodecTests {
  /// Messages of the reference, byte for byte.
  static let recorded: [(hex: String, message: SwimMessage)] = [
    (
      "0085a44e6f6465a27032a55365714e6f01aa536f7572636541646472a47f000001aa536f757263654e6f6465a27031aa536f75726365506f7274cd526d",
      .ping(
        Ping(
          sequence: 1, node: "p2", sourceAddress: Bytes([127, 0, 0, 1]), sourcePort: 21101, sourceNode: "p1"))
    ),
    ("0b81a55365714e6f04", .nack(Nack(sequence: 4))),
    (
      "0583a446726f6da26631ab496e6361726e6174696f6e01a44e6f6465a26634",
      .dead(Accusation(incarnation: 1, node: "f4", from: "f1"))
    ),
    (
      "0188a44e61636bc3a44e6f6465a26634a4506f7274cd52a2a55365714e6f04aa536f7572636541646472a47f000001aa536f757263654e6f6465a26632aa536f75726365506f7274cd52a0a6546172676574a47f000001",
      .indirectPing(
        IndirectPing(
          sequence: 4, target: Bytes([127, 0, 0, 1]), port: 21154, node: "f4", wantsNack: true,
          sourceAddress: Bytes([127, 0, 0, 1]), sourcePort: 21152, sourceNode: "f2"))
    ),
  ]

  @Test(arguments: recorded.indices) func messagesAreReadAndWrittenAsTheReferenceDoes(_ index: Int) {
    let (hex, message) = Self.recorded[index]
    let bytes = [UInt8](hex: hex)
    #expect(MessageDecoder(bytes).messages == [message])
    #expect(message.encoded == bytes)
  }

  @Test func aDatagramOfTheReferenceWithChecksumAndSeveralMessages() throws {
    let packet = [UInt8](
      hex: "0c6bf309f307020012007b080182a54c54696d6503a44e6f6465a2663208048ba441646472a47f000001a746696c74657273c0"
        + "a5466c61677300a24944ce3bd69d3aa54c54696d6501a44e616d65ae5f736572665f636f6e666c696374a75061796c6f6164a2"
        + "6632a4506f7274cd52a7ab52656c6179466163746f7200aa536f757263654e6f6465a26632a754696d656f7574ce39387000")
    let messages = MessageDecoder(try PacketCodec().open(packet)).messages
    guard case .user(let first)? = messages.first, case .user(let second)? = messages.last else {
      Issue.record("user messages expected")
      return
    }
    #expect(messages.count == 2)
    #expect(try SerfMessage(first) == .join(JoinIntent(time: 3, node: "f2")))
    guard case .query(let query) = try SerfMessage(second) else {
      Issue.record("a query expected")
      return
    }
    #expect(query.name == "_serf_conflict")
    #expect(query.payload.bytes == Array("f2".utf8))
    #expect(query.timeout == .milliseconds(960))
    #expect(SerfMessage.query(query).encoded == second)
  }

  @Test func aWrongChecksumDropsThePacket() throws {
    var packet = [UInt8](hex: "0cd0fee4790583a446726f6da26631ab496e6361726e6174696f6e01a44e6f6465a26634")
    #expect(try MessageDecoder(PacketCodec().open(packet)).messages.count == 1)
    packet[packet.count - 1] ^= 1
    #expect(throws: GossipError.wrongChecksum) { try PacketCodec().open(packet) }
  }

  struct Wrapping: Sendable, CustomTestStringConvertible {
    var label: String
    var keyCount: Int
    var version: UInt8
    var compresses: Bool
    var testDescription: String { "label \(label), key \(keyCount), version \(version), compression \(compresses)" }
  }

  static let wrappings: [Wrapping] = ["", "blue"].flatMap { label in
    [0, 16, 24, 32].flatMap { key in
      [(2, false), (2, true), (1, true)].map {
        Wrapping(label: label, keyCount: key, version: $0.0, compresses: $0.1)
      }
    }
  }

  static func codec(_ wrapping: Wrapping) throws -> PacketCodec {
    var codec = PacketCodec()
    codec.label = wrapping.label
    codec.compresses = wrapping.compresses
    codec.protocolVersion = wrapping.version
    if wrapping.keyCount > 0 {
      codec.keyring = try GossipKeyring(keys: [[UInt8](repeating: 7, count: wrapping.keyCount)])
    }
    return codec
  }

  @Test(arguments: wrappings) func whatIsSealedOpensAgain(_ wrapping: Wrapping) throws {
    let codec = try Self.codec(wrapping)
    var random = SeededRandom(seed: 3)
    for count in [1, 15, 16, 17, 1400, 9000] {
      let message = SwimMessage.user((0..<count).map { UInt8(truncatingIfNeeded: $0 / 7) }).encoded
      for checksum in [false, true] {
        let packet = try codec.seal(message, checksum: checksum, using: &random)
        #expect(packet.count <= message.count + codec.overhead + 5)
        #expect(MessageDecoder(try codec.open(packet)).messages == MessageDecoder(message).messages)
      }
      let stream = StreamMessage.user(message)
      for opens in [false, true] {
        let bytes = try codec.sealStream(stream.encoded, opens: opens, using: &random)
        #expect(try codec.openStream(bytes, fromOpener: opens) == stream)
        #expect(try codec.openStream(bytes.dropLast(), fromOpener: opens) == nil)
      }
    }
  }

  @Test func labelsKeepPoolsApart() throws {
    var random = SeededRandom(seed: 3)
    var blue = PacketCodec()
    blue.label = "blue"
    let packet = try blue.seal(Nack(sequence: 1).message(.nack), checksum: false, using: &random)
    #expect(throws: GossipError.foreignLabel) { try PacketCodec().open(packet) }
    #expect(throws: GossipError.foreignLabel) { try blue.open(Nack(sequence: 1).message(.nack)) }
    #expect(throws: GossipError.emptyLabel) { try blue.open([244, 0, 11]) }
  }

  @Test func plaintextIsRefusedWhereKeysAreUnlessToldOtherwise() throws {
    var codec = PacketCodec()
    codec.keyring = try GossipKeyring(keys: [[UInt8](repeating: 1, count: 16)])
    let message = Nack(sequence: 1).message(.nack)
    #expect(throws: GossipError.encryptionVersion(11)) { try codec.open(message) }
    #expect(throws: GossipError.notEncrypted) { try codec.openStream([6, 0x80], fromOpener: true) }
    codec.verifiesIncoming = false
    #expect(try codec.open(message) == message)
  }

  @Test func everyKeyOfTheRingDecryptsAndTheFirstEncrypts() throws {
    var random = SeededRandom(seed: 3)
    let keys = [UInt8](1...3).map { [UInt8](repeating: $0, count: 32) }
    var all = PacketCodec()
    all.keyring = try GossipKeyring(keys: keys)
    let message = Nack(sequence: 9).message(.nack)
    for key in keys {
      var one = PacketCodec()
      one.keyring = try GossipKeyring(keys: [key])
      #expect(try all.open(one.seal(message, checksum: true, using: &random)) == message)
    }
    var second = PacketCodec()
    second.keyring = try GossipKeyring(keys: [keys[1]])
    let packet = try all.seal(message, checksum: true, using: &random)
    #expect(throws: GossipError.noKeyFits) { try second.open(packet) }
  }

  @Test func compressionSurvivesFullDictionaries() throws {
    var random = SeededRandom(seed: 11)
    for (count, alphabet) in [(0, 1), (1, 1), (5000, 1), (20_000, 256), (100_000, 4), (40_000, 40)] {
      let input = (0..<count).map { _ in UInt8.random(in: 0...UInt8(alphabet - 1), using: &random) }
      let output = try LZW.compress(input).withBytes { (bytes) throws(GossipError) in
        try LZW.decompress(bytes, limit: 1 << 20)
      }
      #expect(output == input, "\(count) bytes of \(alphabet)")
    }
  }

  @Test func compressedBombsAreRefused() throws {
    let bomb = LZW.compress([UInt8](repeating: 0, count: 2 << 20))
    let packet = Compressed(content: Bytes(bomb)).message(.compress)
    let decoder = MessageDecoder(packet)
    #expect(decoder.messages.isEmpty)
    #expect(decoder.problems == [.tooLarge(part: "decompressed message", limit: 1 << 20)])
  }

  @Test func compoundsInCompoundsEndSomewhere() {
    var message = Nack(sequence: 1).message(.nack)
    for _ in 0..<8 { message = CompoundMessage.encode([message]) }
    #expect(MessageDecoder(message).problems == [.tooDeep(limit: 4)])
  }

  @Test func completePartsOfACutCompoundCount() {
    let nack = Nack(sequence: 1).message(.nack)
    let compound = CompoundMessage.encode([nack, nack])
    let decoder = MessageDecoder(Array(compound.dropLast()))
    #expect(decoder.messages == [.nack(Nack(sequence: 1))])
    #expect(decoder.problems.count == 1)
  }

  @Test func tagsOfTheFirstDaysAreARole() {
    #expect(Tags.decode(Array("web".utf8)) == ["role": "web"])
    #expect(Tags.decode([]) == [:])
    #expect(Tags.decode(Tags.encode(["a": "1", "b": ""])) == ["a": "1", "b": ""])
  }

  @Test func integersAreReadInEveryFormat() throws {
    // The same ping with a sequence number as int16, int64 and uint64.
    for number in ["d10004", "d30000000000000004", "cf0000000000000004"] {
      #expect(MessageDecoder([UInt8](hex: "0b81a55365714e6f" + number)).messages == [.nack(Nack(sequence: 4))])
    }
    #expect(MessageDecoder([UInt8](hex: "0b81a55365714e6fff")).messages.isEmpty)
  }

  @Test(arguments: [
    ("127.0.0.1:8301", "127.0.0.1:8301"), ("[::1]:8301", "[::1]:8301"), ("[::ffff:10.0.0.1]:1", "10.0.0.1:1"),
  ])
  func addressesAreReadAndShown(_ text: String, _ shown: String) {
    #expect(NodeAddress(text)?.description == shown)
  }

  @Test func networksContainTheirAddresses() throws {
    let network = try #require(IPNetwork("10.1.0.0/16"))
    #expect(network.contains(try #require(IPAddress("10.1.255.3"))))
    #expect(!network.contains(try #require(IPAddress("10.2.0.1"))))
    #expect(!network.contains(try #require(IPAddress("::1"))))
    #expect(try #require(IPNetwork("0.0.0.0/0")).contains(try #require(IPAddress("10.2.0.1"))))
    #expect(try #require(IPNetwork("fd00::/8")).contains(try #require(IPAddress("fd12::1"))))
    #expect(IPNetwork("10.0.0.0/33") == nil)
  }
}
