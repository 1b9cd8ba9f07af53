import Testing

@testable import Consensus

@Suite struct RaftConfigurationTests {
  private let three = RaftConfiguration(servers: [
    RaftServer(id: "11111111-0000-0000-0000-000000000001", address: "127.0.0.1:21201"),
    RaftServer(id: "b", address: "127.0.0.1:21202", suffrage: .nonVoter),
  ])

  /// `{Servers: [{Address, ID, Suffrage}]}`, keys in order, ids of 36 bytes in the raw16 form.
  @Test func encodesAsOtherServersDo() {
    var expected: [UInt8] = [0x81, 0xa7] + Array("Servers".utf8) + [0x92]
    expected += [0x83, 0xa7] + Array("Address".utf8) + [0xaf] + Array("127.0.0.1:21201".utf8)
    expected += [0xa2] + Array("ID".utf8) + [0xda, 0x00, 0x24] + Array("11111111-0000-0000-0000-000000000001".utf8)
    expected += [0xa8] + Array("Suffrage".utf8) + [0x00]
    expected += [0x83, 0xa7] + Array("Address".utf8) + [0xaf] + Array("127.0.0.1:21202".utf8)
    expected += [0xa2] + Array("ID".utf8) + [0xa1, 0x62] + [0xa8] + Array("Suffrage".utf8) + [0x01]
    #expect(three.encoded() == expected)
  }

  @Test func decodesWhatItEncodes() throws {
    let many = RaftConfiguration(
      servers: (0..<20).map { RaftServer(id: "s\($0)", address: String(repeating: "x", count: 40) + "\($0)") })
    for configuration in [three, many, RaftConfiguration()] {
      #expect(try RaftConfiguration(decoding: configuration.encoded()) == configuration)
    }
  }

  @Test func acceptsOtherFormsAndUnknownFields() throws {
    let bytes: [UInt8] =
      [0x82, 0xa1, 0x58, 0x92, 0xc3, 0xcb, 0, 0, 0, 0, 0, 0, 0, 0, 0xd9, 7] + Array("Servers".utf8)
      + [0xdc, 0, 1, 0x83, 0xa2] + Array("ID".utf8) + [0xc4, 1, 0x62, 0xa8] + Array("Suffrage".utf8) + [0xd1, 0, 1]
      + [0xa7] + Array("Address".utf8) + [0xc0]
    let expected = RaftServer(id: "b", address: "", suffrage: .nonVoter)
    #expect(try RaftConfiguration(decoding: bytes).servers == [expected])
  }

  @Test func refusesWhatMakesNoSense() {
    let whole = three.encoded()
    for length in whole.indices {
      #expect(throws: ConfigurationDecodingError.self) { try RaftConfiguration(decoding: Array(whole.prefix(length))) }
    }
    #expect(throws: ConfigurationDecodingError.self) { try RaftConfiguration(decoding: whole + [0]) }
    let nested = [0x81, 0xa1, 0x58] + [UInt8](repeating: 0x91, count: 5000)
    #expect(throws: ConfigurationDecodingError.self) { try RaftConfiguration(decoding: nested) }
    let huge: [UInt8] = [0x81, 0xa7] + Array("Servers".utf8) + [0xdd, 0xff, 0xff, 0xff, 0xff]
    #expect(throws: ConfigurationDecodingError.self) { try RaftConfiguration(decoding: huge) }
  }

  @Test func noInputCrashesTheDecoder() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    for _ in 0..<20_000 {
      var bytes = three.encoded()
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      if let decoded = try? RaftConfiguration(decoding: bytes) {
        #expect(decoded.servers.count <= RaftConfiguration.serverCountMax, "seed \(seed)")
      }
    }
  }
}
