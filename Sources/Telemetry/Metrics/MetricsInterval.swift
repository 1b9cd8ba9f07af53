/// What was counted in ten seconds.
public struct MetricsInterval: Sendable, Equatable {
  public struct Gauge: Sendable, Equatable {
    public var name: String
    public var labels: [MetricLabel]
    public var value: Double
  }

  public struct Figures: Sendable, Equatable {
    public var name: String
    public var labels: [MetricLabel]
    public var count: Int
    /// Sum per second.
    public var rate: Double
    public var sum: Double
    public var minimum: Double
    public var maximum: Double
    public var mean: Double
    public var standardDeviation: Double
  }

  /// Seconds since 1970, a multiple of the interval's length.
  public var start: Int64
  public var gauges: [Gauge] = []
  public var counters: [Figures] = []
  public var samples: [Figures] = []

  init(start: Int64) { self.start = start }

  mutating func add(_ key: MetricKey, gauge value: Double) {
    gauges.append(Gauge(name: key.name, labels: key.labels, value: value))
  }

  /// - Returns: Whether there was anything to add.
  @discardableResult
  mutating func add(_ key: MetricKey, _ aggregate: Aggregate) -> Bool {
    guard aggregate.count > 0 else { return false }
    let figures = Figures(
      name: key.name, labels: key.labels, count: aggregate.count,
      rate: aggregate.sum / Double(MetricsRegistry.intervalSeconds), sum: aggregate.sum, minimum: aggregate.minimum,
      maximum: aggregate.maximum, mean: aggregate.mean, standardDeviation: aggregate.standardDeviation)
    if key.kind == .counter { counters.append(figures) } else { samples.append(figures) }
    return true
  }

  /// The same with the names that the configuration gives them, without what it filters out, in order of names.
  public func named(_ settings: MetricsSettings) -> MetricsInterval {
    var interval = MetricsInterval(start: start)
    interval.gauges = gauges.compactMap { gauge in
      var gauge = gauge
      gauge.name = settings.fullName(gauge.name, isGauge: true)
      return settings.allows(gauge.name) ? gauge : nil
    }.sorted { ($0.name, $0.labels) < ($1.name, $1.labels) }
    interval.counters = Self.named(counters, settings)
    interval.samples = Self.named(samples, settings)
    return interval
  }

  private static func named(_ figures: [Figures], _ settings: MetricsSettings) -> [Figures] {
    figures.compactMap { figures in
      var figures = figures
      figures.name = settings.fullName(figures.name, isGauge: false)
      return settings.allows(figures.name) ? figures : nil
    }.sorted { ($0.name, $0.labels) < ($1.name, $1.labels) }
  }

  /// `2026-01-02 03:04:50 +0000 UTC`
  public var timestamp: String { WallClock.text(start) }
}

private func < (a: (String, [MetricLabel]), b: (String, [MetricLabel])) -> Bool {
  if a.0 != b.0 { return a.0.utf8.lexicographicallyPrecedes(b.0.utf8) }
  return a.1.lexicographicallyPrecedes(b.1) {
    $0.name == $1.name ? $0.value < $1.value : $0.name < $1.name
  }
}
