import Model

/// The names of the rows of the index table (wire/raft.md part D). Local catalog rows stand under the peer prefix `peer.~:`
/// and, for whole tables and kinds, under the plain name as well.
enum IndexName {
  static let peer = "peer.~:"

  static let nodes = "nodes"
  static let services = "services"
  static let checks = "checks"
  static let localNodes = peer + nodes
  static let localServices = peer + services
  static let localChecks = peer + checks
  static let nodeExtinction = peer + "node_last_extinction"
  static let serviceExtinction = peer + "service_last_extinction"
  static let kvs = "kvs"
  static let tombstones = "tombstones"
  static let sessions = "sessions"
  static let coordinates = "coordinates"
  static let virtualIPs = "service-virtual-ips"
  static let preparedQueries = "prepared-queries"
  static let configEntries = "config-entries"
  static let aclTokens = "acl-tokens"
  static let aclPolicies = "acl-policies"
  static let aclRoles = "acl-roles"
  static let aclBindingRules = "acl-binding-rules"
  static let aclAuthMethods = "acl-auth-methods"
  static let caRoots = "connect-ca-roots"
  static let caProvider = "connect-ca-builtin"
  /// Holds the last serial number instead of an index.
  static let caSerial = "connect-ca-builtin-serial"
  /// The index at which the first token was made; the next bootstrap has to name it.
  static let aclBootstrap = "acl-token-bootstrap"

  /// `node` and `service` are folded names.
  static func node(_ node: String) -> String { "\(peer)node.\(node)" }
  static func service(_ service: String) -> String { "\(peer)service.\(service)" }
  static func kind(_ kind: String) -> String { "service_kind.\(KindOf.name(kind))" }
  static func localKind(_ kind: String) -> String { peer + Self.kind(kind) }
  static func kindNames(_ kind: String) -> String { "kind_service_names.\(KindOf.name(kind))" }

  /// The tables whose index rows count for the `LastIndex` of a snapshot.
  static let tables: Set<String> = [
    nodes, services, checks, kvs, tombstones, sessions, coordinates, aclAuthMethods, aclBindingRules, aclPolicies,
    aclRoles, aclTokens, configEntries, caProvider, caRoots,
    "connect-intentions", "federation-states", "gateway-services", "mesh-topology", "peering", "peering-trust-bundles",
    preparedQueries, virtualIPs, "system-metadata",
  ]
}

/// How index names and counts call the kinds of services.
public enum KindOf {
  public static let typical = "typical"
  /// Services that can be reached through the mesh.
  public static let connectEnabled = "connect-enabled"

  static func name(_ kind: String) -> String { kind.isEmpty ? typical : kind }
}
