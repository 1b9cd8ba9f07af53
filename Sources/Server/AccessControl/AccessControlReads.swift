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
    /// - Parameter fallback: what is allowed without a matching rule.
    public func authorizer(fallback: CompiledRules.Fallback) -> PolicyAuthorizer {
      PolicyAuthorizer(
        accessorID: token.accessorID, rules: TokenResolver.compile(policies, fallback: fallback))
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
      let all = TokenPolicies(token, in: state, datacenter: datacenter)
      return Found(token: token, policies: all.policies, roles: all.roles)
    }
  }
}

/// Tokens, without those that are not valid any more.
public struct TokenList: ReadQuery {
  public static let method = "ACL.TokenList"
  public var selection: StateSnapshot.TokenSelection

  public init(_ selection: StateSnapshot.TokenSelection) { self.selection = selection }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<[ACLToken]> {
    let now = WallClock.now()
    return state.aclTokens(selection).map { $0.filter { !$0.isExpired(at: now) } }
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
