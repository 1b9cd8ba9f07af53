/// A secret and what it may do.
public struct ACLToken: Record {
  /// Of the token that stands for requests without one.
  public static let anonymousAccessor = "00000000-0000-0000-0000-000000000002"
  public static let anonymousSecret = Secret("anonymous")

  /// The public id.
  public var accessorID = ""
  public var secretID = Secret()
  public var description = ""
  public var policies: [ACLLink] = []
  public var roles: [ACLLink] = []
  public var serviceIdentities: [ACLServiceIdentity] = []
  public var nodeIdentities: [ACLNodeIdentity] = []
  public var templatedPolicies: [ACLTemplatedPolicy] = []
  /// Whether it is known in this datacenter only.
  public var local = false
  /// The auth method that made it; "" for one that an operator made.
  public var authMethod = ""
  /// When it stops being valid; nil for never.
  public var expirationTime: Timestamp?
  /// How long it is to be valid: only in requests, which turn it into `expirationTime`.
  public var expirationTTL = GoDuration.zero
  public var createTime = Timestamp()
  public var hash = Bytes()
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init() {}

  /// Whether the token is not valid any more at `now`.
  public func isExpired(at now: Timestamp) -> Bool { expirationTime.map { $0 <= now } ?? false }

  /// The digest of what the token says of its rights.
  public var contentHash: Bytes {
    var hash = BLAKE2b()
    hash.update(description)
    hash.update(local ? "local" : "global")
    for link in policies { hash.update(link.id) }
    for link in roles { hash.update(link.id) }
    hash.update(serviceIdentities, nodeIdentities, templatedPolicies)
    return Bytes(hash.digest())
  }

  public static let schema = Schema<ACLToken>("structs.ACLToken") {
    $0.field("AccessorID", \.accessorID)
    $0.field("SecretID", \.secretID)
    $0.field("Description", \.description)
    $0.field("Policies", \.policies, .omitEmpty)
    $0.field("Roles", \.roles, .omitEmpty)
    $0.field("ServiceIdentities", \.serviceIdentities, .omitEmpty)
    $0.field("NodeIdentities", \.nodeIdentities, .omitEmpty)
    $0.field("TemplatedPolicies", \.templatedPolicies, .omitEmpty)
    $0.field("Local", \.local)
    $0.field("AuthMethod", \.authMethod, .omitEmpty)
    $0.field("ExpirationTime", \.expirationTime, .omitEmpty)
    $0.field("ExpirationTTL", \.expirationTTL, [.omitEmpty, .durationText])
    $0.field("CreateTime", \.createTime)
    $0.field("Hash", \.hash)
    $0.field("CreateIndex", \.createIndex)
    $0.field("ModifyIndex", \.modifyIndex)
  }
}

extension BLAKE2b {
  mutating func update(
    _ services: [ACLServiceIdentity], _ nodes: [ACLNodeIdentity], _ templates: [ACLTemplatedPolicy]
  ) {
    for identity in services {
      update(identity.serviceName)
      for datacenter in identity.datacenters { update(datacenter) }
    }
    for identity in nodes {
      update(identity.nodeName)
      update(identity.datacenter)
    }
    for template in templates {
      update(template.templateID)
      update(template.templateName)
      if let variables = template.templateVariables { update(variables.name) }
      for datacenter in template.datacenters { update(datacenter) }
    }
  }
}
