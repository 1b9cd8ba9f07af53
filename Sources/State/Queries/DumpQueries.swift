import Model

extension StateSnapshot {
  private var catalogIndex: UInt64 {
    [IndexName.localChecks, IndexName.localServices, IndexName.localNodes].map { tables.index(of: $0) }.max() ?? 0
  }

  /// All nodes with their services and checks, in the order of their names.
  public func nodeDetails() -> QueryResult<[NodeDetails]> {
    QueryResult(
      index: catalogIndex, value: tables.nodes.rows.values.map { details($0) }, watch: [.nodes, .services, .checks])
  }

  /// One node with its services and checks.
  public func nodeDetails(_ name: String) -> QueryResult<NodeDetails?> {
    let (entry, watch) = findNode(name)
    return QueryResult(
      index: catalogIndex, value: entry.map { details($0) }, watch: watch + [.nodeChecks((entry?.name ?? name).folded)])
  }

  private func details(_ entry: NodeEntry) -> NodeDetails {
    NodeDetails(
      node: entry.node,
      services: tables.services.rows.values(prefix: .of(entry.name, closed: true)).map(\.service),
      checks: Array(tables.checks.rows.values(prefix: .of(entry.name, closed: true))))
  }

  /// All instances with their checks, by node and id; of one kind if `kind` is given (`ServiceKind`).
  public func serviceDump(kind: String? = nil) -> QueryResult<[ServiceInstance]> {
    let entries: [ServiceEntry] =
      switch kind {
      case nil: Array(tables.services.rows.values)
      case ServiceKind.typical?, KindOf.typical?: tables.services.rows.values.filter { $0.service.value.kind.isEmpty }
      case let kind?:
        Array(tables.services.index(Schemas.ServiceIndex.kind).values(prefix: .of(kind, closed: true)))
      }
    return QueryResult(
      index: catalogIndex, value: complete(entries, checks: true), watch: [.nodes, .services, .checks])
  }

  /// How much of everything there is.
  public func usage() -> UsageCounts {
    var counts = UsageCounts()
    counts.nodes = tables.nodes.count
    counts.serviceInstances = tables.services.count
    counts.kvEntries = tables.kv.count
    counts.sessions = tables.sessions.count
    for kind in UsageCounts.meshKinds { counts.instancesByKind[kind] = 0 }
    for entry in tables.services.index(Schemas.ServiceIndex.kind).values {
      counts.instancesByKind[entry.service.value.kind, default: 0] += 1
    }
    counts.instancesByKind[KindOf.typical] = counts.serviceInstances - counts.instancesByKind.values.reduce(0, +)
    for entry in tables.services.index(Schemas.ServiceIndex.connect).values
    where entry.service.value.connect.value.native {
      counts.instancesByKind["connect-native", default: 0] += 1
    }
    // Every name has a row of its own in the index table.
    counts.services = tables.index.rows.values(prefix: .exact(IndexName.service(""))).reduce(0) { count, _ in count + 1
    }
    return counts
  }
}
