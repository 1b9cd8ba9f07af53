/// # AccessControl
///
/// Who may do what. `Permission` is what a request asks for; `Rules` is the language in which policies grant it; `Decisions`
/// compiles the rules of a token into an immutable value that answers without allocating; `Policies` holds what every
/// cluster has. The room owns the meaning of rules. It must not know tokens' storage, requests or how an answer is shown.
///
///     text ──RuleParser──▶ PolicyRules ──┐
///     text ──RuleParser──▶ PolicyRules ──┼──RuleMerge──▶ CompiledRules ──▶ Authorizer ◂── Permission
///     templates ──▶ text ──RuleParser────┘

/// What a request wants to do. Every face asks for exactly one of these before it acts, so that no way in is forgotten.
public enum Permission: Sendable, Hashable {
  case keyRead(String)
  case keyList(String)
  case keyWrite(String)
  /// Every key that begins with this text.
  case keyWritePrefix(String)
  case nodeRead(String)
  case nodeWrite(String)
  /// Any node, whatever its name.
  case nodeReadAll
  case serviceRead(String)
  case serviceWrite(String)
  /// Any service, whatever its name.
  case serviceReadAll
  /// Some service, no matter which.
  case serviceWriteAny
  /// By the destination; `*` means the intentions of any destination.
  case intentionRead(String)
  case intentionWrite(String)
  case sessionRead(String)
  case sessionWrite(String)
  case agentRead(String)
  case agentWrite(String)
  case eventRead(String)
  case eventWrite(String)
  case queryRead(String)
  case queryWrite(String)
  case identityRead(String)
  case identityWrite(String)
  case operatorRead
  case operatorWrite
  case meshRead
  case meshWrite
  case peeringRead
  case peeringWrite
  case aclRead
  case aclWrite
  case keyringRead
  case keyringWrite
  /// Needs no right: static facts such as the leader's address.
  case open
}

extension Permission {
  /// The right in the words of the rule language, and what it is about; nil where it is about no one thing.
  public var words: (access: String, resource: String?) {
    let target = target
    return ("\(target.resource.rawValue):\(target.access.rawValue)", target.name)
  }

  /// What is asked for, taken apart.
  public var target: (resource: RuleResource, access: AccessLevel, name: String?) {
    switch self {
    case .keyRead(let key): (.key, .read, key)
    case .keyList(let key): (.key, .list, key)
    case .keyWrite(let key), .keyWritePrefix(let key): (.key, .write, key)
    case .nodeRead(let node): (.node, .read, node)
    case .nodeWrite(let node): (.node, .write, node)
    case .nodeReadAll: (.node, .read, nil)
    case .serviceRead(let service): (.service, .read, service)
    case .serviceWrite(let service): (.service, .write, service)
    case .serviceReadAll: (.service, .read, nil)
    case .serviceWriteAny: (.service, .write, nil)
    case .intentionRead(let service): (.intention, .read, service)
    case .intentionWrite(let service): (.intention, .write, service)
    case .sessionRead(let node): (.session, .read, node)
    case .sessionWrite(let node): (.session, .write, node)
    case .agentRead(let node): (.agent, .read, node)
    case .agentWrite(let node): (.agent, .write, node)
    case .eventRead(let event): (.event, .read, event)
    case .eventWrite(let event): (.event, .write, event)
    case .queryRead(let query): (.query, .read, query)
    case .queryWrite(let query): (.query, .write, query)
    case .identityRead(let name): (.identity, .read, name)
    case .identityWrite(let name): (.identity, .write, name)
    case .operatorRead: (.operator, .read, nil)
    case .operatorWrite: (.operator, .write, nil)
    case .meshRead: (.mesh, .read, nil)
    case .meshWrite: (.mesh, .write, nil)
    case .peeringRead: (.peering, .read, nil)
    case .peeringWrite: (.peering, .write, nil)
    case .aclRead: (.acl, .read, nil)
    case .aclWrite: (.acl, .write, nil)
    case .keyringRead: (.keyring, .read, nil)
    case .keyringWrite: (.keyring, .write, nil)
    case .open: (.operator, .read, nil)
    }
  }

  /// The same, where no name may be given; nil for what cannot be asked.
  init?(resource: Substring, access: Substring, named name: String?) {
    switch (resource, access, name) {
    case ("node", "read", nil): self = .nodeReadAll
    case ("service", "read", nil): self = .serviceReadAll
    case ("service", "write", nil): self = .serviceWriteAny
    default:
      guard let found = try? Permission(resource: String(resource), access: String(access), name: name ?? "") else {
        return nil
      }
      self = found
    }
  }

  /// The permission that a resource, an access and a name stand for.
  ///
  /// - Throws: `PermissionError` with the reference's texts for what cannot be asked.
  public init(resource: String, access: String, name: String) throws(PermissionError) {
    guard let kind = RuleResource(rawValue: resource) else { throw .unknownResource(resource) }
    guard let level = AccessLevel(rawValue: access), level != .deny, level != .list || kind == .key else {
      throw .unknownAccess(resource: resource, access: access)
    }
    let writes = level == .write
    switch kind {
    case .acl: self = writes ? .aclWrite : .aclRead
    case .agent: self = writes ? .agentWrite(name) : .agentRead(name)
    case .event: self = writes ? .eventWrite(name) : .eventRead(name)
    case .identity: self = writes ? .identityWrite(name) : .identityRead(name)
    case .intention: self = writes ? .intentionWrite(name) : .intentionRead(name)
    case .key: self = writes ? .keyWrite(name) : level == .list ? .keyList(name) : .keyRead(name)
    case .keyring: self = writes ? .keyringWrite : .keyringRead
    case .mesh: self = writes ? .meshWrite : .meshRead
    case .node: self = writes ? .nodeWrite(name) : .nodeRead(name)
    case .operator: self = writes ? .operatorWrite : .operatorRead
    case .peering: self = writes ? .peeringWrite : .peeringRead
    case .query: self = writes ? .queryWrite(name) : .queryRead(name)
    case .service: self = writes ? .serviceWrite(name) : .serviceRead(name)
    case .session: self = writes ? .sessionWrite(name) : .sessionRead(name)
    }
  }
}

/// Why a right cannot be asked for.
public enum PermissionError: Error, Equatable, CustomStringConvertible {
  case unknownResource(String)
  case unknownAccess(resource: String, access: String)

  public var description: String {
    switch self {
    case .unknownResource(let name): "Invalid ACL resource requested: \"\(name)\""
    case .unknownAccess(let resource, let access): "Invalid access level for \(resource) resource: \(access)"
    }
  }
}
