/// What holds for every instance of a service in the mesh, whoever calls it.
public struct ServiceDefaults: ConfigEntryRecord {
  public static let kind = ConfigEntryKind.serviceDefaults

  public var common = ConfigEntryFields(kind)
  /// `tcp`, `http`, `http2` or `grpc`; "" is what the global defaults say, else `tcp`.
  public var `protocol` = ""
  /// "", `direct` or `transparent`.
  public var mode = ""
  public var transparentProxy = TransparentProxyConfig()
  /// "", `strict` or `permissive`.
  public var mutualTLSMode = ""
  public var meshGateway = MeshGatewayConfig()
  public var expose = ExposeConfig()
  /// What callers name when they begin TLS with a service outside the mesh.
  public var externalSNI = ""
  /// What holds for those that the service calls.
  public var upstreamConfig: UpstreamConfiguration?
  /// Where a service outside the mesh is reached through a terminating gateway.
  public var destination: DestinationConfig?
  public var maxInboundConnections = 0
  /// Milliseconds.
  public var localConnectTimeoutMs = 0
  /// Milliseconds.
  public var localRequestTimeoutMs = 0
  /// "" or `exact_balance`.
  public var balanceInboundConnections = ""
  public var rateLimits: RateLimits?
  public var envoyExtensions: [EnvoyExtension] = []

  public init() {}

  public static let schema = Schema<ServiceDefaults>("structs.ServiceConfigEntry") {
    $0.kind(\.common)
    $0.name(\.common)
    $0.field("Protocol", \.protocol)
    $0.field("Mode", \.mode, .omitEmpty)
    $0.field("TransparentProxy", \.transparentProxy)
    $0.field("MutualTLSMode", \.mutualTLSMode, .omitEmpty)
    $0.field("MeshGateway", \.meshGateway)
    $0.field("Expose", \.expose)
    $0.field("ExternalSNI", \.externalSNI, .omitEmpty)
    $0.field("UpstreamConfig", \.upstreamConfig, .omitEmpty)
    $0.field("Destination", \.destination, .omitEmpty)
    $0.field("MaxInboundConnections", \.maxInboundConnections, .omitEmpty)
    $0.field("LocalConnectTimeoutMs", \.localConnectTimeoutMs, .omitEmpty)
    $0.field("LocalRequestTimeoutMs", \.localRequestTimeoutMs, .omitEmpty)
    $0.field("BalanceInboundConnections", \.balanceInboundConnections, .omitEmpty)
    $0.field("RateLimits", \.rateLimits, .omitEmpty)
    $0.field("EnvoyExtensions", \.envoyExtensions, .omitEmpty)
    $0.history(\.common)
  }
}

/// What holds for the upstreams of a service: for all of them, and for single ones.
public struct UpstreamConfiguration: Record {
  public var overrides: [UpstreamConfig] = []
  public var defaults: UpstreamConfig?

  public init() {}

  public static let schema = Schema<UpstreamConfiguration>("structs.UpstreamConfiguration") {
    $0.field("Overrides", \.overrides, .omitEmpty)
    $0.field("Defaults", \.defaults, .omitEmpty)
  }
}

/// How a proxy reaches one upstream, or all.
public struct UpstreamConfig: Record {
  /// The service; "" in the defaults.
  public var name = ""
  public var peer = ""
  public var envoyListenerJSON = ""
  public var envoyClusterJSON = ""
  public var `protocol` = ""
  /// Milliseconds.
  public var connectTimeoutMs = 0
  public var limits: UpstreamLimits?
  public var passiveHealthCheck: PassiveHealthCheck?
  public var meshGateway = MeshGatewayConfig()
  /// "" or `exact_balance`.
  public var balanceOutboundConnections = ""

  public init() {}

  public static let schema = Schema<UpstreamConfig>("structs.UpstreamConfig") {
    $0.field("Name", \.name, .omitEmpty)
    $0.field("Peer", \.peer)
    $0.field("EnvoyListenerJSON", \.envoyListenerJSON, .omitEmpty)
    $0.field("EnvoyClusterJSON", \.envoyClusterJSON, .omitEmpty)
    $0.field("Protocol", \.protocol, .omitEmpty)
    $0.field("ConnectTimeoutMs", \.connectTimeoutMs, .omitEmpty)
    $0.field("Limits", \.limits, .omitEmpty)
    $0.field("PassiveHealthCheck", \.passiveHealthCheck, .omitEmpty)
    $0.field("MeshGateway", \.meshGateway)
    $0.field("BalanceOutboundConnections", \.balanceOutboundConnections, .omitEmpty)
  }
}

/// How much a proxy asks of one upstream at a time. Nil leaves it to the proxy; 0 forbids.
public struct UpstreamLimits: Record {
  public var maxConnections: Int?
  public var maxPendingRequests: Int?
  public var maxConcurrentRequests: Int?

  public init() {}

  public static let schema = Schema<UpstreamLimits>("structs.UpstreamLimits") {
    $0.field("MaxConnections", \.maxConnections, .omitEmpty)
    $0.field("MaxPendingRequests", \.maxPendingRequests, .omitEmpty)
    $0.field("MaxConcurrentRequests", \.maxConcurrentRequests, .omitEmpty)
  }
}

/// When a proxy stops using an instance that answers with errors.
public struct PassiveHealthCheck: Record {
  public var interval = GoDuration.zero
  public var maxFailures: UInt32 = 0
  /// Percent.
  public var enforcingConsecutive5xx: UInt32?
  /// Percent.
  public var maxEjectionPercent: UInt32?
  public var baseEjectionTime: GoDuration?

  public init() {}

  public static let schema = Schema<PassiveHealthCheck>("structs.PassiveHealthCheck") {
    $0.field("Interval", \.interval, .omitEmpty)
    $0.field("MaxFailures", \.maxFailures, .omitEmpty)
    $0.field("EnforcingConsecutive5xx", \.enforcingConsecutive5xx, .omitEmpty)
    $0.field("MaxEjectionPercent", \.maxEjectionPercent, .omitEmpty)
    $0.field("BaseEjectionTime", \.baseEjectionTime, .omitEmpty)
  }
}

/// Where a service outside the mesh is.
public struct DestinationConfig: Record {
  /// Host names or IP addresses.
  public var addresses: [String] = []
  public var port = 0

  public init() {}

  public static let schema = Schema<DestinationConfig>("structs.DestinationConfig") {
    $0.field("Addresses", \.addresses, .omitEmpty)
    $0.field("Port", \.port, .omitEmpty)
  }
}

/// How many requests an instance takes.
public struct RateLimits: Record {
  public var instanceLevel = InstanceLevelRateLimits()

  public init() {}

  public static let schema = Schema<RateLimits>("structs.RateLimits") {
    $0.field("InstanceLevel", \.instanceLevel)
  }
}

/// How many requests one instance takes, for all paths and for single ones.
public struct InstanceLevelRateLimits: Record {
  public var requestsPerSecond = 0
  public var requestsMaxBurst = 0
  public var routes: [InstanceLevelRouteRateLimits] = []

  public init() {}

  public static let schema = Schema<InstanceLevelRateLimits>("structs.InstanceLevelRateLimits") {
    $0.field("RequestsPerSecond", \.requestsPerSecond)
    $0.field("RequestsMaxBurst", \.requestsMaxBurst, .omitEmpty)
    $0.field("Routes", \.routes, .omitEmpty)
  }
}

/// How many requests one instance takes for the paths that match.
public struct InstanceLevelRouteRateLimits: Record {
  public var pathExact = ""
  public var pathPrefix = ""
  public var pathRegex = ""
  public var requestsPerSecond = 0
  public var requestsMaxBurst = 0

  public init() {}

  public static let schema = Schema<InstanceLevelRouteRateLimits>("structs.InstanceLevelRouteRateLimits") {
    $0.field("PathExact", \.pathExact, .omitEmpty)
    $0.field("PathPrefix", \.pathPrefix, .omitEmpty)
    $0.field("PathRegex", \.pathRegex, .omitEmpty)
    $0.field("RequestsPerSecond", \.requestsPerSecond)
    $0.field("RequestsMaxBurst", \.requestsMaxBurst, .omitEmpty)
  }
}
