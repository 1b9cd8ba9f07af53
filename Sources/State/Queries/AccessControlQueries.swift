import Model

extension StateSnapshot {
  /// What every change of what tokens may do touches.
  public static let accessWatch: [WatchPoint] = [
    .index(IndexName.aclTokens), .index(IndexName.aclPolicies), .index(IndexName.aclRoles),
  ]

  // MARK: tokens

  /// One token, by its accessor.
  public func aclToken(accessor: String) -> QueryResult<ACLToken?> {
    tokenResult(tables.aclTokens[.of(accessor)])
  }

  /// One token, by its secret.
  public func aclToken(secret: Secret) -> QueryResult<ACLToken?> {
    tokenResult(aclTokenRow(secret: secret))
  }

  private func tokenResult(_ row: Row<ACLToken>?) -> QueryResult<ACLToken?> {
    QueryResult(
      index: tables.index(of: IndexName.aclTokens), value: row.map { withCurrentLinks($0.value) },
      watch: Self.tokenWatch)
  }

  private static let tokenWatch: [WatchPoint] = [.index(IndexName.aclTokens)]

  /// The token as it is stored.
  public func aclTokenRow(secret: Secret) -> Row<ACLToken>? {
    if secret.isEmpty { return nil }
    let row = tables.aclTokens.index(Schemas.ACLTokenIndex.secret).value(Schemas.secretKey(secret))
    return row.flatMap { $0.value.secretID == secret ? $0 : nil }
  }

  /// Which tokens a list shows.
  public enum TokenSelection: Sendable, Equatable {
    case all
    case policy(id: String)
    case role(id: String)
    case authMethod(String)
    /// With an identity or a templated policy of that service.
    case service(String)
    /// By their accessors.
    case accessors([String])
  }

  /// Tokens in the order of their accessors.
  public func aclTokens(_ selection: TokenSelection = .all) -> QueryResult<[ACLToken]> {
    let rows: [Row<ACLToken>]
    switch selection {
    case .all: rows = Array(tables.aclTokens.rows.values)
    case .policy(let id): rows = tokens(Schemas.ACLTokenIndex.policy, id)
    case .role(let id): rows = tokens(Schemas.ACLTokenIndex.role, id)
    case .authMethod(let name): rows = tokens(Schemas.ACLTokenIndex.authMethod, name)
    case .accessors(let ids): rows = ids.compactMap { tables.aclTokens[.of($0)] }
    case .service(let name): rows = tables.aclTokens.rows.values.filter { $0.value.isAbout(service: name) }
    }
    return QueryResult(
      index: tables.index(of: IndexName.aclTokens), value: rows.map { withCurrentLinks($0.value) },
      watch: Self.tokenWatch)
  }

  private func tokens(_ index: Int, _ name: String) -> [Row<ACLToken>] {
    Array(tables.aclTokens.index(index).values(prefix: .of(name, closed: true)))
  }

  /// The accessors of tokens that are not valid any more, at most `limit` of them.
  public func expiredTokens(at now: Timestamp, limit: Int) -> [String] {
    var accessors: [String] = []
    for row in tables.aclTokens.index(Schemas.ACLTokenIndex.expiration).values {
      guard row.value.isExpired(at: now), accessors.count < limit else { break }
      accessors.append(row.value.accessorID)
    }
    return accessors
  }

  /// When the next token stops being valid.
  public var nextTokenExpiration: Timestamp? {
    for row in tables.aclTokens.index(Schemas.ACLTokenIndex.expiration).values { return row.value.expirationTime }
    return nil
  }

  /// The index of the last bootstrap; 0 before the first.
  public var aclBootstrapIndex: UInt64 { tables.index(of: IndexName.aclBootstrap) }

  /// Links with the names of today, without those to what is gone.
  private func withCurrentLinks(_ token: ACLToken) -> ACLToken {
    if token.policies.isEmpty, token.roles.isEmpty { return token }
    var token = token
    token.policies = currentPolicies(token.policies)
    token.roles = token.roles.compactMap { link in
      tables.aclRoles[.of(link.id)].map { ACLLink(id: $0.value.id, name: $0.value.name) }
    }
    return token
  }

  private func currentPolicies(_ links: [ACLLink]) -> [ACLLink] {
    links.compactMap { link in
      tables.aclPolicies[.of(link.id)].map { ACLLink(id: $0.value.id, name: $0.value.name) }
    }
  }

  // MARK: policies

  public func aclPolicy(id: String) -> QueryResult<Row<ACLPolicy>?> { policyResult(tables.aclPolicies[.of(id)]) }

  public func aclPolicy(name: String) -> QueryResult<Row<ACLPolicy>?> {
    policyResult(tables.aclPolicies.index(Schemas.ACLNameIndex.name).value(.of(name)))
  }

  private func policyResult(_ row: Row<ACLPolicy>?) -> QueryResult<Row<ACLPolicy>?> {
    QueryResult(
      index: tables.index(of: IndexName.aclPolicies), value: row, watch: [.index(IndexName.aclPolicies)])
  }

  /// In the order of their names.
  public func aclPolicies() -> QueryResult<[Row<ACLPolicy>]> {
    QueryResult(
      index: tables.index(of: IndexName.aclPolicies),
      value: Array(tables.aclPolicies.index(Schemas.ACLNameIndex.name).values),
      watch: [.index(IndexName.aclPolicies)])
  }

  // MARK: roles

  public func aclRole(id: String) -> QueryResult<ACLRole?> { roleResult(tables.aclRoles[.of(id)]) }

  public func aclRole(name: String) -> QueryResult<ACLRole?> {
    roleResult(tables.aclRoles.index(Schemas.ACLRoleIndex.name).value(.of(name)))
  }

  private func roleResult(_ row: Row<ACLRole>?) -> QueryResult<ACLRole?> {
    QueryResult(
      index: tables.index(of: IndexName.aclRoles), value: row.map { withCurrentLinks($0.value) },
      watch: [.index(IndexName.aclRoles)])
  }

  /// In the order of their names.
  ///
  /// - Parameter policy: only roles with the policy of that id; nil for all.
  public func aclRoles(policy: String? = nil) -> QueryResult<[ACLRole]> {
    let rows =
      if let policy {
        Array(tables.aclRoles.index(Schemas.ACLRoleIndex.policy).values(prefix: .of(policy, closed: true)))
      } else {
        Array(tables.aclRoles.index(Schemas.ACLRoleIndex.name).values)
      }
    return QueryResult(
      index: tables.index(of: IndexName.aclRoles), value: rows.map { withCurrentLinks($0.value) },
      watch: [.index(IndexName.aclRoles)])
  }

  private func withCurrentLinks(_ role: ACLRole) -> ACLRole {
    if role.policies.isEmpty { return role }
    var role = role
    role.policies = currentPolicies(role.policies)
    return role
  }

  // MARK: auth methods and binding rules

  public func aclAuthMethod(_ name: String) -> QueryResult<Row<ACLAuthMethod>?> {
    QueryResult(
      index: tables.index(of: IndexName.aclAuthMethods), value: tables.aclAuthMethods[.of(name)],
      watch: [.index(IndexName.aclAuthMethods)])
  }

  public func aclAuthMethods() -> QueryResult<[Row<ACLAuthMethod>]> {
    QueryResult(
      index: tables.index(of: IndexName.aclAuthMethods), value: Array(tables.aclAuthMethods.rows.values),
      watch: [.index(IndexName.aclAuthMethods)])
  }

  public func aclBindingRule(_ id: String) -> QueryResult<Row<ACLBindingRule>?> {
    QueryResult(
      index: tables.index(of: IndexName.aclBindingRules), value: tables.aclBindingRules[.of(id)],
      watch: [.index(IndexName.aclBindingRules)])
  }

  /// - Parameter authMethod: "" for those of all methods.
  public func aclBindingRules(authMethod: String = "") -> QueryResult<[Row<ACLBindingRule>]> {
    let rows =
      if authMethod.isEmpty {
        Array(tables.aclBindingRules.rows.values)
      } else {
        Array(
          tables.aclBindingRules.index(Schemas.ACLBindingRuleIndex.authMethod)
            .values(prefix: .of(authMethod, closed: true)))
      }
    return QueryResult(
      index: tables.index(of: IndexName.aclBindingRules), value: rows, watch: [.index(IndexName.aclBindingRules)])
  }
}

extension ACLToken {
  fileprivate func isAbout(service name: String) -> Bool {
    serviceIdentities.contains { $0.serviceName == name }
      || templatedPolicies.contains { $0.templateName == "builtin/service" && $0.templateVariables?.name == name }
  }
}
