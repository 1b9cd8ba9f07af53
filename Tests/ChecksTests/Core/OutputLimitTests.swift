import Testing

@testable import Checks

@Suite struct OutputLimitTests {
  @Test(
    arguments: [
      (4, ["abcd"], "abcd", "abcd"), (4, ["abcde"], "bcde", "Captured 4 of 5 bytes\n...\nbcde"),
      (4, ["ab", "cd", "ef"], "cdef", "Captured 4 of 6 bytes\n...\ncdef"),
      (3, ["a", "b", "c", "d", "e", "f", "g"], "efg", "Captured 3 of 7 bytes\n...\nefg"),
      (5, [], "", ""), (1, ["xyz"], "z", "Captured 1 of 3 bytes\n...\nz"),
      (2, ["é", "é"], "é", "Captured 2 of 4 bytes\n...\né"),
    ])
  func theEndOfALongOutputIsKept(limit: Int, parts: [String], text: String, withLoss: String) {
    var buffer = TailBuffer(limit: limit)
    for part in parts { buffer.append(part.utf8) }
    #expect(buffer.text == text)
    #expect(buffer.textWithLoss == withLoss)
  }

  @Test func brokenCharactersAreReplaced() {
    var buffer = TailBuffer(limit: 3)
    buffer.append([0xff, 0x61, 0xc3])
    #expect(buffer.text == "\u{fffd}a\u{fffd}")
  }

  @Test func anyDivisionOfTheOutputGivesTheSame() {
    for seed in UInt64(1)...200 {
      var random = Seeded(seed)
      let bytes = (0..<Int.random(in: 0...60, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      var buffer = TailBuffer(limit: Int.random(in: 1...40, using: &random))
      var rest = bytes[...]
      while !rest.isEmpty {
        let part = rest.prefix(Int.random(in: 1...20, using: &random))
        buffer.append(part)
        rest = rest.dropFirst(part.count)
      }
      #expect(buffer.bytes == Array(bytes.suffix(buffer.limit)), "seed \(seed)")
      #expect(buffer.total == bytes.count, "seed \(seed)")
    }
  }

  @Test(
    arguments: [
      ("short", 10, "short"), ("exact", 5, "exact"), ("much too long", 4, "much ... (captured 4 of 13 bytes)"),
      ("", 1, ""),
    ])
  func reportsAreCutAtTheEnd(output: String, limit: Int, expected: String) {
    #expect(truncatedReport(output, limit: limit) == expected)
  }
}

@Suite struct DockerStreamTests {
  private static func frame(_ kind: UInt8, _ text: String) -> [UInt8] {
    let count = text.utf8.count
    return [kind, 0, 0, 0, 0, 0, UInt8(count >> 8), UInt8(count & 255)] + Array(text.utf8)
  }

  @Test func framesLoseTheirHeadersWhereverTheStreamIsCut() {
    let long = String(repeating: "x", count: 300)
    let stream = Self.frame(1, "out\n") + Self.frame(2, "") + Self.frame(2, "err\n") + Self.frame(1, long)
    for seed in UInt64(1)...100 {
      var random = Seeded(seed)
      var decoder = DockerStream()
      var data: [UInt8] = []
      var rest = stream[...]
      while !rest.isEmpty {
        let part = rest.prefix(Int.random(in: 1...30, using: &random))
        data += decoder.feed(part)
        rest = rest.dropFirst(part.count)
      }
      #expect(String(decoding: data, as: UTF8.self) == "out\nerr\n" + long, "seed \(seed)")
    }
  }

  @Test func anyBytesAreTaken() {
    for seed in UInt64(1)...200 {
      var random = Seeded(seed)
      var decoder = DockerStream()
      let bytes = (0..<100).map { _ in UInt8.random(in: 0...255, using: &random) }
      let data = decoder.feed(bytes)
      #expect(data.count <= bytes.count, "seed \(seed)")
    }
  }
}
