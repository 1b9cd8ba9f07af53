import Checks
import Model

/// The services and checks of one agent, and what the catalog is believed to know of them. A value: time is passed in as
/// monotonic nanoseconds.
struct LocalState: Sendable {
  /// By id, those that were removed but not yet reported included.
  private(set) var services: [String: LocalService] = [:]
  private(set) var checks: [String: LocalCheck] = [:]
  var node: OwnNode
  /// The catalog is believed to know `node`.
  var isNodeInSync = false
  /// Ids of checks by the service they belong to, "" for the node.
  private var checkIDs: [String: Set<String>] = [:]
  private var changes = Changes()
  private var lastRevision: UInt64 = 0

  /// What happened since somebody last asked.
  struct Changes: Sendable, Equatable {
    /// Services whose registration or health changed; "" stands for the checks of the node.
    var services: Set<String> = []
    /// Whether the catalog has to hear of something.
    var needsSync = false
  }

  init(node: OwnNode) { self.node = node }

  // MARK: What is there

  func service(_ id: String) -> LocalService? {
    guard let entry = services[id], !entry.sync.isDeleted else { return nil }
    return entry
  }

  func check(_ id: String) -> LocalCheck? {
    guard let entry = checks[id], !entry.sync.isDeleted else { return nil }
    return entry
  }

  /// In the byte order of their ids.
  var presentServices: [LocalService] {
    services.values.filter { !$0.sync.isDeleted }.sorted { bytewiseLess($0.service.id, $1.service.id) }
  }

  var presentChecks: [LocalCheck] {
    checks.values.filter { !$0.sync.isDeleted }.sorted { bytewiseLess($0.check.checkID, $1.check.checkID) }
  }

  /// "" for those of the node.
  func checks(of serviceID: String) -> [LocalCheck] {
    (checkIDs[serviceID] ?? []).compactMap { check($0) }.sorted { bytewiseLess($0.check.checkID, $1.check.checkID) }
  }

  /// A service with its checks and those of the node.
  func health(of serviceID: String) -> ServiceHealth? {
    guard let entry = service(serviceID) else { return nil }
    return ServiceHealth(service: entry.service, checks: checksAffecting(serviceID))
  }

  func checksAffecting(_ serviceID: String) -> [HealthCheck] {
    let own = serviceID.isEmpty ? [] : checks(of: serviceID)
    return (own + checks(of: "")).map(\.check)
  }

  // MARK: Changes

  /// What happened since the last call.
  mutating func takeChanges() -> Changes {
    defer { changes = Changes() }
    return changes
  }

  /// Grows with every change of a service or check.
  var version: UInt64 { lastRevision }

  /// Whether the health of a native mesh service waits to be sent whose address in the mesh is not known yet.
  var hasNativeNews: Bool {
    services.values.contains { entry in
      entry.sync.isSettled && entry.service.connect.value.native
        && entry.service.taggedAddresses[Self.virtualAddress] == nil
        && checks(of: entry.service.id).contains { !$0.sync.isInSync }
    }
  }

  private mutating func nextRevision() -> UInt64 {
    lastRevision &+= 1
    return lastRevision
  }

  private mutating func store(_ entry: LocalCheck) {
    let id = entry.check.checkID
    if let old = checks[id], old.check.serviceID != entry.check.serviceID {
      checkIDs[old.check.serviceID]?.remove(id)
      changes.services.insert(old.check.serviceID)
    }
    checks[id] = entry
    checkIDs[entry.check.serviceID, default: []].insert(id)
    changes.services.insert(entry.check.serviceID)
    if !entry.sync.isSettled { changes.needsSync = true }
  }

  private mutating func store(_ entry: LocalService) {
    services[entry.service.id] = entry
    changes.services.insert(entry.service.id)
    if !entry.sync.isSettled { changes.needsSync = true }
  }

  /// Adds or replaces a service. One that comes back as the catalog knows it causes no write.
  mutating func put(
    _ service: NodeService, token: String, origin: CheckOrigin, managedProxy: ManagedProxy? = nil
  ) {
    var service = service
    let old = services[service.id]
    if let old, old.service.service == service.service, old.service.port == service.port {
      service.adoptVirtualAddress(from: old.service)
    }
    var entry = LocalService(service: service, token: token, origin: origin, managedProxy: managedProxy)
    entry.contentHash = ContentHash.of(service)
    entry.sync.isInSync = old.map { $0.sync.isInSync && $0.service == service && $0.token == token } ?? false
    entry.sync.revision = nextRevision()
    store(entry)
    followService(service.id)
  }

  /// Checks show the name and tags of their service.
  private mutating func followService(_ id: String) {
    guard let service = service(id)?.service else { return }
    for var entry in checks(of: id)
    where entry.check.serviceTags != service.tags || entry.check.serviceName != service.service {
      entry.check.serviceTags = service.tags
      entry.check.serviceName = service.service
      entry.sync.isInSync = false
      entry.sync.revision = nextRevision()
      store(entry)
    }
  }

  /// Adds or replaces a check. The name and tags of its service are filled in.
  ///
  /// - Throws: `noSuchService` when it belongs to a service that is not there.
  mutating func put(
    _ check: HealthCheck, definition: CheckType?, token: String, origin: CheckOrigin, now: UInt64
  ) throws(LocalAgentError) {
    var check = check
    if !check.serviceID.isEmpty {
      guard let service = service(check.serviceID) else { throw .noSuchService(id: check.serviceID) }
      check.serviceName = service.service.service
      check.serviceTags = service.service.tags
    }
    var entry = LocalCheck(check: check, definition: definition, token: token, origin: origin)
    let old = checks[check.checkID]
    if check.status == CheckStatus.critical.rawValue { entry.criticalSince = old?.criticalSince ?? now }
    entry.sync.isInSync = old.map { $0.sync.isInSync && $0.check == check && $0.token == token } ?? false
    entry.sync.revision = nextRevision()
    store(entry)
  }

  /// Removes a service with its checks, whose ids are returned. Nothing happens when it is not there.
  @discardableResult
  mutating func removeService(_ id: String) -> [String] {
    guard var entry = service(id) else { return [] }
    let removed = checks(of: id).map(\.check.checkID)
    for id in removed { removeCheck(id) }
    entry.sync.isDeleted = true
    entry.sync.revision = nextRevision()
    store(entry)
    return removed
  }

  mutating func removeCheck(_ id: String) {
    guard var entry = check(id) else { return }
    entry.sync.isDeleted = true
    entry.sync.revision = nextRevision()
    entry.outputDue = nil
    store(entry)
  }

  /// What a new result of a check means.
  enum CheckChange: Sendable, Equatable {
    case none
    /// The output alone changed; the catalog gets it later.
    case deferred
    case changed
  }

  /// Takes a result.
  ///
  /// - Parameter outputDelay: how long the catalog may wait for a change of the output alone, in nanoseconds; zero does
  ///   not wait.
  @discardableResult
  mutating func update(
    check id: String, status: CheckStatus, output: String, now: UInt64, outputDelay: UInt64
  ) -> CheckChange {
    guard var entry = check(id) else { return .none }
    let sameStatus = entry.check.status == status.rawValue
    if sameStatus, entry.check.output == output { return .none }
    entry.check.status = status.rawValue
    entry.check.output = output
    entry.criticalSince = status == .critical ? entry.criticalSince ?? now : nil
    entry.sync.revision = nextRevision()
    // What was never sent goes along with the first registration anyway.
    let waits = sameStatus && outputDelay > 0 && entry.sync.isInSync
    if waits {
      entry.outputDue = entry.outputDue ?? now.addingReportingOverflow(outputDelay).partialValue
    } else {
      entry.outputDue = nil
      entry.sync.isInSync = false
    }
    store(entry)
    return waits ? .deferred : .changed
  }

  /// Lets the outputs go that waited long enough.
  mutating func releaseOutputs(now: UInt64) {
    for var entry in checks.values {
      guard let due = entry.outputDue, due <= now else { continue }
      entry.outputDue = nil
      entry.sync.isInSync = false
      store(entry)
    }
  }

  /// Under which port a proxy makes a check reachable, and what runs therefore.
  mutating func expose(check id: String, port: Int, definition: CheckType) {
    guard var entry = check(id) else { return }
    entry.check.exposedPort = port
    entry.definition = definition
    entry.sync.isInSync = false
    entry.sync.revision = nextRevision()
    store(entry)
  }

  // MARK: What reconciliation does to single entries (LocalState+Sync)

  mutating func withService(_ id: String, _ body: (inout LocalService) -> Void) {
    guard let old = services[id] else { return }
    var entry = old
    body(&entry)
    guard entry != old else { return }
    if entry.service != old.service {
      entry.contentHash = ContentHash.of(entry.service)
      store(entry)
      followService(id)
    } else {
      services[id] = entry
      if !entry.sync.isSettled { changes.needsSync = true }
    }
  }

  mutating func withCheck(_ id: String, _ body: (inout LocalCheck) -> Void) {
    guard var entry = checks[id] else { return }
    body(&entry)
    checks[id] = entry
    if !entry.sync.isSettled { changes.needsSync = true }
  }

  mutating func forgetService(_ id: String) { services[id] = nil }

  mutating func forgetCheck(_ id: String) {
    guard let entry = checks.removeValue(forKey: id) else { return }
    checkIDs[entry.check.serviceID]?.remove(id)
    if checkIDs[entry.check.serviceID]?.isEmpty == true { checkIDs[entry.check.serviceID] = nil }
  }

  /// Takes a row of the catalog that this agent does not know for one that was removed here, so that the catalog loses it.
  mutating func disown(_ row: NodeService) {
    var entry = LocalService(service: row, token: "", origin: .api)
    entry.sync = SyncMark(isInSync: true, isDeleted: true, revision: nextRevision())
    store(entry)
  }

  mutating func disown(_ row: HealthCheck, token: String = "") {
    var entry = LocalCheck(check: row, definition: nil, token: token, origin: .api)
    entry.sync = SyncMark(isInSync: true, isDeleted: true, revision: nextRevision())
    store(entry)
  }
}
