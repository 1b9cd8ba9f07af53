import NIOHPACK
import Testing

@testable import Checks

@Suite struct GRPCReplyTests {
  private static func reply(_ fields: [HPACKHeaders], _ message: [UInt8]) -> GRPCAnswer {
    var reply = GRPCReply()
    for headers in fields { reply.take(headers) }
    reply.message = message
    return reply.answer
  }

  @Test func requestsNameTheService() {
    #expect(HealthMessages.request(service: "") == [])
    #expect(HealthMessages.request(service: "ab") == [10, 2, 97, 98])
    #expect(HealthMessages.request(service: String(repeating: "x", count: 300)).prefix(3) == [10, 0xac, 2])
    #expect(GRPCMessage.framed([1, 2]) == [0, 0, 0, 0, 2, 1, 2])
  }

  @Test(
    arguments: [
      ([], ServingStatus.unknown), ([8, 0], .unknown), ([8, 1], .serving), ([8, 2], .notServing),
      ([8, 3], .serviceUnknown),
      ([8, 200, 1], .other(200)), ([18, 1, 65, 8, 1], .serving), ([21, 0, 0, 0, 0, 8, 1], .serving),
      ([17, 0, 0, 0, 0, 0, 0, 0, 0, 8, 2], .notServing),
    ] as [([UInt8], ServingStatus)])
  func answersHoldAStatus(message: [UInt8], status: ServingStatus) {
    #expect(HealthMessages.status(in: message[...]) == status)
  }

  @Test(arguments: [
    [8], [8, 0x80], [18, 5, 1], [21, 0], [15], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  ])
  func brokenAnswersAreRefused(message: [UInt8]) { #expect(HealthMessages.status(in: message[...]) == nil) }

  @Test func anyBytesAreTakenOrRefused() {
    for seed in UInt64(1)...2000 {
      var random = Seeded(seed)
      let bytes = (0..<Int.random(in: 0...24, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      _ = HealthMessages.status(in: bytes[...])
      let framed = GRPCMessage.framed(bytes)
      #expect(GRPCMessage.unframed(framed).map(Array.init) == bytes, "seed \(seed)")
      if let payload = GRPCMessage.unframed(bytes) { #expect(payload.count == bytes.count - 5, "seed \(seed)") }
    }
  }

  @Test func theTrailersDecide() {
    let head: HPACKHeaders = [":status": "200", "content-type": "application/grpc"]
    let serving = GRPCMessage.framed([8, 1])
    #expect(Self.reply([head, ["grpc-status": "0"]], serving) == .serving(.serving))
    #expect(
      Self.reply([head, ["grpc-status": "5", "grpc-message": "unknown%20service"]], [])
        == .failed(code: .notFound, message: "unknown service"))
    #expect(Self.reply([head, ["grpc-status": "99"]], []) == .failed(code: .unknown, message: ""))
    guard case .failed(code: .internal, _) = Self.reply([head], serving) else {
      Issue.record("an answer without trailers counts")
      return
    }
    guard case .failed(code: .internal, _) = Self.reply([head, ["grpc-status": "0"]], [1, 2]) else {
      Issue.record("a broken message counts")
      return
    }
  }

  @Test(arguments: [
    ("404", GRPCCode.unimplemented), ("503", .unavailable), ("401", .unauthenticated), ("500", .unknown),
  ])
  func anAnswerThatIsNotGRPCIsAFailure(status: String, code: GRPCCode) {
    let message = "unexpected HTTP status code received from server: \(status)"
    #expect(Self.reply([[":status": status]], []) == .failed(code: code, message: message))
  }
}
