/// Rules under a name.
public struct ACLPolicy: Record {
  public static let managementID = "00000000-0000-0000-0000-000000000001"
  public static let readOnlyID = "00000000-0000-0000-0000-000000000002"

  public var id = ""
  public var name = ""
  public var description = ""
  /// In the rule language, as it was written.
  public var rules = ""
  /// Where it is valid; empty means everywhere.
  public var datacenters: [String] = []
  public var hash = Bytes()
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init() {}

  /// The digest of what the policy says.
  public var contentHash: Bytes {
    var hash = BLAKE2b()
    for text in [name, description, rules] + datacenters { hash.update(text) }
    return Bytes(hash.digest())
  }

  /// Whether every cluster has this policy.
  public var isBuiltin: Bool { id == Self.managementID || id == Self.readOnlyID }

  public static let schema = Schema<ACLPolicy>("structs.ACLPolicy") {
    $0.field("ID", \.id)
    $0.field("Name", \.name)
    $0.field("Description", \.description)
    $0.field("Rules", \.rules)
    $0.field("Datacenters", \.datacenters, .omitEmpty)
    $0.field("Hash", \.hash)
    $0.field("CreateIndex", \.createIndex)
    $0.field("ModifyIndex", \.modifyIndex)
  }
}

/// A policy as lists show it: without its rules.
public struct ACLPolicyListStub: Record {
  public var id = ""
  public var name = ""
  public var description = ""
  public var datacenters: [String] = []
  public var hash = Bytes()
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init() {}
  public init(_ policy: ACLPolicy) {
    id = policy.id
    name = policy.name
    description = policy.description
    datacenters = policy.datacenters
    hash = policy.hash
    createIndex = policy.createIndex
    modifyIndex = policy.modifyIndex
  }

  public static let schema = Schema<ACLPolicyListStub>("structs.ACLPolicyListStub") {
    $0.field("ID", \.id)
    $0.field("Name", \.name)
    $0.field("Description", \.description)
    $0.field("Datacenters", \.datacenters, .nullWhenEmpty)
    $0.field("Hash", \.hash)
    $0.field("CreateIndex", \.createIndex)
    $0.field("ModifyIndex", \.modifyIndex)
  }
}

/// Policies and identities under a name, for several tokens to hold.
public struct ACLRole: Record {
  public var id = ""
  public var name = ""
  public var description = ""
  public var policies: [ACLLink] = []
  public var serviceIdentities: [ACLServiceIdentity] = []
  public var nodeIdentities: [ACLNodeIdentity] = []
  public var templatedPolicies: [ACLTemplatedPolicy] = []
  public var hash = Bytes()
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init() {}

  /// The digest of what the role says.
  public var contentHash: Bytes {
    var hash = BLAKE2b()
    hash.update(name)
    hash.update(description)
    for link in policies { hash.update(link.id) }
    hash.update(serviceIdentities, nodeIdentities, templatedPolicies)
    return Bytes(hash.digest())
  }

  public static let schema = Schema<ACLRole>("structs.ACLRole") {
    $0.field("ID", \.id)
    $0.field("Name", \.name)
    $0.field("Description", \.description)
    $0.field("Policies", \.policies, .omitEmpty)
    $0.field("ServiceIdentities", \.serviceIdentities, .omitEmpty)
    $0.field("NodeIdentities", \.nodeIdentities, .omitEmpty)
    $0.field("TemplatedPolicies", \.templatedPolicies, .omitEmpty)
    $0.field("Hash", \.hash)
    $0.field("CreateIndex", \.createIndex)
    $0.field("ModifyIndex", \.modifyIndex)
  }
}
