import AccessControl
import Model
import State

// What each query asks of its reader, beyond the parts of its answer that they may see (`ReadRights.swift`).

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
  public func tellsOrigin(_ reply: TxnOutcome) -> Bool { reply.wasTried }

  public func evaluate(_ state: StateSnapshot, for reader: Reader) -> LimitedResult<TxnOutcome> {
    let result = evaluate(state, refusal: { reader.refusal(of: $0) })
    var limited = LimitedResult(result)
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

extension TokenBatchRead {
  public func permission(_ reader: Reader) -> Permission? { .aclRead }

  public func limit(_ reply: inout Found, to reader: Reader) -> Bool {
    if reader.allows(.aclWrite) { return false }
    reply.isRedacted = true
    for place in reply.tokens.indices { reply.tokens[place].hideSecret() }
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
extension PolicyBatchRead: SingleRightQuery { public var right: Permission { .aclRead } }
extension RoleBatchRead: SingleRightQuery { public var right: Permission { .aclRead } }
extension RoleRead: SingleRightQuery { public var right: Permission { .aclRead } }
extension RoleList: SingleRightQuery { public var right: Permission { .aclRead } }

extension AuthMethodRead: SingleRightQuery { public var right: Permission { .aclRead } }
extension AuthMethodList: SingleRightQuery { public var right: Permission { .aclRead } }
extension BindingRuleRead: SingleRightQuery { public var right: Permission { .aclRead } }
extension BindingRuleList: SingleRightQuery { public var right: Permission { .aclRead } }

// MARK: Operators

extension ConnectCAConfigurationGet: SingleRightQuery { public var right: Permission { .operatorWrite } }

/// Everyone needs the roots to know whom to trust.
extension ConnectCARoots {
  public var isOpen: Bool { true }
  public func limit(_ reply: inout Reply, to reader: Reader) -> Bool { false }
}

extension UsageQuery: SingleRightQuery { public var right: Permission { .operatorRead } }
extension AutopilotGetConfiguration: SingleRightQuery { public var right: Permission { .operatorRead } }
