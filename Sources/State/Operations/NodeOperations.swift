import Model

extension StateTransaction {
  func nodeEntry(_ name: String) -> NodeEntry? { tables.nodes[.of(name)] }

  private func nodeEntry(id: String) -> NodeEntry? {
    id.isEmpty ? nil : tables.nodes.index(Schemas.NodeIndex.id).value(.of(id))
  }

  /// The stored node with the id of `node`, if it bears another name.
  func renamedNode(_ node: Node) -> NodeEntry? {
    guard let entry = nodeEntry(id: node.id), entry.name != node.node.folded else { return nil }
    return entry
  }

  /// Refuses an id for a name that belongs to another node, unless that one seems to be gone: its agent's check is critical or
  /// it has none. A name without an id may be taken over by a node that is new, but not by one that is renamed.
  func checkIdentity(of node: Node) throws(StateError) {
    guard !node.id.isEmpty else { return }
    let isKnown = nodeEntry(id: node.id) != nil
    if isKnown, renamedNode(node) == nil { return }
    guard let other = nodeEntry(node.node), !other.node.value.id.isSameName(as: node.id) else { return }
    let agent = tables.checks[.of(node.node, CheckID.serfHealth)]?.value.status
    if agent == nil || agent == CheckStatus.critical.rawValue { return }
    if other.node.value.id.isEmpty, !isKnown { return }
    throw .nodeNameTaken(
      id: node.id, address: node.address, name: node.node, by: other.node.value, renaming: isKnown)
  }

  /// Stores a node whose identity has been checked. A node that changes its name loses what it has under the old one.
  mutating func put(_ node: Node) {
    var node = node
    var before = nodeEntry(node.node)?.node.value
    if let renamed = renamedNode(node) {
      removeNode(renamed.name)
      before = renamed.node.value
    }
    node.createIndex = before?.createIndex ?? index
    node.modifyIndex = index
    if let before, node.isSame(as: before) { return }
    store(node)
  }

  /// Stores a node as it is, with its indexes.
  mutating func store(_ node: Node) {
    let name = node.node.folded
    let old = nodeEntry(name)
    tables.nodes.put(NodeEntry(name: name, node: Row(node), checks: old?.checks ?? []), owner: owner)
    touchNode(name)
    touch(.nodes)
    touchServices(ofNode: name)
    for entry in tables.services.rows.values(prefix: .of(name, closed: true)) {
      touch(.instances(entry.service.value.service.folded))
    }
  }

  mutating func removeNode(_ name: String) {
    guard let entry = nodeEntry(name) else { return }
    for service in Array(tables.services.rows.values(prefix: .of(name, closed: true))) {
      removeService(service.service.value.id, node: name)
    }
    for check in Array(tables.checks.rows.values(prefix: .of(name, closed: true))) {
      removeCheck(check.value.checkID, node: name)
    }
    removeCoordinates(node: name)
    endSessions(ofNode: name)
    tables.nodes.remove(.of(name), owner: owner)
    touch(.nodes)
    raise(IndexName.nodes)
    raise(IndexName.localNodes)
    removeIndex(IndexName.node(entry.name))
    raise(IndexName.nodeExtinction)
  }

  /// `name` is folded.
  mutating func touchNode(_ name: String) {
    raise(IndexName.nodes)
    raise(IndexName.localNodes)
    raise(IndexName.node(name))
  }

  /// Raises the indexes of all services of a node, whose answers show the node and its checks.
  mutating func touchServices(ofNode name: String) {
    // Once per command: a service that comes later raises its own.
    if let last = touchedServices, last.node == name, last.index == index { return }
    touchedServices = (name, index)
    for entry in tables.services.rows.values(prefix: .of(name, closed: true)) {
      raise(IndexName.service(entry.service.value.service.folded))
      touchKind(entry.service.value.kind)
      if let destination = entry.connectDestination { touch(.connect(destination.folded)) }
    }
  }

  mutating func touchKind(_ kind: String) {
    raise(IndexName.kind(kind))
    raise(IndexName.localKind(kind))
  }
}

extension Node {
  /// Whether a registration of this node would change nothing. The case of the name does not count.
  func isSame(as other: Node) -> Bool {
    var a = self
    a.createIndex = other.createIndex
    a.modifyIndex = other.modifyIndex
    if a.node.isSameName(as: other.node) { a.node = other.node }
    return a == other
  }
}
