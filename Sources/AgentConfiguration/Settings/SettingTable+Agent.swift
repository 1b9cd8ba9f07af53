// The agent itself: identity, files, addresses, ports, logging.
extension SettingTable {
  static let general: [Setting] = [
    Setting(
      "datacenter", .string, default: "dc1", debug: "Datacenter",
      "The datacenter that the agent belongs to: lower-case letters, digits, - and _."),
    Setting(
      "primary_datacenter", .string, debug: "PrimaryDatacenter",
      "The datacenter that owns ACLs, intentions and the root of the mesh CA. Without it, the agent's own."),
    Setting(
      "data_dir", .string, debug: "DataDir", "Directory for the agent's state. Required, except in development mode."),
    Setting(
      "server", .bool, default: false, debug: "ServerMode",
      "Whether the agent is a server, a member of the Raft group, or a client."),
    Setting(
      "bootstrap", .bool, default: false, debug: "Bootstrap",
      "Lets this server elect itself. Never for more than one server of a datacenter."),
    Setting(
      "bootstrap_expect", .int, default: 0, debug: "BootstrapExpect",
      "How many servers must be there before the first leader is elected."),
    Setting("pid_file", .string, default: "", debug: "PidFile", "File that receives the process id."),
    Setting(
      "auto_reload_config", .bool, default: false, debug: "AutoReloadConfig",
      "Watches configuration, certificate and key files and reloads when they change."),
    Setting(
      "leave_on_terminate", .bool, debug: "LeaveOnTerm",
      "Whether SIGTERM leaves the cluster gracefully. On clients it does unless this says no, on servers it does not."),
    Setting(
      "skip_leave_on_interrupt", .bool, debug: "SkipLeaveOnInt",
      "Whether SIGINT stops the agent without leaving. On servers it does unless this says no, on clients it leaves."),
    Setting(
      "rejoin_after_leave", .bool, default: false, debug: "RejoinAfterLeave",
      "Joins the earlier cluster again at start, even after a graceful leave."),
    Setting(
      "disable_remote_exec", .bool, default: true, debug: "DisableRemoteExec", "Refuses commands of `consul exec`."),
    Setting(
      "disable_update_check", .bool, default: false, debug: "DisableUpdateCheck", "Does not look for new releases."),
    Setting(
      "disable_anonymous_signature", .bool, default: false, debug: "DisableAnonymousSignature",
      "Sends no signature with the search for new releases."),
    Setting(
      "disable_coordinates", .bool, default: false, debug: "DisableCoordinates",
      "Neither computes nor sends network coordinates; `near` and `rtt` then have nothing to sort by."),
    Setting("enable_debug", .bool, default: false, debug: "EnableDebug", "Opens the profiling endpoints without ACLs."),
    Setting(
      "translate_wan_addrs", .bool, default: false, debug: "TranslateWANAddrs",
      "Answers with WAN addresses for nodes of other datacenters."),
    Setting(
      "session_ttl_min", .duration, default: "0s", debug: "SessionTTLMin", "Shortest TTL of a session; 0 is 10 seconds."
    ),
    Setting(
      "default_query_time", .duration, default: "300s", debug: "DefaultQueryTime",
      "How long a blocking query waits when it does not say."),
    Setting(
      "max_query_time", .duration, default: "600s", debug: "MaxQueryTime", "How long a blocking query may wait at most."
    ),
    Setting(
      "discovery_max_stale", .duration, default: "0s", traits: [.reloadable], debug: "DiscoveryMaxStale",
      "Above 0, discovery requests may be answered by any server that is not further behind than this."),
    Setting(
      "use_streaming_backend", .bool, default: true, debug: "UseStreamingBackend",
      "Clients follow changes by event streams instead of blocking queries."),
    Setting(
      "rpc.enable_streaming", .bool, default: true, debug: "RPCConfig.EnableStreaming", "Servers offer event streams."),
    Setting("protocol", .int, default: 2, debug: "RPCProtocol", "Version of the agent protocol: 2 or 3."),
    Setting("experiments", .strings, default: [], debug: "Experiments", "Names of experimental features to turn on."),
    Setting("locality.region", .string, "Region of the agent, for locality-aware routing."),
    Setting("locality.zone", .string, "Zone of the agent within its region."),
    Setting("peering.enabled", .bool, default: true, debug: "PeeringEnabled", "Whether clusters may be peered."),
    Setting(
      "unix_sockets.user", .string, default: "", debug: "UnixSocketUser", "Owner of Unix sockets: a name or an id."),
    Setting("unix_sockets.group", .string, default: "", debug: "UnixSocketGroup", "Group id of Unix sockets."),
    Setting(
      "unix_sockets.mode", .string, default: "", debug: "UnixSocketMode", "Permission bits of Unix sockets, octal."),
    Setting(
      "cache.entry_fetch_rate", .double, traits: [.reloadable], debug: "Cache.EntryFetchRate",
      "Refreshes of one cache entry per second; unlimited unless set."),
    Setting(
      "cache.entry_fetch_max_burst", .int, default: 2, traits: [.reloadable], debug: "Cache.EntryFetchMaxBurst",
      "Refreshes of one cache entry that may come at once."),
  ]

  static let addresses: [Setting] = [
    Setting(
      "bind_addr", .string, default: "0.0.0.0", debug: "BindAddr",
      "Address for traffic within the cluster: an IP address or a template."),
    Setting(
      "client_addr", .string, default: "127.0.0.1",
      "Addresses of the HTTP, HTTPS, DNS and gRPC listeners: IP addresses or a template, separated by spaces."),
    Setting("addresses.dns", .string, "Addresses of the DNS listener, instead of client_addr."),
    Setting(
      "addresses.http", .string,
      "Addresses of the HTTP listener, instead of client_addr; unix:///path is a Unix socket."),
    Setting("addresses.https", .string, "Addresses of the HTTPS listener, instead of client_addr."),
    Setting("addresses.grpc", .string, "Addresses of the gRPC listener, instead of client_addr."),
    Setting("addresses.grpc_tls", .string, "Addresses of the gRPC listener with TLS, instead of client_addr."),
    Setting(
      "advertise_addr", .string, debug: "AdvertiseAddrLAN",
      "Address that other agents use to reach this one. Without it, bind_addr."),
    Setting("advertise_addr_ipv4", .string, "IPv4 address to advertise beside an IPv6 one."),
    Setting("advertise_addr_ipv6", .string, "IPv6 address to advertise beside an IPv4 one."),
    Setting(
      "advertise_addr_wan", .string, debug: "AdvertiseAddrWAN",
      "Address that other datacenters use. Without it, advertise_addr."),
    Setting("advertise_addr_wan_ipv4", .string, "IPv4 address to advertise to other datacenters beside an IPv6 one."),
    Setting("advertise_addr_wan_ipv6", .string, "IPv6 address to advertise to other datacenters beside an IPv4 one."),
    Setting(
      "advertise_reconnect_timeout", .duration, default: "0s", debug: "AdvertiseReconnectTimeout",
      "Clients: how long others remember this agent after it failed."),
    Setting("serf_lan", .string, "Address of LAN gossip, instead of bind_addr."),
    Setting("serf_wan", .string, "Address of WAN gossip, instead of bind_addr."),
    Setting("serf_lan_allowed_cidrs", .strings, default: [], "Networks that may gossip with this agent; empty: all."),
    Setting(
      "serf_wan_allowed_cidrs", .strings, default: [], "Networks that may gossip across datacenters; empty: all."),
  ]

  static let ports: [Setting] = [
    Setting("ports.dns", .int, default: 8600, debug: "DNSPort", "DNS over UDP and TCP; -1 turns it off."),
    Setting("ports.http", .int, default: 8500, debug: "HTTPPort", "HTTP API; -1 turns it off."),
    Setting("ports.https", .int, default: -1, debug: "HTTPSPort", "HTTPS API; -1 turns it off."),
    Setting(
      "ports.grpc", .int, default: -1, debug: "GRPCPort", "gRPC without TLS (xDS, DNS, server API); -1 turns it off."),
    Setting("ports.grpc_tls", .int, debug: "GRPCTLSPort", "gRPC with TLS: 8503 on servers unless set, off on clients."),
    Setting("ports.serf_lan", .int, default: 8301, debug: "SerfPortLAN", "LAN gossip over UDP and TCP."),
    Setting(
      "ports.serf_wan", .int, default: 8302, debug: "SerfPortWAN", "WAN gossip over UDP and TCP; -1 turns it off."),
    Setting("ports.server", .int, default: 8300, debug: "ServerPort", "RPC between agents and servers."),
    Setting(
      "ports.sidecar_min_port", .int, default: 21000, debug: "ConnectSidecarMinPort",
      "First port for sidecar proxies that name none; 0 assigns none."),
    Setting(
      "ports.sidecar_max_port", .int, default: 21255, debug: "ConnectSidecarMaxPort",
      "Last port for sidecar proxies that name none."),
    Setting(
      "ports.expose_min_port", .int, default: 21500, debug: "ExposeMinPort",
      "First port for exposed check listeners; 0 assigns none."),
    Setting(
      "ports.expose_max_port", .int, default: 21755, debug: "ExposeMaxPort", "Last port for exposed check listeners."),
  ]

  static let cluster: [Setting] = [
    Setting(
      "retry_join", .strings, default: [], debug: "RetryJoinLAN",
      "Agents to join at start, tried until one answers: addresses, names, templates or `provider=…`."),
    Setting(
      "retry_interval", .duration, default: "30s", debug: "RetryJoinIntervalLAN", "Pause between attempts to join."),
    Setting(
      "retry_max", .int, default: 0, debug: "RetryJoinMaxAttemptsLAN",
      "Attempts to join before the agent gives up; 0: never."),
    Setting(
      "retry_join_wan", .strings, default: [], debug: "RetryJoinWAN", "Servers of other datacenters to join at start."),
    Setting(
      "retry_interval_wan", .duration, default: "30s", debug: "RetryJoinIntervalWAN",
      "Pause between attempts to join other datacenters."),
    Setting(
      "retry_max_wan", .int, default: 0, debug: "RetryJoinMaxAttemptsWAN",
      "Attempts to join other datacenters before the agent gives up; 0: never."),
    Setting(
      "primary_gateways", .strings, default: [], debug: "PrimaryGateways",
      "Mesh gateways of the primary datacenter, for servers of secondary ones."),
    Setting(
      "primary_gateways_interval", .duration, default: "30s", debug: "PrimaryGatewaysInterval",
      "Pause between attempts to find the primary's mesh gateways."),
    Setting(
      "reconnect_timeout", .duration, default: "0s", debug: "ReconnectTimeoutLAN",
      "How long a failed node is remembered (at least 8 hours); 0 is 72 hours."),
    Setting(
      "reconnect_timeout_wan", .duration, default: "0s", debug: "ReconnectTimeoutWAN",
      "The same for servers of other datacenters."),
    Setting(
      "server_rejoin_age_max", .duration, default: "168h", debug: "ServerRejoinAgeMax",
      "A server that was away longer does not start with its old data; at least 6 hours."),
    Setting(
      "autopilot.cleanup_dead_servers", .bool, default: true, debug: "AutopilotCleanupDeadServers",
      "Removes failed servers when a new one arrives."),
    Setting(
      "autopilot.last_contact_threshold", .duration, default: "200ms", debug: "AutopilotLastContactThreshold",
      "A server that hears from the leader less often is unhealthy."),
    Setting(
      "autopilot.max_trailing_logs", .int, default: 250, debug: "AutopilotMaxTrailingLogs",
      "A server that is more log entries behind is unhealthy."),
    Setting(
      "autopilot.min_quorum", .int, default: 0, debug: "AutopilotMinQuorum",
      "Dead servers are not removed below this number."),
    Setting(
      "autopilot.server_stabilization_time", .duration, default: "10s", debug: "AutopilotServerStabilizationTime",
      "How long a new server must be healthy before it votes."),
    Setting(
      "autopilot.redundancy_zone_tag", .string, default: "", traits: [.enterprise], debug: "AutopilotRedundancyZoneTag",
      "Node metadata key that names a server's zone; one server of each zone votes."),
    Setting(
      "autopilot.disable_upgrade_migration", .bool, default: false, traits: [.enterprise],
      debug: "AutopilotDisableUpgradeMigration", "Promotes new servers regardless of their version."),
    Setting(
      "autopilot.upgrade_version_tag", .string, default: "", traits: [.enterprise], debug: "AutopilotUpgradeVersionTag",
      "Node metadata key with the version that migrations compare."),
  ]

  static let node: [Setting] = [
    Setting(
      "node_name", .string, debug: "NodeName", "Name of the node, unique in the cluster. Without it, the host name."),
    Setting(
      "node_id", .string, debug: "NodeID",
      "Id of the node for all time: a UUID. Without it, one is made and kept in data_dir."),
    Setting("node_meta", .stringMap, debug: "NodeMeta", "Up to 64 pairs that describe the node, for filters and DNS."),
    Setting(
      "disable_host_node_id", .bool, default: true, debug: "DisableHostNodeID",
      "Makes the node's id by chance instead of from the host."),
  ]

  static let logging: [Setting] = [
    Setting(
      "log_level", .string, default: "INFO", traits: [.reloadable], debug: "Logging.LogLevel",
      "Least important level that is logged: trace, debug, info, warn or error."),
    Setting("log_json", .bool, default: false, debug: "Logging.LogJSON", "Logs JSON objects instead of lines of text."),
    Setting(
      "log_file", .string, default: "", debug: "Logging.LogFilePath",
      "File, or directory with a slash at the end, for the log."),
    Setting(
      "log_rotate_bytes", .int, default: 0, debug: "Logging.LogRotateBytes",
      "A new log file is begun after that many bytes; 0: never."),
    Setting(
      "log_rotate_duration", .duration, default: "0s", debug: "Logging.LogRotateDuration",
      "A new log file is begun after that time; 0 is 24 hours."),
    Setting(
      "log_rotate_max_files", .int, default: 0, debug: "Logging.LogRotateMaxFiles",
      "Old log files that are kept; 0: all, -1: none."),
    Setting("enable_syslog", .bool, default: false, debug: "Logging.EnableSyslog", "Logs to syslog, too."),
    Setting(
      "syslog_facility", .string, default: "LOCAL0", debug: "Logging.SyslogFacility", "Facility of syslog messages."),
  ]
}
