import Synchronization

/// A property by which values of one metric are told apart.
public struct MetricLabel: Sendable, Hashable {
  public var name: String
  public var value: String

  public init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

enum MetricKind: Sendable, Hashable { case counter, sample, gauge }

/// Which metric: a name without prefix (`raft.apply`) and labels.
struct MetricKey: Sendable, Hashable {
  var kind: MetricKind
  var name: String
  var labels: [MetricLabel]
}

/// All metrics of a process. Whoever counts asks once for a counter and keeps it; counting then goes past this object.
///
/// Values are added up per interval of ten seconds, as operators of the reference know it: the API shows the last interval
/// that is complete. For Prometheus, totals since the start are kept as well.
public final class MetricsRegistry: Sendable {
  /// That of the process.
  public static let shared = MetricsRegistry()

  /// Seconds of an interval.
  public static let intervalSeconds: Int64 = 10
  /// Complete intervals that are kept.
  static let intervalsKept = 6
  private static let hotStripes = 8
  private static let transientLimit = 4096

  enum Metric: Sendable {
    case counter(MetricCounter)
    case sample(MetricSample)
    case gauge(MetricGauge)

    var cell: MetricCell? {
      switch self {
      case .counter(let counter): counter.cell
      case .sample(let sample): sample.cell
      case .gauge: nil
      }
    }
  }

  struct Entry: Sendable {
    var metric: Metric
    /// Whether it is shown although nothing was ever counted.
    var isDeclared = false
    /// Whether nobody keeps it, so that it can be forgotten.
    var isTransient = false
    /// Seconds since 1970 of the interval in which it last changed.
    var lastChange: Int64
  }

  struct State: Sendable {
    var entries: [MetricKey: Entry] = [:]
    var help: [String: String] = [:]
    var completed: [MetricsInterval] = []
    var start: Int64
    var collectors: [@Sendable (MetricsRegistry) -> Void] = []
    var listeners: [Int: @Sendable (MetricsInterval) -> Void] = [:]
    var nextListener = 0
    var transientCount = 0
  }

  let state: Mutex<State>
  let detail = MetricsDetailSwitch()

  /// - Parameter now: Seconds since 1970.
  init(now: Int64 = WallClock.seconds) {
    state = Mutex(State(start: now - now % Self.intervalSeconds))
  }

  // MARK: metrics

  public func counter(_ name: String, _ labels: [MetricLabel] = [], isHot: Bool = false) -> MetricCounter {
    let metric = find(MetricKey(kind: .counter, name: name, labels: labels)) {
      .counter(MetricCounter(MetricCell(stripes: isHot ? Self.hotStripes : 1, detail: detail)))
    }
    guard case .counter(let counter) = metric else { preconditionFailure("the key names a counter") }
    return counter
  }

  public func sample(_ name: String, _ labels: [MetricLabel] = [], isHot: Bool = false) -> MetricSample {
    let metric = find(MetricKey(kind: .sample, name: name, labels: labels)) {
      .sample(MetricSample(MetricCell(stripes: isHot ? Self.hotStripes : 1, detail: detail)))
    }
    guard case .sample(let sample) = metric else { preconditionFailure("the key names a sample") }
    return sample
  }

  public func gauge(_ name: String, _ labels: [MetricLabel] = []) -> MetricGauge {
    let metric = find(MetricKey(kind: .gauge, name: name, labels: labels)) { .gauge(MetricGauge()) }
    guard case .gauge(let gauge) = metric else { preconditionFailure("the key names a gauge") }
    return gauge
  }

  private func find(_ key: MetricKey, _ make: () -> Metric) -> Metric {
    state.withLock { state in
      if let entry = state.entries[key] { return entry.metric }
      let metric = make()
      state.entries[key] = Entry(metric: metric, lastChange: state.start)
      return metric
    }
  }

  /// Counts into a metric that is forgotten when it is not used for a while. Values of its label come from requests:
  /// beyond a limit, new ones count into the metric without labels.
  func incrementTransient(_ name: String, _ label: MetricLabel) {
    let key = MetricKey(kind: .counter, name: name, labels: [label])
    let found: Metric? = state.withLock { state in
      if let entry = state.entries[key] { return entry.metric }
      guard state.transientCount < Self.transientLimit else { return nil }
      state.transientCount += 1
      let metric = Metric.counter(MetricCounter(MetricCell(stripes: 1, detail: detail)))
      state.entries[key] = Entry(metric: metric, isTransient: true, lastChange: state.start)
      return metric
    }
    if case .counter(let counter) = found { counter.increment() } else { counter(name).increment() }
  }

  /// Makes metrics known before they have values, with what they mean.
  func declare(_ definitions: [MetricDefinition]) {
    for definition in definitions {
      switch definition.kind {
      case .counter: _ = counter(definition.name)
      case .sample: _ = sample(definition.name)
      case .gauge: _ = gauge(definition.name)
      }
      state.withLock {
        $0.entries[MetricKey(kind: definition.kind, name: definition.name, labels: [])]?.isDeclared = true
        $0.help[definition.name] = definition.help
      }
    }
  }

  // MARK: values that are looked up

  /// Adds something that is asked before each interval ends: it sets gauges.
  public func addCollector(_ collect: @escaping @Sendable (MetricsRegistry) -> Void) {
    state.withLock { $0.collectors.append(collect) }
  }

  func collect() {
    for collect in state.withLock({ $0.collectors }) { collect(self) }
  }

  // MARK: intervals

  /// Ends the interval under way.
  ///
  /// - Parameters:
  ///   - now: Seconds since 1970, in the next interval.
  ///   - idleLimit: Seconds after which transient metrics that nobody counts into any more are forgotten.
  func endInterval(now: Int64, idleLimit: Int64) {
    let (interval, listeners) = state.withLock { state in
      let interval = Self.take(&state)
      state.completed.append(interval)
      if state.completed.count > Self.intervalsKept { state.completed.removeFirst() }
      state.start = now - now % Self.intervalSeconds
      state.entries = state.entries.filter { !$0.value.isTransient || now - $0.value.lastChange <= idleLimit }
      state.transientCount = state.entries.values.reduce(0) { $0 + ($1.isTransient ? 1 : 0) }
      return (interval, Array(state.listeners.values))
    }
    for listener in listeners { listener(interval) }
  }

  /// The values of the interval, which starts anew.
  private static func take(_ state: inout State) -> MetricsInterval {
    var interval = MetricsInterval(start: state.start)
    for (key, entry) in state.entries {
      var hasChanged = false
      switch entry.metric {
      case .counter(let counter): hasChanged = interval.add(key, Self.take(counter.cell))
      case .sample(let sample): hasChanged = interval.add(key, Self.take(sample.cell))
      case .gauge(let gauge):
        let value: Double? = gauge.state.withLock { state in
          defer { state.wasSetInInterval = false }
          return state.wasSetInInterval ? state.value : nil
        }
        if let value {
          interval.add(key, gauge: value)
          hasChanged = true
        }
      }
      if hasChanged { state.entries[key]?.lastChange = state.start + intervalSeconds }
    }
    return interval
  }

  private static func take(_ cell: MetricCell) -> Aggregate {
    cell.fold(Aggregate()) { sum, state in
      sum.merge(state.interval)
      state.interval = Aggregate()
      swap(&state.recent, &state.older)
      state.recent.clear()
    }
  }

  /// The last interval that is complete, or the first one as far as it is.
  public var lastInterval: MetricsInterval {
    state.withLock { state in
      if let last = state.completed.last { return last }
      var interval = MetricsInterval(start: state.start)
      for (key, entry) in state.entries {
        if let cell = entry.metric.cell {
          interval.add(key, cell.fold(Aggregate()) { $0.merge($1.interval) })
        } else if case .gauge(let gauge) = entry.metric {
          let current = gauge.state.withLock { $0 }
          if current.wasSetInInterval { interval.add(key, gauge: current.value) }
        }
      }
      return interval
    }
  }

  /// Hands each interval to `receive` when it is complete, on the thread that ends it.
  ///
  /// - Returns: What `removeListener` takes.
  public func addListener(_ receive: @escaping @Sendable (MetricsInterval) -> Void) -> Int {
    state.withLock { state in
      state.nextListener += 1
      state.listeners[state.nextListener] = receive
      return state.nextListener
    }
  }

  public func removeListener(_ listener: Int) {
    state.withLock { _ = $0.listeners.removeValue(forKey: listener) }
  }
}

/// Counters that differ in the value of one label, such as the name of a service, found by that value.
public final class LabelledCounter: Sendable {
  private let registry: MetricsRegistry
  private let name: String
  private let label: String

  public init(_ name: String, label: String, in registry: MetricsRegistry = .shared) {
    self.registry = registry
    self.name = name
    self.label = label
  }

  public func increment(_ value: String) { registry.incrementTransient(name, MetricLabel(label, value)) }
}
