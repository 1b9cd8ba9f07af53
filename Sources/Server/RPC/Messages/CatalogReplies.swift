import Model
import State

/// Nodes.
public struct IndexedNodes: RPCReply {
  public var nodes: [Row<Node>] = []
  public var meta = RPCQueryMeta()

  public init() {}

  public mutating func filter(_ expression: String) throws(FilterError) {
    try nodes.filter(expression) { $0.value }
  }

  public static let schema = Schema<IndexedNodes>("structs.IndexedNodes") {
    $0.field("Nodes", \.nodes)
    $0.embed(\.meta)
  }
}

/// Names of services with their tags.
public struct IndexedServices: RPCReply {
  public var services: [String: [String]] = [:]
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<IndexedServices>("structs.IndexedServices") {
    $0.field("Services", \.services)
    $0.embed(\.meta)
  }
}

/// Names of services.
public struct IndexedServiceList: RPCReply {
  public var services: [ServiceName] = []
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<IndexedServiceList>("structs.IndexedServiceList") {
    $0.field("Services", \.services)
    $0.embed(\.meta)
  }
}

/// Instances of a service.
public struct IndexedServiceNodes: RPCReply {
  public var serviceNodes: [ServiceNode] = []
  public var meta = RPCQueryMeta()

  public init() {}

  public mutating func filter(_ expression: String) throws(FilterError) {
    try serviceNodes.filter(expression) { $0 }
  }

  public static let schema = Schema<IndexedServiceNodes>("structs.IndexedServiceNodes") {
    $0.field("ServiceNodes", \.serviceNodes)
    $0.embed(\.meta)
  }
}

/// A node and its services.
public struct NodeServicesByID: Record {
  public var node: Row<Node>?
  public var services: [String: Row<NodeService>] = [:]

  public init() {}

  public static let schema = Schema<NodeServicesByID>("structs.NodeServices") {
    $0.field("Node", \.node)
    $0.field("Services", \.services)
  }
}

/// A node and its services, if there is such a node.
public struct IndexedNodeServices: RPCReply {
  public var nodeServices: NodeServicesByID?
  public var meta = RPCQueryMeta()

  public init() {}

  public mutating func filter(_ expression: String) throws(FilterError) {
    let filter = try Filter<NodeService>(expression)
    guard let services = nodeServices?.services else { return }
    nodeServices?.services = services.filter { filter.matches($0.value.value) }
  }

  public static let schema = Schema<IndexedNodeServices>("structs.IndexedNodeServices") {
    $0.field("NodeServices", \.nodeServices)
    $0.embed(\.meta)
  }
}

/// A node and the list of its services.
public struct NodeServiceList: Record {
  public var node: Row<Node>?
  public var services: [Row<NodeService>] = []

  public init() {}

  public static let schema = Schema<NodeServiceList>("structs.NodeServiceList") {
    $0.field("Node", \.node)
    $0.field("Services", \.services)
  }
}

/// A node and the list of its services.
public struct IndexedNodeServiceList: RPCReply {
  public var nodeServices = NodeServiceList()
  public var meta = RPCQueryMeta()

  public init() {}

  public mutating func filter(_ expression: String) throws(FilterError) {
    try nodeServices.services.filter(expression) { $0.value }
  }

  public static let schema = Schema<IndexedNodeServiceList>("structs.IndexedNodeServiceList") {
    $0.field("NodeServices", \.nodeServices)
    $0.embed(\.meta)
  }
}

/// An instance of a service with its node and the checks of both.
public struct CheckServiceNode: Record {
  public var node: Row<Node>?
  public var service: Row<NodeService>?
  public var checks: [Row<HealthCheck>] = []

  public init() {}

  init(_ instance: ServiceInstance) {
    node = instance.node
    service = instance.service
    checks = instance.checks
  }

  /// Nil where the other side left something out.
  var instance: ServiceInstance? {
    guard let node, let service else { return nil }
    return ServiceInstance(node: node, service: service, checks: checks)
  }

  public static let schema = Schema<CheckServiceNode>("structs.CheckServiceNode") {
    $0.field("Node", \.node)
    $0.field("Service", \.service)
    $0.field("Checks", \.checks)
  }
}

/// Instances of services with their health.
public struct IndexedCheckServiceNodes: RPCReply {
  public var nodes: [CheckServiceNode] = []
  public var meta = RPCQueryMeta()

  public init() {}

  public mutating func filter(_ expression: String) throws(FilterError) {
    try nodes.filter(expression) { $0 }
  }

  public static let schema = Schema<IndexedCheckServiceNodes>("structs.IndexedCheckServiceNodes") {
    $0.field("Nodes", \.nodes)
    $0.embed(\.meta)
  }
}

/// Checks.
public struct IndexedHealthChecks: RPCReply {
  public var healthChecks: [Row<HealthCheck>] = []
  public var meta = RPCQueryMeta()

  public init() {}

  public mutating func filter(_ expression: String) throws(FilterError) {
    try healthChecks.filter(expression) { $0.value }
  }

  public static let schema = Schema<IndexedHealthChecks>("structs.IndexedHealthChecks") {
    $0.field("HealthChecks", \.healthChecks)
    $0.embed(\.meta)
  }
}

/// Coordinates of nodes.
public struct IndexedCoordinates: RPCReply {
  public var coordinates: [Row<NodeCoordinate>] = []
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<IndexedCoordinates>("structs.IndexedCoordinates") {
    $0.field("Coordinates", \.coordinates)
    $0.embed(\.meta)
  }
}
