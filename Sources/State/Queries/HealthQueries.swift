import Model

extension StateSnapshot {
  /// The instances of a service with the checks of their nodes and their own, by node and id.
  ///
  /// - Parameters:
  ///   - tags: instances must have all of these, without regard to case.
  ///   - connect: the instances through which the service is reached in the mesh instead; tags do not count then.
  public func healthServiceNodes(
    _ name: String, tags: [String] = [], connect: Bool = false
  ) -> QueryResult<[ServiceInstance]> {
    if connect {
      let entries = instances(of: name, Schemas.ServiceIndex.connect)
      return QueryResult(
        index: connectIndex(name, entries, checks: true), value: complete(entries, checks: true),
        watch: connectWatch(name))
    }
    let entries = instances(of: name, Schemas.ServiceIndex.name)
    return QueryResult(
      index: serviceIndex(name, exists: !entries.isEmpty, checks: true),
      value: complete(tags.isEmpty ? entries : entries.filter { $0.has(tags: tags) }, checks: true),
      watch: [.index(IndexName.service(name.folded))])
  }

  /// The checks of all instances of a service, by node and id.
  public func checks(service: String) -> QueryResult<[Row<HealthCheck>]> {
    QueryResult(
      index: tables.index(of: IndexName.localChecks), value: checksOfInstances(service),
      watch: [.index(IndexName.service(service.folded))])
  }

  /// The same of the instances on nodes that have all of this metadata.
  public func checks(service: String, nodeMeta: StringMap) -> QueryResult<[Row<HealthCheck>]> {
    let checks = checksOfInstances(service)
    let selected = checks.filter { node(named: $0.value.node)?.value.meta.contains(all: nodeMeta) ?? false }
    let exists = tables.index[exact: IndexName.service(service.folded)] != nil
    return QueryResult(
      index: serviceIndex(service, exists: exists, checks: true), value: selected,
      watch: [.index(IndexName.service(service.folded))])
  }

  private func checksOfInstances(_ service: String) -> [Row<HealthCheck>] {
    var result: [Row<HealthCheck>] = []
    var node = ""
    var start = 0
    for entry in instances(of: service, Schemas.ServiceIndex.name) where !entry.checks.isEmpty {
      if entry.nodeName != node {
        node = entry.nodeName
        start = result.count
      }
      let isFirst = result.count == start
      result += entry.checks
      // Several instances on one node: their checks are shown as one list in the order of the ids.
      if !isFirst {
        result[start...].sort { Key.of($0.value.checkID).lexicographicallyPrecedes(Key.of($1.value.checkID)) }
      }
    }
    return result
  }

  /// The checks of a node and of all its services, in the order of their ids.
  public func checks(node: String) -> QueryResult<[Row<HealthCheck>]> {
    let rows = tables.checks.rows.values(prefix: .of(node, closed: true))
    return QueryResult(
      index: tables.index(of: IndexName.localChecks), value: Array(rows), watch: [.nodeChecks(node.folded)])
  }

  /// All checks in one status, or in `any`, by node and id.
  public func checks(state: String) -> QueryResult<[Row<HealthCheck>]> {
    let index = tables.index(of: IndexName.localChecks)
    let status = state.folded
    switch status {
    case "any": return QueryResult(index: index, value: Array(tables.checks.rows.values), watch: [.checks])
    case CheckStatus.passing.rawValue:
      let rows = tables.checks.rows.values.filter { $0.value.status == CheckStatus.passing.rawValue }
      return QueryResult(index: index, value: rows, watch: [.checkStatus(status)])
    default:
      let rows = tables.checks.index(Schemas.CheckIndex.status).values(prefix: .of(status, closed: true))
      return QueryResult(index: index, value: Array(rows), watch: [.checkStatus(status)])
    }
  }
}
