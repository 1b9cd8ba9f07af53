import Model

/// What a query found in one version of the state.
public struct QueryResult<Value: Sendable>: Sendable {
  /// The index at which this answer last changed (wire/raft.md part D), 0 when nothing ever touched it.
  public var index: UInt64
  public var value: Value
  /// What a change of this answer would touch: a blocking query waits on these.
  public var watch: [WatchPoint]

  public init(index: UInt64, value: Value, watch: [WatchPoint]) {
    self.index = index
    self.value = value
    self.watch = watch
  }

  /// An answer that nobody waits for: blocking queries give it at once, whatever index they know.
  public static func immediate(_ value: Value) -> QueryResult { QueryResult(index: .max, value: value, watch: []) }

  public func map<Other: Sendable>(_ transform: (Value) -> Other) -> QueryResult<Other> {
    QueryResult<Other>(index: index, value: transform(value), watch: watch)
  }
}

/// One instance of a service with its node and, for health queries, the checks of both.
public struct ServiceInstance: Sendable {
  public var node: Row<Node>
  public var service: Row<NodeService>
  /// The node's checks, then the service's, each in the order of their ids.
  public var checks: [Row<HealthCheck>]

  public init(node: Row<Node>, service: Row<NodeService>, checks: [Row<HealthCheck>]) {
    self.node = node
    self.service = service
    self.checks = checks
  }
}

/// A service's name with the tags of all its instances.
public struct ServiceSummary: Sendable, Equatable {
  public var name: String
  /// Without duplicates.
  public var tags: [String]

  public init(name: String, tags: [String]) {
    self.name = name
    self.tags = tags
  }
}

/// A node with its services.
public struct NodeServices: Sendable {
  public var node: Row<Node>
  public var services: [Row<NodeService>]

  public init(node: Row<Node>, services: [Row<NodeService>]) {
    self.node = node
    self.services = services
  }
}

/// A node with all its services and checks.
public struct NodeDetails: Sendable {
  public var node: Row<Node>
  public var services: [Row<NodeService>]
  public var checks: [Row<HealthCheck>]

  public init(node: Row<Node>, services: [Row<NodeService>], checks: [Row<HealthCheck>]) {
    self.node = node
    self.services = services
    self.checks = checks
  }
}

/// How much of everything there is.
public struct UsageCounts: Sendable, Equatable {
  public var nodes = 0
  /// Different service names.
  public var services = 0
  public var serviceInstances = 0
  /// Instances of each kind, and `connect-native`; kinds without instances are 0.
  public var instancesByKind: [String: Int] = [:]
  public var kvEntries = 0
  public var sessions = 0

  public init() {}

  /// What `instancesByKind` tells apart of the mesh.
  public static let meshKinds = [
    ServiceKind.connectProxy, ServiceKind.meshGateway, ServiceKind.terminatingGateway, ServiceKind.ingressGateway,
    ServiceKind.apiGateway, "connect-native",
  ]

  /// Instances that do work of their own: neither proxies nor servers of the cluster.
  ///
  /// - Parameter servers: Instances that are servers of the cluster.
  public func billableInstances(servers: Int) -> Int {
    let proxies = Self.meshKinds.filter { $0 != "connect-native" }.reduce(0) { $0 + (instancesByKind[$1] ?? 0) }
    return max(serviceInstances - servers - proxies, 0)
  }
}
