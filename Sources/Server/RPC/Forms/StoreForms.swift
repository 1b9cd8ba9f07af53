import Model
import State

// How keys, sessions and transactions travel.

extension KVGet {
  public var request: KeyRequest { KeyRequest(key) }
  public init(request: KeyRequest) { self.init(key: request.key) }
  public static func response(_ reply: Row<KVEntry>?) -> IndexedDirEntries {
    IndexedDirEntries(reply.map { [$0] } ?? [])
  }
  public static func reply(_ response: IndexedDirEntries) -> Row<KVEntry>? { response.entries.first }
}

extension KVList {
  public var request: KeyRequest { KeyRequest(prefix) }
  public init(request: KeyRequest) { self.init(prefix: request.key) }
  public static func response(_ reply: [Row<KVEntry>]) -> IndexedDirEntries { IndexedDirEntries(reply) }
  public static func reply(_ response: IndexedDirEntries) -> [Row<KVEntry>] { response.entries }
}

extension KeyRequest {
  fileprivate init(_ key: String) { self.key = key }
}

extension IndexedDirEntries {
  fileprivate init(_ entries: [Row<KVEntry>]) { self.entries = entries }
}

extension KVKeys {
  public var request: KeyListRequest {
    var request = KeyListRequest()
    request.prefix = prefix
    request.separator = separator
    return request
  }

  public init(request: KeyListRequest) { self.init(prefix: request.prefix, separator: request.separator) }

  public static func response(_ reply: [String]) -> IndexedKeyList {
    var response = IndexedKeyList()
    response.keys = reply
    return response
  }

  public static func reply(_ response: IndexedKeyList) -> [String] { response.keys }
}

extension KVApply {
  public var request: KVSRequest { KVSRequest(op: op, entry: entry) }

  public init(request: KVSRequest) throws(ServerError) {
    guard let op = KVOp(rawValue: request.op) else { throw .invalid("Invalid KVS operation \"\(request.op)\"") }
    self.init(op, request.dirEnt)
  }

  /// Only operations that can be refused tell whether they were (wire/rpc.md, section 9.1).
  public func response(_ reply: Bool) -> Bool { answersWithBool && reply }
  public func reply(_ response: Bool) -> Bool { answersWithBool ? response : true }
}

extension SessionGet {
  public var request: SessionSpecificRequest { SessionSpecificRequest(id: id) }
  public init(request: SessionSpecificRequest) { self.init(id: request.id) }
  public static func response(_ reply: Row<Session>?) -> IndexedSessions { IndexedSessions(reply.map { [$0] } ?? []) }
  public static func reply(_ response: IndexedSessions) -> Row<Session>? { response.sessions.first }
}

extension SessionList {
  public var request: SessionSpecificRequest { SessionSpecificRequest() }
  public init(request: SessionSpecificRequest) { self.init() }
  public static func response(_ reply: [Row<Session>]) -> IndexedSessions { IndexedSessions(reply) }
  public static func reply(_ response: IndexedSessions) -> [Row<Session>] { response.sessions }
}

extension NodeSessions {
  public var request: NodeSpecificRequest { NodeSpecificRequest(node: node) }
  public init(request: NodeSpecificRequest) { self.init(node: request.node) }
  public static func response(_ reply: [Row<Session>]) -> IndexedSessions { IndexedSessions(reply) }
  public static func reply(_ response: IndexedSessions) -> [Row<Session>] { response.sessions }
}

extension IndexedSessions {
  fileprivate init(_ sessions: [Row<Session>]) { self.sessions = sessions }
}

extension SessionCreate {
  public var request: SessionRequest {
    var request = SessionRequest()
    request.op = "create"
    request.session = session
    return request
  }

  public init(request: SessionRequest) { self.init(request.session) }
  public func response(_ reply: String) -> String { reply }
  public func reply(_ response: String) -> String { response }
}

extension SessionDestroy {
  public var request: SessionRequest {
    var request = SessionRequest()
    request.op = "destroy"
    request.session.id = id
    return request
  }

  public init(request: SessionRequest) { self.init(id: request.session.id) }
  public func response(_ reply: Bool) -> String { "" }
  public func reply(_ response: String) -> Bool { true }
}

extension SessionRenew {
  public var request: SessionSpecificRequest { SessionSpecificRequest(id: id) }
  public init(request: SessionSpecificRequest) { self.init(id: request.id) }

  public func response(_ reply: Row<Session>?) -> IndexedSessions {
    var response = IndexedSessions(reply.map { [$0] } ?? [])
    response.meta.index = max(reply?.value.modifyIndex ?? 0, 1)
    return response
  }

  public func reply(_ response: IndexedSessions) -> Row<Session>? { response.sessions.first }
}

extension TxnRead {
  public var request: TxnReadRequest {
    var request = TxnReadRequest()
    request.ops = ops
    return request
  }

  public init(request: TxnReadRequest) { self.init(request.ops) }

  public static func response(_ reply: TxnOutcome) -> TxnReadResponse {
    var response = TxnReadResponse()
    response.results = reply.response.results
    response.errors = reply.response.errors
    return response
  }

  public static func reply(_ response: TxnReadResponse) -> TxnOutcome {
    var found = TxnResponse(results: response.results)
    found.errors = response.errors
    return TxnOutcome(found)
  }
}

extension TxnApply {
  public var request: TxnRequest {
    var request = TxnRequest()
    request.ops = ops
    return request
  }

  public init(request: TxnRequest) { self.init(request.ops) }
  public func response(_ reply: TxnOutcome) -> TxnResponse { reply.response }
  public func reply(_ response: TxnResponse) -> TxnOutcome { TxnOutcome(response) }
}
