/// The merged rules of several policies, ready to be asked. Immutable and shared by all tokens that have the same policies.
public final class CompiledRules: Sendable {
  /// What happens where no rule speaks.
  public enum Fallback: String, Sendable { case allow, deny }

  /// What decided about a permission.
  public enum Reason: Sendable, Equatable {
    case rule(RuleOrigin)
    case fallback
  }

  public let fallback: Fallback
  /// Whether everything is granted, whatever is asked.
  public let isUnlimited: Bool
  private let origins: [RuleOrigin]
  private let agents, events, identities, intentions, keys, nodes, queries, services, sessions: RuleTable
  private let acl, keyring, mesh, `operator`, peering: RuleTable.Outcome?

  public init(_ policies: [PolicySource], fallback: Fallback) {
    let origins = RuleMerge(policies).completed()
    self.origins = origins
    self.fallback = fallback
    func table(_ resource: RuleResource) -> RuleTable {
      RuleTable(
        origins.enumerated().filter { $0.element.rule.resource == resource }.map { place, origin in
          .init(
            name: origin.rule.name, isPrefix: origin.rule.isPrefix,
            outcome: .init(level: origin.rule.level, rule: place))
        })
    }
    func scalar(_ resource: RuleResource) -> RuleTable.Outcome? {
      origins.firstIndex { $0.rule.resource == resource }.map { .init(level: origins[$0].rule.level, rule: $0) }
    }
    agents = table(.agent)
    events = table(.event)
    identities = table(.identity)
    intentions = table(.intention)
    keys = table(.key)
    nodes = table(.node)
    queries = table(.query)
    services = table(.service)
    sessions = table(.session)
    acl = scalar(.acl)
    keyring = scalar(.keyring)
    mesh = scalar(.mesh)
    `operator` = scalar(.operator)
    peering = scalar(.peering)
    isUnlimited = Self.grantsEverything(origins)
  }

  /// Whether everything may be written, by rules that leave no name out.
  private static func grantsEverything(_ origins: [RuleOrigin]) -> Bool {
    if origins.contains(where: { $0.rule.level != .write }) { return false }
    let scalars = RuleResource.scalars.filter { $0 != .mesh && $0 != .peering }
    let named = RuleResource.named.filter { $0 != .identity } + [.intention]
    return scalars.allSatisfy { resource in origins.contains { $0.rule.resource == resource } }
      && named.allSatisfy { resource in
        origins.contains { $0.rule.resource == resource && $0.rule.isPrefix && $0.rule.name.isEmpty }
      }
  }

  // MARK: deciding

  public func allows(_ permission: Permission) -> Bool {
    switch permission {
    case .keyRead(let key): grants(keys, key, .read)
    case .keyList(let key): grants(keys, key, .list)
    case .keyWrite(let key): grants(keys, key, .write)
    case .keyWritePrefix(let prefix): grantsAll(keys, under: prefix, .write)
    case .nodeRead(let name): grants(nodes, name, .read)
    case .nodeWrite(let name): grants(nodes, name, .write)
    case .nodeReadAll: grantsAll(nodes, under: "", .read)
    case .serviceRead(let name): grants(services, name, .read)
    case .serviceWrite(let name): grants(services, name, .write)
    case .serviceReadAll: grantsAll(services, under: "", .read)
    case .serviceWriteAny: grantsAny(services, .write)
    case .intentionRead("*"): grantsAny(intentions, .read)
    case .intentionWrite("*"): grantsAll(intentions, under: "", .write)
    case .intentionRead(let name): grants(intentions, name, .read)
    case .intentionWrite(let name): grants(intentions, name, .write)
    case .sessionRead(let name): grants(sessions, name, .read)
    case .sessionWrite(let name): grants(sessions, name, .write)
    case .agentRead(let name): grants(agents, name, .read)
    case .agentWrite(let name): grants(agents, name, .write)
    case .eventRead(let name): grants(events, name, .read)
    case .eventWrite(let name): grants(events, name, .write)
    case .queryRead(let name): grants(queries, name, .read)
    case .queryWrite(let name): grants(queries, name, .write)
    case .identityRead(let name): grants(identities, name, .read)
    case .identityWrite(let name): grants(identities, name, .write)
    case .operatorRead: grants(`operator`, .read)
    case .operatorWrite: grants(`operator`, .write)
    case .meshRead: grants(mesh ?? `operator`, .read)
    case .meshWrite: grants(mesh ?? `operator`, .write)
    case .peeringRead: grants(peering ?? `operator`, .read)
    case .peeringWrite: grants(peering ?? `operator`, .write)
    case .keyringRead: grants(keyring, .read)
    case .keyringWrite: grants(keyring, .write)
    // Who may change access control may do everything: that is never granted by saying nothing.
    case .aclRead: acl?.level.grants(.read) ?? false
    case .aclWrite: acl?.level.grants(.write) ?? false
    case .open: true
    }
  }

  private func grants(_ outcome: RuleTable.Outcome?, _ level: AccessLevel) -> Bool {
    outcome?.level.grants(level) ?? (fallback == .allow)
  }

  private func grants(_ table: RuleTable, _ name: String, _ level: AccessLevel) -> Bool {
    grants(table.outcome(for: name), level)
  }

  /// Whether no name under `prefix` is left out.
  private func grantsAll(_ table: RuleTable, under prefix: String, _ level: AccessLevel) -> Bool {
    grants(table.prefixOutcome(covering: prefix), level)
      && table.outcomes(under: prefix).allSatisfy { $0.level.grants(level) }
  }

  private func grantsAny(_ table: RuleTable, _ level: AccessLevel) -> Bool {
    table.outcomes(under: "").contains { $0.level.grants(level) }
      || grants(table.prefixOutcome(covering: ""), level)
  }

  // MARK: explaining

  /// Which rule decides about a permission. For permissions about many names, the rule about their common beginning.
  public func reason(for permission: Permission) -> Reason {
    guard let outcome = outcome(for: permission) else { return .fallback }
    return .rule(origins[outcome.rule])
  }

  private func outcome(for permission: Permission) -> RuleTable.Outcome? {
    switch permission {
    case .keyWritePrefix(let prefix):
      keys.outcomes(under: prefix).first { !$0.level.grants(.write) } ?? keys.prefixOutcome(covering: prefix)
    case .nodeReadAll: nodes.outcomes(under: "").first { !$0.level.grants(.read) } ?? nodes.prefixOutcome(covering: "")
    case .serviceReadAll:
      services.outcomes(under: "").first { !$0.level.grants(.read) } ?? services.prefixOutcome(covering: "")
    case .serviceWriteAny: services.outcomes(under: "").first { $0.level.grants(.write) }
    case .open: nil
    default:
      switch permission.target.resource {
      case .acl: acl
      case .agent: agents.outcome(for: permission.target.name ?? "")
      case .event: events.outcome(for: permission.target.name ?? "")
      case .identity: identities.outcome(for: permission.target.name ?? "")
      case .intention: intentions.outcome(for: permission.target.name ?? "")
      case .key: keys.outcome(for: permission.target.name ?? "")
      case .keyring: keyring
      case .mesh: mesh ?? `operator`
      case .node: nodes.outcome(for: permission.target.name ?? "")
      case .operator: `operator`
      case .peering: peering ?? `operator`
      case .query: queries.outcome(for: permission.target.name ?? "")
      case .service: services.outcome(for: permission.target.name ?? "")
      case .session: sessions.outcome(for: permission.target.name ?? "")
      }
    }
  }
}

/// The rights of a token that has policies.
public final class PolicyAuthorizer: Authorizer {
  public let accessorID: String
  public let rules: CompiledRules

  /// - Parameter accessorID: the public id of the token.
  public init(accessorID: String, rules: CompiledRules) {
    self.accessorID = accessorID
    self.rules = rules
  }

  public var isUnlimited: Bool { rules.isUnlimited }
  public var identity: ObjectIdentifier? { ObjectIdentifier(rules) }
  public func allows(_ permission: Permission) -> Bool { rules.allows(permission) }
}
