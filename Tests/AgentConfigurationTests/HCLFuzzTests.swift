import HCL
import Model
import Testing

@testable import AgentConfiguration

/// Random texts never crash the parsers, and what is parsed is found again when it is written out and parsed once more.
@Suite struct HCLFuzzTests {
  private static let pieces = [
    "a", "b", "\"k\"", " = ", "{", "}", "[", "]", ",", "\n", "\r\n", " ", "1", "-2", "0x1", "017", "1.5e3", "true",
    "\"text\"", "\"${", "}\"", "\\", "\\u12", "<<EOF\n", "<<-E\n", "EOF\n", "#", "//", "/*", "*/", "é", "\u{FEFF}", ":",
    "null", "$", "\"", "-", ".", "\0",
  ]

  @Test(arguments: [UInt64(1), 2, 3, 20_261_121])
  func piecesOfTheLanguageInAnyOrderDoNotCrash(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<3000 {
      let count = Int.random(in: 0..<40, using: &generator)
      let text = (0..<count).map { _ in Self.pieces.randomElement(using: &generator) ?? "" }.joined()
      checkWhateverIsParsed(Array(text.utf8), seed)
    }
  }

  @Test(arguments: [UInt64(4), 5])
  func randomBytesDoNotCrash(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<3000 {
      let count = Int.random(in: 0..<60, using: &generator)
      checkWhateverIsParsed((0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }, seed)
    }
  }

  @Test(arguments: [UInt64(6), 7])
  func damagedDocumentsDoNotCrash(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let documents = [
      "service { name = \"web\" port = 80 check { http = \"http://${x}\" interval = \"10s\" } tags = [\"a\", \"b\",] }",
      #"{"services": [{"name": "web", "port": 80.5e1, "meta": {"a": "\u00e9\ud83d\ude00"}}], "x": [null, true]}"#,
      "a = <<EOF\ntext\nEOF\nb \"l\" { c = 0x10 } /* x */ # y\n",
    ].map { Array($0.utf8) }
    for _ in 0..<3000 {
      var bytes = documents.randomElement(using: &generator) ?? []
      for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
        let index = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes.remove(at: index)
        default: bytes.insert(UInt8.random(in: 0...127, using: &generator), at: index)
        }
      }
      checkWhateverIsParsed(bytes, seed)
    }
  }

  private func checkWhateverIsParsed(_ bytes: [UInt8], _ seed: UInt64) {
    for parsed in [try? HCL.parse(bytes), try? HCL.parseJSON(bytes)] {
      guard let parsed else { continue }
      let again = try? HCL.parseJSON(Array(parsed.plain.json.utf8))
      #expect(again?.plain == parsed.plain, "seed \(seed): \(String(decoding: bytes, as: UTF8.self).debugDescription)")
    }
    // Whatever the text says, decoding it ends with values or with an error.
    _ = try? ConfigurationSource(name: "x.hcl", format: .hcl, bytes: bytes).settings()
  }

  @Test(arguments: [UInt64(8), 9])
  func writtenValuesAreReadBack(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<500 {
      let object = randomObject(depth: 3, &generator)
      let text = Self.written(object)
      #expect(try HCL.parse(text).plain == .object(object), "seed \(seed): \(text)")
    }
  }

  private func randomObject(depth: Int, _ generator: inout SeededGenerator) -> DynamicObject {
    var object = DynamicObject()
    for index in 0..<Int.random(in: 0..<4, using: &generator) {
      object.append("k\(index)", randomValue(depth: depth, &generator))
    }
    return object
  }

  private func randomValue(depth: Int, _ generator: inout SeededGenerator) -> Dynamic {
    switch Int.random(in: 0..<(depth > 0 ? 6 : 4), using: &generator) {
    case 0: return .bool(Bool.random(using: &generator))
    case 1: return .int(Int64.random(in: .min ... .max, using: &generator))
    case 2: return .double(Double.random(in: -1e9...1e9, using: &generator))
    case 3:
      let characters = Array("ab\"\\\n\té😀 {}#/=")
      let count = Int.random(in: 0..<6, using: &generator)
      return .string(String((0..<count).map { _ in characters.randomElement(using: &generator) ?? "x" }))
    case 4:
      let count = Int.random(in: 0..<3, using: &generator)
      return .array((0..<count).map { _ in randomValue(depth: depth - 1, &generator) })
    default: return .object(randomObject(depth: depth - 1, &generator))
    }
  }

  private static func written(_ object: DynamicObject) -> String {
    object.map { "\($0.key) = \(written($0.value))\n" }.joined()
  }

  private static func written(_ value: Dynamic) -> String {
    switch value {
    case .string(let text):
      "\""
        + text.map { ["\"": "\\\"", "\\": "\\\\", "\n": "\\n", "\t": "\\t"][$0] ?? String($0) }.joined() + "\""
    case .array(let elements): "[" + elements.map(written).joined(separator: ", ") + "]"
    case .object(let members): "{\n" + written(members) + "}"
    case .double(let number): "\(number)"
    default: value.json
    }
  }
}
