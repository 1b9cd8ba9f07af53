import Model

// What the agent tells about itself: logs, metrics, traces, audit.
extension RuntimeConfiguration {
  public struct Logging: Sendable, Equatable {
    /// As written; `LogLevel(level)` says what it means.
    public var level: String
    public var json: Bool
    public var file: String
    public var rotateBytes: Int
    /// 0: 24 hours.
    public var rotateDuration: GoDuration
    /// 0: all are kept, -1: none.
    public var rotateMaxFiles: Int
    public var enableSyslog: Bool
    public var syslogFacility: String

    init(_ reader: inout SettingReader) {
      level = reader.string("log_level")
      json = reader.bool("log_json")
      file = reader.string("log_file")
      rotateBytes = reader.int("log_rotate_bytes")
      rotateDuration = reader.duration("log_rotate_duration")
      rotateMaxFiles = reader.int("log_rotate_max_files")
      enableSyslog = reader.bool("enable_syslog")
      syslogFacility = reader.string("syslog_facility")
    }
  }

  public struct Telemetry: Sendable, Equatable {
    public var disableHostname: Bool
    public var enableHostMetrics: Bool
    public var disablePerTenancyUsageMetrics: Bool
    /// 0: no metrics for Prometheus.
    public var prometheusRetention: GoDuration
    public var allowedPrefixes: [String]
    public var blockedPrefixes: [String]
    public var filterDefault: Bool
    public var metricsPrefix: String
    public var statsdAddress: String
    public var statsiteAddress: String
    public var dogstatsdAddress: String
    public var dogstatsdTags: [String]
    public var retryFailedConnection: Bool
    /// The options of Circonus by name, without `circonus_`.
    public var circonus: [String: String]

    init(_ reader: inout SettingReader, warnings: inout [String]) {
      disableHostname = reader.bool("telemetry.disable_hostname")
      enableHostMetrics = reader.bool("telemetry.enable_host_metrics")
      disablePerTenancyUsageMetrics = reader.bool("telemetry.disable_per_tenancy_usage_metrics")
      prometheusRetention = reader.duration("telemetry.prometheus_retention_time")
      filterDefault = reader.bool("telemetry.filter_default")
      metricsPrefix = reader.string("telemetry.metrics_prefix")
      statsdAddress = reader.string("telemetry.statsd_address")
      statsiteAddress = reader.string("telemetry.statsite_address")
      dogstatsdAddress = reader.string("telemetry.dogstatsd_addr")
      dogstatsdTags = reader.strings("telemetry.dogstatsd_tags")
      retryFailedConnection = reader.bool("telemetry.retry_failed_connection")
      circonus = [:]
      for path in reader.values.paths where path.hasPrefix("telemetry.circonus_") {
        circonus[String(path.dropFirst("telemetry.circonus_".count))] = reader.string(path)
      }
      (allowedPrefixes, blockedPrefixes) = Self.prefixes(reader.strings("telemetry.prefix_filter"), &warnings)
      // Superseded metrics that nobody gets without asking for them.
      let superseded = metricsPrefix + ".rpc.server.call"
      if !allowedPrefixes.contains(superseded), !blockedPrefixes.contains(superseded) {
        blockedPrefixes.append(superseded)
      }
    }

    private static func prefixes(_ rules: [String], _ warnings: inout [String]) -> ([String], [String]) {
      var allowed: [String] = []
      var blocked: [String] = []
      for rule in rules {
        switch rule.first {
        case nil: warnings.append("Cannot have empty filter rule in prefix_filter")
        case "+": allowed.append(String(rule.dropFirst()))
        case "-": blocked.append(String(rule.dropFirst()))
        default: warnings.append("Filter rule must begin with either '+' or '-': \"\(rule)\"")
        }
      }
      return (allowed, blocked)
    }
  }

  /// Where spans go.
  public struct Tracing: Sendable, Equatable {
    public enum Encoding: String, Sendable, CaseIterable {
      case httpProtobuf = "http/protobuf"
      case httpJSON = "http/json"
      case grpc
    }

    /// Empty: none.
    public var zipkinURL: String
    /// Empty: none.
    public var otlpEndpoint: String
    public var otlpEncoding: Encoding
    public var otlpHeaders: [String: String]
    /// Share of requests that are traced, 0 to 1.
    public var sampleRatio: Double
    public var serviceName: String

    init(_ reader: inout SettingReader) {
      zipkinURL = reader.string("tracing.zipkin.url")
      otlpEndpoint = reader.string("tracing.otlp.endpoint")
      otlpEncoding = reader.choice("tracing.otlp.protocol", as: Encoding.self) ?? .httpProtobuf
      otlpHeaders = reader.stringMap("tracing.otlp.headers")
      sampleRatio = reader.double("tracing.sample_ratio")
      serviceName = reader.string("tracing.service_name")
      if !(0...1).contains(sampleRatio) {
        reader.problem("tracing.sample_ratio: invalid value: \(sampleRatio). Must be between 0 and 1")
      }
      for (path, url) in [("tracing.zipkin.url", zipkinURL), ("tracing.otlp.endpoint", otlpEndpoint)] {
        if !url.isEmpty, !url.hasPrefix("http://"), !url.hasPrefix("https://") {
          reader.problem("\(path): invalid URL: \(url), must begin with http:// or https://")
        }
      }
    }
  }

  public struct Audit: Sendable, Equatable {
    public struct Sink: Sendable, Equatable {
      public var name: String
      public var path: String
      public var format: String
      public var mode: String
      public var rotateDuration: GoDuration
      public var rotateBytes: Int
      public var rotateMaxFiles: Int
    }

    public var enabled: Bool
    public var rpcEnabled: Bool
    public var sinks: [Sink]

    init(_ reader: inout SettingReader) {
      enabled = reader.bool("audit.enabled")
      rpcEnabled = reader.bool("audit.rpc_enabled")
      sinks = []
      for (name, block) in reader.values.object("audit.sink") {
        let path = "audit.sink[\(name)]"
        for (key, allowed) in [("type", "file"), ("format", "json"), ("delivery_guarantee", "best-effort")] {
          if let value = block[key]?.string, value != allowed {
            reader.problem("\(path).\(key): invalid value: \"\(value)\", must be one of: \(allowed)")
          }
        }
        sinks.append(
          Sink(
            name: name, path: block["path"]?.string ?? "", format: block["format"]?.string ?? "json",
            mode: block["mode"]?.string ?? "",
            rotateDuration: reader.duration(block["rotate_duration"]?.string ?? "", named: "\(path).rotate_duration"),
            rotateBytes: Int(clamping: block["rotate_bytes"]?.int ?? 0),
            rotateMaxFiles: Int(clamping: block["rotate_max_files"]?.int ?? 0)))
      }
    }
  }
}
