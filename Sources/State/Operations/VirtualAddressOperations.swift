import Model

/// The tag under which an instance's addresses name the one that its service has in the mesh.
private let virtualTag = "consul-virtual"

extension StateTransaction {
  /// Gives an instance in the mesh the virtual address of its service.
  mutating func assignVirtualAddress(to service: inout NodeService) {
    guard let destination = service.connectDestination, !destination.isEmpty,
      let address = virtualAddress(of: destination)
    else { return }
    var tagged = ServiceAddress()
    tagged.address = address
    tagged.port = service.port
    service.taggedAddresses[virtualTag] = tagged
  }

  /// The address of a service, which gets one now if it has none: a free one, else the next.
  ///
  /// - Returns: nil when all addresses are taken.
  @discardableResult mutating func virtualAddress(of name: String) -> String? {
    let key = Key.of("", name)
    if let row = tables.virtualIPs[key] { return VirtualAddressOffset(row.value.ip)?.address }
    guard let offset = takeOffset() else { return nil }
    var row = ServiceVirtualIP()
    row.service = PeeredServiceName(name)
    row.ip = offset.mapped
    row.createIndex = index
    row.modifyIndex = index
    restore(row)
    return offset.address
  }

  private mutating func takeOffset() -> VirtualAddressOffset? {
    let free = tables.freeVirtualIPs
    if let given = free.rows.values(prefix: Schemas.returnedAddress).first(where: { _ in true }) {
      tables.freeVirtualIPs.remove(Schemas.freeVirtualIPs.primary(given), owner: owner)
      return VirtualAddressOffset(given.value.ip)
    }
    let highest = free.rows.values(prefix: Schemas.addressCounter).first { _ in true }
    let offset = highest.flatMap { VirtualAddressOffset($0.value.ip) }.map(\.next) ?? VirtualAddressOffset(1)
    guard let offset else { return nil }
    if let highest { tables.freeVirtualIPs.remove(Schemas.freeVirtualIPs.primary(highest), owner: owner) }
    var counter = FreeVirtualIP()
    counter.ip = offset.mapped
    counter.isCounter = true
    restore(counter)
    return offset
  }

  /// Takes the address of a service back when its last instance in the mesh, and the last config entry that says how it is
  /// reached there, have gone.
  mutating func releaseVirtualAddress(of name: String) {
    let instances = tables.services.index(Schemas.ServiceIndex.connect)
    guard instances.identity(prefix: .of(name, closed: true)) == nil,
      !ConfigEntryKind.allCases.contains(where: { $0.makesReachable && tables.configEntry($0, name) != nil }),
      let row = tables.virtualIPs.remove(.of("", name), owner: owner)
    else { return }
    raise(IndexName.virtualIPs)
    var free = FreeVirtualIP()
    free.ip = row.value.ip
    restore(free)
  }

  /// Stores an assignment as it is.
  mutating func restore(_ row: ServiceVirtualIP) {
    var row = row
    row.service = row.service.normalized
    raise(IndexName.virtualIPs, to: row.modifyIndex)
    tables.virtualIPs.put(Row(row), owner: owner)
  }

  mutating func restore(_ row: FreeVirtualIP) { tables.freeVirtualIPs.put(Row(row), owner: owner) }
}

extension ConfigEntryKind {
  /// Whether such an entry makes a service part of the mesh, with or without instances.
  var makesReachable: Bool {
    switch self {
    case .serviceDefaults, .serviceRouter, .serviceSplitter, .serviceResolver: true
    default: false
    }
  }
}

extension StateSnapshot {
  /// The virtual addresses of a local service: the one that was assigned, and those that users gave it.
  public func virtualAddresses(of service: String) -> QueryResult<(assigned: String, manual: [String])?> {
    let row = tables.virtualIPs[.of("", service)]
    return QueryResult(
      index: tables.index(of: IndexName.virtualIPs),
      value: row.flatMap { row in
        VirtualAddressOffset(row.value.ip).map { (assigned: $0.address, manual: row.value.manualIPs) }
      }, watch: [.index(IndexName.virtualIPs)])
  }

  /// The virtual address of a local service, if it has one.
  public func virtualAddress(of service: String) -> QueryResult<String?> {
    let row = tables.virtualIPs[.of("", service)]
    return QueryResult(
      index: tables.index(of: IndexName.virtualIPs),
      value: row.flatMap { VirtualAddressOffset($0.value.ip)?.address }, watch: [.index(IndexName.virtualIPs)])
  }
}
