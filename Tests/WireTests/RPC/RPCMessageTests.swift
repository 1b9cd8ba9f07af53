import Model
import NIOCore
import Testing

@testable import Wire

@Suite struct RPCMessageTests {
  @Test func aRequestIsItsHeaderAndItsBody() throws {
    var buffer = ByteBuffer()
    buffer.writeRPCMessage(RPCRequestHeader(sequence: 7, method: "KVS.Get"), body: RPCBody.empty)
    let expected: [UInt8] =
      [0x82, 0xA3] + Array("Seq".utf8) + [7, 0xAD] + Array("ServiceMethod".utf8) + [0xA7] + Array("KVS.Get".utf8) + [
        0x80
      ]
    #expect(Array(buffer.readableBytesView) == expected)
  }

  @Test func anAnswerIsItsHeaderAndItsBody() throws {
    var buffer = ByteBuffer()
    buffer.writeRPCMessage(RPCResponseHeader(sequence: 300, method: "S.M", error: "no"), body: RPCBody.empty)
    let expected: [UInt8] =
      [0x83, 0xA5] + Array("Error".utf8) + [0xA2] + Array("no".utf8) + [0xA3] + Array("Seq".utf8) + [0xCD, 1, 44, 0xAD]
      + Array("ServiceMethod".utf8) + [0xA3] + Array("S.M".utf8) + [0x80]
    #expect(Array(buffer.readableBytesView) == expected)
  }

  @Test(arguments: [1, 2, 3, 7, 1000]) func messagesAreFoundInAnySegmentation(size: Int) throws {
    var stream = ByteBuffer()
    let bodies: [[UInt8]] = [
      [0x80], [0xC0], [0xA0], [0x91, 0x92, 1, 0x81, 0xA1, 0x61, 0xCB, 0, 0, 0, 0, 0, 0, 0, 0],
      [0xDA, 1, 0] + [UInt8](repeating: 0x61, count: 256), [0xC7, 2, 5, 1, 2], [0xD4, 1, 2], [0xDC, 0, 2, 1, 0xC3],
      [0xDE, 0, 1, 0xA1, 0x62, 0xD9, 1, 0x63], [0xCF, 1, 2, 3, 4, 5, 6, 7, 8],
    ]
    for (index, body) in bodies.enumerated() {
      stream.writeRPCMessage(RPCRequestHeader(sequence: UInt64(index), method: "A.B"), body: body)
    }
    var decoder = RPCMessageDecoder<RPCRequestHeader>(bodyBytesMax: 1000)
    var found: [[UInt8]] = []
    while let piece = stream.readSlice(length: min(size, stream.readableBytes)), piece.readableBytes > 0 {
      decoder.append(ByteBuffer(bytes: Array(piece.readableBytesView)))
      while let message = try decoder.next() {
        #expect(message.header == RPCRequestHeader(sequence: UInt64(found.count), method: "A.B"))
        found.append(Array(message.body.readableBytesView))
      }
    }
    #expect(found == bodies)
    #expect(!decoder.isInsideMessage)
  }

  @Test func limitsHold() {
    let cases: [([UInt8], MessageFramingError)] = [
      ([0xC1], .malformed(byte: 0xC1, offset: 0)),
      ([0xDB, 0xFF, 0xFF, 0xFF, 0xFF], .tooLarge(limit: 1000)),
      ([0xDD, 0xFF, 0xFF, 0xFF, 0xFF], .tooLarge(limit: 1000)),
      ([0xDF, 0xFF, 0xFF, 0xFF, 0xFF], .tooLarge(limit: 1000)),
      ([0xC9, 0xFF, 0xFF, 0xFF, 0xFF], .tooLarge(limit: 1000)),
      ([UInt8](repeating: 0x91, count: 200), .tooDeep(limit: 128)),
    ]
    for (bytes, error) in cases {
      var scanner = MessagePackScanner(bytesMax: 1000)
      #expect(throws: error) { try bytes.withUnsafeBytes { try scanner.scan($0) } }
    }
  }

  @Test func aHeaderThatIsNoneIsRefused() {
    var decoder = RPCMessageDecoder<RPCRequestHeader>(bodyBytesMax: 1000)
    decoder.append(ByteBuffer(bytes: [0x93, 1, 2, 3]))
    #expect(throws: MessageFramingError.self) { try decoder.next() }
  }

  @Test(arguments: 0..<300 as Range<UInt64>) func randomBytesDoNoHarm(seed: UInt64) {
    var random = SplitMix(seed: seed)
    var decoder = RPCMessageDecoder<RPCRequestHeader>(bodyBytesMax: 4096)
    for _ in 0..<50 {
      decoder.append(ByteBuffer(bytes: random.bytes(Int.random(in: 0...30, using: &random))))
      do {
        while try decoder.next() != nil {}
      } catch { return }
    }
  }

  // MARK: Recorded connections

  @Test(
    .enabled(if: Recordings.isPresent, "the recorded connections are not beside the project"),
    arguments: ["client-agent", "client-agent-2", "follower-to-leader", "wan-1", "wan-2"])
  func recordedCallsAreUnderstood(name: String) throws {
    let recorded = try Recordings.connection("rpc/\(name)")
    #expect(recorded.client.first == ServerProtocol.multiplex.rawValue)
    let requests = try Self.messages(RPCRequestHeader.self, recorded.client.dropFirst(), role: .acceptor)
    let replies = try Self.messages(RPCResponseHeader.self, recorded.server[...], role: .dialler)
    let streams = try #require(recorded.decoded["streams"] as? [[String: Any]])
    for stream in streams {
      let id = try #require(stream["stream"] as? Int)
      let calls = try #require(stream["calls"] as? [[String: Any]])
      let asked = requests[UInt32(id)] ?? []
      #expect(asked.map(\.header.method) == calls.map { ($0["header"] as? [String: Any])?["ServiceMethod"] as? String })
      let answered = replies[UInt32(id)] ?? []
      let errors = calls.compactMap { ($0["responseHeader"] as? [String: Any])?["Error"] as? String }
      #expect(answered.map(\.header.error) == errors)
    }
  }

  /// The messages of each stream of one direction. The other direction is not needed: streams are opened for it.
  private static func messages<Header: Record>(
    _ type: Header.Type, _ bytes: ArraySlice<UInt8>, role: YamuxSession.Role
  ) throws -> [UInt32: [RPCMessageDecoder<Header>.Message]] {
    var session = YamuxSession(role, now: 0)
    if role == .dialler { while session.open(now: 0) != nil {} }
    var decoders: [UInt32: RPCMessageDecoder<Header>] = [:]
    var found: [UInt32: [RPCMessageDecoder<Header>.Message]] = [:]
    var rest = bytes
    while !rest.isEmpty {
      let events = try session.receive(ByteBuffer(bytes: rest.prefix(1013)), now: 0)
      rest = rest.dropFirst(1013)
      for case .data(let id, let data) in events {
        session.consume(data.readableBytes, of: id)
        decoders[id, default: RPCMessageDecoder(bodyBytesMax: 64 << 20)].append(data)
        while let message = try decoders[id]?.next() {
          // What is written again is what was read.
          var again = ByteBuffer()
          again.writeRPCMessage(message.header, body: message.body)
          var decoder = RPCMessageDecoder<Header>(bodyBytesMax: 64 << 20)
          decoder.append(again)
          #expect(try decoder.next()?.body == message.body)
          found[id, default: []].append(message)
        }
      }
    }
    return found
  }
}
