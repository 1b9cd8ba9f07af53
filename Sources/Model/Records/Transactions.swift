/// Operations of which either all or none take effect.
public struct TxnRequest: Record {
  public var datacenter = ""
  public var ops: [TxnOp] = []
  public var token = ""

  public init() {}

  public static let schema = Schema<TxnRequest>("structs.TxnRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("Ops", \.ops)
    $0.field("Token", \.token)
  }
}

/// One operation of a transaction: the first of these that is there.
public struct TxnOp: Record {
  public var kv: TxnKVOp?
  public var node: Boxed<TxnNodeOp>?
  public var service: Boxed<TxnServiceOp>?
  public var check: Boxed<TxnCheckOp>?
  public var session: Boxed<TxnSessionOp>?
  /// Of old releases; only the place on the wire is left.
  public var intention = Dynamic.null

  public init() {}

  public static let schema = Schema<TxnOp>("structs.TxnOp") {
    $0.field("KV", \.kv)
    $0.field("Node", \.node)
    $0.field("Service", \.service)
    $0.field("Check", \.check)
    $0.field("Session", \.session)
    $0.field("Intention", \.intention)
  }

  /// Whether the operation has to go through the log. Verbs of keys that are not known change nothing.
  public var isWrite: Bool {
    if let kv { return KVVerb(rawValue: kv.verb)?.isWrite ?? false }
    if let node { return node.value.verb != CatalogVerb.get.rawValue }
    if let service { return service.value.verb != CatalogVerb.get.rawValue }
    if let check { return check.value.verb != CatalogVerb.get.rawValue }
    return session != nil
  }
}

/// What a transaction does with a key.
public enum KVVerb: String, Sendable, CaseIterable {
  case set, cas, lock, unlock, delete, get
  case deleteCAS = "delete-cas"
  case deleteTree = "delete-tree"
  case getOrEmpty = "get-or-empty"
  case getTree = "get-tree"
  case checkIndex = "check-index"
  case checkSession = "check-session"
  case checkNotExists = "check-not-exists"

  public var isWrite: Bool {
    switch self {
    case .set, .cas, .lock, .unlock, .delete, .deleteCAS, .deleteTree: true
    case .get, .getOrEmpty, .getTree, .checkIndex, .checkSession, .checkNotExists: false
    }
  }
}

/// What a transaction does with a node, a service or a check.
public enum CatalogVerb: String, Sendable, CaseIterable {
  case get, set, cas, delete
  case deleteCAS = "delete-cas"
}

public struct TxnKVOp: Record {
  public var verb = ""
  /// The key; `modifyIndex` is what `cas`, `delete-cas` and `check-index` compare.
  public var dirEnt = KVEntry()

  public init() {}
  public init(_ verb: KVVerb, _ entry: KVEntry) {
    self.verb = verb.rawValue
    dirEnt = entry
  }

  public static let schema = Schema<TxnKVOp>("structs.TxnKVOp") {
    $0.field("Verb", \.verb)
    $0.field("DirEnt", \.dirEnt)
  }
}

public struct TxnNodeOp: Record {
  public var verb = ""
  public var node = Node()

  public init() {}
  public init(_ verb: CatalogVerb, _ node: Node) {
    self.verb = verb.rawValue
    self.node = node
  }

  public static let schema = Schema<TxnNodeOp>("structs.TxnNodeOp") {
    $0.field("Verb", \.verb)
    $0.field("Node", \.node)
  }
}

public struct TxnServiceOp: Record {
  public var verb = ""
  /// The name of the node that the instance is on.
  public var node = ""
  public var service = NodeService()

  public init() {}
  public init(_ verb: CatalogVerb, node: String, _ service: NodeService) {
    self.verb = verb.rawValue
    self.node = node
    self.service = service
  }

  public static let schema = Schema<TxnServiceOp>("structs.TxnServiceOp") {
    $0.field("Verb", \.verb)
    $0.field("Node", \.node)
    $0.field("Service", \.service)
  }
}

public struct TxnCheckOp: Record {
  public var verb = ""
  public var check = HealthCheck()

  public init() {}
  public init(_ verb: CatalogVerb, _ check: HealthCheck) {
    self.verb = verb.rawValue
    self.check = check
  }

  public static let schema = Schema<TxnCheckOp>("structs.TxnCheckOp") {
    $0.field("Verb", \.verb)
    $0.field("Check", \.check)
  }
}

/// `delete` is the only verb of sessions.
public struct TxnSessionOp: Record {
  public var verb = ""
  public var session = Session()

  public init() {}

  public static let schema = Schema<TxnSessionOp>("structs.TxnSessionOp") {
    $0.field("Verb", \.verb)
    $0.field("Session", \.session)
  }
}

/// What became of a transaction: its results, or why it was rolled back.
public struct TxnResponse: Record {
  /// In the order of the operations. Not all have one, and some have several.
  public var results: [TxnResult] = []
  /// The operations that failed; nothing has changed then.
  public var errors: [TxnError] = []

  public init() {}
  public init(results: [TxnResult]) { self.results = results }
  public init(errors: [TxnError]) { self.errors = errors }

  public static let schema = Schema<TxnResponse>("structs.TxnResponse") {
    $0.field("Results", \.results)
    $0.field("Errors", \.errors)
  }
}

/// What an operation found or left behind: one of these.
public struct TxnResult: Record {
  public var kv: KVEntry?
  public var node: Boxed<Node>?
  public var service: Boxed<NodeService>?
  public var check: Boxed<HealthCheck>?

  public init() {}
  public init(_ entry: KVEntry) { kv = entry }
  public init(_ node: Node) { self.node = Boxed(node) }
  public init(_ service: NodeService) { self.service = Boxed(service) }
  public init(_ check: HealthCheck) { self.check = Boxed(check) }

  /// Unlike the catalog's own answers, these show empty lists as null.
  public static let schema = Schema<TxnResult>("structs.TxnResult") {
    $0.field("KV", \.kv, .omitEmpty)
    $0.field("Node", \.node, .omitEmpty)
    $0.field("Service", \.service, [.omitEmpty, .nullLists])
    $0.field("Check", \.check, [.omitEmpty, .nullLists])
  }
}

/// Why an operation failed.
public struct TxnError: Record {
  /// The place of the operation in the transaction, from 0.
  public var opIndex = 0
  public var what = ""

  public init() {}
  public init(opIndex: Int, what: String) {
    self.opIndex = opIndex
    self.what = what
  }

  public static let schema = Schema<TxnError>("structs.TxnError") {
    $0.field("OpIndex", \.opIndex)
    $0.field("What", \.what)
  }
}
