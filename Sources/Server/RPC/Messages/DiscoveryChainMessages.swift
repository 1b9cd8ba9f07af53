import Model

/// Asks for the discovery chain of a service.
public struct DiscoveryChainRequest: RPCReadRequest {
  public var name = ""
  public var evaluateInDatacenter = ""
  public var evaluateInNamespace = ""
  public var evaluateInPartition = ""
  public var overrideMeshGateway = MeshGatewayConfig()
  public var overrideProtocol = ""
  public var overrideConnectTimeout = GoDuration.zero
  public var datacenter = ""
  public var options = RPCQueryOptions()

  public init() {}

  public static let schema = Schema<DiscoveryChainRequest>("structs.DiscoveryChainRequest") {
    $0.field("Name", \.name)
    $0.field("EvaluateInDatacenter", \.evaluateInDatacenter)
    $0.field("EvaluateInNamespace", \.evaluateInNamespace)
    $0.field("EvaluateInPartition", \.evaluateInPartition)
    $0.field("OverrideMeshGateway", \.overrideMeshGateway)
    $0.field("OverrideProtocol", \.overrideProtocol)
    $0.field("OverrideConnectTimeout", \.overrideConnectTimeout)
    $0.field("Datacenter", \.datacenter)
    $0.embed(\.options)
  }
}

/// The discovery chain of a service.
public struct DiscoveryChainResponse: RPCReply {
  public var chain: CompiledDiscoveryChain?
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<DiscoveryChainResponse>("structs.DiscoveryChainResponse") {
    $0.field("Chain", \.chain)
    $0.embed(\.meta)
  }
}

/// Services that peers may use.
public struct SharedServicesResponse: RPCReply {
  public var services: [SharedService] = []
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<SharedServicesResponse>("SharedServicesResponse") {
    $0.field("Services", \.services)
    $0.embed(\.meta)
  }

  public mutating func filter(_ expression: String) throws(FilterError) { try services.filter(expression) { $0 } }
}
