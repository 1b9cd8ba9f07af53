/// What the configuration says about metrics (the block `telemetry`).
public struct MetricsSettings: Sendable, Equatable {
  /// First part of all names (`metrics_prefix`).
  public var prefix = "consul"
  /// Second part of the names of gauges; nil with `disable_hostname`.
  public var hostName: String?
  /// Names that start so are shown or not; the longest rule counts (`prefix_filter`).
  public var allowedPrefixes: [String] = []
  public var blockedPrefixes: [String] = []
  /// Whether names are shown that no rule is about (`filter_default`).
  public var filterDefault = true
  /// Seconds for which Prometheus is shown what did not change; 0 keeps nothing for it (`prometheus_retention_time`).
  public var prometheusRetention: Int64 = 0

  public init() {}

  func fullName(_ name: String, isGauge: Bool) -> String {
    if isGauge, let hostName { return "\(prefix).\(hostName).\(name)" }
    return "\(prefix).\(name)"
  }

  func allows(_ fullName: String) -> Bool {
    let allowed = Self.longest(allowedPrefixes, in: fullName)
    let blocked = Self.longest(blockedPrefixes, in: fullName)
    if allowed == nil, blocked == nil { return filterDefault }
    // A rule that stands on both sides blocks.
    return (allowed ?? -1) > (blocked ?? -1)
  }

  private static func longest(_ prefixes: [String], in name: String) -> Int? {
    prefixes.filter { name.hasPrefix($0) }.map(\.utf8.count).max()
  }
}
