import Model

extension StateTransaction {
  /// Puts a node, a service and checks into the catalog. What is equal to what is stored changes nothing.
  ///
  /// - Throws: see `StateError`; then nothing has changed.
  public mutating func register(_ request: RegisterRequest) throws(StateError) {
    guard request.peerName.isEmpty else { throw .importedRow(peer: request.peerName) }
    if request.node.isEmpty { throw .incompleteNode }
    let node = request.nodeRow
    let stored = tables.nodes[.of(node.node)]
    let writesNode = stored == nil || !request.skipNodeUpdate
    if writesNode { try checkIdentity(of: node) }
    let isRenamed = writesNode && renamedNode(node) != nil
    let checks = (request.check.map { [$0] } ?? []) + request.checks
    // A node that is renamed loses its services.
    let services = isRenamed ? nil : tables.services
    try Self.check(checks, of: request) { services?[.of(node.node, $0)] != nil }
    if writesNode { put(node) }
    if let service = request.service { put(service, node: node.node) }
    for check in checks { put(check, node: node.node) }
  }

  /// Refuses what would fail half-way.
  private static func check(
    _ checks: [HealthCheck], of request: RegisterRequest, isStoredService: (String) -> Bool
  ) throws(StateError) {
    if let service = request.service, service.service.isEmpty || service.id.isEmpty {
      throw .incompleteService(node: request.node)
    }
    for check in checks {
      if !check.node.isEmpty, !check.node.isSameName(as: request.node) {
        throw .checkOfOtherNode(check: check.checkID, node: check.node, request: request.node)
      }
      if check.checkID.isEmpty { throw .checkWithoutID(node: request.node) }
      guard !check.serviceID.isEmpty else { continue }
      let isRegistered = request.service?.id.isSameName(as: check.serviceID) ?? false
      if !isRegistered, !isStoredService(check.serviceID) {
        throw .unknownService(id: check.serviceID, check: check.checkID)
      }
    }
  }

  /// Removes a service, else a check, else the whole node: the first that is named. What does not exist is no error.
  public mutating func deregister(_ request: DeregisterRequest) {
    guard request.peerName.isEmpty else { return }
    if !request.serviceID.isEmpty {
      removeService(request.serviceID, node: request.node)
    } else if !request.checkID.isEmpty {
      removeCheck(request.checkID, node: request.node)
    } else {
      removeNode(request.node)
    }
  }
}

extension RegisterRequest {
  /// The node that the request describes, without indexes.
  var nodeRow: Node {
    var row = Node()
    row.id = id
    row.node = node
    row.address = address
    row.datacenter = datacenter
    row.taggedAddresses = taggedAddresses
    row.meta = nodeMeta
    row.locality = locality
    return row
  }
}
