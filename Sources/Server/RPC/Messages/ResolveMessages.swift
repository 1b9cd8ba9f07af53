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
