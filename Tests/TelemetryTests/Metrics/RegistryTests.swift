import Synchronization
import Testing

@testable import Telemetry

/// A registry whose first interval begins at 1000 s.
private func registry() -> MetricsRegistry { MetricsRegistry(now: 1003) }

@Test func intervalShowsCountSumRateExtremesAndDeviation() throws {
  let registry = registry()
  let sample = registry.sample("kvs.apply")
  for value in [2.0, 4, 4, 4, 5, 5, 7, 9] { sample.record(value) }
  registry.endInterval(now: 1010, idleLimit: 60)
  let interval = registry.lastInterval
  #expect(interval.start == 1000)
  let figures = try #require(interval.samples.first)
  #expect(figures.name == "kvs.apply")
  #expect(figures.count == 8)
  #expect(figures.sum == 40)
  #expect(figures.rate == 4)
  #expect(figures.minimum == 2)
  #expect(figures.maximum == 9)
  #expect(figures.mean == 5)
  // The sample's deviation: the root of 32/7.
  #expect(abs(figures.standardDeviation - 2.138_089_935) < 1e-6)
}

@Test func lastCompleteIntervalIsShownAndOnlyTheFirstOneBeforeItsEnd() {
  let registry = registry()
  registry.counter("raft.apply").increment()
  #expect(registry.lastInterval.counters.map(\.count) == [1])
  registry.endInterval(now: 1010, idleLimit: 60)
  registry.counter("raft.apply").increment()
  registry.counter("raft.apply").increment()
  #expect(registry.lastInterval.counters.map(\.count) == [1])
  registry.endInterval(now: 1020, idleLimit: 60)
  #expect(registry.lastInterval.counters.map(\.count) == [2])
  #expect(registry.lastInterval.start == 1010)
}

@Test func whatDidNotHappenInAnIntervalIsNotPartOfIt() {
  let registry = registry()
  registry.gauge("raft.peers").set(3)
  registry.counter("raft.apply").increment(by: 5)
  registry.endInterval(now: 1010, idleLimit: 60)
  #expect(registry.lastInterval.gauges.map(\.value) == [3])
  registry.endInterval(now: 1020, idleLimit: 60)
  #expect(registry.lastInterval.gauges.isEmpty)
  #expect(registry.lastInterval.counters.isEmpty)
}

@Test func sameNameAndLabelsAreOneMetric() {
  let registry = registry()
  registry.counter("a", [MetricLabel("k", "1")]).increment()
  registry.counter("a", [MetricLabel("k", "1")]).increment()
  registry.counter("a", [MetricLabel("k", "2")]).increment()
  let counters = registry.lastInterval.named(MetricsSettings()).counters
  #expect(counters.map(\.count) == [2, 1])
  #expect(counters.map { $0.labels.first?.value } == ["1", "2"])
}

@Test func gaugesCarryTheNameOfTheHostAndOthersDoNot() {
  let registry = registry()
  registry.gauge("raft.peers").set(1)
  registry.counter("raft.apply").increment()
  var settings = MetricsSettings()
  settings.prefix = "mine"
  settings.hostName = "vm"
  let interval = registry.lastInterval.named(settings)
  #expect(interval.gauges.map(\.name) == ["mine.vm.raft.peers"])
  #expect(interval.counters.map(\.name) == ["mine.raft.apply"])
}

@Test(arguments: [
  ([], [], true, true), ([], [], false, false), (["consul.raft"], [], false, true), ([], ["consul.raft"], true, false),
  (["consul.raft.apply"], ["consul.raft"], true, true), (["consul.raft"], ["consul.raft.apply"], true, false),
  (["consul.raft"], ["consul.raft"], true, false), (["consul.kvs"], [], true, true),
])
func longestRuleOfTheFilterCounts(allowed: [String], blocked: [String], byDefault: Bool, isShown: Bool) {
  var settings = MetricsSettings()
  settings.allowedPrefixes = allowed
  settings.blockedPrefixes = blocked
  settings.filterDefault = byDefault
  #expect(settings.allows("consul.raft.apply") == isShown)
}

@Test func countersOfManyThreadsLoseNothing() async {
  let registry = registry()
  let counter = registry.counter("busy", isHot: true)
  await withTaskGroup(of: Void.self) { tasks in
    for _ in 0..<8 {
      tasks.addTask { for _ in 0..<10_000 { counter.increment() } }
    }
  }
  #expect(registry.lastInterval.counters.map(\.count) == [80_000])
}

@Test func namesFromRequestsAreForgottenWhenUnused() {
  let registry = registry()
  let queries = LabelledCounter("catalog.service.query", label: "service", in: registry)
  queries.increment("web")
  let kept = registry.counter("api.http", [MetricLabel("method", "GET")])
  kept.increment()
  registry.endInterval(now: 1010, idleLimit: 60)
  registry.endInterval(now: 1060, idleLimit: 60)
  #expect(registry.state.withLock { $0.entries.count } == 2)
  registry.endInterval(now: 1080, idleLimit: 60)
  #expect(registry.state.withLock { $0.entries.keys.map(\.name) } == ["api.http"])
  // A counter that somebody holds goes on.
  kept.increment()
  #expect(registry.state.withLock { $0.entries.count } == 1)
}

@Test func namesFromRequestsAreLimitedInNumber() {
  let registry = registry()
  let queries = LabelledCounter("q", label: "service", in: registry)
  for number in 0..<5000 { queries.increment("s\(number)") }
  let counters = registry.lastInterval.counters
  #expect(counters.count == 4097)
  #expect(counters.first { $0.labels.isEmpty }?.count == 5000 - 4096)
  #expect(counters.reduce(0) { $0 + $1.count } == 5000)
}

@Test func listenersHearOfEachIntervalUntilTheyLeave() {
  let registry = registry()
  let heard = Mutex<[Int64]>([])
  let listener = registry.addListener { interval in heard.withLock { $0.append(interval.start) } }
  registry.endInterval(now: 1010, idleLimit: 60)
  registry.endInterval(now: 1020, idleLimit: 60)
  registry.removeListener(listener)
  registry.endInterval(now: 1030, idleLimit: 60)
  #expect(heard.withLock { $0 } == [1000, 1010])
}

@Test func timestampIsThatOfTheBeginning() {
  #expect(MetricsInterval(start: 1_700_000_000).timestamp == "2023-11-14 22:13:20 +0000 UTC")
}

@Test func quantilesAreOffByLessThanTwoPercent() throws {
  var histogram = Histogram()
  for value in 1...1000 { histogram.add(Double(value)) }
  for (q, expected) in [(0.5, 500.0), (0.9, 900), (0.99, 990)] {
    let found = try #require(histogram.quantile(q))
    #expect(abs(found - expected) / expected < 0.02)
  }
}

@Test func quantilesOfOneValueAreThatValue() {
  var histogram = Histogram()
  #expect(histogram.quantile(0.5) == nil)
  histogram.add(0.375)
  #expect(histogram.quantile(0.5) == 0.375)
  #expect(histogram.quantile(0.99) == 0.375)
}

@Test(arguments: [0, -1, .infinity, .nan, 1e-12, 1e12])
func oddValuesHaveABucket(value: Double) {
  var histogram = Histogram()
  histogram.add(value)
  histogram.add(1)
  #expect(histogram.range.count == 2)
}
