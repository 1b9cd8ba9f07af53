import Model

// What the agent shows to its users: DNS, HTTP, the web interface, and the limits of all of them.
extension RuntimeConfiguration {
  public struct DNS: Sendable, Equatable {
    public enum RecursorStrategy: String, Sendable, CaseIterable { case sequential, random }

    /// Seconds in the SOA record.
    public struct SOA: Sendable, Equatable {
      public var refresh: Int
      public var retry: Int
      public var expire: Int
      public var minTTL: Int
    }

    /// Lower case, with a dot at the end.
    public var domain: String
    /// The same; empty: none.
    public var altDomain: String
    public var recursors: [String]
    public var recursorStrategy: RecursorStrategy
    public var recursorTimeout: GoDuration
    public var allowStale: Bool
    public var maxStale: GoDuration
    public var nodeTTL: GoDuration
    /// By service name; `*` is any, `web-*` a prefix.
    public var serviceTTL: [String: GoDuration]
    public var enableTruncate: Bool
    public var onlyPassing: Bool
    public var disableCompression: Bool
    public var udpAnswerLimit: Int
    public var aRecordLimit: Int
    public var nodeMetaTXT: Bool
    public var soa: SOA
    public var useCache: Bool
    public var cacheMaxAge: GoDuration

    init(_ reader: inout SettingReader) {
      domain = Self.domain(reader.string("domain"))
      altDomain = Self.domain(reader.string("alt_domain"))
      recursors = reader.expandedStrings("recursors")
      recursorStrategy = reader.choice("dns_config.recursor_strategy", as: RecursorStrategy.self) ?? .sequential
      recursorTimeout = reader.duration("dns_config.recursor_timeout")
      allowStale = reader.bool("dns_config.allow_stale")
      maxStale = reader.duration("dns_config.max_stale")
      nodeTTL = reader.duration("dns_config.node_ttl")
      serviceTTL = reader.durationMap("dns_config.service_ttl")
      enableTruncate = reader.bool("dns_config.enable_truncate")
      onlyPassing = reader.bool("dns_config.only_passing")
      disableCompression = reader.bool("dns_config.disable_compression")
      udpAnswerLimit = reader.int("dns_config.udp_answer_limit")
      aRecordLimit = reader.int("dns_config.a_record_limit")
      nodeMetaTXT = reader.bool("dns_config.enable_additional_node_meta_txt")
      soa = SOA(
        refresh: reader.int("dns_config.soa.refresh"), retry: reader.int("dns_config.soa.retry"),
        expire: reader.int("dns_config.soa.expire"), minTTL: reader.int("dns_config.soa.min_ttl"))
      useCache = reader.bool("dns_config.use_cache")
      cacheMaxAge = reader.duration("dns_config.cache_max_age")
    }

    private static func domain(_ text: String) -> String {
      text.isEmpty || text.hasSuffix(".") ? text.lowercased() : text.lowercased() + "."
    }
  }

  public struct HTTP: Sendable, Equatable {
    public var blockEndpoints: [String]
    public var responseHeaders: [String: String]
    /// Empty: all networks.
    public var allowWriteFrom: [CIDR]
    public var useCache: Bool
    /// 0 or less: 1 MiB.
    public var maxHeaderBytes: Int
    public var disableUnprintableFilter: Bool

    init(_ reader: inout SettingReader) {
      blockEndpoints = reader.strings("http_config.block_endpoints")
      responseHeaders = reader.stringMap("http_config.response_headers")
      allowWriteFrom = reader.networks("http_config.allow_write_http_from")
      useCache = reader.bool("http_config.use_cache")
      maxHeaderBytes = reader.int("http_config.max_header_bytes")
      disableUnprintableFilter = reader.bool("disable_http_unprintable_char_filter")
    }
  }

  public struct UserInterface: Sendable, Equatable {
    public struct Header: Sendable, Equatable {
      public var name: String
      public var value: String
    }

    public struct MetricsProxy: Sendable, Equatable {
      public var baseURL: String
      public var pathAllowlist: [String]
      public var addHeaders: [Header]
    }

    public var enabled: Bool
    public var directory: String
    /// Begins and ends with a slash.
    public var contentPath: String
    public var metricsProvider: String
    public var metricsProviderFiles: [String]
    public var metricsProviderOptionsJSON: String
    public var metricsProxy: MetricsProxy
    public var dashboardURLTemplates: [String: String]

    init(_ reader: SettingReader) {
      enabled = reader.bool("ui_config.enabled")
      directory = reader.string("ui_config.dir")
      contentPath = Self.path(reader.string("ui_config.content_path"))
      metricsProvider = reader.string("ui_config.metrics_provider")
      metricsProviderFiles = reader.strings("ui_config.metrics_provider_files")
      metricsProviderOptionsJSON = reader.string("ui_config.metrics_provider_options_json")
      dashboardURLTemplates = reader.stringMap("ui_config.dashboard_url_templates")
      let baseURL = reader.string("ui_config.metrics_proxy.base_url")
      var allowlist = reader.strings("ui_config.metrics_proxy.path_allowlist")
      if allowlist.isEmpty, !baseURL.isEmpty, metricsProvider == "prometheus" {
        allowlist = ["/api/v1/query_range", "/api/v1/query"]
      }
      let headers = reader.values.list("ui_config.metrics_proxy.add_headers").map {
        Header(name: $0["name"]?.string ?? "", value: $0["value"]?.string ?? "")
      }
      metricsProxy = MetricsProxy(baseURL: baseURL, pathAllowlist: allowlist, addHeaders: headers)
    }

    private static func path(_ text: String) -> String {
      let middle = text.split(separator: "/").joined(separator: "/")
      return middle.isEmpty ? "/ui/" : "/\(middle)/"
    }
  }

  public struct Limits: Sendable, Equatable {
    public enum RequestMode: String, Sendable, CaseIterable {
      case disabled, permissive, enforcing

      /// The number under which the agent shows the mode.
      public var number: Int {
        switch self {
        case .disabled: 0
        case .permissive: 1
        case .enforcing: 2
        }
      }
    }

    public var httpMaxConnectionsPerClient: Int
    public var httpsHandshakeTimeout: GoDuration
    public var rpcHandshakeTimeout: GoDuration
    public var rpcClientTimeout: GoDuration
    public var rpcMaxConnectionsPerClient: Int
    /// Requests per second; infinite: no limit.
    public var rpcRate: Double
    public var rpcMaxBurst: Int
    /// Bytes.
    public var kvMaxValueSize: Int
    /// Bytes.
    public var transactionMaxRequestLength: Int
    public var requestMode: RequestMode
    public var readRate: Double
    public var writeRate: Double
    public var xdsUpdateMaxPerSecond: Double

    init(_ reader: inout SettingReader) {
      httpMaxConnectionsPerClient = reader.int("limits.http_max_conns_per_client")
      httpsHandshakeTimeout = reader.duration("limits.https_handshake_timeout")
      rpcHandshakeTimeout = reader.duration("limits.rpc_handshake_timeout")
      rpcClientTimeout = reader.duration("limits.rpc_client_timeout")
      rpcMaxConnectionsPerClient = reader.int("limits.rpc_max_conns_per_client")
      rpcRate = Self.rate(reader.double("limits.rpc_rate"))
      rpcMaxBurst = reader.int("limits.rpc_max_burst")
      kvMaxValueSize = reader.int("limits.kv_max_value_size")
      transactionMaxRequestLength = reader.int("limits.txn_max_req_len")
      requestMode = reader.choice("limits.request_limits.mode", as: RequestMode.self) ?? .disabled
      readRate = Self.rate(reader.double("limits.request_limits.read_rate"))
      writeRate = Self.rate(reader.double("limits.request_limits.write_rate"))
      xdsUpdateMaxPerSecond = reader.double("xds.update_max_per_second")
    }

    private static func rate(_ value: Double) -> Double { value < 0 ? .infinity : value }
  }

  public struct Checks: Sendable, Equatable {
    /// Scripts of checks that came over HTTP may run.
    public var enableRemoteScripts: Bool
    /// Scripts of checks from configuration files may run.
    public var enableLocalScripts: Bool
    public var enableAgentTLS: Bool
    public var updateInterval: GoDuration
    /// Bytes.
    public var outputMaxSize: Int
    public var discardOutput: Bool
    public var enableCentralServiceConfiguration: Bool

    init(_ reader: inout SettingReader) {
      enableRemoteScripts = reader.bool("enable_script_checks")
      enableLocalScripts = enableRemoteScripts || reader.bool("enable_local_script_checks")
      enableAgentTLS = reader.bool("enable_agent_tls_for_checks")
      updateInterval = reader.duration("check_update_interval")
      outputMaxSize = reader.int("check_output_max_size")
      discardOutput = reader.bool("discard_check_output")
      enableCentralServiceConfiguration = reader.bool("enable_central_service_config")
    }
  }
}
