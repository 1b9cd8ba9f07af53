/// The lines that statsd, statsite and DogStatsD servers understand.
struct MetricsLines: Sendable {
  enum Dialect: Sendable {
    /// statsd and statsite: values of labels become parts of the name.
    case plain
    /// DogStatsD: labels become tags; these go with every line.
    case tagged([String])
  }

  var dialect: Dialect
  var settings: MetricsSettings

  /// The lines of one change, without ends of lines.
  func lines(_ change: MetricChange) -> [String] {
    var isGauge = false
    if case .gauge = change.value { isGauge = true }
    guard settings.allows(settings.fullName(change.name, isGauge: isGauge)) else { return [] }
    let (name, tags) = nameAndTags(change, isGauge: isGauge)
    switch change.value {
    case .gauge(let value): return ["\(name):\(Self.number(value))|g\(tags)"]
    case .counter(let value): return ["\(name):\(Self.number(value))|c\(tags)"]
    case .sample(let values, let rate):
      let rate = rate < 1 ? "|@\(Self.number(rate))" : ""
      return values.map { "\(name):\(Self.number(Double($0)))|ms\(rate)\(tags)" }
    }
  }

  private func nameAndTags(_ change: MetricChange, isGauge: Bool) -> (name: String, tags: String) {
    switch dialect {
    case .plain:
      let parts = [settings.fullName(change.name, isGauge: isGauge)] + change.labels.map(\.value)
      return (Self.cleaned(parts.joined(separator: ".")), "")
    case .tagged(let own):
      // A server that knows tags knows hosts, too: their names have no place among those of metrics.
      let tags = own + change.labels.map { "\($0.name):\($0.value)" }
      let text = tags.map(Self.cleanedTag).joined(separator: ",")
      return (Self.cleaned("\(settings.prefix).\(change.name)"), tags.isEmpty ? "" : "|#" + text)
    }
  }

  /// Colons, bars and ends of lines have a meaning of their own.
  private static func cleaned(_ name: String) -> String {
    String(name.map { $0 == ":" || $0 == " " || $0 == "|" || $0.isNewline ? "_" : $0 })
  }

  private static func cleanedTag(_ tag: String) -> String {
    String(tag.map { $0 == "," || $0 == "|" || $0.isNewline ? "_" : $0 })
  }

  /// With six digits behind the point.
  static func number(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e12 else { return "0.000000" }
    let micros = Int64((value * 1_000_000).rounded())
    let digits = String(micros.magnitude % 1_000_000)
    let sign = micros < 0 ? "-" : ""
    return "\(sign)\(micros.magnitude / 1_000_000).\(String(repeating: "0", count: 6 - digits.count))\(digits)"
  }
}

/// Lines packed into pieces of at most so many bytes, each line whole.
struct LinePacker {
  let limit: Int
  private(set) var packets: [[UInt8]] = []

  init(limit: Int) { self.limit = limit }

  mutating func add(_ line: String) {
    let count = line.utf8.count + 1
    if let last = packets.indices.last, packets[last].count + count <= limit {
      packets[last] += line.utf8
      packets[last].append(UInt8(ascii: "\n"))
    } else {
      packets.append(Array(line.utf8) + [UInt8(ascii: "\n")])
    }
  }
}
