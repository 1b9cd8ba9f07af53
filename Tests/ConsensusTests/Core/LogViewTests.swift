import Testing

@testable import Consensus

@Suite struct LogViewTests {
  /// Compares the compressed view with a plain list of terms under random operations.
  @Test(arguments: 0..<200) func agreesWithAListOfTerms(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var view = LogView()
    var terms: [Term] = [0]  // by index; 0 stands before the log
    var base: LogIndex = 0
    var term: Term = 1
    for _ in 0..<200 {
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<6:
        if Int.random(in: 0..<4, using: &random) == 0 { term += 1 }
        view.append(term: term)
        terms.append(term)
      case 6 where view.lastIndex > base:
        let from = LogIndex.random(in: base + 1...view.lastIndex, using: &random)
        view.truncate(from: from)
        terms.removeLast(terms.count - Int(from))
      case 7 where view.lastIndex > base:
        let through = LogIndex.random(in: base + 1...view.lastIndex, using: &random)
        view.compact(through: through)
        base = through
      case 8 where Int.random(in: 0..<8, using: &random) == 0:
        let index = view.lastIndex + LogIndex.random(in: 1...5, using: &random)
        term += 1
        view.reset(snapshotIndex: index, term: term)
        terms += Array(repeating: term, count: Int(index) + 1 - terms.count)
        base = index
      default:
        view.markDurable(view.lastIndex, term: view.lastTerm)
      }
      #expect(view.lastIndex == UInt64(terms.count - 1))
      #expect(view.baseIndex == base)
      #expect(view.durableIndex <= view.lastIndex)
      for index in base...view.lastIndex { #expect(view.term(at: index) == terms[Int(index)], "seed \(seed)") }
      #expect(view.term(at: view.lastIndex + 1) == nil)
      if view.lastIndex == base { #expect(view.runs.isEmpty) }
    }
  }

  @Test func durabilityOfDeletedEntriesIsIgnored() {
    var view = LogView()
    for _ in 0..<5 { view.append(term: 1) }
    view.truncate(from: 3)
    view.append(term: 2)
    view.markDurable(5, term: 1)
    view.markDurable(3, term: 1)
    #expect(view.durableIndex == 0)
    view.markDurable(3, term: 2)
    #expect(view.durableIndex == 3)
  }
}
