import Testing

@testable import Model

@Suite struct InterpolationTests {
  private static func text(_ source: String) throws(Interpolation.Problem) -> String {
    try Interpolation(source).text(
      InterpolationNames(
        variables: ["name.full": "geo-db", "name.suffix": "db"], functions: ["match": { $0 == 1 ? "one" : "" }]))
  }

  @Test(arguments: [
    ("plain", "plain"), ("", ""), ("web-${match(1)}", "web-one"), ("${name.full}/${ name.suffix }", "geo-db/db"),
    ("$${name.full}", "${name.full}"), ("$", "$"), ("a$b", "a$b"), ("${match(2)}", ""), ("${\"a${match(1)}\"}", "aone"),
    ("${1 + 2 * 3}", "7"), ("${(1 + 2) * 3}", "9"), ("${match(2 - 1)}", "one"), ("${-1 + 2}", "1"),
    ("${name.suffix == \"db\" ? \"yes\" : \"no\"}", "yes"), ("${!true || 1 < 2 && 3 >= 4}", "false"), ("${7 % 4}", "3"),
  ])
  func expressionsAreReplacedByWhatTheyStandFor(source: String, expected: String) throws {
    #expect(try Self.text(source) == expected)
  }

  @Test(arguments: [
    ("${x", "parse error at 1:4: expected \"}\" but found end of string"),
    ("${nosuch.thing}", "1:3: unknown variable accessed: nosuch.thing"),
    ("a\n${nosuch(1)}", "2:3: unknown function called: nosuch"),
    ("${match()}", "1:3: match: expected 1 arguments, got 0"), ("${1 / 0}", "1:3: divide by zero"),
    ("${\"a\" + 1}", "1:3: operator + needs numbers, got string and int"),
    ("${9223372036854775807 + 1}", "1:3: number out of range"),
  ])
  func problemsTellWhereTheyAre(source: String, reason: String) {
    let problem = #expect(throws: Interpolation.Problem.self) { try Self.text(source) }
    #expect(problem?.description == reason)
  }

  @Test func nothingNestsWithoutEnd() {
    #expect(throws: Interpolation.Problem.self) {
      try Interpolation("${" + String(repeating: "(", count: 10_000))
    }
    #expect(throws: Interpolation.Problem.self) {
      try Interpolation(String(repeating: "${\"", count: 10_000))
    }
  }

  @Test func anyTextIsReadOrRefused() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SplitMix(state: seed)
    let parts = [
      "${", "}", "$${", "\"", "(", ")", "match", "name.full", "1", "0.5", "+", "-", "*", "/", "%", "?", ":", "&&", "||",
      "!", "==", "<=", " ", "\\", ",", "é", "true",
    ]
    for _ in 0..<20_000 {
      let source = (0..<Int.random(in: 1...20, using: &random)).map { _ in parts.randomElement(using: &random) ?? "" }
        .joined()
      do {
        _ = try Self.text(source)
      } catch {
        #expect(error.line >= 1 && error.column >= 1, "seed \(seed): \(source)")
      }
    }
  }
}

/// A generator whose sequence follows from its seed.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
