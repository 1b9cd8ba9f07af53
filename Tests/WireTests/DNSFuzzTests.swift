import Testing

@testable import Wire

/// Deterministic numbers from a seed (SplitMix64).
private struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}

@Suite("DNS messages under fuzzing")
struct DNSFuzzTests {
  static let seeds: [UInt64] = [1, 2, 3, UInt64.random(in: .min ... .max)]

  private static func randomName(using random: inout SeededGenerator) -> DNSName {
    let words: [[UInt8]] = [
      Array("a".utf8), Array("Web".utf8), Array("web".utf8), Array("consul".utf8), [0, 255], Array("x.y".utf8),
      Array(repeating: 97, count: 63),
    ]
    var name = DNSName.root
    for _ in 0..<Int.random(in: 0...5, using: &random) {
      if let word = words.randomElement(using: &random) { name = name.prefixed(by: word) ?? name }
    }
    return name
  }

  private static func randomRecord(using random: inout SeededGenerator) -> DNSRecord {
    let name = randomName(using: &random)
    let data: (DNSRecordType, DNSRecordData) =
      switch Int.random(in: 0..<8, using: &random) {
      case 0: (.a, .address(.v4(.random(in: .min ... .max, using: &random))))
      case 1: (.aaaa, .address(.v6(.random(in: .min ... .max, using: &random), 1)))
      case 2: (.cname, .name(randomName(using: &random)))
      case 3: (.srv, .service(priority: 1, weight: 1, port: 80, target: randomName(using: &random)))
      case 4: (.mx, .mail(preference: 1, exchange: randomName(using: &random)))
      case 5: (.txt, .text([[1, 2, 3], []]))
      case 6: (.ns, .name(randomName(using: &random)))
      default: (DNSRecordType(rawValue: 300), .opaque([1, 2]))
      }
    return DNSRecord(name: name, type: data.0, ttl: .random(in: .min ... .max, using: &random), data: data.1)
  }

  @Test(arguments: seeds)
  func writtenRecordsAreReadBackAlike(seed: UInt64) throws {
    var random = SeededGenerator(state: seed)
    let writer = DNSTestWriter()
    for round in 0..<400 {
      writer.compresses = Bool.random(using: &random)
      writer.begin(id: 1, flags: .response, limit: Int.random(in: 12...900, using: &random))
      var expected: [DNSRecord] = []
      for _ in 0..<12 {
        let record = Self.randomRecord(using: &random)
        if writer.writeRecord(.answer, record) { expected.append(record) }
      }
      #expect(writer.count <= writer.limit)
      #expect(try DNSMessage(writer.bytes).answers == expected, "seed \(seed), round \(round)")
    }
  }

  @Test(arguments: seeds)
  func noBytesEndTheProcessOrTheLoop(seed: UInt64) throws {
    var random = SeededGenerator(state: seed)
    let writer = DNSTestWriter()
    var refused = 0
    for _ in 0..<3000 {
      writer.begin(id: 1, flags: Bool.random(using: &random) ? .response : .recursionDesired)
      _ = writer.writeQuestion(DNSQuestion(name: Self.randomName(using: &random), type: .srv))
      for _ in 0..<Int.random(in: 0...4, using: &random) {
        _ = writer.writeRecord(.additional, Self.randomRecord(using: &random))
      }
      var raw = Array(writer.bytes)
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: raw.removeLast(Int.random(in: 0...raw.count, using: &random))
        case 1 where !raw.isEmpty: raw[Int.random(in: 0..<raw.count, using: &random)] = 0xC0
        case 2 where !raw.isEmpty:
          raw[Int.random(in: 0..<raw.count, using: &random)] = .random(in: 0...255, using: &random)
        default: raw.append(.random(in: 0...255, using: &random))
        }
      }
      _ = raw.withUnsafeBytes { DNSRequest($0) }
      // What can be read can be written and read again, and is then the same.
      guard let message = try? DNSMessage(raw) else {
        refused += 1
        continue
      }
      writer.compresses = true
      writer.begin(id: 1, flags: .response)
      let written = message.answers.filter { writer.writeRecord(.answer, $0) }
      #expect(try DNSMessage(writer.bytes).answers == written, "seed \(seed)")
    }
    #expect(refused > 0, "seed \(seed)")
  }
}
