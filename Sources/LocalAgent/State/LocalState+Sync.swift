import Model

/// A write that makes the catalog agree with the agent.
enum SyncAction: Sendable, Equatable {
  case updateNode
  /// With the checks of the service that the catalog lacks and that carry the same token.
  case registerService(id: String, checks: [String])
  case registerCheck(id: String)
  /// Takes the checks of the service along.
  case deregisterService(id: String)
  case deregisterCheck(id: String)
}

/// What the catalog says about the agent's node.
struct CatalogView: Sendable, Equatable {
  /// Nil when the catalog does not know the node.
  var node: Node?
  var services: [NodeService] = []
  var checks: [HealthCheck] = []
}

extension LocalState {
  /// The service under which servers announce themselves. Its rows belong to the leader.
  static let serversService = "consul"
  /// The tagged address of a service within the mesh, which servers assign.
  static let virtualAddress = "consul-virtual"

  /// Compares with the whole of what the catalog knows: marks what agrees and what does not, takes over what the catalog
  /// decides, and disowns what this agent never registered.
  ///
  /// - Parameter adoptsVirtualAddresses: whether services learn their addresses in the mesh now.
  mutating func reconcile(with catalog: CatalogView, adoptsVirtualAddresses: Bool) {
    isNodeInSync = catalog.node.map { node.agrees(with: $0) } ?? false
    reconcileServices(catalog.services, adoptsVirtualAddresses: adoptsVirtualAddresses)
    reconcileChecks(catalog.checks)
  }

  private mutating func reconcileServices(_ rows: [NodeService], adoptsVirtualAddresses: Bool) {
    let known = Set(rows.map(\.id))
    for (id, entry) in services where !known.contains(id) {
      if entry.sync.isDeleted { forgetService(id) } else { withService(id) { $0.sync.isInSync = false } }
    }
    for row in rows where row.id != Self.serversService || services[row.id] != nil {
      guard let entry = services[row.id] else {
        disown(row)
        continue
      }
      if entry.sync.isDeleted { continue }
      withService(row.id) { entry in
        if entry.service.enableTagOverride { entry.service.tags = row.tags }
        if adoptsVirtualAddresses { entry.service.adoptVirtualAddress(from: row) }
        entry.sync.isInSync = entry.service.agrees(with: row)
      }
    }
  }

  private mutating func reconcileChecks(_ rows: [HealthCheck]) {
    let known = Set(rows.map(\.checkID))
    for (id, entry) in checks where !known.contains(id) {
      if entry.sync.isDeleted { forgetCheck(id) } else { withCheck(id) { $0.sync.isInSync = false } }
    }
    for row in rows where row.checkID != CheckID.serfHealth || checks[row.checkID] != nil {
      guard let entry = checks[row.checkID] else {
        disown(row)
        continue
      }
      if entry.sync.isDeleted {
        // The catalog may know it as the check of another service, whose removal would not take it along.
        if entry.check.serviceID != row.serviceID { disown(row, token: entry.token) }
        continue
      }
      withCheck(row.checkID) { entry in
        entry.sync.isInSync = entry.check.agrees(with: row, outputWaits: entry.outputDue != nil)
      }
    }
  }

  /// Learns the mesh addresses of services that the catalog already holds, without looking at anything else.
  mutating func adoptVirtualAddresses(from rows: [NodeService]) {
    for row in rows where service(row.id) != nil {
      withService(row.id) { $0.service.adoptVirtualAddress(from: row) }
    }
  }

  /// The writes that are missing, in an order in which they can be carried out: the node, services, then checks on their
  /// own; removals of checks before services come back. What changed first comes first.
  func pendingActions() -> [SyncAction] {
    var actions: [SyncAction] = isNodeInSync ? [] : [.updateNode]
    var covered: Set<String> = []
    for (id, entry) in services.filter({ !$0.value.sync.isSettled })
      .sorted(by: { $0.value.sync.revision < $1.value.sync.revision })
    {
      if entry.sync.isDeleted {
        actions.append(.deregisterService(id: id))
        continue
      }
      let along = checks(of: id).filter { !$0.sync.isInSync && $0.token == entry.token }.map(\.check.checkID)
      covered.formUnion(along)
      actions.append(.registerService(id: id, checks: along))
    }
    for (id, entry) in checks.filter({ !$0.value.sync.isSettled && !covered.contains($0.key) })
      .sorted(by: { $0.value.sync.revision < $1.value.sync.revision })
    {
      if !entry.sync.isDeleted {
        actions.append(.registerCheck(id: id))
      } else if services[entry.check.serviceID]?.sync.isDeleted != true {
        actions.append(.deregisterCheck(id: id))
      }
    }
    return actions
  }

  /// The revisions that `action` was made from, to be handed to `completed`.
  func revisions(of action: SyncAction) -> [String: UInt64] {
    switch action {
    case .updateNode: [:]
    case .registerService(let id, let checks):
      Dictionary(uniqueKeysWithValues: checks.map { ("check:\($0)", self.checks[$0]?.sync.revision ?? 0) })
        .merging(["service:\(id)": services[id]?.sync.revision ?? 0]) { $1 }
    case .deregisterService(let id): ["service:\(id)": services[id]?.sync.revision ?? 0]
    case .registerCheck(let id), .deregisterCheck(let id): ["check:\(id)": checks[id]?.sync.revision ?? 0]
    }
  }

  /// Notes that the catalog carried out `action`, or refused it for lack of rights, which the next whole comparison finds
  /// out again. What changed in the meantime stays to be done.
  mutating func completed(_ action: SyncAction, revisions: [String: UInt64]) {
    func isUnchanged(service id: String) -> Bool { services[id]?.sync.revision == revisions["service:\(id)"] }
    func isUnchanged(check id: String) -> Bool { checks[id]?.sync.revision == revisions["check:\(id)"] }
    switch action {
    case .updateNode: isNodeInSync = true
    case .registerService(let id, let checkIDs):
      if isUnchanged(service: id) { withService(id) { $0.sync.isInSync = true } }
      for id in checkIDs where isUnchanged(check: id) { settleCheck(id) }
    case .registerCheck(let id):
      if isUnchanged(check: id) { settleCheck(id) }
    case .deregisterService(let id):
      guard let entry = services[id] else { return }
      if isUnchanged(service: id), entry.sync.isDeleted {
        forgetService(id)
      } else {
        withService(id) { $0.sync.isInSync = false }
      }
      // The catalog dropped the checks along with their service.
      for (checkID, check) in checks where check.check.serviceID == id {
        if check.sync.isDeleted { forgetCheck(checkID) } else { withCheck(checkID) { $0.sync.isInSync = false } }
      }
    case .deregisterCheck(let id):
      guard let entry = checks[id] else { return }
      if isUnchanged(check: id), entry.sync.isDeleted {
        forgetCheck(id)
      } else {
        withCheck(id) { $0.sync.isInSync = false }
      }
    }
  }

  private mutating func settleCheck(_ id: String) {
    withCheck(id) { entry in
      entry.sync.isInSync = true
      entry.outputDue = nil
    }
  }
}

extension OwnNode {
  /// Whether the catalog's row says the same of the node.
  func agrees(with row: Node) -> Bool {
    row.id == id && row.address == address && row.taggedAddresses == taggedAddresses && row.meta == meta
      && row.locality == locality
  }
}

extension NodeService {
  /// Whether the catalog's row says the same of the service. The catalog's own fields and what only the agent needs do not
  /// count.
  func agrees(with row: NodeService) -> Bool { comparable == row.comparable }

  private var comparable: NodeService {
    var copy = self
    copy.taggedAddresses[LocalState.virtualAddress] = nil
    copy.weights = weights ?? Weights()
    copy.locallyRegisteredAsSidecar = false
    copy.peerName = ""
    copy.createIndex = 0
    copy.modifyIndex = 0
    return copy
  }

  mutating func adoptVirtualAddress(from row: NodeService) {
    if let address = row.taggedAddresses[LocalState.virtualAddress] {
      taggedAddresses[LocalState.virtualAddress] = address
    }
  }
}

extension HealthCheck {
  /// Whether the catalog's row says the same of the check.
  ///
  /// - Parameter outputWaits: the output is allowed to differ for now.
  func agrees(with row: HealthCheck, outputWaits: Bool) -> Bool {
    var own = self
    var other = row
    if outputWaits { own.output = other.output }
    for path in [\HealthCheck.createIndex, \HealthCheck.modifyIndex] {
      own[keyPath: path] = 0
      other[keyPath: path] = 0
    }
    own.peerName = ""
    other.peerName = ""
    return own == other
  }
}
