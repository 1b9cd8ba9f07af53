/// The kinds of service instances.
public enum ServiceKind {
  public static let typical = ""
  public static let connectProxy = "connect-proxy"
  public static let meshGateway = "mesh-gateway"
  public static let terminatingGateway = "terminating-gateway"
  public static let ingressGateway = "ingress-gateway"
  public static let apiGateway = "api-gateway"
}

/// One instance of a service on a node.
public struct NodeService: Record {
  public var kind = ServiceKind.typical
  public var id = ""
  public var service = ""
  public var tags: [String] = []
  public var address = ""
  public var taggedAddresses: [String: ServiceAddress] = [:]
  public var meta = StringMap()
  public var port = 0
  public var socketPath = ""
  public var weights: Weights?
  public var enableTagOverride = false
  public var proxy = Boxed<ConnectProxyConfig>()
  public var connect = Boxed<ServiceConnect>()
  public var locality: Locality?
  /// Whether the agent made this instance up from a `sidecar_service` block.
  public var locallyRegisteredAsSidecar = false
  public var peerName = ""
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init() {}

  public static let schema = Schema<NodeService>("structs.NodeService") {
    $0.field("Kind", \.kind, .omitEmpty)
    $0.field("ID", \.id)
    $0.field("Service", \.service)
    $0.field("Tags", \.tags)
    $0.field("Address", \.address)
    $0.field("TaggedAddresses", \.taggedAddresses, .omitEmpty)
    $0.field("Meta", \.meta)
    $0.field("Port", \.port, .omitEmpty)
    $0.field("SocketPath", \.socketPath, .omitEmpty)
    $0.field("Weights", \.weights)
    $0.field("EnableTagOverride", \.enableTagOverride)
    $0.field("Proxy", \.proxy)
    $0.field("Connect", \.connect)
    $0.field("Locality", \.locality, [.omitEmpty, .notSelectable])
    $0.field("LocallyRegisteredAsSidecar", \.locallyRegisteredAsSidecar, [.hiddenInJSON, .notSelectable])
    $0.field("PeerName", \.peerName)
    $0.field("CreateIndex", \.createIndex)
    $0.field("ModifyIndex", \.modifyIndex)
  }

  /// The weight in effect for a status.
  public func weight(for status: CheckStatus) -> Int {
    let weights = weights ?? Weights()
    return switch status {
    case .passing: weights.passing
    case .warning: weights.warning
    case .critical, .maintenance: 0
    }
  }
}

/// How a service takes part in the mesh.
public struct ServiceConnect: Record {
  public var native = false
  /// A sidecar proxy to be registered along with the service.
  public var sidecarService: Boxed<ServiceDefinition>?
  /// A proxy that the agent is to run itself. Only part of definitions; the catalog never sees it.
  public var proxy: Boxed<ManagedProxy>?
  /// What an imported service says of itself.
  public var peerMeta: Boxed<PeeringServiceMeta>?

  public init() {}

  public static let schema = Schema<ServiceConnect>("structs.ServiceConnect") {
    $0.field("Native", \.native, .omitEmpty)
    $0.field("SidecarService", \.sidecarService, [.omitEmpty, .notSelectable])
    $0.field("Proxy", \.proxy, [.hiddenInJSON, .notOnWire, .notSelectable])
    $0.field("PeerMeta", \.peerMeta, [.omitEmpty, .readOnly, .notSelectable])
  }
}

/// Under which names the proxies of a service that a peer shares are reached and trusted.
public struct PeeringServiceMeta: Record {
  public var sni: [String] = []
  public var spiffeID: [String] = []
  /// "http", "tcp", …
  public var `protocol` = ""

  public init() {}

  public static let schema = Schema<PeeringServiceMeta>("structs.PeeringServiceMeta") {
    $0.field("SNI", \.sni)
    $0.field("SpiffeID", \.spiffeID)
    $0.field("Protocol", \.protocol)
  }
}

/// What a mesh proxy stands for and how it does its work.
public struct ConnectProxyConfig: Record {
  public var destinationServiceName = ""
  public var destinationServiceID = ""
  public var localServiceAddress = ""
  public var localServicePort = 0
  public var localServiceSocketPath = ""
  public var mode = ""
  public var config = DynamicMap()
  public var upstreams: [Upstream] = []
  public var meshGateway = MeshGatewayConfig()
  public var expose = ExposeConfig()
  public var transparentProxy = TransparentProxyConfig()
  public var mutualTLSMode = ""
  public var accessLogs = AccessLogsConfig()
  public var envoyExtensions: [EnvoyExtension] = []

  public init() {}

  public static let schema = Schema<ConnectProxyConfig>("structs.ConnectProxyConfig") {
    $0.field("EnvoyExtensions", \.envoyExtensions, [.omitEmpty, .notSelectable])
    $0.field("DestinationServiceName", \.destinationServiceName, .omitEmpty)
    $0.field("DestinationServiceID", \.destinationServiceID, .omitEmpty)
    $0.field("LocalServiceAddress", \.localServiceAddress, .omitEmpty)
    $0.field("LocalServicePort", \.localServicePort, .omitEmpty)
    $0.field("LocalServiceSocketPath", \.localServiceSocketPath, .omitEmpty)
    $0.field("Mode", \.mode)
    $0.field("Config", \.config, [.omitEmpty, .notSelectable])
    $0.field("Upstreams", \.upstreams, .omitEmpty)
    $0.field("MeshGateway", \.meshGateway)
    $0.field("Expose", \.expose)
    $0.field("TransparentProxy", \.transparentProxy, .omitEmpty)
    $0.field("MutualTLSMode", \.mutualTLSMode, .omitEmpty)
    $0.field("AccessLogs", \.accessLogs, [.omitEmpty, .notSelectable])
  }
}

/// A service that a proxy makes reachable at a local port.
public struct Upstream: Record {
  public var destinationType = ""
  public var destinationNamespace = ""
  public var destinationPartition = ""
  public var destinationPeer = ""
  public var destinationName = ""
  public var datacenter = ""
  public var localBindAddress = ""
  public var localBindPort = 0
  public var localBindSocketPath = ""
  public var localBindSocketMode = ""
  public var config = DynamicMap()
  public var meshGateway = MeshGatewayConfig()
  public var ingressHosts: [String] = []
  public var centrallyConfigured = false

  public init() {}

  public static let schema = Schema<Upstream>("structs.Upstream") {
    $0.field("DestinationType", \.destinationType)
    $0.field("DestinationNamespace", \.destinationNamespace, .omitEmpty)
    $0.field("DestinationPartition", \.destinationPartition, .omitEmpty)
    $0.field("DestinationPeer", \.destinationPeer, .omitEmpty)
    $0.field("DestinationName", \.destinationName)
    $0.field("Datacenter", \.datacenter)
    $0.field("LocalBindAddress", \.localBindAddress, .omitEmpty)
    $0.field("LocalBindPort", \.localBindPort, .omitEmpty)
    $0.field("LocalBindSocketPath", \.localBindSocketPath, .omitEmpty)
    $0.field("LocalBindSocketMode", \.localBindSocketMode, .omitEmpty)
    $0.field("Config", \.config, [.omitEmpty, .notSelectable])
    $0.field("MeshGateway", \.meshGateway)
    $0.field("IngressHosts", \.ingressHosts, [.hiddenInJSON, .notSelectable])
    $0.field("CentrallyConfigured", \.centrallyConfigured, .hiddenInJSON)
  }
}

/// Through which gateways traffic to other datacenters goes: `""`, `none`, `local` or `remote`.
public struct MeshGatewayConfig: Record {
  public var mode = ""

  public init() {}

  public static let schema = Schema<MeshGatewayConfig>("structs.MeshGatewayConfig") {
    $0.field("Mode", \.mode, .omitEmpty)
  }
}

/// Paths that a proxy serves without mutual TLS.
public struct ExposeConfig: Record {
  public var checks = false
  public var paths: [ExposePath] = []

  public init() {}

  public static let schema = Schema<ExposeConfig>("structs.ExposeConfig") {
    $0.field("Checks", \.checks, .omitEmpty)
    $0.field("Paths", \.paths, .omitEmpty)
  }
}

/// One path that a proxy serves without mutual TLS.
public struct ExposePath: Record {
  public var listenerPort = 0
  public var path = ""
  public var localPathPort = 0
  public var `protocol` = ""
  public var parsedFromCheck = false

  public init() {}

  public static let schema = Schema<ExposePath>("structs.ExposePath") {
    $0.field("ListenerPort", \.listenerPort, .omitEmpty)
    $0.field("Path", \.path, .omitEmpty)
    $0.field("LocalPathPort", \.localPathPort, .omitEmpty)
    $0.field("Protocol", \.protocol, .omitEmpty)
    $0.field("ParsedFromCheck", \.parsedFromCheck, .omitEmpty)
  }
}

/// Settings of proxies that redirect all traffic of their host.
public struct TransparentProxyConfig: Record {
  public var outboundListenerPort = 0
  public var dialedDirectly = false

  public init() {}

  public static let schema = Schema<TransparentProxyConfig>("structs.TransparentProxyConfig") {
    $0.field("OutboundListenerPort", \.outboundListenerPort, .omitEmpty)
    $0.field("DialedDirectly", \.dialedDirectly, .omitEmpty)
  }
}

/// Which access logs a proxy writes, and how.
public struct AccessLogsConfig: Record {
  public var enabled = false
  public var disableListenerLogs = false
  public var type = ""
  public var path = ""
  public var jsonFormat = ""
  public var textFormat = ""

  public init() {}

  public static let schema = Schema<AccessLogsConfig>("structs.AccessLogsConfig") {
    $0.field("Enabled", \.enabled, .omitEmpty)
    $0.field("DisableListenerLogs", \.disableListenerLogs, .omitEmpty)
    $0.field("Type", \.type, .omitEmpty)
    $0.field("Path", \.path, .omitEmpty)
    $0.field("JSONFormat", \.jsonFormat, .omitEmpty)
    $0.field("TextFormat", \.textFormat, .omitEmpty)
  }
}

/// A modification of the Envoy configuration that a proxy gets.
public struct EnvoyExtension: Record {
  public var name = ""
  public var required = false
  public var arguments = DynamicMap()
  public var consulVersion = ""
  public var envoyVersion = ""

  public init() {}

  public static let schema = Schema<EnvoyExtension>("structs.EnvoyExtension") {
    $0.field("Name", \.name)
    $0.field("Required", \.required)
    $0.field("Arguments", \.arguments, .nullWhenEmpty)
    $0.field("ConsulVersion", \.consulVersion)
    $0.field("EnvoyVersion", \.envoyVersion)
  }
}
