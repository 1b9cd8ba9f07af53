import Model
import Testing

@testable import Wire

@Suite struct UserEventPayloadTests {
  /// What an agent of the reference sent.
  private static let recorded =
    "87a24944d92464376563623364322d396339372d333936382d356530642d616363366336313035396431a16ea66465706c6f79a26e66a26331"
    + "a170c40d6576656e742d7061796c6f6164a27366a3776562a27466a27631a17601"

  private static var event: UserEvent {
    var event = UserEvent()
    event.id = "d7ecb3d2-9c97-3968-5e0d-acc6c61059d1"
    event.name = "deploy"
    event.payload = Bytes(Array("event-payload".utf8))
    event.nodeFilter = "c1"
    event.serviceFilter = "web"
    event.tagFilter = "v1"
    return event
  }

  @Test func bytesAreThoseThatWereRecorded() throws {
    let hex = UserEventPayload.encode(Self.event).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
      .joined()
    #expect(hex == Self.recorded)
    #expect(try UserEventPayload.decode(UserEventPayload.encode(Self.event)) == Self.event)
    #expect(UserEventPayload.name(of: Self.event) == "consul:event:deploy")
  }

  @Test func emptyFieldsAreLeftOut() throws {
    var event = UserEvent()
    event.id = "d7ecb3d2-9c97-3968-5e0d-acc6c61059d1"
    event.name = "x"
    #expect(UserEventPayload.encode(event).first == 0x83)
    event.payload = Bytes([UInt8](repeating: 1, count: 70_000))
    #expect(try UserEventPayload.decode(UserEventPayload.encode(event)) == event)
  }

  @Test func eventsMustStaySmall() {
    let payload = [UInt8](repeating: 0, count: 500)
    #expect(SerfEventSize.problem(name: "consul:event:a", payload: Array(payload.prefix(400)), lamportTime: 2) == nil)
    #expect(
      SerfEventSize.problem(name: "consul:event:a", payload: payload, lamportTime: 2)
        == "user event exceeds configured limit of 512 bytes before encoding")
    #expect(
      SerfEventSize.problem(name: "consul:event:a", payload: Array(payload.prefix(490)), lamportTime: 2)
        == "user event exceeds configured limit of 512 bytes after encoding")
  }

  @Test func anyBytesAreAnEventOrAnError() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    let whole = UserEventPayload.encode(Self.event)
    for _ in 0..<5_000 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
      if let event = try? UserEventPayload.decode(bytes) {
        #expect(event.name.utf8.count <= bytes.count * 3, "seed \(seed)")
      }
    }
  }
}

/// A generator whose sequence follows from its seed.
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
