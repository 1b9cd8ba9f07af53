import Model

/// An older name of an option: still read, with a warning.
public struct Deprecation: Sendable {
  public let path: String
  /// Nil: read and ignored.
  public let replacement: String?
  let type: SettingType

  private init(_ path: String, _ replacement: String?, _ type: SettingType) {
    self.path = path
    self.replacement = replacement
    self.type = type
  }

  /// In the order in which warnings appear.
  public static let all: [Deprecation] = [
    Deprecation("acl_agent_master_token", "acl.tokens.agent_recovery", .string),
    Deprecation("acl.tokens.agent_master", "acl.tokens.agent_recovery", .string),
    Deprecation("acl_agent_token", "acl.tokens.agent", .string),
    Deprecation("acl_token", "acl.tokens.default", .string),
    Deprecation("acl_master_token", "acl.tokens.initial_management", .string),
    Deprecation("acl.tokens.master", "acl.tokens.initial_management", .string),
    Deprecation("acl_replication_token", "acl.tokens.replication", .string),
    Deprecation("enable_acl_replication", "acl.enable_token_replication", .bool),
    Deprecation("acl_datacenter", "primary_datacenter", .string),
    Deprecation("acl_default_policy", "acl.default_policy", .string),
    Deprecation("acl_down_policy", "acl.down_policy", .string),
    Deprecation("acl_ttl", "acl.token_ttl", .duration),
    Deprecation("acl_enable_key_list_policy", "acl.enable_key_list_policy", .bool),
    Deprecation("ca_file", "tls.defaults.ca_file", .string),
    Deprecation("ca_path", "tls.defaults.ca_path", .string),
    Deprecation("cert_file", "tls.defaults.cert_file", .string),
    Deprecation("key_file", "tls.defaults.key_file", .string),
    Deprecation("tls_cipher_suites", "tls.defaults.tls_cipher_suites", .string),
    Deprecation("tls_min_version", "tls.defaults.tls_min_version", .string),
    Deprecation("tls_prefer_server_cipher_suites", nil, .bool),
    Deprecation("verify_incoming", "tls.defaults.verify_incoming", .bool),
    Deprecation("verify_incoming_https", "tls.https.verify_incoming", .bool),
    Deprecation("verify_incoming_rpc", "tls.internal_rpc.verify_incoming", .bool),
    Deprecation("verify_outgoing", "tls.defaults.verify_outgoing", .bool),
    Deprecation("verify_server_hostname", "tls.internal_rpc.verify_server_hostname", .bool),
    Deprecation("ui", "ui_config.enabled", .bool),
    Deprecation("ui_dir", "ui_config.dir", .string),
    Deprecation("ui_content_path", "ui_config.content_path", .string),
    Deprecation("start_join", "retry_join", .strings),
    Deprecation("start_join_wan", "retry_join_wan", .strings),
    Deprecation("raft_boltdb.NoFreelistSync", "raft_logstore.boltdb.no_freelist_sync", .bool),
    Deprecation("non_voting_server", "read_replica", .bool),
    Deprecation("enable_xds_load_balancing", "performance.enable_xds_load_balancing", .bool),
  ]

  /// The entry of the table that lets files use the older name.
  var setting: Setting {
    let meaning = replacement.map { "Deprecated: use \($0)." } ?? "Deprecated and without effect."
    return Setting(path, type, meaning)
  }

  /// Moves values from older names to present ones, within one source, and returns the warnings.
  static func apply(to values: inout SettingValues) -> [String] {
    var warnings: [String] = []
    for deprecation in all {
      guard let value = values[deprecation.path] else { continue }
      values[deprecation.path] = nil
      warnings += deprecation.warnings(value)
      guard let replacement = deprecation.replacement else { continue }
      deprecation.move(value, to: replacement, in: &values)
    }
    return warnings
  }

  private func move(_ value: Dynamic, to replacement: String, in values: inout SettingValues) {
    if path == "acl_replication_token" { values["acl.enable_token_replication"] = true }
    switch (values[replacement], value) {
    case (.array(let present), .array(let old)): values[replacement] = .array(present + old)
    case (nil, _): values[replacement] = path == "tls_min_version" ? Self.presentTLSVersion(value) : value
    default: break
    }
  }

  private func warnings(_ value: Dynamic) -> [String] {
    guard let replacement else { return ["The '\(path)' field is deprecated and will be ignored."] }
    // Its replacement has a warning of its own.
    if path == "non_voting_server" { return [] }
    var warnings = ["The '\(path)' field is deprecated. Use the '\(replacement)' field instead."]
    if path == "tls_min_version", let old = value.string, let new = Self.presentTLSVersion(value).string, new != old {
      warnings.insert("'tls_min_version' value '\(old)' is deprecated, please specify '\(new)' instead", at: 0)
    }
    return warnings
  }

  /// `tls12` is the older form of `TLSv1_2`.
  private static func presentTLSVersion(_ value: Dynamic) -> Dynamic {
    guard let text = value.string else { return value }
    switch text.lowercased() {
    case "tls10": return "TLSv1_0"
    case "tls11": return "TLSv1_1"
    case "tls12": return "TLSv1_2"
    case "tls13": return "TLSv1_3"
    default: return value
    }
  }
}
