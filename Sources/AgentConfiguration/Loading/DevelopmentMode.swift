/// What `-dev` sets, before all files and flags.
enum DevelopmentMode {
  static let values: SettingValues = {
    var values = SettingValues()
    values["bind_addr"] = "127.0.0.1"
    values["server"] = true
    values["log_level"] = "DEBUG"
    values["enable_debug"] = true
    values["disable_anonymous_signature"] = true
    values["disable_keyring_file"] = true
    values["ui_config.enabled"] = true
    values["connect.enabled"] = true
    values["peering.enabled"] = true
    values["ports.grpc"] = 8502
    values["performance.raft_multiplier"] = 1
    for pool in ["gossip_lan", "gossip_wan"] {
      values["\(pool).gossip_interval"] = "100ms"
      values["\(pool).probe_interval"] = "100ms"
      values["\(pool).probe_timeout"] = "100ms"
      values["\(pool).suspicion_mult"] = 3
    }
    values["consul.raft.election_timeout"] = "52ms"
    values["consul.raft.heartbeat_timeout"] = "35ms"
    values["consul.raft.leader_lease_timeout"] = "20ms"
    values["consul.coordinate.update_period"] = "100ms"
    values["consul.server.health_interval"] = "10ms"
    return values
  }()
}
