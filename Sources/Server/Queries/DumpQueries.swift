import Model
import State

/// All nodes with what runs on them.
public struct NodeDetailsList: ReadQuery {
  public static let method = "Internal.NodeDump"

  public init() {}

  public func evaluate(_ state: StateSnapshot) -> QueryResult<[NodeDetails]> { state.nodeDetails() }
}

/// One node with what runs on it.
public struct NodeDetailsQuery: ReadQuery {
  public static let method = "Internal.NodeInfo"
  public var node: String

  public init(node: String) { self.node = node }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<NodeDetails?> { state.nodeDetails(node) }
}

/// All instances with their checks.
public struct ServiceDump: ReadQuery {
  public static let method = "Internal.ServiceDump"
  /// Only instances of this kind; nil for all.
  public var kind: String?

  public init(kind: String? = nil) { self.kind = kind }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<[ServiceInstance]> { state.serviceDump(kind: kind) }
}

/// How much the catalog holds.
public struct UsageQuery: ReadQuery {
  public static let method = "Operator.Usage"
  /// The datacenter that is counted, for the answer.
  public var datacenter: String

  public init(datacenter: String) { self.datacenter = datacenter }

  public struct Reply: Sendable {
    public var counts: UsageCounts
    /// The instances that are servers of the cluster themselves.
    public var servers: Int
    public var datacenter = ""
  }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<Reply> {
    let nodes = state.nodes()
    let services = state.services()
    let servers = state.serviceNodes("consul", tags: []).value.count
    return QueryResult(
      index: max(nodes.index, services.index),
      value: Reply(counts: state.usage(), servers: servers, datacenter: datacenter), watch: nodes.watch + services.watch
    )
  }
}
