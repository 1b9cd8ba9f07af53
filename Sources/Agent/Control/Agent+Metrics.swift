import AgentConfiguration
import CoreMetrics
import DNSServer
import HTTPAPI
import Model
import Server
import Telemetry
import Wire

#if canImport(Glibc)
  import Glibc
#endif

extension MetricsSettings {
  init(_ telemetry: RuntimeConfiguration.Telemetry) {
    self.init()
    prefix = telemetry.metricsPrefix
    hostName = telemetry.disableHostname ? nil : NodeIdentity.hostName
    allowedPrefixes = telemetry.allowedPrefixes
    blockedPrefixes = telemetry.blockedPrefixes
    filterDefault = telemetry.filterDefault
    prometheusRetention = telemetry.prometheusRetention.nanoseconds / 1_000_000_000
    if telemetry.prometheusRetention > .zero { prometheusRetention = max(prometheusRetention, 1) }
  }
}

extension RuntimeConfiguration.Telemetry {
  /// The servers that metrics are sent to.
  var targets: [MetricsTarget] {
    var targets: [MetricsTarget] = []
    if !statsdAddress.isEmpty { targets.append(.statsd(statsdAddress)) }
    if !statsiteAddress.isEmpty { targets.append(.statsite(statsiteAddress)) }
    if !dogstatsdAddress.isEmpty { targets.append(.dogstatsd(dogstatsdAddress, tags: dogstatsdTags)) }
    return targets
  }
}

extension Agent {
  /// Begins to add metrics up and to send them where the configuration says.
  func startMetrics() {
    let telemetry = configuration.telemetry
    let registry = MetricsRegistry.shared
    let driver = MetricsDriver(
      registry, settings: MetricsSettings(telemetry), targets: telemetry.targets,
      logger: LogOutput.logger("agent.telemetry"))
    state.withLock { $0.metrics = driver }
    MetricsSystem.bootstrap(RegistryMetricsFactory(registry))
    registry.addCollector { RuntimeMetrics.collect(into: $0) }
    registry.addCollector { [weak self] in self?.collectMetrics(into: $0) }
    if telemetry.enableHostMetrics {
      let host = HostMetrics(dataDirectory: configuration.dataDirectory)
      registry.addCollector { host.collect(into: $0) }
    }
    driver.start()
  }

  private func collectMetrics(into registry: MetricsRegistry) {
    registry.gauge("version", [MetricLabel("version", Release.version), MetricLabel("pre_release", "")]).set(1)
    if let expiry = security.certificateExpiry {
      registry.gauge("agent.tls.cert.expiry").set(Double(expiry - Int(time(nil))))
    }
    guard let server else { return }
    server.collectMetrics(into: registry)
    if let state = autopilotState, server.isLeader {
      registry.gauge("autopilot.healthy").set(state.isHealthy ? 1 : 0)
      registry.gauge("autopilot.failure_tolerance").set(Double(state.failureTolerance))
    }
    let members = members(wan: false) ?? []
    let datacenter = [MetricLabel("datacenter", configuration.datacenter)]
    let servers = members.filter { $0.status == 1 && $0.tags["role"] == "consul" }.count
    registry.gauge("members.servers", datacenter).set(Double(servers))
    let clients = members.filter { $0.status == 1 && $0.tags["role"] == "node" }.count
    registry.gauge("members.clients", datacenter).set(Double(clients))
  }

  // MARK: answers

  public func describeMetrics(_ writer: inout JSONWriter) {
    Self.encode(MetricsRegistry.shared.lastInterval, configuration.telemetry, &writer)
  }

  public var prometheusMetrics: String? {
    let telemetry = configuration.telemetry
    guard telemetry.prometheusRetention > .zero else { return nil }
    return MetricsRegistry.shared.prometheusText(MetricsSettings(telemetry))
  }

  public func streamMetrics(_ receive: @escaping @Sendable (String) -> Void) -> any LogSubscription {
    let registry = MetricsRegistry.shared
    let listener = registry.addListener { [self] interval in
      var writer = JSONWriter(capacity: 8 * 1024)
      Self.encode(interval, configuration.telemetry, &writer)
      receive(String(decoding: writer.bytes, as: UTF8.self))
    }
    return MetricsSubscription(listener: listener)
  }

  private static func encode(
    _ interval: MetricsInterval, _ telemetry: RuntimeConfiguration.Telemetry, _ writer: inout JSONWriter
  ) {
    let interval = interval.named(MetricsSettings(telemetry))
    writer.beginObject()
    writer.member("Timestamp")
    writer.string(interval.timestamp)
    writer.member("Gauges")
    writer.array(interval.gauges) { writer, gauge in
      writer.beginObject()
      writer.member("Name")
      writer.string(gauge.name)
      writer.member("Value")
      Dynamic.double(gauge.value).encodeJSON(&writer, [])
      encode(gauge.labels, &writer)
      writer.endObject()
    }
    writer.member("Points")
    writer.array([String]()) { $0.string($1) }
    for (name, figures) in [("Counters", interval.counters), ("Samples", interval.samples)] {
      writer.member(name)
      writer.array(figures) { encode($1, &$0) }
    }
    writer.endObject()
  }

  private static func encode(_ figures: MetricsInterval.Figures, _ writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("Name")
    writer.string(figures.name)
    writer.member("Count")
    writer.integer(figures.count)
    for (name, value) in [
      ("Rate", figures.rate), ("Sum", figures.sum), ("Min", figures.minimum), ("Max", figures.maximum),
      ("Mean", figures.mean), ("Stddev", figures.standardDeviation),
    ] {
      writer.member(name)
      Dynamic.double(value).encodeJSON(&writer, [])
    }
    encode(figures.labels, &writer)
    writer.endObject()
  }

  private static func encode(_ labels: [MetricLabel], _ writer: inout JSONWriter) {
    writer.member("Labels")
    writer.beginObject()
    for label in labels {
      writer.member(label.name)
      writer.string(label.value)
    }
    writer.endObject()
  }

  public func describeHost(_ writer: inout JSONWriter) {
    MachineDescription(dataDirectory: configuration.dataDirectory).encodeJSON(&writer)
  }
}

private struct MetricsSubscription: LogSubscription {
  let listener: Int
  func cancel() { MetricsRegistry.shared.removeListener(listener) }
}

/// Counts queries of the DNS face.
struct DNSMetrics: DNSObserver {
  private let domain: MetricSample
  private let reverse: MetricSample

  init(node: String) {
    let labels = [MetricLabel("node", node)]
    domain = MetricsRegistry.shared.sample("dns.domain_query", labels, isHot: true)
    reverse = MetricsRegistry.shared.sample("dns.ptr_query", labels, isHot: true)
  }

  func answered(_ kind: DNSQueryKind, type: DNSRecordType, after duration: Duration) {
    let (seconds, attoseconds) = duration.components
    let milliseconds = Double(seconds) * 1000 + Double(attoseconds) / 1e15
    switch kind {
    case .domain: domain.record(milliseconds)
    case .reverse: reverse.record(milliseconds)
    case .recursive: break
    }
  }
}
