/// How the requests to a service find instances: routes, splits and resolvers, compiled from the config entries that say so.
public struct CompiledDiscoveryChain: Record {
  public var serviceName = ""
  public var namespace = "default"
  public var partition = "default"
  /// Where the chain is evaluated: what names no datacenter is meant to be there.
  public var datacenter = ""
  /// Differs between chains of a service that were compiled with other overrides; empty where these changed nothing.
  public var customizationHash = ""
  /// Whether the chain is what a service without any entries has.
  public var isDefault = false
  public var `protocol` = ""
  public var serviceMeta = StringMap()
  public var envoyExtensions: [EnvoyExtension] = []
  /// A key of `nodes`.
  public var startNode = ""
  public var nodes: [String: DiscoveryGraphNode] = [:]
  /// By their ids.
  public var targets: [String: DiscoveryTarget] = [:]
  public var autoVirtualIPs = DiscoveryVirtualIPs()
  public var manualVirtualIPs = DiscoveryVirtualIPs()

  public init() {}

  public static let schema = Schema<CompiledDiscoveryChain>("structs.CompiledDiscoveryChain") {
    $0.field("ServiceName", \.serviceName)
    $0.field("Namespace", \.namespace)
    $0.field("Partition", \.partition)
    $0.field("Datacenter", \.datacenter)
    $0.field("CustomizationHash", \.customizationHash, .omitEmpty)
    $0.field("Default", \.isDefault, .omitEmpty)
    $0.field("Protocol", \.protocol)
    $0.field("ServiceMeta", \.serviceMeta, .omitEmpty)
    $0.field("EnvoyExtensions", \.envoyExtensions, .omitEmpty)
    $0.field("StartNode", \.startNode, .omitEmpty)
    $0.field("Nodes", \.nodes, .omitEmpty)
    $0.field("Targets", \.targets, .omitEmpty)
    $0.field("AutoVirtualIPs", \.autoVirtualIPs)
    $0.field("ManualVirtualIPs", \.manualVirtualIPs)
  }
}

/// The virtual addresses of a service. A service that has none yet differs from one that has, but none of this sort.
public struct DiscoveryVirtualIPs: Sendable, Equatable, FieldValue {
  /// Nil for a service without virtual addresses.
  public var addresses: [String]?

  public init(_ addresses: [String]? = nil) { self.addresses = addresses }

  public var isEmptyValue: Bool { addresses == nil }
  public func encodeJSON(_ writer: inout JSONWriter, _ options: FieldOptions) {
    guard let addresses else { return writer.null() }
    addresses.encodeJSON(&writer, [])
  }
  public func encode(_ writer: inout MessagePackWriter) {
    guard let addresses else { return writer.null() }
    writer.arrayHeader(addresses.count)
    for address in addresses { address.encode(&writer) }
  }
  public init(from reader: inout MessagePackReader) throws(MessagePackError) {
    addresses = try reader.skipNull() ? nil : [String](from: &reader)
  }
  public init(from value: Dynamic, _ context: DecodingContext) throws(DecodingError) {
    if case .null = value { addresses = nil } else { addresses = try [String](from: value, context) }
  }
  public var selected: Selected { .strings(addresses ?? []) }
  public static var shape: Shape { .strings }
}

/// One step on the way of a request. One of `routes`, `splits` and `resolver` is used: `type` says which.
public struct DiscoveryGraphNode: Record {
  public static let router = "router"
  public static let splitter = "splitter"
  public static let resolver = "resolver"

  public var type = ""
  public var name = ""
  /// The first that matches counts; the last matches everything.
  public var routes: [DiscoveryRoute] = []
  public var splits: [DiscoverySplit] = []
  public var resolver: DiscoveryResolver?
  /// How one of the instances is chosen.
  public var loadBalancer: LoadBalancer?

  public init() {}

  /// The key of the node in its chain.
  public var key: String { "\(type):\(name)" }

  public static let schema = Schema<DiscoveryGraphNode>("structs.DiscoveryGraphNode") {
    $0.field("Type", \.type)
    $0.field("Name", \.name)
    $0.field("Routes", \.routes, .omitEmpty)
    $0.field("Splits", \.splits, .omitEmpty)
    $0.field("Resolver", \.resolver, .omitEmpty)
    $0.field("LoadBalancer", \.loadBalancer, .omitEmpty)
  }
}

/// Requests that match go on to a node.
public struct DiscoveryRoute: Record {
  public var definition: ServiceRoute?
  public var nextNode = ""

  public init() {}

  public static let schema = Schema<DiscoveryRoute>("structs.DiscoveryRoute") {
    $0.field("Definition", \.definition, .omitEmpty)
    $0.field("NextNode", \.nextNode, .omitEmpty)
  }
}

/// A part of the requests goes on to a node.
public struct DiscoverySplit: Record {
  public var definition: ServiceSplit?
  /// Percent. Less than in `definition` where splits were nested.
  public var weight: Float = 0
  public var nextNode = ""

  public init() {}

  public static let schema = Schema<DiscoverySplit>("structs.DiscoverySplit") {
    $0.field("Definition", \.definition, .omitEmpty)
    $0.field("Weight", \.weight, .omitEmpty)
    $0.field("NextNode", \.nextNode, .omitEmpty)
  }
}

/// Requests arrive at a target, or at the next when none of its instances is healthy.
public struct DiscoveryResolver: Record {
  public var connectTimeout = GoDuration.zero
  /// 0 leaves it to the proxy.
  public var requestTimeout = GoDuration.zero
  /// Whether no entry says anything about the service.
  public var isDefault = false
  /// The id of a target.
  public var target = ""
  public var failover: DiscoveryFailover?

  public init() {}

  public static let schema = Schema<DiscoveryResolver>("structs.DiscoveryResolver") {
    $0.field("ConnectTimeout", \.connectTimeout, .durationText)
    $0.field("RequestTimeout", \.requestTimeout, .omitEmpty)
    $0.field("Default", \.isDefault, .omitEmpty)
    $0.field("Target", \.target)
    $0.field("Failover", \.failover, .omitEmpty)
  }
}

/// Where to go when no instance of a target is healthy.
public struct DiscoveryFailover: Record {
  /// Ids of targets, in the order in which they are tried.
  public var targets: [String] = []
  public var policy: FailoverPolicy?
  public var regions: [String] = []

  public init() {}

  public static let schema = Schema<DiscoveryFailover>("structs.DiscoveryFailover") {
    $0.field("Targets", \.targets, .nullWhenEmpty)
    $0.field("Policy", \.policy, .omitEmpty)
    $0.field("Regions", \.regions, .omitEmpty)
  }
}

/// Instances of a service, or of a subset of it, in one place.
public struct DiscoveryTarget: Record {
  public var connectTimeout = GoDuration.zero
  public var id = ""
  public var service = ""
  public var serviceSubset = ""
  public var namespace = "default"
  public var partition = "default"
  /// Empty for targets of a peer.
  public var datacenter = ""
  public var peer = ""
  public var locality: Locality?
  public var meshGateway = MeshGatewayConfig()
  public var subset = ServiceResolverSubset()
  public var transparentProxy = TransparentProxyConfig()
  /// Whether the service is outside the mesh.
  public var external = false
  /// What callers name when they begin TLS.
  public var sni = ""
  /// What the instances are called in the configuration of proxies.
  public var name = ""
  public var prioritizeByLocality: LocalityPreference?

  public init() {}

  public static let schema = Schema<DiscoveryTarget>("structs.DiscoveryTarget") {
    $0.field("ConnectTimeout", \.connectTimeout, .durationText)
    $0.field("ID", \.id, .omitEmpty)
    $0.field("Service", \.service, .omitEmpty)
    $0.field("ServiceSubset", \.serviceSubset, .omitEmpty)
    $0.field("Namespace", \.namespace, .omitEmpty)
    $0.field("Partition", \.partition, .omitEmpty)
    $0.field("Datacenter", \.datacenter, .omitEmpty)
    $0.field("Peer", \.peer, .omitEmpty)
    $0.field("Locality", \.locality, .omitEmpty)
    $0.field("MeshGateway", \.meshGateway)
    $0.field("Subset", \.subset)
    $0.field("TransparentProxy", \.transparentProxy)
    $0.field("External", \.external, .omitEmpty)
    $0.field("SNI", \.sni, .omitEmpty)
    $0.field("Name", \.name, .omitEmpty)
    $0.field("PrioritizeByLocality", \.prioritizeByLocality, .omitEmpty)
  }
}

/// What one caller wants to be different in a chain.
public struct DiscoveryChainOverrides: Record {
  /// With the mode "" each target keeps its own.
  public var meshGateway = MeshGatewayConfig()
  /// "" keeps that of the service.
  public var `protocol` = ""
  /// Zero keeps those of the resolvers.
  public var connectTimeout = GoDuration.zero

  public init() {}

  public init(
    protocol: String = "", connectTimeout: GoDuration = .zero, meshGateway: MeshGatewayConfig = MeshGatewayConfig()
  ) {
    self.protocol = `protocol`
    self.connectTimeout = connectTimeout
    self.meshGateway = meshGateway
  }

  public static let schema = Schema<DiscoveryChainOverrides>("api.DiscoveryChainOptions") {
    $0.field("OverrideMeshGateway", \.meshGateway)
    $0.field("OverrideProtocol", \.protocol)
    $0.field("OverrideConnectTimeout", \.connectTimeout, .durationText)
  }
}
