import CoreMetrics

/// Lets code that counts with swift-metrics count here. A label is the name of the metric, dimensions are its labels.
public struct RegistryMetricsFactory: MetricsFactory {
  private let registry: MetricsRegistry

  public init(_ registry: MetricsRegistry = .shared) { self.registry = registry }

  private func labels(_ dimensions: [(String, String)]) -> [MetricLabel] { dimensions.map { MetricLabel($0, $1) } }

  public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    ForwardedCounter(counter: registry.counter(label, labels(dimensions)))
  }

  public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
    if aggregate { return ForwardedSample(sample: registry.sample(label, labels(dimensions))) }
    return ForwardedGauge(gauge: registry.gauge(label, labels(dimensions)))
  }

  public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    ForwardedSample(sample: registry.sample(label, labels(dimensions)))
  }

  // Metrics outlive their handles: what was counted stays counted.
  public func destroyCounter(_ handler: any CounterHandler) {}
  public func destroyRecorder(_ handler: any RecorderHandler) {}
  public func destroyTimer(_ handler: any TimerHandler) {}
}

private final class ForwardedCounter: CounterHandler {
  private let counter: MetricCounter
  init(counter: MetricCounter) { self.counter = counter }
  func increment(by amount: Int64) { counter.increment(by: Int(clamping: amount)) }
  /// Totals of a process only grow.
  func reset() {}
}

private final class ForwardedSample: RecorderHandler, TimerHandler {
  private let sample: MetricSample
  init(sample: MetricSample) { self.sample = sample }
  func record(_ value: Int64) { sample.record(Double(value)) }
  func record(_ value: Double) { sample.record(value) }
  func recordNanoseconds(_ duration: Int64) { sample.record(Double(duration) / 1_000_000) }
}

private final class ForwardedGauge: RecorderHandler {
  private let gauge: MetricGauge
  init(gauge: MetricGauge) { self.gauge = gauge }
  func record(_ value: Int64) { gauge.set(Double(value)) }
  func record(_ value: Double) { gauge.set(value) }
}
