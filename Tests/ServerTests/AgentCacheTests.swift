import Model
import NIOCore
import NIOEmbedded
import State
import Synchronization
import Testing

@testable import Server

/// Servers that answer when the test says so.
private final class ScriptedServers: Sendable {
  typealias Completion = @Sendable (Result<Answer<String>, ServerError>) -> Void

  private struct Call {
    var minIndex: UInt64
    var completion: Completion
  }

  private let calls = Mutex<[Call]>([])
  private let total = Mutex(0)

  var fetches: Int { total.withLock { $0 } }
  /// The index that the waiting fetch has; nil where none waits.
  var asked: UInt64? { calls.withLock { $0.first?.minIndex } }

  func fetch(_ minIndex: UInt64, _ loop: any EventLoop, _ completion: @escaping Completion) -> (any PendingQuery)? {
    total.withLock { $0 += 1 }
    calls.withLock { $0.append(Call(minIndex: minIndex, completion: completion)) }
    return nil
  }

  func answer(_ value: String, index: UInt64) { next()?(.success(Answer(value: value, index: index))) }
  func fail() { next()?(.failure(.noServers)) }

  private func next() -> Completion? { calls.withLock { $0.isEmpty ? nil : $0.removeFirst() }?.completion }
}

/// A cache with a clock of its own.
private final class CacheBench {
  let servers = ScriptedServers()
  let loop = EmbeddedEventLoop()
  let cache: AgentCache
  private let clock = ManualClock()

  init() { cache = AgentCache(backend: NoServers(datacenter: "dc1"), now: { [clock] in clock.now }) }

  func pass(_ seconds: Int64) {
    clock.advance(seconds)
    loop.advanceTime(by: .seconds(seconds))
  }

  @discardableResult
  func read(
    _ mode: CacheMode, _ question: String = "q", index: UInt64 = 0, wait: Int = 60, token: String = "",
    _ change: (inout CacheFreshness) -> Void = { _ in }
  ) -> Reading {
    var options = QueryOptions()
    options.minIndex = index
    options.maxTime = .seconds(Int(wait))
    options.token = token
    var freshness = CacheFreshness()
    change(&freshness)
    options.cache = freshness
    let reading = Reading()
    let pending = cache.read(question, mode: mode, options, on: loop) { [servers] index, loop, completion in
      servers.fetch(index, loop, completion)
    } completion: { result in
      reading.result.withLock { $0 = result }
    }
    reading.pending.withLock { $0 = pending }
    return reading
  }
}

private final class ManualClock: Sendable {
  private let time = Mutex<UInt64>(1_000_000_000)
  var now: UInt64 { time.withLock { $0 } }
  func advance(_ seconds: Int64) { time.withLock { $0 += UInt64(seconds) * 1_000_000_000 } }
}

/// What a reader got.
private final class Reading: Sendable {
  let result = Mutex<Result<CachedAnswer<String>, ServerError>?>(nil)
  let pending = Mutex<(any PendingQuery)?>(nil)

  var value: String? { try? result.withLock { $0 }?.get().answer.value }
  /// Nil for an answer that had to be fetched.
  var age: UInt64? { try? result.withLock { $0 }?.get().age }
  var isOut: Bool { result.withLock { $0 } == nil }
  var failed: Bool { result.withLock { if case .failure = $0 { true } else { false } } }
}

@Suite struct FollowedAnswerTests {
  @Test func theSecondReaderGetsWhatTheFirstFetched() {
    let bench = CacheBench()
    let first = bench.read(.followed)
    #expect(first.isOut)
    bench.servers.answer("a", index: 5)
    #expect(first.value == "a" && first.age == nil)
    let second = bench.read(.followed)
    #expect(second.value == "a" && second.age == 0)
  }

  @Test func changesComeByThemselves() {
    let bench = CacheBench()
    bench.read(.followed)
    bench.servers.answer("a", index: 5)
    bench.loop.run()
    #expect(bench.servers.asked == 5)
    bench.servers.answer("b", index: 6)
    #expect(bench.read(.followed).value == "b")
    #expect(bench.servers.fetches == 2)
  }

  @Test func readersWhoComeTogetherCostOneFetch() {
    let bench = CacheBench()
    let readings = (0..<5).map { _ in bench.read(.followed) }
    #expect(bench.servers.fetches == 1)
    bench.servers.answer("a", index: 5)
    #expect(readings.allSatisfy { $0.value == "a" })
  }

  @Test func aReaderWithAnIndexWaitsForTheNextChange() {
    let bench = CacheBench()
    bench.read(.followed)
    bench.servers.answer("a", index: 5)
    bench.loop.run()
    let reading = bench.read(.followed, index: 5)
    #expect(reading.isOut)
    bench.servers.answer("b", index: 7)
    #expect(reading.value == "b" && reading.age == nil)
  }

  @Test func aReaderWhoseTimeIsOverGetsWhatThereIs() {
    let bench = CacheBench()
    bench.read(.followed)
    bench.servers.answer("a", index: 5)
    let reading = bench.read(.followed, index: 5, wait: 10)
    bench.pass(11)
    #expect(reading.value == "a")
  }

  @Test func withoutServersTheAnswerAges() {
    let bench = CacheBench()
    bench.read(.followed)
    bench.servers.answer("a", index: 5)
    bench.loop.run()
    bench.pass(100)
    #expect(bench.read(.followed).age == 0)
    bench.servers.fail()
    bench.pass(30)
    #expect(bench.read(.followed).value == "a")
    #expect(bench.read(.followed).age == 30)
    bench.servers.answer("b", index: 9)
    #expect(bench.read(.followed).age == 0)
  }

  @Test func pausesBetweenFailuresGrow() {
    let bench = CacheBench()
    bench.read(.followed)
    bench.servers.answer("a", index: 5)
    bench.loop.run()
    var fetches: [Int] = []
    for pause: Int64 in [1, 2, 4, 8, 16, 32, 60, 60] {
      bench.servers.fail()
      bench.pass(pause - 1)
      fetches.append(bench.servers.fetches)
      bench.pass(1)
    }
    #expect(fetches == [2, 3, 4, 5, 6, 7, 8, 9])
  }

  @Test func whoHasNothingIsToldOfTheFailure() {
    let bench = CacheBench()
    let first = bench.read(.followed)
    bench.servers.fail()
    #expect(first.failed)
    // The next one does not wait for a pause to end.
    let second = bench.read(.followed)
    bench.servers.answer("a", index: 5)
    #expect(second.value == "a")
  }

  @Test func aRestoredStateWakesReadersThoughItsIndexIsLower() {
    let bench = CacheBench()
    bench.read(.followed)
    bench.servers.answer("a", index: 50)
    bench.loop.run()
    let reading = bench.read(.followed, index: 50)
    bench.servers.answer("old", index: 7)
    #expect(reading.value == "old")
    bench.loop.run()
    #expect(bench.servers.asked == 7)
  }

  @Test func tokensDoNotShareAnswers() {
    let bench = CacheBench()
    bench.read(.followed, token: "a")
    bench.servers.answer("secret", index: 5)
    #expect(bench.read(.followed, token: "b").isOut)
  }

  @Test func refreshesKeepToTheRate() {
    let bench = CacheBench()
    bench.cache.setFetchRate(0.5, burst: 1)
    bench.read(.followed)
    for index: UInt64 in 1...3 {
      bench.servers.answer("a", index: index)
      bench.loop.run()
    }
    #expect(bench.servers.fetches == 2)
    bench.pass(2)
    #expect(bench.servers.fetches == 3)
  }

  @Test func aReaderWhoIsGoneGetsNothing() {
    let bench = CacheBench()
    let reading = bench.read(.followed)
    reading.pending.withLock { $0 }?.cancel()
    bench.servers.answer("a", index: 5)
    #expect(reading.isOut)
  }

  @Test func whatNobodyAsksForIsNotFollowedAnyMore() {
    let bench = CacheBench()
    bench.read(.followed)
    bench.servers.answer("a", index: 5)
    bench.loop.run()
    bench.pass(3 * 24 * 3600 + 1)
    bench.servers.answer("b", index: 6)
    bench.loop.run()
    #expect(bench.cache.count == 0)
    #expect(bench.servers.asked == nil)
  }

  @Test func whatNobodyAsksForIsForgotten() {
    let bench = CacheBench()
    bench.read(.followed, "old")
    bench.servers.answer("a", index: 5)
    bench.pass(3 * 24 * 3600 + 1)
    for number in 0..<256 { bench.read(.fetched, "new \(number)") }
    #expect(bench.cache.count == 256)
  }
}

@Suite struct FetchedAnswerTests {
  private func bench(age: Int64) -> CacheBench {
    let bench = CacheBench()
    bench.read(.fetched)
    bench.servers.answer("old", index: 1)
    bench.pass(age)
    return bench
  }

  @Test func anAnswerMayBeOldUnlessItsReaderSaysOtherwise() {
    let bench = bench(age: 65)
    let reading = bench.read(.fetched)
    #expect(reading.value == "old" && reading.age == 65)
    #expect(bench.read(.fetched) { $0.maxAge = 65 }.value == "old")
  }

  @Test func anOlderOneThanWantedIsFetchedAnew() {
    let bench = bench(age: 65)
    let reading = bench.read(.fetched) { $0.maxAge = 30 }
    bench.servers.answer("new", index: 1)
    #expect(reading.value == "new" && reading.age == nil)
    #expect(bench.read(.fetched).age == 0)
  }

  @Test(arguments: [true, false]) func someReadersAlwaysFetch(withZeroAge: Bool) {
    let bench = bench(age: 0)
    let reading = bench.read(.fetched) { if withZeroAge { $0.maxAge = 0 } else { $0.mustRevalidate = true } }
    #expect(reading.isOut)
    bench.servers.answer("new", index: 1)
    #expect(reading.value == "new")
  }

  @Test func aStaleOneIsBetterThanAnErrorIfTheReaderSaysSo() {
    let bench = bench(age: 65)
    let strict = bench.read(.fetched) { $0.maxAge = 30 }
    bench.servers.fail()
    #expect(strict.failed)
    let lenient = bench.read(.fetched) {
      $0.maxAge = 30
      $0.staleIfError = 259_200
    }
    bench.servers.fail()
    #expect(lenient.value == "old" && lenient.age == 65)
    let impatient = bench.read(.fetched) {
      $0.mustRevalidate = true
      $0.staleIfError = 10
    }
    bench.servers.fail()
    #expect(impatient.failed)
  }
}
