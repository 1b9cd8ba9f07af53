import Model

extension StateTransaction {
  // MARK: nodes

  /// - Returns: the node as it is now; nil after a deletion.
  mutating func carryOut(_ op: TxnNodeOp) throws(OperationError) -> Node? {
    let node = op.node
    let subject = OperationError.Subject.node(node.node.isEmpty ? node.id : node.node)
    guard let verb = CatalogVerb(rawValue: op.verb) else { throw .unknownVerb(.node, op.verb) }
    if !node.peerName.isEmpty { return try refusePeer(node.peerName, verb, subject) }
    switch verb {
    case .get:
      guard let row = nodeRow(of: node) else { throw .missing(subject) }
      return row.value
    case .set, .cas:
      if node.node.isEmpty { throw .incompleteNode }
      if verb == .cas, nodeToReplace(by: node)?.value.modifyIndex ?? 0 != node.modifyIndex {
        throw .staleSet(subject)
      }
      do throws(StateError) { try checkIdentity(of: node) } catch { throw .state(error) }
      put(node)
      return nodeEntry(node.node)?.node.value
    case .delete:
      removeNode(node.node)
      return nil
    case .deleteCAS:
      guard let stored = nodeEntry(node.node)?.node.value, stored.modifyIndex == node.modifyIndex else {
        throw .staleDelete(subject)
      }
      removeNode(node.node)
      return nil
    }
  }

  /// The id has precedence over the name.
  private func nodeRow(of node: Node) -> Row<Node>? {
    node.id.isEmpty
      ? nodeEntry(node.node)?.node : tables.nodes.index(Schemas.NodeIndex.id).value(.of(node.id))?.node
  }

  /// The node that a registration of `node` changes or takes the place of.
  private func nodeToReplace(by node: Node) -> Row<Node>? { nodeRow(of: node) ?? nodeEntry(node.node)?.node }

  // MARK: services

  /// - Returns: the service as it is now; nil after a deletion.
  mutating func carryOut(_ op: TxnServiceOp) throws(OperationError) -> NodeService? {
    let service = op.service
    let subject = OperationError.Subject.service(id: service.id, node: op.node)
    guard let verb = CatalogVerb(rawValue: op.verb) else { throw .unknownVerb(.service, op.verb) }
    if !service.peerName.isEmpty { return try refusePeer(service.peerName, verb, subject) }
    let stored = serviceEntry(service.id, node: op.node)?.service.value
    switch verb {
    case .get:
      guard let stored else { throw .missing(subject) }
      return stored
    case .set, .cas:
      if verb == .cas, stored?.modifyIndex ?? 0 != service.modifyIndex { throw .staleSet(subject) }
      guard nodeEntry(op.node) != nil else { throw .state(.missingNode) }
      if service.service.isEmpty || service.id.isEmpty { throw .incompleteService }
      put(service, node: op.node)
      return serviceEntry(service.id, node: op.node)?.service.value
    case .delete, .deleteCAS:
      if verb == .deleteCAS, stored == nil || stored?.modifyIndex != service.modifyIndex { throw .staleDelete(subject) }
      removeService(service.id, node: op.node)
      return nil
    }
  }

  // MARK: checks

  /// - Returns: the check as it is now; nil after a deletion.
  mutating func carryOut(_ op: TxnCheckOp) throws(OperationError) -> HealthCheck? {
    let check = op.check
    let subject = OperationError.Subject.check(id: check.checkID, node: check.node)
    guard let verb = CatalogVerb(rawValue: op.verb) else { throw .unknownVerb(.check, op.verb) }
    if !check.peerName.isEmpty { return try refusePeer(check.peerName, verb, subject) }
    let stored = tables.checks[.of(check.node, check.checkID)]?.value
    switch verb {
    case .get:
      guard let stored else { throw .missing(subject) }
      return stored
    case .set, .cas:
      if verb == .cas, stored?.modifyIndex ?? 0 != check.modifyIndex { throw .staleSet(subject) }
      if check.node.isEmpty || check.checkID.isEmpty { throw .incompleteCheck }
      guard nodeEntry(check.node) != nil else { throw .state(.missingNode) }
      if !check.serviceID.isEmpty, serviceEntry(check.serviceID, node: check.node) == nil { throw .missingService }
      put(check, node: check.node)
      return tables.checks[.of(check.node, check.checkID)]?.value
    case .delete, .deleteCAS:
      if verb == .deleteCAS, stored == nil || stored?.modifyIndex != check.modifyIndex { throw .staleDelete(subject) }
      removeCheck(check.checkID, node: check.node)
      return nil
    }
  }

  /// The catalog has no rows of other clusters: none is found or removed, and none can be put in.
  private func refusePeer<Row>(
    _ peer: String, _ verb: CatalogVerb, _ subject: OperationError.Subject
  ) throws(OperationError) -> Row? {
    switch verb {
    case .get: throw .missing(subject)
    case .set, .cas: throw .state(.importedRow(peer: peer))
    case .deleteCAS: throw .staleDelete(subject)
    case .delete: return nil
    }
  }
}
