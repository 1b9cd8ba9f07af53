import Testing

@testable import Model

private func hex(_ bytes: [UInt8]) -> String {
  bytes.map { String($0, radix: 16).count < 2 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
}

private func packed(_ body: (inout MessagePackWriter) -> Void) -> String {
  var writer = MessagePackWriter()
  body(&writer)
  return hex(writer.bytes)
}

private func json(_ body: (inout JSONWriter) -> Void) -> String {
  var writer = JSONWriter()
  body(&writer)
  return String(decoding: writer.finish(), as: UTF8.self)
}

@Test(arguments: [
  (Int64(0), "00"), (127, "7f"), (128, "cc80"), (255, "ccff"), (256, "cd0100"), (65535, "cdffff"),
  (1 << 32, "cf0000000100000000"), (-1, "ff"), (-32, "e0"), (-33, "d0df"), (-129, "d1ff7f"), (-32769, "d2ffff7fff"),
  (-2_147_483_649, "d3ffffffff7fffffff"),
])
func messagePackUsesTheSmallestIntegerFormat(value: Int64, bytes: String) {
  #expect(packed { $0.integer(value) } == bytes)
}

@Test func messagePackStringsAreOfTheOldRawFamily() {
  #expect(packed { $0.string("a") } == "a161")
  #expect(packed { $0.string(String(repeating: "a", count: 32)) }.hasPrefix("da002061"))
}

@Test func recordsAreMapsInByteOrderOfTheirNames() throws {
  var address = ServiceAddress()
  address.address = "x"
  address.port = 300
  #expect(hex(address.messagePack) == "82" + "a741646472657373" + "a178" + "a4506f7274" + "cd012c")
  #expect(try ServiceAddress(messagePack: address.messagePack) == address)
}

@Test func messagePackDecodingSkipsUnknownKeysAndKeepsDefaultsOfAbsentOnes() throws {
  var writer = MessagePackWriter()
  writer.mapHeader(2)
  writer.string("Nonsense")
  writer.arrayHeader(1)
  writer.mapHeader(0)
  writer.string("Passing")
  writer.integer(7)
  let weights = try Weights(messagePack: writer.bytes)
  #expect(weights == Weights(passing: 7, warning: 1))
}

/// Maps as keys of maps, of which each level would double the text of the one inside.
@Test func keysOfUntypedMapsAreNoMaps() throws {
  let deep = Array(repeatElement([0x81], count: 60).joined()) + [0xA1, 0x61] + [UInt8](repeating: 0x01, count: 60)
  #expect(throws: MessagePackError.self) {
    try deep.withUnsafeBytes {
      var reader = MessagePackReader($0)
      _ = try reader.dynamic()
    }
  }
  let numbered = try ([0x81, 0x07, 0xA1, 0x61] as [UInt8]).withUnsafeBytes {
    var reader = MessagePackReader($0)
    return try reader.dynamic()
  }
  #expect(numbered.json == #"{"7":"a"}"#)
}

@Test func timesAreGoBinaryTimes() throws {
  #expect(packed { Timestamp().encode(&$0) } == "af01000000000000000000000000ffff")
  let time = try #require(Timestamp("2024-01-02T03:04:05.6Z"))
  #expect(packed { time.encode(&$0) } == "af010000000edd25742523c34600ffff")
  #expect(time.description == "2024-01-02T03:04:05.6Z")
  #expect(Timestamp("2024-01-02T05:04:05.6+02:00") == time)
}

@Test(arguments: [
  (0, "0s"), (1, "1ns"), (1500, "1.5µs"), (2_000_000, "2ms"), (1_500_000_000, "1.5s"), (60_000_000_000, "1m0s"),
  (5_400_000_000_000, "1h30m0s"), (-1_000_000_000, "-1s"),
])
func durationsReadAndWriteAsInGo(nanoseconds: Int64, text: String) {
  #expect(GoDuration(nanoseconds: nanoseconds).description == text)
  #expect(GoDuration(text)?.nanoseconds == nanoseconds)
}

@Test(arguments: ["", "10", "s", "1x", "1.2.3s", "1 s", "9999999999999h", "--1s"])
func textsThatAreNoDurationsAreRefused(text: String) {
  #expect(GoDuration(text) == nil)
}

@Test func jsonEscapesWhatGoEscapes() {
  #expect(json { $0.string("<a>&\"\\\n\u{1}\u{2028}é") } == #""\u003ca\u003e\u0026\"\\\n\u0001\u2028é""#)
}

@Test(arguments: [
  (0.0, "0"), (1.5, "1.5"), (1e21, "1e+21"), (1e-7, "1e-07"), (1e20, "100000000000000000000"), (0.000001, "0.000001"),
])
func jsonNumbersAreWrittenAsInGo(value: Double, text: String) {
  #expect(json { $0.double(value) } == text)
}

@Test func recordJSONFollowsTheOptionsOfItsFields() {
  var check = HealthCheck()
  check.node = "n"
  check.checkID = "c"
  check.definition.value.interval = .seconds(10)
  #expect(
    check.json
      == #"{"Node":"n","CheckID":"c","Name":"","Status":"","Notes":"","Output":"","ServiceID":"","ServiceName":"","ServiceTags":[],"Type":"","Interval":"","Timeout":"","ExposedPort":0,"Definition":{"Interval":"10s"},"CreateIndex":0,"ModifyIndex":0}"#
  )
}

@Test func rowsEncodeInPlace() {
  var entry = KVEntry()
  entry.key = "a key that does not fit into a small string"
  entry.value = Bytes(Array("hello".utf8))
  let row = Row(entry)
  var writer = JSONWriter()
  row.encodeJSON(&writer)
  #expect(String(decoding: writer.finish(), as: UTF8.self) == entry.json)
}

@Test func jsonKeysMatchWithoutRegardToCase() throws {
  let request = try RegisterRequest(json: #"{"node":"n","ADDRESS":"a","Service":{"service":"s","port":80}}"#.utf8)
  #expect(request.node == "n" && request.address == "a" && request.service?.port == 80)
}

@Test func unknownKeysAreRefusedWhereAsked() {
  #expect(throws: DecodingError.unknownField(path: "Service", name: "Odd")) {
    try RegisterRequest(json: #"{"Service":{"Odd":1}}"#.utf8, DecodingContext(refusesUnknown: true))
  }
}

@Test func wrongTypesNameTheField() {
  #expect(throws: DecodingError.mismatch(path: "Service.Port", found: "string", expected: "int")) {
    try RegisterRequest(json: #"{"Service":{"Port":"80"}}"#.utf8)
  }
}

@Test(arguments: [
  ("{", "unexpected end of JSON input"), ("[1,]", "invalid character ']' looking for beginning of value"),
  ("nul", "unexpected end of JSON input"), ("not json", "invalid character 'o' in literal null (expecting 'u')"),
  ("{\"a\" 1}", "invalid character '1' after object key"), ("1 2", "invalid character '2' after top-level value"),
  ("\"\\x\"", "invalid character 'x' in string escape code"), ("01", "invalid character '1' after top-level value"),
])
func malformedJSONIsRefusedInGoWords(text: String, problem: String) {
  #expect { try Dynamic(json: Array(text.utf8)) } throws: { "\($0)" == problem }
}

@Test func jsonDepthIsLimited() {
  let text = String(repeating: "[", count: 100_000)
  #expect(throws: JSONError.tooDeep(limit: JSONParser.depthLimit)) { try Dynamic(json: Array(text.utf8)) }
}

@Test(arguments: ["", "f", "fo", "foo", "foob", "fooba", "foobar"])
func base64ReadsWhatItWrites(text: String) {
  let bytes = Array(text.utf8)
  #expect(Base64.decode(Base64.encode(bytes)) == .success(bytes))
}

@Test(arguments: ["a", "a===", "=a", "Zg=", "Z*==", "Zg==Zg=="])
func malformedBase64IsRefused(text: String) {
  if case .success = Base64.decode(text) { Issue.record("accepted \(text)") }
}

/// A generator that gives the same numbers for the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// Random bytes and mutated records must be decoded or refused, never crash.
@Test(arguments: [UInt64(1), 2, 3, 4])
func decodersSurviveAnything(seed: UInt64) {
  var generator = SeededGenerator(state: seed)
  var check = HealthCheck()
  check.output = "some output"
  check.serviceTags = ["a", "b"]
  check.definition.value.header = ["A": ["b", "c"]]
  let valid = check.messagePack
  let text = Array(check.json.utf8)
  for _ in 0..<20_000 {
    var bytes = valid
    var characters = text
    for _ in 0..<Int.random(in: 1...4, using: &generator) {
      bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      characters[Int.random(in: 0..<characters.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
    }
    bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator))
    _ = try? HealthCheck(messagePack: bytes)
    _ = try? Dynamic(messagePackForTest: bytes)
    _ = try? HealthCheck(json: characters)
    let filter = String(decoding: characters.prefix(Int.random(in: 0...60, using: &generator)), as: UTF8.self)
    _ = try? Filter<HealthCheck>(filter)
    _ = try? Pattern(filter)
  }
}

extension Dynamic {
  init(messagePackForTest bytes: [UInt8]) throws {
    self = try bytes.withUnsafeBytes {
      var reader = MessagePackReader($0)
      return try reader.dynamic()
    }
  }
}
