import Testing

@testable import HTTPAPI

@Suite struct ChunkedDecoderTests {
  /// The body, and how many bytes were used; in pieces of at most `size`.
  private func decode(_ text: String, pieces size: Int = .max) throws(RequestError) -> (
    body: String, used: Int, done: Bool
  ) {
    var decoder = ChunkedDecoder()
    var body: [UInt8] = []
    var used = 0
    let bytes = Array(text.utf8)
    while used < bytes.count, !decoder.isDone {
      let piece = bytes[used..<min(used + min(size, bytes.count), bytes.count)]
      let result = piece.withUnsafeBytes { memory -> Result<Int, RequestError> in
        do throws(RequestError) {
          return .success(try decoder.feed(memory) { body.append(contentsOf: $0) })
        } catch {
          return .failure(error)
        }
      }
      used += try result.get()
    }
    return (String(decoding: body, as: UTF8.self), used, decoder.isDone)
  }

  @Test(arguments: 1...12)
  func chunksJoinWhateverPiecesTheyComeIn(_ size: Int) throws {
    let text = "4;name=value\r\nWiki\r\nB\r\npedia in 2 \r\n0\r\nTrailer: x\r\nOther: y\r\n\r\nGET"
    let result = try decode(text, pieces: size)
    #expect(result.body == "Wikipedia in 2 ")
    #expect(result.done)
    #expect(text.utf8.dropFirst(result.used).elementsEqual("GET".utf8))
  }

  @Test(arguments: [
    "x\r\n", "\r\n", "4\nWiki\r\n", "4\r\nWikiX\r\n0\r\n\r\n", "FFFFFFFFFFFFFFFFF\r\n", "-1\r\n", "0x4\r\n",
    "4\r\nWiki\n0\r\n\r\n", "0\r\nA: b\rx\r\n", "1;" + String(repeating: "x", count: 20_000),
  ])
  func brokenChunksAreRefused(_ text: String) {
    #expect(throws: RequestError.self) { try decode(text) }
  }

  @Test(arguments: 0..<10)
  func noBytesMakeTheDecoderFall(_ round: UInt64) {
    var random = SeededGenerator(seed: 0xC0FFEE + round)
    for _ in 0..<2000 {
      let alphabet = Array("0123456789abcdefF;\r\n\r\n xyz".utf8)
      let text = (0..<Int.random(in: 0..<60, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0 }
      var decoder = ChunkedDecoder()
      var size = 0
      let used = text.withUnsafeBytes { memory -> Int in
        do throws(RequestError) { return try decoder.feed(memory) { size += $0.count } } catch { return 0 }
      }
      #expect(used <= text.count && size <= text.count, "seed \(round)")
    }
  }
}
