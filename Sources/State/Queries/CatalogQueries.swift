import Model

extension StateSnapshot {
  // MARK: Nodes

  /// The node of that name.
  public func node(named name: String) -> Row<Node>? { tables.nodes[.of(name)]?.node }

  /// The node of that id.
  public func node(id: String) -> Row<Node>? {
    id.isEmpty ? nil : tables.nodes.index(Schemas.NodeIndex.id).value(.of(id))?.node
  }

  /// The first node, by name, that has this IP address; and, if none has it, the instances that have it for their own.
  public func owners(ofAddress address: String) -> QueryResult<AddressOwners> {
    var owners = AddressOwners()
    if let key = Key.ofAddress(address) {
      owners.node = tables.nodes.index(Schemas.NodeIndex.address).values(prefix: key).first { _ in true }?.node
      if owners.node == nil {
        owners.services = tables.services.index(Schemas.ServiceIndex.address).values(prefix: key).map(\.service)
      }
    }
    return QueryResult(index: tables.index(of: IndexName.localNodes), value: owners, watch: [.nodes])
  }

  /// One instance of a service on the node of that name.
  public func service(_ id: String, node: String) -> Row<NodeService>? { tables.services[.of(node, id)]?.service }

  /// One check of the node of that name or of its services.
  public func check(_ id: String, node: String) -> Row<HealthCheck>? { tables.checks[.of(node, id)] }

  /// All nodes, in the order of their names.
  public func nodes() -> QueryResult<[Row<Node>]> {
    QueryResult(
      index: tables.index(of: IndexName.localNodes), value: tables.nodes.rows.values.map(\.node), watch: [.nodes])
  }

  /// A node and its services, in the order of their ids.
  ///
  /// - Parameter name: the node's name, its id, or a beginning of its id that no other one has.
  public func nodeServices(_ name: String) -> QueryResult<NodeServices?> {
    let (entry, watch) = findNode(name)
    guard let entry else {
      return QueryResult(index: tables.index(of: IndexName.nodeExtinction), value: nil, watch: watch)
    }
    let services = tables.services.rows.values(prefix: .of(entry.name, closed: true)).map(\.service)
    return QueryResult(
      index: tables.index(of: IndexName.node(entry.name)),
      value: NodeServices(node: entry.node, services: services), watch: watch)
  }

  /// Below this length a text is never taken for the beginning of an id.
  private static let shortestIDPrefix = 2

  func findNode(_ name: String) -> (NodeEntry?, watch: [WatchPoint]) {
    if let entry = tables.nodes[.of(name)] { return (entry, [.index(IndexName.node(entry.name))]) }
    let mayBeID =
      name.utf8.count >= Self.shortestIDPrefix
      && name.utf8.allSatisfy { $0 == UInt8(ascii: "-") || Self.isHexadecimal($0) }
    guard mayBeID else { return (nil, [.index(IndexName.node(name.folded))]) }
    let found = tables.nodes.index(Schemas.NodeIndex.id).values(prefix: .of(name)).prefix(2).map { $0 }
    guard found.count == 1, let entry = found.first else {
      return (nil, [.index(IndexName.node(name.folded)), .nodes])
    }
    return (entry, [.index(IndexName.node(entry.name))])
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
  }

  // MARK: Services

  /// The names of all services with their tags, in the order of the names.
  public func services() -> QueryResult<[ServiceSummary]> {
    summaries(index: tables.index(of: IndexName.localServices), watch: [.services]) { _ in true }
  }

  /// The same of the instances on nodes that have all of this metadata.
  public func services(nodeMeta: StringMap) -> QueryResult<[ServiceSummary]> {
    let index = max(tables.index(of: IndexName.localServices), tables.index(of: IndexName.localNodes))
    var selected: Set<String> = []
    for entry in tables.nodes.rows.values where entry.node.value.meta.contains(all: nodeMeta) {
      selected.insert(entry.name)
    }
    return summaries(index: index, watch: [.services, .nodes]) { selected.contains($0.nodeName) }
  }

  private func summaries(
    index: UInt64, watch: [WatchPoint], _ isSelected: (ServiceEntry) -> Bool
  ) -> QueryResult<[ServiceSummary]> {
    var result: [ServiceSummary] = []
    // Instances of one name follow one another; names that differ in case only are different names in one group.
    var groupStart = 0
    var groupName = ""
    var known: Set<String> = []
    var lastTags: [String] = []
    for entry in tables.services.index(Schemas.ServiceIndex.name).values where isSelected(entry) {
      let name = entry.service.value.service
      let tags = entry.service.value.tags
      if name == result.last?.name {
        if tags == lastTags { continue }
      } else {
        if !name.isSameName(as: groupName) { groupStart = result.count }
        groupName = name
        if let place = result[groupStart...].firstIndex(where: { $0.name == name }) {
          result.append(result.remove(at: place))
        } else {
          result.append(ServiceSummary(name: name, tags: []))
        }
        known = Set(result.last?.tags ?? [])
      }
      lastTags = tags
      for tag in tags where known.insert(tag).inserted { result[result.count - 1].tags.append(tag) }
    }
    return QueryResult(index: index, value: result, watch: watch)
  }

  /// The instances of a service that have all of `tags` (without regard to case), by node and id. Without checks.
  public func serviceNodes(_ name: String, tags: [String] = []) -> QueryResult<[ServiceInstance]> {
    let entries = instances(of: name, Schemas.ServiceIndex.name)
    return QueryResult(
      index: serviceIndex(name, exists: !entries.isEmpty, checks: false),
      value: complete(entries.filter { $0.has(tags: tags) }, checks: false), watch: [.instances(name.folded)])
  }

  /// The instances through which a service is reached in the mesh: its proxies and those that speak it themselves. Tags do not
  /// select among them.
  public func connectServiceNodes(_ name: String, tags: [String] = []) -> QueryResult<[ServiceInstance]> {
    let entries = instances(of: name, Schemas.ServiceIndex.connect)
    return QueryResult(
      index: connectIndex(name, entries, checks: false), value: complete(entries, checks: false),
      watch: connectWatch(name))
  }

  func instances(of name: String, _ index: Int) -> [ServiceEntry] {
    Array(tables.services.index(index).values(prefix: .of(name, closed: true)))
  }

  /// Instances with their nodes. Instances of one node usually follow one another.
  func complete(_ entries: some Sequence<ServiceEntry>, checks: Bool) -> [ServiceInstance] {
    var result: [ServiceInstance] = []
    result.reserveCapacity(entries.underestimatedCount)
    var node: NodeEntry?
    for entry in entries {
      if node?.name != entry.nodeName { node = tables.nodes[.of(entry.nodeName)] }
      guard let node else { continue }
      let all = checks ? Self.joined(node.checks, entry.checks) : []
      result.append(ServiceInstance(node: node.node, service: entry.service, checks: all))
    }
    return result
  }

  /// Both lists, without a new one where either is empty.
  private static func joined(_ a: [Row<HealthCheck>], _ b: [Row<HealthCheck>]) -> [Row<HealthCheck>] {
    a.isEmpty ? b : b.isEmpty ? a : a + b
  }

  /// The names of the services of a kind (`KindOf` or `ServiceKind`), in their order.
  public func serviceNames(kind: String) -> QueryResult<[String]> {
    let name = KindOf.name(kind)
    let names = tables.kindNames.rows.values(prefix: .of(name, closed: true)).map(\.name)
    let index = IndexName.kindNames(kind)
    return QueryResult(index: tables.index(of: index), value: names, watch: [.index(index)])
  }

  // MARK: Indexes

  /// The index of an answer about one service.
  func serviceIndex(_ name: String, exists: Bool, checks: Bool) -> UInt64 {
    if !exists {
      let extinction = tables.index(of: IndexName.serviceExtinction)
      if extinction > 0 { return extinction }
    }
    let own = tables.index(of: IndexName.service(name.folded))
    if own > 0 { return own }
    let catalog = max(tables.index(of: IndexName.localServices), tables.index(of: IndexName.localNodes))
    return checks ? max(catalog, tables.index(of: IndexName.localChecks)) : catalog
  }

  /// The index of an answer about the mesh-capable instances of a service: these may bear other names.
  func connectIndex(_ name: String, _ entries: [ServiceEntry], checks: Bool) -> UInt64 {
    let names = Set(entries.map { $0.service.value.service.folded })
    if names.isEmpty { return serviceIndex(name, exists: false, checks: checks) }
    return names.map { serviceIndex($0, exists: true, checks: checks) }.max() ?? 0
  }

  func connectWatch(_ name: String) -> [WatchPoint] { [.connect(name.folded)] }
}

extension ServiceEntry {
  /// Whether the instance has all of these tags, without regard to case.
  func has(tags: [String]) -> Bool {
    tags.allSatisfy { wanted in service.value.tags.contains { $0.isSameName(as: wanted) } }
  }
}

/// Who has an IP address.
public struct AddressOwners: Sendable {
  public var node: Row<Node>?
  /// Only where no node has it.
  public var services: [Row<NodeService>]

  public init(node: Row<Node>? = nil, services: [Row<NodeService>] = []) {
    self.node = node
    self.services = services
  }
}
