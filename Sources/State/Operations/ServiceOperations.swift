import Model

extension StateTransaction {
  func serviceEntry(_ id: String, node: String) -> ServiceEntry? { tables.services[.of(node, id)] }

  /// Stores an instance on a node that exists, unless it is equal to what is stored.
  mutating func put(_ service: NodeService, node: String) {
    var service = service
    // Facts of the agent that made the registration, not of the catalog.
    service.locallyRegisteredAsSidecar = false
    assignVirtualAddress(to: &service)
    if let old = serviceEntry(service.id, node: node)?.service.value {
      service.createIndex = old.createIndex
      service.modifyIndex = old.modifyIndex
      if service == old { return }
    } else {
      service.createIndex = index
    }
    service.modifyIndex = index
    store(service, node: node)
  }

  /// Stores an instance as it is, with its indexes.
  mutating func store(_ service: NodeService, node: String) {
    let node = node.folded
    let old = serviceEntry(service.id, node: node)
    let entry = ServiceEntry(nodeName: node, service: Row(service), checks: old?.checks ?? [])
    tables.services.put(entry, owner: owner)
    if let old { forgetNames(old, replacedBy: entry) }
    addKindNames(entry)
    touchService(entry)
    touchNode(node)
  }

  mutating func removeService(_ id: String, node: String) {
    guard let entry = serviceEntry(id, node: node) else { return }
    for check in entry.checks { removeCheck(check.value.checkID, node: node) }
    tables.services.remove(.of(node, id), owner: owner)
    raise(IndexName.checks)
    raise(IndexName.localChecks)
    touchService(entry)
    touchNode(entry.nodeName)
    forgetNames(entry, replacedBy: nil)
  }

  private mutating func touchService(_ entry: ServiceEntry) {
    let service = entry.service.value
    raise(IndexName.services)
    raise(IndexName.localServices)
    raise(IndexName.service(service.service.folded))
    touchKind(service.kind)
    touch(.services)
    touch(.instances(service.service.folded))
    if let destination = entry.connectDestination { touch(.connect(destination.folded)) }
  }

  /// Settles what an instance that is gone, or has become `new`, was the last one of: its name, and its kind under a name.
  private mutating func forgetNames(_ old: ServiceEntry, replacedBy new: ServiceEntry?) {
    let name = old.service.value.service.folded
    if new?.service.value.service.folded != name {
      touch(.instances(name))
      if tables.services.index(Schemas.ServiceIndex.name).identity(prefix: .of(name, closed: true)) == nil {
        removeIndex(IndexName.service(name))
        raise(IndexName.serviceExtinction)
      } else {
        raise(IndexName.service(name))
      }
    }
    if let destination = old.connectDestination, destination != new?.connectDestination {
      touch(.connect(destination.folded))
      releaseVirtualAddress(of: destination)
    }
    let kept = new.map { $0.kindNames.map { Key.of($0.kind, $0.name) } } ?? []
    for kindName in old.kindNames where !kept.contains(.of(kindName.kind, kindName.name)) { forget(kindName) }
  }

  private mutating func addKindNames(_ entry: ServiceEntry) {
    for kindName in entry.kindNames where tables.kindNames[.of(kindName.kind, kindName.name)] == nil {
      tables.kindNames.put(kindName, owner: owner)
      raise(IndexName.kindNames(kindName.kind))
    }
  }

  private mutating func forget(_ kindName: KindName) {
    let isConnect = kindName.kind == KindOf.connectEnabled
    let place = isConnect ? Schemas.ServiceIndex.connect : Schemas.ServiceIndex.name
    let instances = tables.services.index(place).values(prefix: .of(kindName.name, closed: true))
    if instances.contains(where: { isConnect || KindOf.name($0.service.value.kind) == kindName.kind }) { return }
    if tables.kindNames.remove(.of(kindName.kind, kindName.name), owner: owner) != nil {
      raise(IndexName.kindNames(kindName.kind))
    }
  }
}

extension ServiceEntry {
  /// Under which kinds this instance makes which names known.
  var kindNames: [KindName] {
    let own = KindName(kind: KindOf.name(service.value.kind), name: service.value.service)
    guard let destination = connectDestination else { return [own] }
    return [own, KindName(kind: KindOf.connectEnabled, name: destination)]
  }
}
