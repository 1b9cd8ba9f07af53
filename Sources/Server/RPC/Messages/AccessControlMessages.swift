import Model

/// Asks for a token.
public struct ACLTokenGetRequest: RPCReadRequest {
  /// An accessor or a secret, as `tokenIDType` says.
  public var tokenID = Secret()
  public var tokenIDType = ""
  /// Whether the policies and roles are asked for too.
  public var expanded = false
  public var datacenter = ""
  public var options = RPCQueryOptions()

  public init() {}

  public static let schema = Schema<ACLTokenGetRequest>("structs.ACLTokenGetRequest") {
    $0.field("TokenID", \.tokenID)
    $0.field("TokenIDType", \.tokenIDType)
    $0.field("Expanded", \.expanded)
    $0.field("Datacenter", \.datacenter)
    $0.embed(\.options)
  }
}

/// A token with what it comes to.
public struct ACLTokenResponse: RPCReply {
  public var token: ACLToken?
  public var redacted = false
  public var sourceDatacenter = ""
  public var expandedPolicies: [ACLPolicy] = []
  public var expandedRoles: [ACLRole] = []
  /// What belongs to the agent that expanded the token, which a server leaves out.
  public var agentDefaultPolicy = ""
  public var agentDownPolicy = ""
  public var resolvedByAgent = ""
  /// Of the enterprise edition: always empty.
  public var namespaceDefaultPolicyIDs: [String] = []
  public var namespaceDefaultRoleIDs: [String] = []
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<ACLTokenResponse>("structs.ACLTokenResponse") {
    $0.field("AgentACLDefaultPolicy", \.agentDefaultPolicy)
    $0.field("AgentACLDownPolicy", \.agentDownPolicy)
    $0.field("ResolvedByAgent", \.resolvedByAgent)
    $0.field("NamespaceDefaultPolicyIDs", \.namespaceDefaultPolicyIDs)
    $0.field("NamespaceDefaultRoleIDs", \.namespaceDefaultRoleIDs)
    $0.field("Token", \.token)
    $0.field("Redacted", \.redacted)
    $0.field("SourceDatacenter", \.sourceDatacenter)
    $0.field("ExpandedPolicies", \.expandedPolicies)
    $0.field("ExpandedRoles", \.expandedRoles)
    $0.embed(\.meta)
  }
}

/// Asks for tokens; at most one of the conditions is set.
public struct ACLTokenListRequest: RPCReadRequest {
  public var includeLocal = true
  public var includeGlobal = true
  public var policy = ""
  public var role = ""
  public var authMethod = ""
  public var serviceName = ""
  public var datacenter = ""
  public var options = RPCQueryOptions()

  public init() {}

  public static let schema = Schema<ACLTokenListRequest>("structs.ACLTokenListRequest") {
    $0.field("IncludeLocal", \.includeLocal)
    $0.field("IncludeGlobal", \.includeGlobal)
    $0.field("Policy", \.policy)
    $0.field("Role", \.role)
    $0.field("AuthMethod", \.authMethod)
    $0.field("ServiceName", \.serviceName)
    $0.field("Datacenter", \.datacenter)
    $0.embed(\.options)
  }
}

/// Tokens.
public struct ACLTokenListResponse: RPCReply {
  public var tokens: [ACLToken] = []
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<ACLTokenListResponse>("structs.ACLTokenListResponse") {
    $0.field("Tokens", \.tokens)
    $0.embed(\.meta)
  }
}

/// Asks for a policy by its id, or else by its name.
public struct ACLPolicyGetRequest: RPCReadRequest {
  public var policyID = ""
  public var policyName = ""
  public var datacenter = ""
  public var options = RPCQueryOptions()

  public init() {}

  public static let schema = Schema<ACLPolicyGetRequest>("structs.ACLPolicyGetRequest") {
    $0.field("PolicyID", \.policyID)
    $0.field("PolicyName", \.policyName)
    $0.field("Datacenter", \.datacenter)
    $0.embed(\.options)
  }
}

/// A policy.
public struct ACLPolicyResponse: RPCReply {
  public var policy: Row<ACLPolicy>?
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<ACLPolicyResponse>("structs.ACLPolicyResponse") {
    $0.field("Policy", \.policy)
    $0.embed(\.meta)
  }
}

/// Policies without their rules.
public struct ACLPolicyListResponse: RPCReply {
  public var policies: [ACLPolicyListStub] = []
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<ACLPolicyListResponse>("structs.ACLPolicyListResponse") {
    $0.field("Policies", \.policies)
    $0.embed(\.meta)
  }
}

/// Asks for a role by its id, or else by its name.
public struct ACLRoleGetRequest: RPCReadRequest {
  public var roleID = ""
  public var roleName = ""
  public var datacenter = ""
  public var options = RPCQueryOptions()

  public init() {}

  public static let schema = Schema<ACLRoleGetRequest>("structs.ACLRoleGetRequest") {
    $0.field("RoleID", \.roleID)
    $0.field("RoleName", \.roleName)
    $0.field("Datacenter", \.datacenter)
    $0.embed(\.options)
  }
}

/// A role.
public struct ACLRoleResponse: RPCReply {
  public var role: ACLRole?
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<ACLRoleResponse>("structs.ACLRoleResponse") {
    $0.field("Role", \.role)
    $0.embed(\.meta)
  }
}

/// Asks for the roles, or those with a policy.
public struct ACLRoleListRequest: RPCReadRequest {
  public var policy = ""
  public var datacenter = ""
  public var options = RPCQueryOptions()

  public init() {}

  public static let schema = Schema<ACLRoleListRequest>("structs.ACLRoleListRequest") {
    $0.field("Policy", \.policy)
    $0.field("Datacenter", \.datacenter)
    $0.embed(\.options)
  }
}

/// Roles.
public struct ACLRoleListResponse: RPCReply {
  public var roles: [ACLRole] = []
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<ACLRoleListResponse>("structs.ACLRoleListResponse") {
    $0.field("Roles", \.roles)
    $0.embed(\.meta)
  }
}

/// Creates, changes or clones a token.
public struct ACLTokenSetRequest: RPCWriteRequest {
  public var aclToken = ACLToken()
  /// Whether the token must not exist yet.
  public var create = false
  public var datacenter = ""
  public var token = ""

  public init() {}

  public static let schema = Schema<ACLTokenSetRequest>("structs.ACLTokenSetRequest") {
    $0.field("ACLToken", \.aclToken)
    $0.field("Create", \.create)
    $0.field("Datacenter", \.datacenter)
    $0.field("Token", \.token)
  }
}

/// Deletes a token by its accessor.
public struct ACLTokenDeleteRequest: RPCWriteRequest {
  public var tokenID = ""
  public var datacenter = ""
  public var token = ""

  public init() {}

  public static let schema = Schema<ACLTokenDeleteRequest>("structs.ACLTokenDeleteRequest") {
    $0.field("TokenID", \.tokenID)
    $0.field("Datacenter", \.datacenter)
    $0.field("Token", \.token)
  }
}

/// Creates or changes a policy.
public struct ACLPolicySetRequest: RPCWriteRequest {
  public var policy = ACLPolicy()
  public var datacenter = ""
  public var token = ""

  public init() {}

  public static let schema = Schema<ACLPolicySetRequest>("structs.ACLPolicySetRequest") {
    $0.field("Policy", \.policy)
    $0.field("Datacenter", \.datacenter)
    $0.field("Token", \.token)
  }
}

/// Deletes a policy.
public struct ACLPolicyDeleteRequest: RPCWriteRequest {
  public var policyID = ""
  public var datacenter = ""
  public var token = ""

  public init() {}

  public static let schema = Schema<ACLPolicyDeleteRequest>("structs.ACLPolicyDeleteRequest") {
    $0.field("PolicyID", \.policyID)
    $0.field("Datacenter", \.datacenter)
    $0.field("Token", \.token)
  }
}

/// Creates or changes a role.
public struct ACLRoleSetRequest: RPCWriteRequest {
  public var role = ACLRole()
  public var datacenter = ""
  public var token = ""

  public init() {}

  public static let schema = Schema<ACLRoleSetRequest>("structs.ACLRoleSetRequest") {
    $0.field("Role", \.role)
    $0.field("Datacenter", \.datacenter)
    $0.field("Token", \.token)
  }
}

/// Deletes a role.
public struct ACLRoleDeleteRequest: RPCWriteRequest {
  public var roleID = ""
  public var datacenter = ""
  public var token = ""

  public init() {}

  public static let schema = Schema<ACLRoleDeleteRequest>("structs.ACLRoleDeleteRequest") {
    $0.field("RoleID", \.roleID)
    $0.field("Datacenter", \.datacenter)
    $0.field("Token", \.token)
  }
}

/// Makes the first token.
public struct ACLInitialTokenBootstrapRequest: RPCWriteRequest {
  public var bootstrapSecret = Secret()
  public var datacenter = ""
  public var options = RPCQueryOptions()

  public init() {}

  public var token: String {
    get { options.token }
    set { options.token = newValue }
  }

  public static let schema = Schema<ACLInitialTokenBootstrapRequest>("structs.ACLInitialTokenBootstrapRequest") {
    $0.field("BootstrapSecret", \.bootstrapSecret)
    $0.field("Datacenter", \.datacenter)
    $0.embed(\.options)
  }
}
