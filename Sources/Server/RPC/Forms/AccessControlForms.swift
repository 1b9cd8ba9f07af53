import Model
import State

// How tokens, policies and roles travel.

extension TokenRead {
  public var request: ACLTokenGetRequest {
    var request = ACLTokenGetRequest()
    request.datacenter = datacenter
    request.expanded = true
    switch name {
    case .accessor(let id):
      request.tokenID = Secret(id)
      request.tokenIDType = "accessor"
    case .secret(let secret):
      request.tokenID = secret
      request.tokenIDType = "secret"
    }
    return request
  }

  public init(request: ACLTokenGetRequest) {
    self.init(
      request.tokenIDType == "accessor" ? .accessor(request.tokenID.revealed) : .secret(request.tokenID),
      datacenter: request.datacenter)
  }

  public static func response(_ reply: Found?) -> ACLTokenResponse {
    var response = ACLTokenResponse()
    response.token = reply?.token
    response.expandedPolicies = reply?.policies ?? []
    response.expandedRoles = reply?.roles ?? []
    return response
  }

  public static func reply(_ response: ACLTokenResponse) -> Found? {
    response.token.map { Found(token: $0, policies: response.expandedPolicies, roles: response.expandedRoles) }
  }
}

extension TokenList {
  public var request: ACLTokenListRequest {
    var request = ACLTokenListRequest()
    switch selection {
    case .all: break
    case .policy(let id): request.policy = id
    case .role(let id): request.role = id
    case .authMethod(let name): request.authMethod = name
    case .service(let name): request.serviceName = name
    // Asked for by `TokenBatchRead`.
    case .accessors: break
    }
    request.includeLocal = includesLocal
    request.includeGlobal = includesGlobal
    return request
  }

  public init(request: ACLTokenListRequest) {
    self.init(
      !request.policy.isEmpty
        ? .policy(id: request.policy)
        : !request.role.isEmpty
          ? .role(id: request.role)
          : !request.authMethod.isEmpty
            ? .authMethod(request.authMethod) : !request.serviceName.isEmpty ? .service(request.serviceName) : .all)
    includesLocal = request.includeLocal
    includesGlobal = request.includeGlobal
  }

  public static func response(_ reply: [ACLToken]) -> ACLTokenListResponse {
    var response = ACLTokenListResponse()
    response.tokens = reply
    return response
  }

  public static func reply(_ response: ACLTokenListResponse) -> [ACLToken] { response.tokens }
}

extension PolicyRead {
  public var request: ACLPolicyGetRequest {
    var request = ACLPolicyGetRequest()
    request.policyID = id
    request.policyName = name
    return request
  }

  public init(request: ACLPolicyGetRequest) {
    id = request.policyID
    name = request.policyName
  }

  public static func response(_ reply: Row<ACLPolicy>?) -> ACLPolicyResponse {
    var response = ACLPolicyResponse()
    response.policy = reply
    return response
  }

  public static func reply(_ response: ACLPolicyResponse) -> Row<ACLPolicy>? { response.policy }
}

extension PolicyList {
  public var request: DCSpecificRequest { DCSpecificRequest() }
  public init(request: DCSpecificRequest) { self.init() }

  public static func response(_ reply: [ACLPolicyListStub]) -> ACLPolicyListResponse {
    var response = ACLPolicyListResponse()
    response.policies = reply
    return response
  }

  public static func reply(_ response: ACLPolicyListResponse) -> [ACLPolicyListStub] { response.policies }
}

extension TokenBatchRead {
  public var request: ACLTokenBatchGetRequest {
    var request = ACLTokenBatchGetRequest()
    request.accessorIDs = accessors
    return request
  }

  public init(request: ACLTokenBatchGetRequest) { self.init(request.accessorIDs) }

  public static func response(_ reply: Found) -> ACLTokenBatchResponse {
    var response = ACLTokenBatchResponse()
    response.tokens = reply.tokens
    response.redacted = reply.isRedacted
    return response
  }

  public static func reply(_ response: ACLTokenBatchResponse) -> Found {
    Found(tokens: response.tokens, isRedacted: response.redacted)
  }
}

extension PolicyBatchRead {
  public var request: ACLPolicyBatchGetRequest { PolicyResolve(ids).request }
  public init(request: ACLPolicyBatchGetRequest) { self.init(request.policyIDs) }
  public static func response(_ reply: [ACLPolicy]) -> ACLPolicyBatchResponse { PolicyResolve.response(reply) }
  public static func reply(_ response: ACLPolicyBatchResponse) -> [ACLPolicy] { response.policies }
}

extension RoleBatchRead {
  public var request: ACLRoleBatchGetRequest { RoleResolve(ids).request }
  public init(request: ACLRoleBatchGetRequest) { self.init(request.roleIDs) }
  public static func response(_ reply: [ACLRole]) -> ACLRoleBatchResponse { RoleResolve.response(reply) }
  public static func reply(_ response: ACLRoleBatchResponse) -> [ACLRole] { response.roles }
}

extension PolicyResolve {
  public var request: ACLPolicyBatchGetRequest {
    var request = ACLPolicyBatchGetRequest()
    request.policyIDs = ids
    return request
  }

  public init(request: ACLPolicyBatchGetRequest) { self.init(request.policyIDs) }

  public static func response(_ reply: [ACLPolicy]) -> ACLPolicyBatchResponse {
    var response = ACLPolicyBatchResponse()
    response.policies = reply
    return response
  }

  public static func reply(_ response: ACLPolicyBatchResponse) -> [ACLPolicy] { response.policies }
}

extension RoleResolve {
  public var request: ACLRoleBatchGetRequest {
    var request = ACLRoleBatchGetRequest()
    request.roleIDs = ids
    return request
  }

  public init(request: ACLRoleBatchGetRequest) { self.init(request.roleIDs) }

  public static func response(_ reply: [ACLRole]) -> ACLRoleBatchResponse {
    var response = ACLRoleBatchResponse()
    response.roles = reply
    return response
  }

  public static func reply(_ response: ACLRoleBatchResponse) -> [ACLRole] { response.roles }
}

extension RoleRead {
  public var request: ACLRoleGetRequest {
    var request = ACLRoleGetRequest()
    request.roleID = id
    request.roleName = name
    return request
  }

  public init(request: ACLRoleGetRequest) {
    id = request.roleID
    name = request.roleName
  }

  public static func response(_ reply: ACLRole?) -> ACLRoleResponse {
    var response = ACLRoleResponse()
    response.role = reply
    return response
  }

  public static func reply(_ response: ACLRoleResponse) -> ACLRole? { response.role }
}

extension RoleList {
  public var request: ACLRoleListRequest {
    var request = ACLRoleListRequest()
    request.policy = policy
    return request
  }

  public init(request: ACLRoleListRequest) { self.init(policy: request.policy) }

  public static func response(_ reply: [ACLRole]) -> ACLRoleListResponse {
    var response = ACLRoleListResponse()
    response.roles = reply
    return response
  }

  public static func reply(_ response: ACLRoleListResponse) -> [ACLRole] { response.roles }
}

extension TokenSet {
  public var request: ACLTokenSetRequest {
    var request = ACLTokenSetRequest()
    request.aclToken = token
    request.create = creates
    return request
  }

  public init(request: ACLTokenSetRequest) { self.init(request.aclToken, creates: request.create) }
  public func response(_ reply: ACLToken) -> ACLToken { reply }
  public func reply(_ response: ACLToken) -> ACLToken { response }
}

extension TokenClone {
  public var request: ACLTokenSetRequest {
    var request = ACLTokenSetRequest()
    request.aclToken.accessorID = accessor
    request.aclToken.description = description
    return request
  }

  public init(request: ACLTokenSetRequest) {
    self.init(accessor: request.aclToken.accessorID, description: request.aclToken.description)
  }

  /// A token that does not exist has no accessor.
  public func response(_ reply: ACLToken?) -> ACLToken { reply ?? ACLToken() }
  public func reply(_ response: ACLToken) -> ACLToken? { response.accessorID.isEmpty ? nil : response }
}

// Deletions are answered with what was deleted, "" if there was nothing.

extension TokenDelete {
  public var request: ACLTokenDeleteRequest {
    var request = ACLTokenDeleteRequest()
    request.tokenID = accessor
    request.token = requester.revealed
    return request
  }

  public init(request: ACLTokenDeleteRequest) {
    self.init(accessor: request.tokenID, requester: Secret(request.token))
  }

  public func response(_ reply: Bool) -> String { reply ? accessor : "" }
  public func reply(_ response: String) -> Bool { !response.isEmpty }
}

extension PolicySet {
  public var request: ACLPolicySetRequest {
    var request = ACLPolicySetRequest()
    request.policy = policy
    return request
  }

  public init(request: ACLPolicySetRequest) { self.init(request.policy) }
  public func response(_ reply: ACLPolicy) -> ACLPolicy { reply }
  public func reply(_ response: ACLPolicy) -> ACLPolicy { response }
}

extension PolicyDelete {
  public var request: ACLPolicyDeleteRequest {
    var request = ACLPolicyDeleteRequest()
    request.policyID = id
    return request
  }

  public init(request: ACLPolicyDeleteRequest) { self.init(id: request.policyID) }
  public func response(_ reply: String) -> String { reply }
  public func reply(_ response: String) -> String { response }
}

extension RoleSet {
  public var request: ACLRoleSetRequest {
    var request = ACLRoleSetRequest()
    request.role = role
    return request
  }

  public init(request: ACLRoleSetRequest) { self.init(request.role) }
  public func response(_ reply: ACLRole) -> ACLRole { reply }
  public func reply(_ response: ACLRole) -> ACLRole { response }
}

extension RoleDelete {
  public var request: ACLRoleDeleteRequest {
    var request = ACLRoleDeleteRequest()
    request.roleID = id
    return request
  }

  public init(request: ACLRoleDeleteRequest) { self.init(id: request.roleID) }
  public func response(_ reply: String) -> String { reply }
  public func reply(_ response: String) -> String { response }
}

extension ACLBootstrap {
  public var request: ACLInitialTokenBootstrapRequest {
    var request = ACLInitialTokenBootstrapRequest()
    request.bootstrapSecret = secret
    return request
  }

  public init(request: ACLInitialTokenBootstrapRequest) { self.init(secret: request.bootstrapSecret) }
  public func response(_ reply: ACLToken) -> ACLToken { reply }
  public func reply(_ response: ACLToken) -> ACLToken { response }
}

extension ACLToken {
  /// Leaves out what would let readers act as the token.
  mutating func hideSecret() { secretID = .hidden }
}
