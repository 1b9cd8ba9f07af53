import Model
import State

/// All nodes.
public struct CatalogNodes: ReadQuery {
  public static let method = "Catalog.ListNodes"
  public var selection: NodeSelection

  public init(selection: NodeSelection = NodeSelection()) { self.selection = selection }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<[Row<Node>]> {
    state.nodes().map { selection.apply(to: $0, in: state) { $0 } }
  }
}

/// All service names with their tags.
public struct CatalogServices: CacheableQuery {
  public static let method = "Catalog.ListServices"
  /// Only services with an instance on a node with this metadata.
  public var nodeMeta: StringMap

  public init(nodeMeta: StringMap = StringMap()) { self.nodeMeta = nodeMeta }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<[ServiceSummary]> {
    nodeMeta.isEmpty ? state.services() : state.services(nodeMeta: nodeMeta)
  }
}

/// The instances of a service, without their health.
public struct CatalogServiceNodes: CacheableQuery {
  public static let method = "Catalog.ServiceNodes"
  public var service: String
  /// Instances must have all of these.
  public var tags: [String]
  /// The mesh-capable instances of the service instead: its proxies, or itself where it is native.
  public var connect: Bool
  public var selection: NodeSelection

  public init(service: String, tags: [String] = [], connect: Bool = false, selection: NodeSelection = NodeSelection()) {
    self.service = service
    self.tags = tags
    self.connect = connect
    self.selection = selection
  }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<[ServiceInstance]> {
    let found =
      connect
      ? state.connectServiceNodes(service, tags: tags) : state.serviceNodes(service, tags: tags)
    return found.map { selection.apply(to: $0, in: state) { $0.node } }
  }

  public func count(_ answer: [ServiceInstance]) {
    (connect ? ServerMetrics.connectQuery : ServerMetrics.serviceQuery).increment(service)
    if answer.isEmpty { (connect ? ServerMetrics.connectNotFound : ServerMetrics.serviceNotFound).increment(service) }
  }
}

/// A node and its services.
public struct CatalogNodeServices: CacheableQuery {
  public static let method = "Catalog.NodeServices"
  /// A node's name or id.
  public var node: String

  public init(node: String) { self.node = node }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<NodeServices?> { state.nodeServices(node) }
}
