import AccessControl
import Model
import State

/// Creates a policy, or changes the one with its id.
public struct PolicySet: WriteRequest {
  public static let method = "ACL.PolicySet"
  public var policy: ACLPolicy

  /// - Parameter policy: with an empty id for a new one.
  public init(_ policy: ACLPolicy) { self.policy = policy }

  public func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<ACLPolicy> {
    try context.require(.aclWrite)
    var policy = policy
    if policy.name.isEmpty { throw .invalid("Invalid Policy: no Name is set") }
    if policy.id.isEmpty { try begin(&policy, context.state) } else { try adopt(&policy, context.state) }
    do throws(RuleError) { _ = try PolicyRules(policy.rules) } catch { throw .invalid(error.description) }
    policy.hash = policy.contentHash
    return .command(.accessControl(.setPolicies(ACLPolicyBatchSetRequest([policy])))) {
      [policy] (result) throws(ServerError) in
      _ = try result.success(prefix: "Failed to apply policy upsert request: ")
      return context.current().aclPolicy(id: policy.id).value?.value ?? policy
    }
  }

  private func begin(_ policy: inout ACLPolicy, _ state: StateSnapshot) throws(ServerError) {
    if let problem = ACLNames.problem(ofPolicy: policy.name) { throw .invalid("Invalid Policy: \(problem)") }
    if state.aclPolicy(name: policy.name).value != nil {
      throw .invalid("Invalid Policy: A Policy with Name \(policy.name.goQuoted) already exists")
    }
    policy.id = ACLIdentifiers.unused { state.aclPolicy(id: $0).value != nil }
  }

  private func adopt(_ policy: inout ACLPolicy, _ state: StateSnapshot) throws(ServerError) {
    if let problem = ACLIdentifiers.problem(policy.id, table: "policy") { throw .invalid(problem) }
    guard let old = state.aclPolicy(id: policy.id).value?.value else {
      throw .invalid("cannot find policy \(policy.id)")
    }
    policy.id = old.id
    if policy.name != old.name {
      if let problem = ACLNames.problem(ofPolicy: policy.name) { throw .invalid("Invalid Policy: \(problem)") }
      if let other = state.aclPolicy(name: policy.name).value?.value, other.id != old.id {
        throw .invalid("Invalid Policy: A policy with name \(policy.name.goQuoted) already exists")
      }
    }
    guard old.isBuiltin else { return }
    if policy.datacenters != old.datacenters {
      throw .invalid("Changing the Datacenters of the \(old.name) policy is not permitted")
    }
    if policy.rules != old.rules {
      throw .invalid("Changing the Rules for the builtin \(old.name) policy is not permitted")
    }
  }
}

/// Deletes a policy. Answers with its name, "" when there is none.
public struct PolicyDelete: WriteRequest {
  public static let method = "ACL.PolicyDelete"
  public var id: String

  public init(id: String) { self.id = id }

  public func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<String> {
    try context.require(.aclWrite)
    if let problem = ACLIdentifiers.problem(id, table: "policy") { throw .invalid(problem) }
    guard let policy = context.state.aclPolicy(id: id).value?.value else { return .immediate("") }
    if policy.isBuiltin {
      throw .invalid("Delete operation not permitted on the builtin \(policy.name) policy")
    }
    return .command(.accessControl(.deletePolicies(ACLPolicyBatchDeleteRequest([policy.id])))) {
      (result) throws(ServerError) in
      _ = try result.success(prefix: "Failed to apply policy delete request: ")
      return policy.name
    }
  }
}

/// Creates a role, or changes the one with its id.
public struct RoleSet: WriteRequest {
  public static let method = "ACL.RoleSet"
  public var role: ACLRole

  /// - Parameter role: with an empty id for a new one.
  public init(_ role: ACLRole) { self.role = role }

  public func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<ACLRole> {
    try context.require(.aclWrite)
    var role = role
    let state = context.state
    if role.name.isEmpty { throw .invalid("Invalid Role: no Name is set") }
    guard ACLNames.isValidRole(role.name) else {
      throw .invalid("Invalid Role: invalid Name. Only alphanumeric characters, '-' and '_' are allowed")
    }
    let named = state.aclRole(name: role.name).value
    if role.id.isEmpty {
      if named != nil { throw .invalid("Invalid Role: A Role with Name \(role.name.goQuoted) already exists") }
      role.id = ACLIdentifiers.unused { state.aclRole(id: $0).value != nil }
    } else {
      if let problem = ACLIdentifiers.problem(role.id, table: "role") { throw .invalid(problem) }
      guard let old = state.aclRole(id: role.id).value else { throw .invalid("cannot find role \(role.id)") }
      role.id = old.id
      if let named, named.id != old.id {
        throw .invalid("Invalid Role: A role with name \(role.name.goQuoted) already exists")
      }
    }
    try complete(&role, state)
    return .command(.accessControl(.setRoles(ACLRoleBatchSetRequest([role])))) { [role] (result) throws(ServerError) in
      _ = try result.success(prefix: "Failed to apply role write request: ")
      return context.current().aclRole(id: role.id).value ?? role
    }
  }

  private func complete(_ role: inout ACLRole, _ state: StateSnapshot) throws(ServerError) {
    let rules = IdentityRules(state: state, holder: "role")
    role.policies = try rules.policies(role.policies)
    role.serviceIdentities = try rules.services(role.serviceIdentities)
    role.nodeIdentities = try rules.nodes(role.nodeIdentities)
    role.templatedPolicies = try rules.templates(role.templatedPolicies)
    role.hash = role.contentHash
  }
}

/// Deletes a role. Answers with its name, "" when there is none.
public struct RoleDelete: WriteRequest {
  public static let method = "ACL.RoleDelete"
  public var id: String

  public init(id: String) { self.id = id }

  public func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<String> {
    try context.require(.aclWrite)
    if let problem = ACLIdentifiers.problem(id, table: "role") { throw .invalid(problem) }
    guard let role = context.state.aclRole(id: id).value else { return .immediate("") }
    return .command(.accessControl(.deleteRoles(ACLRoleBatchDeleteRequest([role.id])))) {
      (result) throws(ServerError) in
      _ = try result.success(prefix: "Failed to apply role delete request: ")
      return role.name
    }
  }
}
