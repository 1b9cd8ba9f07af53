import NIOCore
import Testing

@testable import GRPC

@Suite struct GRPCFramingTests {
  @Test("messages are cut out of a stream however it is cut into pieces", arguments: [1, 2, 3, 5, 7, 100])
  func pieces(size: Int) throws {
    let messages: [[UInt8]] = [[], [1], Array(0...255), [], [9, 9]]
    var stream = ByteBuffer()
    for message in messages { stream.writeGRPCMessage(message) }
    var decoder = GRPCMessageDecoder(bytesMax: 256)
    var found: [[UInt8]] = []
    while let piece = stream.readSlice(length: min(size, stream.readableBytes)), piece.readableBytes > 0 {
      decoder.append(piece)
      while let message = try decoder.next() { found.append(Array(message.readableBytesView)) }
    }
    #expect(found == messages)
    #expect(!decoder.isWithinMessage)
  }

  @Test(
    "what is no message ends the call with a status that says why",
    arguments: [
      ([0, 0, 0, 1, 1], GRPCStatus.Code.resourceExhausted), ([0, 0xFF, 0xFF, 0xFF, 0xFF], .resourceExhausted),
      ([1, 0, 0, 0, 1], .unimplemented), ([2, 0, 0, 0, 1], .internal),
    ] as [([UInt8], GRPCStatus.Code)])
  func refused(bytes: [UInt8], code: GRPCStatus.Code) {
    var decoder = GRPCMessageDecoder(bytesMax: 256)
    decoder.append(ByteBuffer(bytes: bytes))
    let error = #expect(throws: GRPCStatus.self) {
      var decoder = decoder
      return try decoder.next()
    }
    #expect(error?.code == code)
  }

  @Test(
    "the message of a status survives headers",
    arguments: ["", "plain text", "100 %", "two\nlines", "ü and 🙂", "%41 is no A", "%"])
  func statusText(text: String) {
    let encoded = StatusText.encode(text)
    #expect(encoded.utf8.allSatisfy { (0x20...0x7E).contains($0) })
    #expect(StatusText.decode(encoded) == text)
  }

  @Test("what is no escape in the message of a status stays as it is", arguments: ["%", "%4", "%zz", "a%"])
  func brokenEscapes(text: String) { #expect(StatusText.decode(text) == text) }

  @Test(
    "timeouts have up to eight digits and a unit",
    arguments: [
      ("1H", .hours(1)), ("2M", .minutes(2)), ("3S", .seconds(3)), ("4m", .milliseconds(4)), ("5u", .microseconds(5)),
      ("6n", .nanoseconds(6)), ("99999999S", .seconds(99_999_999)), ("999999999S", nil), ("S", nil), ("1", nil),
      ("-1S", nil), ("", nil), ("1x", nil),
    ] as [(String, TimeAmount?)])
  func timeouts(text: String, time: TimeAmount?) { #expect(CallTimeout.parse(text) == time) }

  @Test("pings may come at their interval, a few times sooner, and at once after something was sent")
  func pings() {
    var strikes = PingStrikes(interval: .seconds(15), limit: 2)
    let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
    let times: [(seconds: Int64, tooMany: Bool)] = [
      (0, false), (15, false), (16, false), (17, false), (18, true),
    ]
    for (seconds, tooMany) in times {
      let exceeds = strikes.exceeds(now: start + .seconds(seconds))
      #expect(exceeds == tooMany, "\(seconds)")
    }
    strikes.sentSomething()
    for seconds in [19, 20, 21] as [Int64] {
      let exceeds = strikes.exceeds(now: start + .seconds(seconds))
      #expect(!exceeds)
    }
  }
}
