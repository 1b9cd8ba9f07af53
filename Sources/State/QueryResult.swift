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

  public func map<Other: Sendable>(_ transform: (Value) -> Other) -> QueryResult<Other> {
    QueryResult<Other>(index: index, value: transform(value), watch: watch)
  }
}

/// A part of the state that commits touch and queries wait for.
public enum WatchPoint: Hashable, Sendable {
  /// A row of the index table, such as `nodes`, `peer.~:service.web` or `sessions`.
  case index(String)
  /// One key of the key-value store.
  case key(String)
  /// Every key that starts with this text.
  case keyPrefix(String)
}

/// One instance of a service with its node and, for health queries, the checks of both.
public struct ServiceInstance: Sendable {
  public var node: Row<Node>
  public var service: Row<NodeService>
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
