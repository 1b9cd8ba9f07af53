import Model

extension StateTransaction {
  /// Stores a check of a node that exists, and of a service that exists if it names one, unless it is equal to what is stored.
  mutating func put(_ check: HealthCheck, node: String) {
    var check = check
    if check.node.isEmpty { check.node = node }
    if check.status.isEmpty { check.status = CheckStatus.critical.rawValue }
    if let service = serviceEntry(check.serviceID, node: node)?.service.value {
      check.serviceName = service.service
      check.serviceTags = service.tags
    }
    if check.status == CheckStatus.critical.rawValue { endSessions(ofCheck: check.checkID, node: node) }
    if let old = tables.checks[.of(node, check.checkID)]?.value {
      check.createIndex = old.createIndex
      check.modifyIndex = old.modifyIndex
      if check == old { return }
    } else {
      check.createIndex = index
    }
    check.modifyIndex = index
    store(check)
  }

  /// Stores a check as it is, with its indexes.
  mutating func store(_ check: HealthCheck) {
    let row = Row(check)
    let old = tables.checks.put(row, owner: owner)
    if let old, !old.value.serviceID.isSameName(as: check.serviceID) {
      detach(old.value)
      touchCheck(old.value)
    }
    attach(row)
    if let old, old.value.status != check.status { touch(.checkStatus(old.value.status.folded)) }
    touchCheck(check)
  }

  mutating func removeCheck(_ id: String, node: String) {
    guard let removed = tables.checks.remove(.of(node, id), owner: owner)?.value else { return }
    detach(removed)
    touchCheck(removed)
    if removed.serviceID.isEmpty {
      raise(IndexName.services)
      raise(IndexName.localServices)
    }
    endSessions(ofCheck: id, node: node)
  }

  private mutating func touchCheck(_ check: HealthCheck) {
    let node = check.node.folded
    raise(IndexName.checks)
    raise(IndexName.localChecks)
    touch(.checks)
    touch(.nodeChecks(node))
    touch(.checkStatus(check.status.folded))
    if check.serviceID.isEmpty {
      touchServices(ofNode: node)
    } else if let entry = serviceEntry(check.serviceID, node: node) {
      raise(IndexName.service(entry.service.value.service.folded))
      touchKind(entry.service.value.kind)
      if let destination = entry.connectDestination { touch(.connect(destination.folded)) }
    }
  }

  // MARK: Checks with their owners

  private mutating func attach(_ row: Row<HealthCheck>) {
    replaceChecks(row.value) { $0.with(row) }
  }

  private mutating func detach(_ check: HealthCheck) {
    replaceChecks(check) { $0.without(check.checkID) }
  }

  /// Changes the list of checks that the owner of `check` carries: its service, or else its node.
  private mutating func replaceChecks(_ check: HealthCheck, _ change: ([Row<HealthCheck>]) -> [Row<HealthCheck>]) {
    if check.serviceID.isEmpty {
      guard let entry = nodeEntry(check.node) else { return }
      tables.nodes.put(NodeEntry(name: entry.name, node: entry.node, checks: change(entry.checks)), owner: owner)
    } else if let entry = serviceEntry(check.serviceID, node: check.node) {
      let changed = ServiceEntry(nodeName: entry.nodeName, service: entry.service, checks: change(entry.checks))
      tables.services.put(changed, owner: owner)
    }
  }
}
