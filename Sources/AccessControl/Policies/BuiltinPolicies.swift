import Model

/// The policies that every cluster has.
public enum BuiltinPolicies {
  public static let management = policy(
    id: ACLPolicy.managementID, name: "global-management",
    description: "A built-in policy that grants read and write access to all Consul features", level: .write)

  public static let readOnly = policy(
    id: ACLPolicy.readOnlyID, name: "builtin/global-read-only",
    description: "A built-in policy that grants read-only access to all Consul features", level: .read)

  public static let all = [management, readOnly]

  private static func policy(id: String, name: String, description: String, level: AccessLevel) -> ACLPolicy {
    var policy = ACLPolicy()
    policy.id = id
    policy.name = name
    policy.description = description
    policy.rules = rules(level)
    policy.hash = policy.contentHash
    return policy
  }

  /// One rule for every resource. Hashes are made of this text: every byte of it counts.
  private static func rules(_ level: AccessLevel) -> String {
    let scalars: Set<String> = ["acl", "keyring", "operator", "mesh", "peering"]
    let resources = [
      "acl", "agent", "event", "key", "keyring", "node", "operator", "mesh", "peering", "query", "service", "session",
    ]
    return resources.map { resource in
      if scalars.contains(resource) { return "\n\(resource) = \"\(level.rawValue)\"" }
      let intentions = resource == "service" ? "\n\tintentions = \"\(level.rawValue)\"" : ""
      return "\n\(resource)_prefix \"\" {\n\tpolicy = \"\(level.rawValue)\"\(intentions)\n}"
    }.joined()
  }
}
