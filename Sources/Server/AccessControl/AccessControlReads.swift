import AccessControl
import Model
import State

/// One token, by its accessor or by its secret.
public struct TokenRead: ReadQuery {
  public static let method = "ACL.TokenRead"

  public enum Name: Sendable {
    case accessor(String)
    case secret(Secret)
  }

  /// A token with what it comes to.
  public struct Found: Sendable {
    public var token: ACLToken
    public var policies: [ACLPolicy]
    public var roles: [ACLRole]

    /// What the token may do.
    ///
    /// - Parameters:
    ///   - fallback: what is allowed without a matching rule.
    ///   - datacenter: where; policies may be valid elsewhere only.
    public func authorizer(fallback: CompiledRules.Fallback, in datacenter: String) -> PolicyAuthorizer {
      let valid = policies.filter { $0.isValid(in: datacenter) }
      return PolicyAuthorizer(
        accessorID: token.accessorID, rules: TokenResolver.compile(valid, fallback: fallback))
    }
  }

  public var name: Name
  public var datacenter: String

  public init(_ name: Name, datacenter: String) {
    self.name = name
    self.datacenter = datacenter
  }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<Found?> {
    let found =
      switch name {
      case .accessor(let id): state.aclToken(accessor: id)
      case .secret(let secret): state.aclToken(secret: secret)
      }
    let now = WallClock.now()
    return found.map { token in
      guard let token, !token.isExpired(at: now) else { return nil }
      // Who asks about a secret wants to know what it may do, perhaps in another datacenter, and looks for that themselves.
      let place: String? = if case .accessor = name { datacenter } else { nil }
      let all = TokenPolicies(token, in: state, datacenter: place)
      return Found(token: token, policies: all.policies, roles: all.roles)
    }
  }
}

/// Tokens, without those that are not valid any more.
public struct TokenList: ReadQuery {
  public static let method = "ACL.TokenList"
  public var selection: StateSnapshot.TokenSelection
  /// Whether tokens of this datacenter alone are among them, and those that all datacenters know.
  public var includesLocal = true
  public var includesGlobal = true

  public init(_ selection: StateSnapshot.TokenSelection) { self.selection = selection }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<[ACLToken]> {
    let now = WallClock.now()
    return state.aclTokens(selection).map { tokens in
      tokens.filter { ($0.local ? includesLocal : includesGlobal) && !$0.isExpired(at: now) }
    }
  }
}

/// Tokens with their secrets, by their accessors: what a datacenter needs to keep them too.
public struct TokenBatchRead: ReadQuery {
  public static let method = "ACL.TokenBatchRead"
  public var accessors: [String]

  public struct Found: Sendable {
    public var tokens: [ACLToken]
    /// Whether the secrets are hidden, as the reader may not see them.
    public var isRedacted = false
  }

  public init(_ accessors: [String]) { self.accessors = accessors }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<Found> {
    let now = WallClock.now()
    return state.aclTokens(.accessors(accessors)).map { tokens in
      Found(tokens: tokens.filter { !$0.isExpired(at: now) })
    }
  }
}

/// Policies with their rules, by their ids.
public struct PolicyBatchRead: ReadQuery {
  public static let method = "ACL.PolicyBatchRead"
  public var ids: [String]

  public init(_ ids: [String]) { self.ids = ids }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<[ACLPolicy]> {
    QueryResult(
      index: state.aclPolicies().index, value: ids.compactMap { state.aclPolicy(id: $0).value?.value },
      watch: state.aclPolicies().watch)
  }
}

/// Roles, by their ids.
public struct RoleBatchRead: ReadQuery {
  public static let method = "ACL.RoleBatchRead"
  public var ids: [String]

  public init(_ ids: [String]) { self.ids = ids }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<[ACLRole]> {
    QueryResult(
      index: state.aclRoles().index, value: ids.compactMap { state.aclRole(id: $0).value },
      watch: state.aclRoles().watch)
  }
}

/// One policy, by its id or its name.
public struct PolicyRead: ReadQuery {
  public static let method = "ACL.PolicyRead"
  public var id = ""
  public var name = ""

  public init(id: String) { self.id = id }
  public init(name: String) { self.name = name }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<Row<ACLPolicy>?> {
    id.isEmpty ? state.aclPolicy(name: name) : state.aclPolicy(id: id)
  }
}

public struct PolicyList: ReadQuery {
  public static let method = "ACL.PolicyList"

  public init() {}

  public func evaluate(_ state: StateSnapshot) -> QueryResult<[ACLPolicyListStub]> {
    state.aclPolicies().map { $0.map { ACLPolicyListStub($0.value) } }
  }
}

/// One role, by its id or its name.
public struct RoleRead: ReadQuery {
  public static let method = "ACL.RoleRead"
  public var id = ""
  public var name = ""

  public init(id: String) { self.id = id }
  public init(name: String) { self.name = name }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<ACLRole?> {
    id.isEmpty ? state.aclRole(name: name) : state.aclRole(id: id)
  }
}

public struct RoleList: ReadQuery {
  public static let method = "ACL.RoleList"
  /// Only roles with the policy of that id; "" for all.
  public var policy: String

  public init(policy: String) { self.policy = policy }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<[ACLRole]> {
    state.aclRoles(policy: policy.isEmpty ? nil : policy)
  }
}

/// Those of the policies that the token of the request has: how an agent without a server finds out what a token may do.
public struct PolicyResolve: ReadQuery {
  public static let method = "ACL.PolicyResolve"
  public var ids: [String]

  public init(_ ids: [String]) { self.ids = ids }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<[ACLPolicy]> {
    QueryResult(
      index: state.aclPolicies().index, value: ids.compactMap { state.aclPolicy(id: $0).value?.value },
      watch: StateSnapshot.accessWatch)
  }
}

/// The same for roles.
public struct RoleResolve: ReadQuery {
  public static let method = "ACL.RoleResolve"
  public var ids: [String]

  public init(_ ids: [String]) { self.ids = ids }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<[ACLRole]> {
    QueryResult(
      index: state.aclRoles(policy: nil).index, value: ids.compactMap { state.aclRole(id: $0).value },
      watch: StateSnapshot.accessWatch)
  }
}
