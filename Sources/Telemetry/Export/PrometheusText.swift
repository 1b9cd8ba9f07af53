#if canImport(Glibc)
  import Glibc
#endif

/// The text format of Prometheus, version 0.0.4.
struct PrometheusText {
  private(set) var text = ""

  /// Quantiles that are shown of each sample.
  private static let quantiles: [(text: String, value: Double)] = [("0.5", 0.5), ("0.9", 0.9), ("0.99", 0.99)]

  mutating func begin(_ name: String, _ kind: MetricKind, help: String?) {
    let type =
      switch kind {
      case .counter: "counter"
      case .gauge: "gauge"
      case .sample: "summary"
      }
    text += "# HELP \(name) \(Self.escaped(help ?? name, quotes: false))\n# TYPE \(name) \(type)\n"
  }

  mutating func value(_ name: String, _ labels: [MetricLabel], _ value: Double) {
    text += "\(name)\(Self.braces(labels)) \(Self.number(value))\n"
  }

  mutating func summary(_ name: String, _ labels: [MetricLabel], count: UInt64, sum: Double, _ recent: Histogram) {
    for quantile in Self.quantiles {
      let label = MetricLabel("quantile", quantile.text)
      value(name, labels + [label], recent.quantile(quantile.value) ?? .nan)
    }
    value(name + "_sum", labels, sum)
    text += "\(name)_count\(Self.braces(labels)) \(count)\n"
  }

  /// A name with the characters that names may have.
  static func name(_ text: String) -> String {
    var name = ""
    for (index, character) in text.utf8.enumerated() {
      switch character {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
        UInt8(ascii: ":"):
        name.unicodeScalars.append(Unicode.Scalar(character))
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        if index == 0 { name += "_" }
        name.unicodeScalars.append(Unicode.Scalar(character))
      default: name += "_"
      }
    }
    return name
  }

  private static func braces(_ labels: [MetricLabel]) -> String {
    if labels.isEmpty { return "" }
    let pairs = labels.map { label in
      // A colon is allowed in the names of metrics only.
      let name = name(label.name).replacing(":", with: "_")
      return "\(name)=\"\(escaped(label.value, quotes: true))\""
    }
    return "{\(pairs.joined(separator: ","))}"
  }

  private static func escaped(_ text: String, quotes: Bool) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\"" where quotes: result += "\\\""
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
    if value == value.rounded(), abs(value) < 1e15 { return String(Int64(value)) }
    return "\(value)"
  }
}

extension MetricsRegistry {
  /// All metrics for Prometheus: totals since the start, and quantiles of the last ten to twenty seconds.
  public func prometheusText(_ settings: MetricsSettings) -> String { prometheusText(settings, now: WallClock.seconds) }

  /// - Parameter now: Seconds since 1970.
  func prometheusText(_ settings: MetricsSettings, now: Int64) -> String {
    let (entries, help) = state.withLock { ($0.entries, $0.help) }
    var families: [String: [(key: MetricKey, entry: Entry)]] = [:]
    for (key, entry) in entries {
      // Declared gauges keep their name; values that an agent sets carry its host's name, if names of hosts are on.
      let isUnset = entry.isDeclared && !entry.hasValue
      let name = settings.fullName(key.name, isGauge: key.kind == .gauge && !isUnset)
      guard settings.allows(name) else { continue }
      families[PrometheusText.name(name), default: []].append((key, entry))
    }
    var out = PrometheusText()
    for (name, members) in families.sorted(by: { $0.key < $1.key }) {
      let kind = members[0].key.kind
      let shown = members.filter { $0.key.kind == kind && isShown($0.entry, settings, now: now) }
      guard !shown.isEmpty else { continue }
      out.begin(name, kind, help: help[members[0].key.name])
      for (key, entry) in shown.sorted(by: { Self.text($0.key.labels) < Self.text($1.key.labels) }) {
        write(name, key, entry, isCurrent: isCurrent(entry, settings, now: now), &out)
      }
    }
    ProcessMetrics.write(&out)
    return out.text
  }

  private static func text(_ labels: [MetricLabel]) -> String {
    labels.map { "\($0.name)=\($0.value)" }.joined(separator: ",")
  }

  private func isCurrent(_ entry: Entry, _ settings: MetricsSettings, now: Int64) -> Bool {
    entry.hasChanged || now - entry.lastChange <= settings.prometheusRetention
  }

  private func isShown(_ entry: Entry, _ settings: MetricsSettings, now: Int64) -> Bool {
    entry.isDeclared || (entry.hasValue && isCurrent(entry, settings, now: now))
  }

  private func write(_ name: String, _ key: MetricKey, _ entry: Entry, isCurrent: Bool, _ out: inout PrometheusText) {
    switch entry.metric {
    case .gauge(let gauge):
      // Nobody knows what a gauge stands at that was not set for so long.
      out.value(name, key.labels, isCurrent ? gauge.state.withLock { $0.value } : .nan)
    case .counter(let counter):
      out.value(name, key.labels, counter.cell.fold(0.0) { $0 += $1.totalSum })
    case .sample(let sample):
      let total = sample.cell.fold((count: UInt64(0), sum: 0.0, recent: Histogram())) { total, state in
        total.count &+= state.totalCount
        total.sum += state.totalSum
        total.recent.merge(state.recent)
        total.recent.merge(state.older)
      }
      out.summary(name, key.labels, count: total.count, sum: total.sum, total.recent)
    }
  }
}

extension MetricsRegistry.Entry {
  /// Whether it was ever counted or set.
  fileprivate var hasValue: Bool {
    switch metric {
    case .gauge(let gauge): gauge.wasEverSet
    case .counter(let counter): counter.cell.fold(false) { $0 = $0 || $1.totalCount > 0 }
    case .sample(let sample): sample.cell.fold(false) { $0 = $0 || $1.totalCount > 0 }
    }
  }

  /// Whether it changed in the interval under way.
  fileprivate var hasChanged: Bool {
    switch metric {
    case .gauge(let gauge): gauge.state.withLock { $0.wasSetInInterval }
    case .counter(let counter): counter.cell.fold(false) { $0 = $0 || $1.interval.count > 0 }
    case .sample(let sample): sample.cell.fold(false) { $0 = $0 || $1.interval.count > 0 }
    }
  }
}
