import Synchronization
import Testing

@testable import Consensus

@Suite struct EntryCacheTests {
  private func batch(_ range: ClosedRange<LogIndex>) -> [LogEntry] {
    range.map { LogEntry(index: $0, term: 1, kind: .command) }
  }

  @Test func entriesAreFoundAcrossBatches() {
    var cache = EntryCache()
    cache.append(batch(1...3))
    cache.append(batch(4...4))
    cache.append(batch(5...9))
    #expect(cache.entries(first: 2, last: 9).map { $0.index } == [2, 3])
    #expect(cache.entries(first: 6, last: 7).map { $0.index } == [6, 7])
    #expect(cache.entries(first: 10, last: 12).isEmpty)
    cache.truncate(from: 7)
    #expect(cache.entries(first: 5, last: 9).map { $0.index } == [5, 6])
    cache.trim(through: 4, bytesMax: 0)
    #expect(cache.firstIndex == 5)
    cache.trim(through: 6, bytesMax: 0)
    #expect(cache.firstIndex == nil && cache.bytes == 0)
  }

  @Test func everyCompletionIsTakenOnce() {
    let called = Mutex<[Int]>([])
    func completion(_ number: Int) -> ProposalCompletion { { _ in called.withLock { $0.append(number) } } }
    var cache = EntryCache()
    cache.append(batch(1...4), completions: (1...4).map { completion($0) })
    cache.append(batch(5...6))
    cache.setCompletion(completion(6), at: 6)
    for (_, completions) in [cache.take(first: 1, last: 2), cache.take(first: 1, last: 2)] {
      for completion in completions { completion?(.failure(.shutDown)) }
    }
    for completion in cache.takeCompletions(after: 3) { completion(.failure(.shutDown)) }
    for completion in cache.takeCompletions(after: 0) { completion(.failure(.shutDown)) }
    #expect(called.withLock { $0 } == [1, 2, 4, 6, 3])
  }
}
