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
  /// Only instances that match count; "" for all.
  public let filter: String
  private let matcher: Filter<ServiceNode>?

  public init(nodeMeta: StringMap = StringMap()) {
    self.nodeMeta = nodeMeta
    filter = ""
    matcher = nil
  }

  /// - Throws: `FilterError` for a filter that is none.
  public init(nodeMeta: StringMap, filter: String) throws(FilterError) {
    self.nodeMeta = nodeMeta
    self.filter = filter
    matcher = filter.isEmpty ? nil : try Filter(filter)
  }

  public static func == (a: CatalogServices, b: CatalogServices) -> Bool {
    a.nodeMeta == b.nodeMeta && a.filter == b.filter
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(nodeMeta)
    hasher.combine(filter)
  }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<[ServiceSummary]> {
    guard let matcher else { return nodeMeta.isEmpty ? state.services() : state.services(nodeMeta: nodeMeta) }
    return state.services().map { all in
      all.compactMap { service in
        let instances = state.serviceNodes(service.name, tags: []).value
          .filter { nodeMeta.isEmpty || $0.node.value.meta.contains(all: nodeMeta) }
          .filter { matcher.matches(ServiceNode($0)) }
        guard !instances.isEmpty else { return nil }
        var tags: [String] = []
        var seen: Set<String> = []
        for tag in instances.flatMap(\.service.value.tags) where seen.insert(tag).inserted { tags.append(tag) }
        return ServiceSummary(name: service.name, tags: tags)
      }
    }
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

/// The same, as agents ask that compare it with what they know.
public struct CatalogNodeServiceList: ReadQuery {
  public static let method = "Catalog.NodeServiceList"
  /// A node's name or id.
  public var node: String

  public init(node: String) { self.node = node }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<NodeServices?> { state.nodeServices(node) }
}

/// The names of all services.
public struct CatalogServiceList: ReadQuery {
  public static let method = "Catalog.ServiceList"

  public init() {}

  public func evaluate(_ state: StateSnapshot) -> QueryResult<[String]> { state.services().map { $0.map(\.name) } }
}
