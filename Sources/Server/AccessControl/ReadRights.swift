import AccessControl
import Model
import State

// What readers need for each query, and what they see of its answer. Every face gets its answers from where this is asked:
// on the server that carries the query out.

/// An answer, and whether some of it was left out.
public struct LimitedResult<Value: Sendable>: Sendable {
  public var result: QueryResult<Value>
  /// As far as the reader may know it.
  public var isFiltered = false
  /// Whether the answer tells where it comes from: what was refused by its looks comes from nowhere.
  public var tellsOrigin = true

  init(_ result: QueryResult<Value>, isFiltered: Bool = false, tellsOrigin: Bool = true) {
    self.result = result
    self.isFiltered = isFiltered
    self.tellsOrigin = tellsOrigin
  }
}

extension ReadQuery {
  public func permission(_ reader: Reader) -> Permission? { nil }

  /// The answer as the reader may see it.
  ///
  /// - Parameter reader: nil on servers without access control.
  /// - Throws: `ServerError.denied`, if there is no answer at all for them.
  public func answer(_ state: StateSnapshot, for reader: Reader?) throws(ServerError) -> LimitedResult<Reply> {
    guard let reader else { return LimitedResult(evaluate(state)) }
    if let permission = permission(reader) { try reader.require(permission) }
    return try evaluate(state, for: reader)
  }

  public func evaluate(_ state: StateSnapshot, for reader: Reader) throws(ServerError) -> LimitedResult<Reply> {
    var result = evaluate(state)
    if reader.isUnlimited { return LimitedResult(result) }
    let isFiltered = try limit(&result.value, to: reader)
    return LimitedResult(result, isFiltered: isFiltered && !reader.isAnonymous)
  }
}

/// A query that one right is enough for, whatever its answer is.
public protocol SingleRightQuery: ReadQuery {
  var right: Permission { get }
}

extension SingleRightQuery {
  public func permission(_ reader: Reader) -> Permission? { right }
  public func limit(_ reply: inout Reply, to reader: Reader) -> Bool { false }
}

// MARK: Parts of answers

/// Something that not everyone may see.
public protocol Guarded {
  func isVisible(to reader: Reader) -> Bool
}

/// An answer that shows each of its parts to those who may see it.
public protocol GuardedReply {
  /// Takes out what the reader may not see.
  /// - Returns: whether there was anything.
  mutating func limit(to reader: Reader) -> Bool
}

extension ReadQuery where Reply: GuardedReply {
  public func limit(_ reply: inout Reply, to reader: Reader) throws(ServerError) -> Bool { reply.limit(to: reader) }
}

extension Array: GuardedReply where Element: Guarded {
  public mutating func limit(to reader: Reader) -> Bool {
    let all = count
    removeAll { !$0.isVisible(to: reader) }
    return count < all
  }
}

extension Optional: GuardedReply where Wrapped: Guarded {
  public mutating func limit(to reader: Reader) -> Bool {
    guard let value = self, !value.isVisible(to: reader) else { return false }
    self = nil
    return true
  }
}

extension Row: Guarded where Value: Guarded {
  public func isVisible(to reader: Reader) -> Bool { value.isVisible(to: reader) }
}

extension KVEntry: Guarded {
  public func isVisible(to reader: Reader) -> Bool { reader.allows(.keyRead(key)) }
}

extension Node: Guarded {
  public func isVisible(to reader: Reader) -> Bool { reader.allows(.nodeRead(node)) }
}

extension NodeService: Guarded {
  public func isVisible(to reader: Reader) -> Bool { reader.allows(.serviceRead(service)) }
}

extension ServiceSummary: Guarded {
  public func isVisible(to reader: Reader) -> Bool { reader.allows(.serviceRead(name)) }
}

extension HealthCheck: Guarded {
  public func isVisible(to reader: Reader) -> Bool {
    reader.allows(.nodeRead(node)) && (serviceName.isEmpty || reader.allows(.serviceRead(serviceName)))
  }
}

extension ServiceInstance: Guarded {
  public func isVisible(to reader: Reader) -> Bool { node.isVisible(to: reader) && service.isVisible(to: reader) }
}

extension NodeCoordinate: Guarded {
  public func isVisible(to reader: Reader) -> Bool { reader.allows(.nodeRead(node)) }
}

extension Session: Guarded {
  public func isVisible(to reader: Reader) -> Bool { reader.allows(.sessionRead(node)) }
}

extension NodeDetails {
  fileprivate mutating func limit(to reader: Reader) -> Bool {
    let hidesServices = services.limit(to: reader)
    let hidesChecks = checks.limit(to: reader)
    return hidesServices || hidesChecks
  }
}

extension AddressOwners: GuardedReply {
  public mutating func limit(to reader: Reader) -> Bool {
    let hidesNode = node.limit(to: reader)
    let hidesServices = services.limit(to: reader)
    return hidesNode || hidesServices
  }
}

// MARK: Keys

extension KVGet {
  public func permission(_ reader: Reader) -> Permission? { .keyRead(key) }
  public func limit(_ reply: inout Row<KVEntry>?, to reader: Reader) -> Bool { false }
}

extension KVList {
  public func permission(_ reader: Reader) -> Permission? { reader.listsKeysByPolicy ? .keyList(prefix) : nil }
}

extension KVKeys {
  public func permission(_ reader: Reader) -> Permission? { reader.listsKeysByPolicy ? .keyList(prefix) : nil }

  public func limit(_ reply: inout [String], to reader: Reader) -> Bool {
    let all = reply.count
    reply.removeAll { !reader.allows(.keyRead($0)) }
    return reply.count < all
  }

  /// What is hidden must not show in cut names either.
  public func evaluate(_ state: StateSnapshot, for reader: Reader) -> LimitedResult<[String]> {
    if reader.isUnlimited { return LimitedResult(evaluate(state)) }
    var whole = KVKeys(prefix: prefix, separator: "").evaluate(state)
    let isFiltered = limit(&whole.value, to: reader)
    let cut = whole.map { KeyNames.cut($0, prefix: prefix, separator: separator) }
    return LimitedResult(cut, isFiltered: isFiltered && !reader.isAnonymous)
  }
}

// MARK: The catalog

extension CatalogServiceNodes {
  /// Who may not see a service may not learn what speaks for it, nor when that changes.
  public func evaluate(_ state: StateSnapshot, for reader: Reader) -> LimitedResult<[ServiceInstance]> {
    if connect, !reader.allows(.serviceRead(service)) { return LimitedResult(.immediate([]), tellsOrigin: false) }
    var result = evaluate(state)
    if reader.isUnlimited { return LimitedResult(result) }
    let isFiltered = result.value.limit(to: reader)
    return LimitedResult(result, isFiltered: isFiltered && !reader.isAnonymous)
  }
}

extension CatalogServiceList {
  public func limit(_ reply: inout [String], to reader: Reader) -> Bool {
    let all = reply.count
    reply.removeAll { !reader.allows(.serviceRead($0)) }
    return reply.count < all
  }
}

/// A node that may not be seen hides what is on it.
extension CatalogNodeServices {
  public func limit(_ reply: inout NodeServices?, to reader: Reader) -> Bool { reply.limitNode(to: reader) }
}

extension CatalogNodeServiceList {
  public func limit(_ reply: inout NodeServices?, to reader: Reader) -> Bool { reply.limitNode(to: reader) }
}

extension NodeServices? {
  fileprivate mutating func limitNode(to reader: Reader) -> Bool {
    guard let node = self?.node else { return false }
    if node.isVisible(to: reader) { return self?.services.limit(to: reader) ?? false }
    self = nil
    return true
  }
}

extension VirtualIPForService {
  public func permission(_ reader: Reader) -> Permission? { .serviceRead(service) }
  public func limit(_ reply: inout String?, to reader: Reader) -> Bool { false }
}

extension HealthServiceNodes {
  /// Who may not see a service may not learn what speaks for it.
  public func limit(_ reply: inout [ServiceInstance], to reader: Reader) throws(ServerError) -> Bool {
    if connect, !reader.allows(.serviceRead(service)) { throw .permissionDenied("") }
    return reply.limit(to: reader)
  }
}

extension NodeDetailsList {
  public func limit(_ reply: inout [NodeDetails], to reader: Reader) -> Bool {
    let all = reply.count
    reply.removeAll { !$0.node.isVisible(to: reader) }
    var isFiltered = reply.count < all
    for place in reply.indices where reply[place].limit(to: reader) { isFiltered = true }
    return isFiltered
  }
}

extension NodeDetailsQuery {
  public func limit(_ reply: inout NodeDetails?, to reader: Reader) -> Bool {
    guard let node = reply?.node else { return false }
    if node.isVisible(to: reader) { return reply?.limit(to: reader) ?? false }
    reply = nil
    return true
  }
}

// MARK: Prepared queries

extension PreparedQueryList {
  public func limit(_ reply: inout [Row<PreparedQuery>], to reader: Reader) -> Bool {
    let all = reply.count
    reply = reply.compactMap { query in
      // Those without a name are only found by those who may see everything, or know the id.
      let permission: Permission = query.value.hasName ? .queryRead(query.value.name) : .aclWrite
      return reader.allows(permission) ? query.redacted(for: reader) : nil
    }
    return reply.count < all
  }
}

extension PreparedQueryGet {
  public func limit(_ reply: inout Row<PreparedQuery>?, to reader: Reader) throws(ServerError) -> Bool {
    guard let query = reply else { return false }
    try query.value.requireReadable(by: reader)
    reply = query.redacted(for: reader)
    return false
  }
}

extension PreparedQueryExplain {
  public func limit(_ reply: inout Reply, to reader: Reader) throws(ServerError) -> Bool {
    guard case .success(let query) = reply else { return false }
    try query.requireReadable(by: reader)
    reply = .success(Row(query).redacted(for: reader).value)
    return false
  }
}

extension PreparedQuery {
  /// Whoever knows the id of a query without a name may read it.
  fileprivate func requireReadable(by reader: Reader) throws(ServerError) {
    if hasName, !reader.allows(.queryRead(name)) { throw .permissionDenied("") }
  }
}

extension Row<PreparedQuery> {
  /// The query with the token in it only for those who could read all tokens.
  fileprivate func redacted(for reader: Reader) -> Row<PreparedQuery> {
    if value.token.isEmpty || reader.allows(.aclWrite) { return self }
    var copy = value
    copy.token = PreparedQueryApply.hiddenToken
    return Row(copy)
  }
}

/// What is found may be seen with the query's own token; without one, with that of the request.
extension PreparedQueryExecute {
  public func evaluate(_ state: StateSnapshot, for reader: Reader) -> LimitedResult<Reply> {
    let result = evaluate(state, visibleTo: reader)
    let isFiltered = (try? result.value.get())?.isFiltered ?? false
    return LimitedResult(result, isFiltered: isFiltered && !reader.isAnonymous)
  }

  public func limit(_ reply: inout Reply, to reader: Reader) -> Bool { false }
}

extension PreparedQueryExecuteRemote {
  public func evaluate(_ state: StateSnapshot, for reader: Reader) -> LimitedResult<PreparedQueryResult> {
    let result = evaluate(state, visibleTo: reader)
    return LimitedResult(result, isFiltered: result.value.isFiltered && !reader.isAnonymous)
  }

  public func limit(_ reply: inout PreparedQueryResult, to reader: Reader) -> Bool { false }
}

// MARK: Transactions

extension TxnRead {
  public func evaluate(_ state: StateSnapshot, for reader: Reader) -> LimitedResult<TxnOutcome> {
    let result = evaluate(state, refusal: { reader.refusal(of: $0) })
    var limited = LimitedResult(result, tellsOrigin: result.value.wasTried)
    limited.isFiltered = limited.result.value.limit(to: reader) && !reader.isAnonymous
    return limited
  }

  public func limit(_ reply: inout TxnOutcome, to reader: Reader) -> Bool { reply.limit(to: reader) }
}

extension TxnOutcome {
  /// Takes results out that the reader may not see.
  mutating func limit(to reader: Reader) -> Bool {
    reader.isUnlimited ? false : response.results.limit(to: reader)
  }
}

extension TxnResult: Guarded {
  public func isVisible(to reader: Reader) -> Bool {
    if let kv { return kv.isVisible(to: reader) }
    if let node { return node.value.isVisible(to: reader) }
    if let service { return service.value.isVisible(to: reader) }
    return check?.value.isVisible(to: reader) ?? true
  }
}

// MARK: Access control

extension TokenRead {
  /// Whoever has a secret may read its own token.
  public var isOpen: Bool { if case .secret = name { true } else { false } }
  public func permission(_ reader: Reader) -> Permission? { .aclRead }

  public func limit(_ reply: inout Found?, to reader: Reader) -> Bool {
    if !reader.allows(.aclWrite) { reply?.token.hideSecret() }
    return false
  }
}

extension TokenList {
  public func permission(_ reader: Reader) -> Permission? { .aclRead }

  public func limit(_ reply: inout [ACLToken], to reader: Reader) -> Bool {
    if reader.allows(.aclWrite) { return false }
    for place in reply.indices { reply[place].hideSecret() }
    return false
  }
}

/// A token's own policies and roles need no right, all others are hidden.
extension PolicyResolve {
  public func evaluate(_ state: StateSnapshot, for reader: Reader) throws(ServerError) -> LimitedResult<[ACLPolicy]> {
    let own = try reader.ownToken(in: state)
    let roles = own.roles.compactMap { state.aclRole(id: $0.id).value }
    let known = Set((own.policies + roles.flatMap(\.policies)).map(\.id))
    return LimitedResult(evaluate(state).map { $0.filter { known.contains($0.id) } })
  }

  public func limit(_ reply: inout [ACLPolicy], to reader: Reader) -> Bool { false }
}

extension RoleResolve {
  public func evaluate(_ state: StateSnapshot, for reader: Reader) throws(ServerError) -> LimitedResult<[ACLRole]> {
    let known = Set(try reader.ownToken(in: state).roles.map(\.id))
    return LimitedResult(evaluate(state).map { $0.filter { known.contains($0.id) } })
  }

  public func limit(_ reply: inout [ACLRole], to reader: Reader) -> Bool { false }
}

extension Reader {
  fileprivate func ownToken(in state: StateSnapshot) throws(ServerError) -> ACLToken {
    let secret = isAnonymous ? ACLToken.anonymousSecret : Secret(token)
    guard let found = state.aclTokenRow(secret: secret)?.value else {
      if isAnonymous { return ACLToken() }
      throw .tokenNotFound
    }
    return found
  }
}

extension PolicyRead: SingleRightQuery { public var right: Permission { .aclRead } }
extension PolicyList: SingleRightQuery { public var right: Permission { .aclRead } }
extension RoleRead: SingleRightQuery { public var right: Permission { .aclRead } }
extension RoleList: SingleRightQuery { public var right: Permission { .aclRead } }

// MARK: Operators

extension UsageQuery: SingleRightQuery { public var right: Permission { .operatorRead } }
extension AutopilotGetConfiguration: SingleRightQuery { public var right: Permission { .operatorRead } }
