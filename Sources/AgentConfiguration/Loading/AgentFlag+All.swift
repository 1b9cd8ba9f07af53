extension AgentFlag {
  /// All flags in alphabetical order, as the usage text shows them.
  public static let all: [AgentFlag] = [
    AgentFlag(
      "advertise", .string, "advertise_addr",
      "Sets the advertise address to use."),
    AgentFlag(
      "advertise-wan", .string, "advertise_addr_wan",
      "Sets address to advertise on WAN instead of -advertise address."),
    AgentFlag(
      "allow-write-http-from", .strings, "http_config.allow_write_http_from",
      "Only allow write endpoint calls from given network. CIDR format, can be specified multiple times."),
    AgentFlag(
      "alt-domain", .string, "alt_domain",
      "Alternate domain to use for DNS interface."),
    AgentFlag(
      "auto-reload-config", .bool, "auto_reload_config",
      "Watches config files for changes and auto reloads the files when modified."),
    AgentFlag(
      "bind", .string, "bind_addr",
      "Sets the bind address for cluster communication."),
    AgentFlag(
      "bootstrap", .bool, "bootstrap",
      "Sets server to bootstrap mode."),
    AgentFlag(
      "bootstrap-expect", .int, "bootstrap_expect",
      "Sets server to expect bootstrap mode."),
    AgentFlag(
      "check_output_max_size", .int, "check_output_max_size",
      "Sets the maximum output size for checks on this agent"),
    AgentFlag(
      "client", .string, "client_addr",
      "Sets the address to bind for client access. This includes RPC, DNS, HTTP, HTTPS and gRPC (if configured)."),
    AgentFlag(
      "config-dir", .strings, target: .configDirectory,
      "Path to a directory to read configuration files from. This will read every file ending in '.json' as configuration in this directory in alphabetical order. Can be specified multiple times."
    ),
    AgentFlag(
      "config-file", .strings, target: .configFile,
      "Path to a file in JSON or HCL format with a matching file extension. Can be specified multiple times."),
    AgentFlag(
      "config-format", .string, target: .configFormat,
      "Config files are in this format irrespective of their extension. Must be 'hcl' or 'json'"),
    AgentFlag(
      "data-dir", .string, "data_dir",
      "Path to a data directory to store agent state."),
    AgentFlag(
      "datacenter", .string, "datacenter",
      "Datacenter of the agent."),
    AgentFlag(
      "default-query-time", .string, "default_query_time",
      "the amount of time a blocking query will wait before Consul will force a response. This value can be overridden by the 'wait' query parameter."
    ),
    AgentFlag(
      "dev", .bool, target: .development,
      "Starts the agent in development mode."),
    AgentFlag(
      "disable-host-node-id", .bool, "disable_host_node_id",
      "Setting this to true will prevent Consul from using information from the host to generate a node ID, and will cause Consul to generate a random node ID instead."
    ),
    AgentFlag(
      "disable-keyring-file", .bool, "disable_keyring_file",
      "Disables the backing up of the keyring to a file."),
    AgentFlag(
      "dns-port", .int, "ports.dns",
      "DNS port to use."),
    AgentFlag(
      "domain", .string, "domain",
      "Domain to use for DNS interface."),
    AgentFlag(
      "enable-local-script-checks", .bool, "enable_local_script_checks",
      "Enables health check scripts from configuration file."),
    AgentFlag(
      "enable-script-checks", .bool, "enable_script_checks",
      "Enables health check scripts."),
    AgentFlag(
      "encrypt", .string, "encrypt",
      "Provides the gossip encryption key."),
    AgentFlag(
      "grpc-port", .int, "ports.grpc",
      "Sets the gRPC API port to listen on."),
    AgentFlag(
      "grpc-tls-port", .int, "ports.grpc_tls",
      "Sets the gRPC-TLS API port to listen on."),
    AgentFlag(
      "hcl", .strings, target: .fragment,
      "hcl config fragment. Can be specified multiple times."),
    AgentFlag(
      "http-port", .int, "ports.http",
      "Sets the HTTP API port to listen on."),
    AgentFlag(
      "https-port", .int, "ports.https",
      "Sets the HTTPS API port to listen on."),
    AgentFlag(
      "join", .strings, "retry_join",
      "(deprecated) An alias for -retry-join. The -join flag will be removed in a future release."),
    AgentFlag(
      "join-wan", .strings, "retry_join_wan",
      "(deprecated) An alias for -retry-join-wan. The -join-wan flag will be removed in a future release."),
    AgentFlag(
      "log-file", .string, "log_file",
      "Path to the file the logs get written to"),
    AgentFlag(
      "log-json", .bool, "log_json",
      "Output logs in JSON format."),
    AgentFlag(
      "log-level", .string, "log_level",
      "Log level of the agent."),
    AgentFlag(
      "log-rotate-bytes", .int, "log_rotate_bytes",
      "Maximum number of bytes that should be written to a log file"),
    AgentFlag(
      "log-rotate-duration", .string, "log_rotate_duration",
      "Time after which log rotation needs to be performed"),
    AgentFlag(
      "log-rotate-max-files", .int, "log_rotate_max_files",
      "Maximum number of log file archives to keep"),
    AgentFlag(
      "max-query-time", .string, "max_query_time",
      "the maximum amount of time a blocking query can wait before Consul will force a response. Consul applies jitter to the wait time. The jittered time will be capped to MaxQueryTime."
    ),
    AgentFlag(
      "node", .string, "node_name",
      "Name of this node. Must be unique in the cluster."),
    AgentFlag(
      "node-id", .string, "node_id",
      "A unique ID for this node across space and time. Defaults to a randomly-generated ID that persists in the data-dir."
    ),
    AgentFlag(
      "node-meta", .pairs, "node_meta",
      "An arbitrary metadata key/value pair for this node, of the format key:value. Can be specified multiple times."),
    AgentFlag(
      "non-voting-server", .bool, "non_voting_server",
      "(Enterprise-only) DEPRECATED: -read-replica should be used instead"),
    AgentFlag(
      "pid-file", .string, "pid_file",
      "Path to file to store agent PID."),
    AgentFlag(
      "primary-gateway", .strings, "primary_gateways",
      "Address of a mesh gateway in the primary datacenter to use to bootstrap WAN federation at start time with retries enabled. Can be specified multiple times."
    ),
    AgentFlag(
      "protocol", .int, "protocol",
      "Sets the protocol version. Defaults to latest."),
    AgentFlag(
      "raft-protocol", .int, "raft_protocol",
      "Sets the Raft protocol version. Defaults to latest."),
    AgentFlag(
      "read-replica", .bool, "read_replica",
      "(Enterprise-only) This flag is used to make the server not participate in the Raft quorum, and have it only receive the data replication stream. This can be used to add read scalability to a cluster in cases where a high volume of reads to servers are needed."
    ),
    AgentFlag(
      "recursor", .strings, "recursors",
      "Address of an upstream DNS server. Can be specified multiple times."),
    AgentFlag(
      "rejoin", .bool, "rejoin_after_leave",
      "Ignores a previous leave and attempts to rejoin the cluster."),
    AgentFlag(
      "retry-interval", .string, "retry_interval",
      "Time to wait between join attempts."),
    AgentFlag(
      "retry-interval-wan", .string, "retry_interval_wan",
      "Time to wait between join -wan attempts."),
    AgentFlag(
      "retry-join", .strings, "retry_join",
      "Address of an agent to join at start time with retries enabled. Can be specified multiple times."),
    AgentFlag(
      "retry-join-wan", .strings, "retry_join_wan",
      "Address of an agent to join -wan at start time with retries enabled. Can be specified multiple times."),
    AgentFlag(
      "retry-max", .int, "retry_max",
      "Maximum number of join attempts. Defaults to 0, which will retry indefinitely."),
    AgentFlag(
      "retry-max-wan", .int, "retry_max_wan",
      "Maximum number of join -wan attempts. Defaults to 0, which will retry indefinitely."),
    AgentFlag(
      "segment", .string, "segment",
      "(Enterprise-only) Sets the network segment to join."),
    AgentFlag(
      "serf-lan-allowed-cidrs", .strings, "serf_lan_allowed_cidrs",
      "Networks (eg: 192.168.1.0/24) allowed for Serf LAN. Can be specified multiple times."),
    AgentFlag(
      "serf-lan-bind", .string, "serf_lan",
      "Address to bind Serf LAN listeners to."),
    AgentFlag(
      "serf-lan-port", .int, "ports.serf_lan",
      "Sets the Serf LAN port to listen on."),
    AgentFlag(
      "serf-wan-allowed-cidrs", .strings, "serf_wan_allowed_cidrs",
      "Networks (eg: 192.168.1.0/24) allowed for Serf WAN (other datacenters). Can be specified multiple times."),
    AgentFlag(
      "serf-wan-bind", .string, "serf_wan",
      "Address to bind Serf WAN listeners to."),
    AgentFlag(
      "serf-wan-port", .int, "ports.serf_wan",
      "Sets the Serf WAN port to listen on."),
    AgentFlag(
      "server", .bool, "server",
      "Switches agent to server mode."),
    AgentFlag(
      "server-port", .int, "ports.server",
      "Sets the server port to listen on."),
    AgentFlag(
      "syslog", .bool, "enable_syslog",
      "Enables logging to syslog."),
    AgentFlag(
      "ui", .bool, "ui_config.enabled",
      "Enables the built-in static web UI server."),
    AgentFlag(
      "ui-content-path", .string, "ui_config.content_path",
      "Sets the external UI path to a string. Defaults to: /ui/ "),
    AgentFlag(
      "ui-dir", .string, "ui_config.dir",
      "Path to directory containing the web UI resources."),
  ]
}
