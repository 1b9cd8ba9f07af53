import Testing

@testable import Consensus
@testable import SimulatedDatacenter

/// The checker itself: histories that are known to be fine, or not, and small ones against the definition.
@Suite struct LinearizabilityTests {
  private typealias Operation = RegisterOperation

  private static func read(_ invoked: UInt64, _ returned: UInt64, _ result: Int) -> Operation {
    Operation(client: 1, kind: .read, invoked: invoked, returned: returned, result: result)
  }

  private static func write(_ invoked: UInt64, _ returned: UInt64, _ value: Int) -> Operation {
    Operation(client: 2, kind: .write, invoked: invoked, returned: returned, value: value)
  }

  private static func compare(
    _ invoked: UInt64, _ returned: UInt64, _ expected: Int, _ value: Int, _ result: Int?
  ) -> Operation {
    Operation(
      client: 3, kind: .compareAndSet(expected: expected), invoked: invoked, returned: returned, value: value,
      result: result)
  }

  @Test func historiesThatOneRegisterCanExplain() {
    let histories: [(String, [Operation])] = [
      ("nothing", []),
      ("one after the other", [Self.write(0, 1, 1), Self.read(2, 3, 1), Self.write(4, 5, 2), Self.read(6, 7, 2)]),
      ("either side of a write", [Self.write(0, 10, 1), Self.read(1, 2, 0), Self.read(3, 4, 1)]),
      ("no answer, took effect", [Self.write(0, .max, 1), Self.read(1, 2, 0), Self.read(3, 4, 1)]),
      ("no answer, no effect", [Self.write(0, .max, 1), Self.read(1, 2, 0), Self.read(8, 9, 0)]),
      (
        "no answer, late effect",
        [Self.write(0, .max, 1), Self.write(1, 2, 2), Self.read(3, 4, 2), Self.read(5, 6, 1)]
      ),
      ("one comparison wins", [Self.compare(0, 5, 0, 1, 1), Self.compare(0, 5, 0, 2, 0), Self.read(6, 7, 1)]),
      (
        "a comparison without an answer won",
        [Self.write(0, 1, 1), Self.compare(2, .max, 1, 2, nil), Self.compare(3, 4, 1, 3, 0), Self.read(5, 6, 2)]
      ),
    ]
    for (name, history) in histories { #expect(LinearizabilityChecker.isLinearizable(history), "\(name)") }
  }

  @Test func historiesThatNoRegisterCanExplain() {
    let histories: [(String, [Operation])] = [
      ("a lost write", [Self.write(0, 1, 1), Self.read(2, 3, 0)]),
      ("an old value", [Self.write(0, 1, 1), Self.write(2, 3, 2), Self.read(4, 5, 1)]),
      ("a value that goes back", [Self.write(0, 10, 1), Self.read(1, 2, 1), Self.read(3, 4, 0)]),
      ("a value out of nowhere", [Self.write(0, 1, 1), Self.read(2, 3, 9)]),
      ("both comparisons win", [Self.compare(0, 5, 0, 1, 1), Self.compare(0, 5, 0, 2, 1)]),
      ("a comparison that should have won", [Self.write(0, 1, 1), Self.compare(2, 3, 1, 2, 0)]),
      (
        "no answer, comes and goes",
        [Self.write(0, .max, 1), Self.write(1, 2, 2), Self.read(3, 4, 1), Self.read(5, 6, 2)]
      ),
    ]
    for (name, history) in histories { #expect(!LinearizabilityChecker.isLinearizable(history), "\(name)") }
  }

  @Test func theSearchAgreesWithTheDefinition() {
    var counts = [0, 0]
    for seed in UInt64(0)..<2000 {
      var random = SeededRandom(seed: seed)
      let history = (0..<5).map { _ in Self.anyOperation(&random) }
      let expected = Self.isExplained(history, at: 0, done: [])
      counts[expected ? 1 : 0] += 1
      #expect(LinearizabilityChecker.isLinearizable(history) == expected, "seed \(seed): \(history)")
    }
    #expect(counts.allSatisfy { $0 > 100 })
  }

  private static func anyOperation(_ random: inout SeededRandom) -> Operation {
    let begin = UInt64.random(in: 0..<8, using: &random)
    let isAnswered = Int.random(in: 0..<5, using: &random) > 0
    let end = isAnswered ? begin + UInt64.random(in: 0..<6, using: &random) : .max
    let value = Int.random(in: 1...2, using: &random)
    switch Int.random(in: 0..<4, using: &random) {
    case 0: return read(begin, begin + 3, Int.random(in: 0...2, using: &random))
    case 1: return write(begin, end, value)
    case 2: return write(begin, end, 0)
    default:
      let told = isAnswered ? Int.random(in: 0...1, using: &random) : nil
      return compare(begin, end, Int.random(in: 0...2, using: &random), value, told)
    }
  }

  /// The definition: some order of all that were answered, and of any of the others, that keeps what came after one another.
  private static func isExplained(_ history: [Operation], at state: Int, done: Set<Int>) -> Bool {
    let open = history.indices.filter { !done.contains($0) }
    if open.allSatisfy({ history[$0].returned == .max }) { return true }
    return open.contains { next in
      guard !open.contains(where: { history[$0].returned < history[next].invoked }),
        let after = history[next].after(state)
      else { return false }
      return isExplained(history, at: after, done: done.union([next]))
    }
  }
}
