import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// What is kept beyond the figures of the current interval; it costs memory, so only what somebody reads is kept.
struct MetricDetail: OptionSet, Sendable {
  let rawValue: UInt8
  /// Quantiles, for Prometheus.
  static let quantiles = MetricDetail(rawValue: 1)
  /// Single values, for statsd and its kin.
  static let values = MetricDetail(rawValue: 2)
}

/// Where values of a counter or a sample are added up: a lock that is held for some ten nanoseconds. Hot metrics have several
/// stripes, so that threads which count at the same time rarely meet.
final class MetricCell: Sendable {
  struct State: Sendable {
    var interval = Aggregate()
    var totalCount: UInt64 = 0
    var totalSum = 0.0
    var recent = Histogram()
    var older = Histogram()
    /// Values that were not sent yet; beyond the limit they are only counted.
    var unsent: [Float] = []
    var unsentCount = 0
    var unsentSum = 0.0
  }

  /// Single values that are kept between two sendings; a statsd server is told the rate when there were more.
  static let unsentLimit = 256

  private final class Stripe: Sendable {
    let state = Mutex(State())
  }

  private let stripes: [Stripe]
  private let detail: MetricsDetailSwitch

  /// - Parameter stripes: A power of two.
  init(stripes: Int, detail: MetricsDetailSwitch) {
    self.stripes = (0..<stripes).map { _ in Stripe() }
    self.detail = detail
  }

  func add(_ value: Double) {
    let detail = detail.current
    stripe.state.withLock { state in
      state.interval.add(value)
      state.totalCount &+= 1
      state.totalSum += value
      if detail.isEmpty { return }
      if detail.contains(.quantiles) { state.recent.add(value) }
      if detail.contains(.values) {
        state.unsentCount &+= 1
        state.unsentSum += value
        if state.unsent.count < Self.unsentLimit { state.unsent.append(Float(value)) }
      }
    }
  }

  /// The stripe of the calling thread: control blocks of threads lie at least a page apart.
  private var stripe: Stripe {
    if stripes.count == 1 { return stripes[0] }
    let mixed = UInt64(pthread_self()) &* 0x9E37_79B9_7F4A_7C15
    return stripes[Int(truncatingIfNeeded: mixed >> 32) & (stripes.count - 1)]
  }

  /// All stripes, changed one after another.
  func fold<T>(_ initial: T, _ body: (inout T, inout State) -> Void) -> T {
    var result = initial
    for stripe in stripes { stripe.state.withLock { body(&result, &$0) } }
    return result
  }
}

/// Tells all cells of a registry what to keep.
final class MetricsDetailSwitch: Sendable {
  private let value = Atomic<UInt8>(0)
  var current: MetricDetail { MetricDetail(rawValue: value.load(ordering: .relaxed)) }
  func set(_ detail: MetricDetail) { value.store(detail.rawValue, ordering: .relaxed) }
}

/// Something that happens, counted.
public final class MetricCounter: Sendable {
  let cell: MetricCell
  init(_ cell: MetricCell) { self.cell = cell }

  public func increment(by amount: Int = 1) { cell.add(Double(amount)) }
}

/// Something that is measured each time it happens; durations in milliseconds.
public final class MetricSample: Sendable {
  let cell: MetricCell
  init(_ cell: MetricCell) { self.cell = cell }

  public func record(_ value: Double) { cell.add(value) }

  /// Records the time since `start`, which `MetricClock.now` gave.
  public func record(since start: UInt64) { cell.add(Double(MetricClock.now &- start) / 1_000_000) }
}

/// Something that has a value at any time.
public final class MetricGauge: Sendable {
  struct State: Sendable {
    var value = 0.0
    var wasSetInInterval = false
    var isUnsent = false
    var wasEverSet = false
  }
  let state = Mutex(State())

  public func set(_ value: Double) {
    state.withLock { $0 = State(value: value, wasSetInInterval: true, isUnsent: true, wasEverSet: true) }
  }

  var wasEverSet: Bool { state.withLock { $0.wasEverSet } }
}

/// Nanoseconds that only go forward, for durations.
public enum MetricClock {
  public static var now: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(clamping: time.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: time.tv_nsec)
  }
}
