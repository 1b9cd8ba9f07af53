import AccessControl
import Model

/// Asks for policies by their ids.
public struct ACLPolicyBatchGetRequest: RPCReadRequest {
  public var policyIDs: [String] = []
  public var datacenter = ""
  public var options = RPCQueryOptions()

  public init() {}

  public static let schema = Schema<ACLPolicyBatchGetRequest>("structs.ACLPolicyBatchGetRequest") {
    $0.field("PolicyIDs", \.policyIDs)
    $0.field("Datacenter", \.datacenter)
    $0.embed(\.options)
  }
}

/// Policies with their rules.
public struct ACLPolicyBatchResponse: RPCReply {
  public var policies: [ACLPolicy] = []
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<ACLPolicyBatchResponse>("structs.ACLPolicyBatchResponse") {
    $0.field("Policies", \.policies)
    $0.embed(\.meta)
  }
}

/// Asks for roles by their ids.
public struct ACLRoleBatchGetRequest: RPCReadRequest {
  public var roleIDs: [String] = []
  public var datacenter = ""
  public var options = RPCQueryOptions()

  public init() {}

  public static let schema = Schema<ACLRoleBatchGetRequest>("structs.ACLRoleBatchGetRequest") {
    $0.field("RoleIDs", \.roleIDs)
    $0.field("Datacenter", \.datacenter)
    $0.embed(\.options)
  }
}

/// Roles.
public struct ACLRoleBatchResponse: RPCReply {
  public var roles: [ACLRole] = []
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<ACLRoleBatchResponse>("structs.ACLRoleBatchResponse") {
    $0.field("Roles", \.roles)
    $0.embed(\.meta)
  }
}

/// Asks for tokens by their accessors.
public struct ACLTokenBatchGetRequest: RPCReadRequest {
  public var accessorIDs: [String] = []
  public var datacenter = ""
  public var options = RPCQueryOptions()

  public init() {}

  public static let schema = Schema<ACLTokenBatchGetRequest>("structs.ACLTokenBatchGetRequest") {
    $0.field("AccessorIDs", \.accessorIDs)
    $0.field("Datacenter", \.datacenter)
    $0.embed(\.options)
  }
}

/// Tokens, with their secrets for those who may see them.
public struct ACLTokenBatchResponse: RPCReply {
  public var tokens: [ACLToken] = []
  /// Whether the secrets are hidden.
  public var redacted = false
  /// Never set by servers.
  public var removed = false
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<ACLTokenBatchResponse>("structs.ACLTokenBatchResponse") {
    $0.field("Tokens", \.tokens)
    $0.field("Redacted", \.redacted)
    $0.field("Removed", \.removed)
    $0.embed(\.meta)
  }
}

/// A right that somebody asks about.
public struct ACLAuthorizationRequest: Record {
  public var resource = ""
  public var segment = ""
  public var access = ""

  public init() {}

  /// - Throws: `ServerError.invalid` for a resource or an access that there is not.
  func permission() throws(ServerError) -> Permission {
    do throws(PermissionError) {
      return try Permission(resource: resource, access: access, name: segment)
    } catch {
      throw .invalid(error.description)
    }
  }

  public static let schema = Schema<ACLAuthorizationRequest>("structs.ACLAuthorizationRequest") {
    $0.field("Resource", \.resource)
    $0.field("Segment", \.segment, .omitEmpty)
    $0.field("Access", \.access)
  }
}

/// The same with the answer.
public struct ACLAuthorizationResponse: Record {
  public var resource = ""
  public var segment = ""
  public var access = ""
  public var allow = false

  public init() {}

  public static let schema = Schema<ACLAuthorizationResponse>("structs.ACLAuthorizationResponse") {
    $0.field("Resource", \.resource)
    $0.field("Segment", \.segment, .omitEmpty)
    $0.field("Access", \.access)
    $0.field("Allow", \.allow)
  }
}

/// Asks a datacenter what the token of the request may do there.
public struct RemoteACLAuthorizationRequest: RPCReadRequest {
  public var requests: [ACLAuthorizationRequest] = []
  public var datacenter = ""
  public var options = RPCQueryOptions()

  public init() {}

  /// The answers, for who asks; nil where everybody may do everything.
  func answers(_ access: RequestAccess?) throws(ServerError) -> [ACLAuthorizationResponse] {
    let reader = try access?.reader()
    var answers: [ACLAuthorizationResponse] = []
    for request in requests {
      let permission = try request.permission()
      var answer = ACLAuthorizationResponse()
      (answer.resource, answer.segment, answer.access) = (request.resource, request.segment, request.access)
      answer.allow = reader?.allows(permission) ?? true
      answers.append(answer)
    }
    return answers
  }

  public static let schema = Schema<RemoteACLAuthorizationRequest>("structs.RemoteACLAuthorizationRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("Requests", \.requests)
    $0.embed(\.options)
  }
}
