/// Which services an ingress gateway makes reachable from outside the mesh.
public struct IngressGateway: ConfigEntryRecord {
  public static let kind = ConfigEntryKind.ingressGateway

  public var common = ConfigEntryFields(kind)
  public var tls = GatewayTLSConfig()
  public var listeners: [IngressListener] = []
  public var defaults: IngressServiceConfig?

  public init() {}

  public static let schema = Schema<IngressGateway>("structs.IngressGatewayConfigEntry") {
    $0.kind(\.common)
    $0.name(\.common)
    $0.field("TLS", \.tls)
    $0.field("Listeners", \.listeners, .nullWhenEmpty)
    $0.field("Defaults", \.defaults, .omitEmpty)
    $0.history(\.common)
  }
}

/// TLS towards those outside.
public struct GatewayTLSConfig: Record {
  public var enabled = false
  public var sds: GatewayTLSSDSConfig?
  public var tlsMinVersion = ""
  public var tlsMaxVersion = ""
  public var cipherSuites: [String] = []

  public init() {}

  public static let schema = Schema<GatewayTLSConfig>("structs.GatewayTLSConfig") {
    $0.field("Enabled", \.enabled)
    $0.field("SDS", \.sds, .omitEmpty)
    $0.field("TLSMinVersion", \.tlsMinVersion, .omitEmpty)
    $0.field("TLSMaxVersion", \.tlsMaxVersion, .omitEmpty)
    $0.field("CipherSuites", \.cipherSuites, .omitEmpty)
  }
}

/// Where Envoy gets a certificate.
public struct GatewayTLSSDSConfig: Record {
  public var clusterName = ""
  public var certResource = ""

  public init() {}

  public static let schema = Schema<GatewayTLSSDSConfig>("structs.GatewayTLSSDSConfig") {
    $0.field("ClusterName", \.clusterName, .omitEmpty)
    $0.field("CertResource", \.certResource, .omitEmpty)
  }
}

/// One port of an ingress gateway.
public struct IngressListener: Record {
  public var port = 0
  public var `protocol` = ""
  public var tls: GatewayTLSConfig?
  public var services: [IngressService] = []

  public init() {}

  public static let schema = Schema<IngressListener>("structs.IngressListener") {
    $0.field("Port", \.port)
    $0.field("Protocol", \.protocol)
    $0.field("TLS", \.tls, .omitEmpty)
    $0.field("Services", \.services, .nullWhenEmpty)
  }
}

/// One service behind a port.
public struct IngressService: Record {
  /// `*` is every service with the protocol of the listener.
  public var name = ""
  public var hosts: [String] = []
  public var tls: GatewayServiceTLSConfig?
  public var requestHeaders: HTTPHeaderModifiers?
  public var responseHeaders: HTTPHeaderModifiers?
  public var meta = StringMap()
  public var maxConnections: UInt32 = 0
  public var maxPendingRequests: UInt32 = 0
  public var maxConcurrentRequests: UInt32 = 0
  public var passiveHealthCheck: PassiveHealthCheck?

  public init() {}

  public static let schema = Schema<IngressService>("structs.IngressService") {
    $0.field("Name", \.name)
    $0.field("Hosts", \.hosts, .nullWhenEmpty)
    $0.field("TLS", \.tls, .omitEmpty)
    $0.field("RequestHeaders", \.requestHeaders, .omitEmpty)
    $0.field("ResponseHeaders", \.responseHeaders, .omitEmpty)
    $0.field("Meta", \.meta, .omitEmpty)
    $0.field("MaxConnections", \.maxConnections, .omitEmpty)
    $0.field("MaxPendingRequests", \.maxPendingRequests, .omitEmpty)
    $0.field("MaxConcurrentRequests", \.maxConcurrentRequests, .omitEmpty)
    $0.field("PassiveHealthCheck", \.passiveHealthCheck, .omitEmpty)
  }
}

/// TLS of one service.
public struct GatewayServiceTLSConfig: Record {
  public var sds: GatewayTLSSDSConfig?

  public init() {}

  public static let schema = Schema<GatewayServiceTLSConfig>("structs.GatewayServiceTLSConfig") {
    $0.field("SDS", \.sds, .omitEmpty)
  }
}

/// What holds for the services of a gateway that say nothing else.
public struct IngressServiceConfig: Record {
  public var maxConnections: UInt32 = 0
  public var maxPendingRequests: UInt32 = 0
  public var maxConcurrentRequests: UInt32 = 0
  public var passiveHealthCheck: PassiveHealthCheck?

  public init() {}

  public static let schema = Schema<IngressServiceConfig>("structs.IngressServiceConfig") {
    $0.field("MaxConnections", \.maxConnections)
    $0.field("MaxPendingRequests", \.maxPendingRequests)
    $0.field("MaxConcurrentRequests", \.maxConcurrentRequests)
    $0.field("PassiveHealthCheck", \.passiveHealthCheck, .omitEmpty)
  }
}
