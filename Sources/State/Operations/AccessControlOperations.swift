import Model

extension StateTransaction {
  mutating func apply(_ command: AccessControlCommand) throws(StateError) {
    switch command {
    case .bootstrap(let request): try bootstrap(request.token, resetIndex: request.resetIndex)
    case .setTokens(let request): try setTokens(request)
    case .deleteTokens(let request): for id in request.tokenIDs { deleteToken(id) }
    case .setPolicies(let request): for policy in request.policies { setPolicy(policy) }
    case .deletePolicies(let request): for id in request.policyIDs { deletePolicy(id) }
    case .setRoles(let request):
      try attempt { (transaction) throws(StateError) in
        for role in request.roles { try transaction.setRole(role, allowsMissingLinks: request.allowMissingLinks) }
      }
    case .deleteRoles(let request): for id in request.roleIDs { deleteRole(id) }
    case .setBindingRules(let request):
      try attempt { (transaction) throws(StateError) in
        for rule in request.bindingRules { try transaction.setBindingRule(rule) }
      }
    case .deleteBindingRules(let request): for id in request.bindingRuleIDs { deleteBindingRule(id) }
    case .setAuthMethods(let request): for method in request.authMethods { setAuthMethod(method) }
    case .deleteAuthMethods(let request): for name in request.authMethodNames { deleteAuthMethod(name) }
    }
  }

  // MARK: tokens

  /// Makes the first token of a cluster, or another one after a reset.
  private mutating func bootstrap(_ token: ACLToken, resetIndex: UInt64) throws(StateError) {
    let done = tables.index(of: IndexName.aclBootstrap)
    if done > 0 {
      if resetIndex == 0 { throw .bootstrapDone(resetIndex: done) }
      if resetIndex != done { throw .wrongResetIndex(given: resetIndex, expected: done) }
    }
    try setToken(token, allowsMissingLinks: false)
    raise(IndexName.aclBootstrap)
  }

  private mutating func setTokens(_ request: ACLTokenBatchSetRequest) throws(StateError) {
    try attempt { (transaction) throws(StateError) in
      for token in request.tokens {
        if request.cas {
          let stored = transaction.tables.aclTokens[.of(token.accessorID)]?.value.modifyIndex ?? 0
          if stored != token.modifyIndex { continue }
        }
        if request.prohibitUnprivileged, !transaction.hasRights(token) { continue }
        try transaction.setToken(token, allowsMissingLinks: request.allowMissingLinks)
      }
    }
  }

  /// Whether any of what the token names exists.
  private func hasRights(_ token: ACLToken) -> Bool {
    !token.serviceIdentities.isEmpty || !token.nodeIdentities.isEmpty || !token.templatedPolicies.isEmpty
      || token.policies.contains { tables.aclPolicies[.of($0.id)] != nil }
      || token.roles.contains { tables.aclRoles[.of($0.id)] != nil }
  }

  private mutating func setToken(_ token: ACLToken, allowsMissingLinks: Bool) throws(StateError) {
    var token = token
    if !allowsMissingLinks {
      for link in token.policies where tables.aclPolicies[.of(link.id)] == nil { throw .missingPolicy(id: link.id) }
      for link in token.roles where tables.aclRoles[.of(link.id)] == nil { throw .missingRole(id: link.id) }
      if !token.authMethod.isEmpty, tables.aclAuthMethods[.of(token.authMethod)] == nil {
        throw .missingAuthMethod(name: token.authMethod)
      }
    }
    let old = tables.aclTokens[.of(token.accessorID)]
    token.createIndex = old?.value.createIndex ?? index
    token.modifyIndex = index
    store(token)
  }

  /// Stores a token as it is, with its own indexes.
  mutating func store(_ token: ACLToken) {
    var token = token
    if token.hash.bytes.isEmpty { token.hash = token.contentHash }
    tables.aclTokens.put(Row(token), owner: owner)
    touchAccess(IndexName.aclTokens)
  }

  private mutating func deleteToken(_ accessor: String) {
    if tables.aclTokens.remove(.of(accessor), owner: owner) != nil { touchAccess(IndexName.aclTokens) }
  }

  // MARK: policies and roles

  private mutating func setPolicy(_ policy: ACLPolicy) {
    var policy = policy
    policy.createIndex = tables.aclPolicies[.of(policy.id)]?.value.createIndex ?? index
    policy.modifyIndex = index
    store(policy)
  }

  mutating func store(_ policy: ACLPolicy) {
    var policy = policy
    if policy.hash.bytes.isEmpty { policy.hash = policy.contentHash }
    tables.aclPolicies.put(Row(policy), owner: owner)
    touchAccess(IndexName.aclPolicies)
  }

  private mutating func deletePolicy(_ id: String) {
    if tables.aclPolicies.remove(.of(id), owner: owner) != nil { touchAccess(IndexName.aclPolicies) }
  }

  private mutating func setRole(_ role: ACLRole, allowsMissingLinks: Bool) throws(StateError) {
    var role = role
    if !allowsMissingLinks {
      for link in role.policies where tables.aclPolicies[.of(link.id)] == nil { throw .missingPolicy(id: link.id) }
    }
    role.createIndex = tables.aclRoles[.of(role.id)]?.value.createIndex ?? index
    role.modifyIndex = index
    store(role)
  }

  mutating func store(_ role: ACLRole) {
    var role = role
    if role.hash.bytes.isEmpty { role.hash = role.contentHash }
    tables.aclRoles.put(Row(role), owner: owner)
    touchAccess(IndexName.aclRoles)
  }

  private mutating func deleteRole(_ id: String) {
    if tables.aclRoles.remove(.of(id), owner: owner) != nil { touchAccess(IndexName.aclRoles) }
  }

  // MARK: auth methods and their rules

  private mutating func setBindingRule(_ rule: ACLBindingRule) throws(StateError) {
    if tables.aclAuthMethods[.of(rule.authMethod)] == nil { throw .missingAuthMethod(name: rule.authMethod) }
    var rule = rule
    rule.createIndex = tables.aclBindingRules[.of(rule.id)]?.value.createIndex ?? index
    rule.modifyIndex = index
    store(rule)
  }

  mutating func store(_ rule: ACLBindingRule) {
    tables.aclBindingRules.put(Row(rule), owner: owner)
    raise(IndexName.aclBindingRules)
  }

  private mutating func deleteBindingRule(_ id: String) {
    if tables.aclBindingRules.remove(.of(id), owner: owner) != nil { raise(IndexName.aclBindingRules) }
  }

  private mutating func setAuthMethod(_ method: ACLAuthMethod) {
    var method = method
    method.createIndex = tables.aclAuthMethods[.of(method.name)]?.value.createIndex ?? index
    method.modifyIndex = index
    store(method)
  }

  mutating func store(_ method: ACLAuthMethod) {
    tables.aclAuthMethods.put(Row(method), owner: owner)
    raise(IndexName.aclAuthMethods)
  }

  /// Forgets a method with its rules and the tokens that it made. Global tokens may come from a method of the same name in the
  /// primary datacenter.
  private mutating func deleteAuthMethod(_ name: String) {
    guard let method = tables.aclAuthMethods.remove(.of(name), owner: owner) else { return }
    raise(IndexName.aclAuthMethods)
    let rules = tables.aclBindingRules.index(Schemas.ACLBindingRuleIndex.authMethod)
    for rule in Array(rules.values(prefix: .of(name, closed: true))) { deleteBindingRule(rule.value.id) }
    let tokens = tables.aclTokens.index(Schemas.ACLTokenIndex.authMethod)
    let makesGlobal = method.value.tokenLocality == "global"
    for token in Array(tokens.values(prefix: .of(name, closed: true))) where token.value.local || makesGlobal {
      deleteToken(token.value.accessorID)
    }
  }

  private mutating func touchAccess(_ table: String) {
    tables.accessChanges &+= 1
    raise(table)
  }
}
