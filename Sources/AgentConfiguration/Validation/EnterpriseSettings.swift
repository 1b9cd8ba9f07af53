/// Options of the reference's enterprise edition: read, and answered with a warning.
enum EnterpriseSettings {
  /// What the warning calls an option, and the paths that trigger it, in the order of the warnings.
  private static let names: [(shown: String, paths: [String])] = [
    ("read_replica (or the deprecated non_voting_server)", ["read_replica"]),
    ("acl.msp_disable_bootstrap", ["acl.msp_disable_bootstrap"]),
    ("acl.tokens.managed_service_provider", ["acl.tokens.managed_service_provider"]),
    ("autopilot.redundancy_zone_tag", ["autopilot.redundancy_zone_tag"]),
    ("autopilot.upgrade_version_tag", ["autopilot.upgrade_version_tag"]),
    ("autopilot.disable_upgrade_migration", ["autopilot.disable_upgrade_migration"]),
    ("dns_config.prefer_namespace", ["dns_config.prefer_namespace"]),
    ("partition", ["partition"]),
    ("audit", ["audit.enabled", "audit.sink", "audit.rpc_enabled"]),
    ("license_path", ["license_path"]),
    ("reporting.license.enabled", ["reporting.license.enabled"]),
    ("reporting.snapshot_retention_time", ["reporting.snapshot_retention_time"]),
  ]

  static func warnings(_ values: SettingValues) -> [String] {
    names.filter { $0.paths.contains { values[$0] != nil } }
      .map { "\"\($0.shown)\" is a Consul Enterprise configuration and will have no effect" }
  }
}
