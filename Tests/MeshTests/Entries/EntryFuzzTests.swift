import Mesh
import Model
import Testing

@Suite struct EntryFuzzTests {
  /// xorshift64* (Marsaglia 2003): the same numbers for the same seed everywhere.
  private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state ^= state >> 12
      state ^= state << 25
      state ^= state >> 27
      return state &* 0x2545_F491_4F6C_DD1D
    }
  }

  private static let bodies: [String] =
    ServiceDefaultsRulesTests.normalized.map(\.body) + ServiceResolverRulesTests.normalized.map(\.body)
    + ServiceRouterRulesTests.normalized.map(\.body) + APIGatewaysRulesTests.normalized.map(\.body)
    + GatewaysRulesTests.normalized.map(\.body) + JWTProvidersRulesTests.normalized.map(\.body)
    + ServiceIntentionsRulesTests.normalized.map(\.body) + ProxyDefaultsRulesTests.normalized.map(\.body)

  private static let strangers: [Dynamic] = [
    .null, .bool(true), .int(-1), .int(.max), .int(.min), .uint(.max), .double(1e300), .double(-0.5), .string(""),
    .string("*"), .string("nan"), .string("-1s"), .string("\u{0}\u{7F}é"), .array([]), .array([.null]),
    .array([.array([.array([])])]), .object(DynamicObject()), .object(DynamicObject([("a", .null)])),
  ]

  private func mutated(_ value: Dynamic, _ generator: inout Generator) -> Dynamic {
    if UInt8.random(in: 0..<24, using: &generator) == 0 {
      return Self.strangers.randomElement(using: &generator) ?? .null
    }
    switch value {
    case .object(let members):
      var result = DynamicObject()
      for (key, value) in members {
        switch UInt8.random(in: 0..<64, using: &generator) {
        case 0: continue
        case 1: result.append(key.uppercased(), mutated(value, &generator))
        case 2: result.append(key, .array([mutated(value, &generator)]))
        default: result.append(key, mutated(value, &generator))
        }
      }
      return .object(result)
    case .array(let elements):
      return .array(
        elements.flatMap { element in
          Array(repeating: mutated(element, &generator), count: Int.random(in: 0...2, using: &generator))
        })
    default: return value
    }
  }

  @Test(
    "what is accepted stays as it is when it is prepared again; nothing crashes",
    arguments: 1...8 as ClosedRange<UInt64>)
  func survives(seed: UInt64) throws {
    var generator = Generator(state: seed &* 0x9E37_79B9_7F4A_7C15)
    var accepted = 0
    for round in 0..<400 {
      let text = try #require(Self.bodies.randomElement(using: &generator))
      let body = mutated(try json(text), &generator)
      for blocks in [false, true] {
        do throws(ConfigEntryError) {
          let entry = try ConfigEntry(body: body, blocks: blocks).prepared()
          accepted += 1
          #expect(try entry.prepared() == entry, "seed \(seed), round \(round): \(body.json)")
        } catch {
          #expect(!error.description.isEmpty)
        }
      }
    }
    #expect(accepted > 0, "seed \(seed)")
  }
}
