import AccessControl
import Model
import State

/// The look at a transaction before it is carried out: completes its operations and finds those that cannot or may not be.
struct TxnRules {
  let state: StateSnapshot
  let datacenter: String
  /// Why the token lacks a right, nil when it has it; nil for a token that may do everything.
  let refusal: (@Sendable (Permission) -> AccessRefusal?)?
  /// Nil for reads, which take no locks.
  var isLockDelayed: (@Sendable (String) -> Bool)?

  private(set) var errors: [TxnError] = []
  /// The names of the services that the operations so far put into the catalog, by node and id.
  private var names: [ServiceKey: String] = [:]

  private struct ServiceKey: Hashable {
    let node: String
    let id: String

    init(_ id: String, node: String) {
      self.node = node.lowercased()
      self.id = id.lowercased()
    }
  }

  init(
    state: StateSnapshot, datacenter: String, refusal: (@Sendable (Permission) -> AccessRefusal?)?,
    isLockDelayed: (@Sendable (String) -> Bool)? = nil
  ) {
    self.state = state
    self.datacenter = datacenter
    self.refusal = refusal
    self.isLockDelayed = isLockDelayed
  }

  mutating func apply(to ops: inout [TxnOp]) {
    for place in ops.indices {
      do throws(ServerError) {
        try apply(to: &ops[place])
      } catch {
        errors.append(TxnError(opIndex: place, what: error.description))
      }
    }
  }

  private mutating func apply(to op: inout TxnOp) throws(ServerError) {
    if let kv = op.kv {
      try apply(to: kv)
    } else if var node = op.node?.value {
      try apply(to: &node)
      op.node = Boxed(node)
    } else if var service = op.service?.value {
      try apply(to: &service)
      op.service = Boxed(service)
    } else if var check = op.check?.value {
      try apply(to: &check)
      op.check = Boxed(check)
    } else if let id = op.session?.value.session.id {
      if let node = state.session(id).value?.value.node { try require(.sessionWrite(node)) }
    }
  }

  private mutating func require(_ permission: Permission) throws(ServerError) {
    if let refusal = refusal?(permission) { throw .denied(refusal) }
  }

  // MARK: keys

  private mutating func apply(to op: TxnKVOp) throws(ServerError) {
    let key = op.dirEnt.key
    if key.isEmpty, op.verb != KVVerb.deleteTree.rawValue { throw .invalid("Must provide key") }
    let verb = KVVerb(rawValue: op.verb)
    switch verb {
    // What is read is filtered afterwards.
    case .get, .getOrEmpty, .getTree: break
    // These tell of a key by whether they fail.
    case .checkIndex, .checkSession: try require(.keyRead(key))
    case .deleteTree: try require(.keyWritePrefix(key))
    case .set, .cas, .lock, .unlock, .delete, .deleteCAS, .checkNotExists, nil: try require(.keyWrite(key))
    }
    if verb == nil { throw .invalid("unknown KV operation: \(op.verb)") }
    if verb == .lock, isLockDelayed?(key) ?? false {
      throw .invalid("failed to lock key \(key.goQuoted) due to lock delay")
    }
  }

  // MARK: the catalog

  private static func verb(_ text: String, of kind: String) throws(ServerError) -> CatalogVerb {
    guard let verb = CatalogVerb(rawValue: text) else { throw .invalid("unknown \(kind) operation: \(text)") }
    return verb
  }

  private mutating func apply(to op: inout TxnNodeOp) throws(ServerError) {
    if op.verb == CatalogVerb.get.rawValue { return }
    if op.node.node.isEmpty { throw .invalid("Must provide node") }
    try CatalogRules.checkNodeID(op.node.id)
    if op.node.datacenter.isEmpty { op.node.datacenter = datacenter }
    try require(.nodeWrite(op.node.node))
    let verb = try Self.verb(op.verb, of: "node")
    // Who gives a node another name takes the old one away.
    if verb == .set || verb == .cas, let renamed = state.node(id: op.node.id)?.value.node {
      try require(.nodeWrite(renamed))
    }
  }

  private mutating func apply(to op: inout TxnServiceOp) throws(ServerError) {
    if op.verb == CatalogVerb.get.rawValue { return }
    try CatalogRules.complete(&op.service)
    try require(.serviceWrite(op.service.service))
    if let stored = name(ofService: op.service.id, node: op.node) { try require(.serviceWrite(stored)) }
    let verb = try Self.verb(op.verb, of: "service")
    if verb == .set || verb == .cas { names[ServiceKey(op.service.id, node: op.node)] = op.service.service }
  }

  private mutating func apply(to op: inout TxnCheckOp) throws(ServerError) {
    if op.verb == CatalogVerb.get.rawValue { return }
    if op.check.checkID.isEmpty { op.check.checkID = op.check.name }
    let check = op.check
    let stored = state.check(check.checkID, node: check.node)?.value
    if let stored { try require(right(toWrite: stored)) }
    let verb = try Self.verb(op.verb, of: "check")
    // To remove a check it is enough to own it.
    if stored != nil, verb == .delete || verb == .deleteCAS { return }
    try require(right(toWrite: check))
  }

  /// A check belongs to its service, or else to its node. The request need not tell the truth about the service's name.
  private func right(toWrite check: HealthCheck) -> Permission {
    if check.serviceID.isEmpty { return .nodeWrite(check.node) }
    return .serviceWrite(name(ofService: check.serviceID, node: check.node) ?? check.serviceName)
  }

  private func name(ofService id: String, node: String) -> String? {
    names[ServiceKey(id, node: node)] ?? state.service(id, node: node)?.value.service
  }
}
