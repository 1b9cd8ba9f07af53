import Model
import State

/// A node with all that runs on it.
public struct NodeInfo: Record {
  public var id = ""
  public var node = ""
  public var partition = ""
  public var peerName = ""
  public var address = ""
  public var taggedAddresses = StringMap()
  public var meta = StringMap()
  public var services: [Row<NodeService>] = []
  public var checks: [Row<HealthCheck>] = []

  public init() {}

  init(_ details: NodeDetails) {
    let node = details.node.value
    id = node.id
    self.node = node.node
    partition = node.partition
    peerName = node.peerName
    address = node.address
    taggedAddresses = node.taggedAddresses
    meta = node.meta
    services = details.services
    checks = details.checks
  }

  /// The same as the state shows it, without what this form leaves out.
  var details: NodeDetails {
    var node = Node()
    node.id = id
    node.node = self.node
    node.partition = partition
    node.peerName = peerName
    node.address = address
    node.taggedAddresses = taggedAddresses
    node.meta = meta
    return NodeDetails(node: Row(node), services: services, checks: checks)
  }

  public static let schema = Schema<NodeInfo>("structs.NodeInfo") {
    $0.field("ID", \.id)
    $0.field("Node", \.node)
    $0.field("Partition", \.partition)
    $0.field("PeerName", \.peerName)
    $0.field("Address", \.address)
    $0.field("TaggedAddresses", \.taggedAddresses)
    $0.field("Meta", \.meta)
    $0.field("Services", \.services)
    $0.field("Checks", \.checks)
  }
}

/// Nodes with all that runs on them.
public struct IndexedNodeDump: RPCReply {
  public var dump: [NodeInfo] = []
  public var importedDump: [NodeInfo] = []
  public var meta = RPCQueryMeta()

  public init() {}

  public mutating func filter(_ expression: String) throws(FilterError) {
    try dump.filter(expression) { $0 }
  }

  public static let schema = Schema<IndexedNodeDump>("structs.IndexedNodeDump") {
    $0.field("Dump", \.dump)
    $0.field("ImportedDump", \.importedDump)
    $0.embed(\.meta)
  }
}

/// All instances.
public struct IndexedNodesWithGateways: RPCReply {
  public var nodes: [CheckServiceNode] = []
  public var importedNodes: [CheckServiceNode] = []
  public var gateways: [Dynamic] = []
  public var meta = RPCQueryMeta()

  public init() {}

  public mutating func filter(_ expression: String) throws(FilterError) {
    try nodes.filter(expression) { $0 }
  }

  public static let schema = Schema<IndexedNodesWithGateways>("structs.IndexedNodesWithGateways") {
    $0.field("Nodes", \.nodes)
    $0.field("ImportedNodes", \.importedNodes)
    $0.field("Gateways", \.gateways)
    $0.embed(\.meta)
  }
}

/// Who has an address.
public struct CatalogByAddressResponse: RPCReply {
  public var node: Row<Node>?
  public var services: [Row<NodeService>] = []
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<CatalogByAddressResponse>("structs.CatalogByAddressResponse") {
    $0.field("Node", \.node)
    $0.field("Services", \.services)
    $0.embed(\.meta)
  }
}

/// How much the catalog of one datacenter holds.
public struct ServiceUsage: Record {
  public var nodes = 0
  public var services = 0
  public var serviceInstances = 0
  public var connectServiceInstances: [String: Int] = [:]
  public var billableServiceInstances = 0

  public init() {}

  public static let schema = Schema<ServiceUsage>("structs.ServiceUsage") {
    $0.field("Nodes", \.nodes)
    $0.field("Services", \.services)
    $0.field("ServiceInstances", \.serviceInstances)
    $0.field("ConnectServiceInstances", \.connectServiceInstances)
    $0.field("BillableServiceInstances", \.billableServiceInstances)
  }
}

/// The same by datacenter.
public struct UsageResponse: RPCReply {
  public var usage: [String: ServiceUsage] = [:]
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<UsageResponse>("structs.Usage") {
    $0.field("Usage", \.usage)
    $0.embed(\.meta)
  }
}
