// Mesh, Raft, gossip, telemetry, and what belongs to the enterprise edition.
extension SettingTable {
  static let mesh: [Setting] = [
    Setting("connect.enabled", .bool, default: true, debug: "ConnectEnabled", "Turns the service mesh on."),
    Setting(
      "connect.ca_provider", .string, default: "", debug: "ConnectCAProvider",
      "Certificate authority of a new cluster: consul, vault or aws-pca."),
    Setting("connect.ca_config", .object, "Options of the certificate authority of a new cluster."),
    Setting(
      "connect.enable_mesh_gateway_wan_federation", .bool, default: false,
      debug: "ConnectMeshGatewayWANFederationEnabled",
      "Traffic between the servers of federated datacenters goes through mesh gateways."),
    Setting("connect.enable_serverless_plugin", .bool, default: false, "Accepts AWS Lambda functions as services."),
    Setting(
      "connect.proxy.allow_managed_root", .bool, default: false, traits: [.ours],
      "Runs built-in proxies even if the agent runs as root."),
    Setting(
      "connect.proxy.allow_managed_api_registration", .bool, default: false, traits: [.ours],
      "Runs built-in proxies for services that were registered over HTTP, too."),
    Setting(
      "tracing.zipkin.url", .string, default: "", traits: [.ours],
      "Zipkin endpoint that receives spans of agents and built-in proxies."),
    Setting(
      "tracing.otlp.endpoint", .string, default: "", traits: [.ours],
      "OTLP endpoint that receives spans of agents and built-in proxies."),
    Setting(
      "tracing.otlp.protocol", .string, default: "http/protobuf", traits: [.ours],
      "Encoding of OTLP: http/protobuf, http/json or grpc."),
    Setting("tracing.otlp.headers", .stringMap, traits: [.ours, .secret], "Headers of OTLP requests."),
    Setting("tracing.sample_ratio", .double, default: 1, traits: [.ours], "Share of requests that are traced, 0 to 1."),
    Setting("tracing.service_name", .string, default: "consul", traits: [.ours], "Service name in spans of the agent."),
  ]

  static let raft: [Setting] = [
    Setting(
      "raft_protocol", .int, default: 3, debug: "RaftProtocol", "Version of the Raft protocol; only 3 is supported."),
    Setting(
      "raft_snapshot_threshold", .int, default: 16384, traits: [.reloadable], debug: "RaftSnapshotThreshold",
      "Log entries after which a snapshot is made."),
    Setting(
      "raft_snapshot_interval", .duration, default: "30s", traits: [.reloadable], debug: "RaftSnapshotInterval",
      "How often a server looks whether a snapshot is due."),
    Setting(
      "raft_trailing_logs", .int, default: 10240, traits: [.reloadable], debug: "RaftTrailingLogs",
      "Log entries that are kept behind a snapshot."),
    Setting(
      "raft_prevote_disabled", .bool, default: false, debug: "RaftPreVoteDisabled", "Skips the vote before the vote."),
    Setting(
      "raft_logstore.backend", .string, default: "default", debug: "RaftLogStoreConfig.Backend",
      "Store of the Raft log: default, boltdb or wal."),
    Setting(
      "raft_logstore.disable_log_cache", .bool, default: false, debug: "RaftLogStoreConfig.DisableLogCache",
      "Keeps no recent entries in memory."),
    Setting(
      "raft_logstore.verification.enabled", .bool, default: false, debug: "RaftLogStoreConfig.Verification.Enabled",
      "The leader writes checksums of the log that the others check."),
    Setting(
      "raft_logstore.verification.interval", .duration, default: "0s",
      debug: "RaftLogStoreConfig.Verification.Interval", "How often; between 30 seconds and 5 minutes is sensible."),
    Setting(
      "raft_logstore.boltdb.no_freelist_sync", .bool, default: false, debug: "RaftLogStoreConfig.BoltDB.NoFreelistSync",
      "Accepted for the sake of existing files; this log store has no free list."),
    Setting("raft_logstore.wal.segment_size_mb", .int, default: 64, "Size of the files of the log, in MiB."),
    Setting(
      "consul.raft.election_timeout", .duration, default: "1000ms", traits: [.unwritable],
      "Base of the election timeout; performance.raft_multiplier stretches it."),
    Setting(
      "consul.raft.heartbeat_timeout", .duration, default: "1000ms", traits: [.unwritable],
      "Base of the heartbeat timeout; performance.raft_multiplier stretches it."),
    Setting(
      "consul.raft.leader_lease_timeout", .duration, default: "500ms", traits: [.unwritable],
      "Base of the leader's lease; performance.raft_multiplier stretches it."),
    Setting(
      "consul.coordinate.update_period", .duration, default: "5s", traits: [.unwritable],
      debug: "ConsulCoordinateUpdatePeriod", "How often servers write network coordinates."),
    Setting(
      "consul.coordinate.update_batch_size", .int, default: 128, traits: [.unwritable],
      debug: "ConsulCoordinateUpdateBatchSize", "Coordinates in one write."),
    Setting(
      "consul.coordinate.update_max_batches", .int, default: 5, traits: [.unwritable],
      debug: "ConsulCoordinateUpdateMaxBatches", "Writes of coordinates in one period."),
    Setting(
      "consul.server.health_interval", .duration, default: "2s", traits: [.unwritable],
      debug: "ConsulServerHealthInterval", "How often autopilot looks at the servers."),
  ]

  static let gossip: [Setting] =
    pool("lan", "LAN", gossipInterval: "200ms", nodes: 3, probeInterval: "1s", probeTimeout: "500ms", suspicion: 4)
    + pool("wan", "WAN", gossipInterval: "500ms", nodes: 3, probeInterval: "5s", probeTimeout: "3s", suspicion: 6)

  private static func pool(
    _ name: String, _ shown: String, gossipInterval: String, nodes: Int64, probeInterval: String, probeTimeout: String,
    suspicion: Int64
  ) -> [Setting] {
    let block = "gossip_" + name
    let debug = "Gossip" + shown
    return [
      Setting(
        "\(block).gossip_interval", .duration, default: .string(gossipInterval), debug: "\(debug)GossipInterval",
        "Pause between gossip messages of the \(shown) pool."),
      Setting(
        "\(block).gossip_nodes", .int, default: .int(nodes), debug: "\(debug)GossipNodes",
        "Nodes that each round of the \(shown) pool goes to."),
      Setting(
        "\(block).probe_interval", .duration, default: .string(probeInterval), debug: "\(debug)ProbeInterval",
        "Pause between probes of the \(shown) pool."),
      Setting(
        "\(block).probe_timeout", .duration, default: .string(probeTimeout), debug: "\(debug)ProbeTimeout",
        "How long a probe of the \(shown) pool waits for its answer."),
      Setting(
        "\(block).suspicion_mult", .int, default: .int(suspicion), debug: "\(debug)SuspicionMult",
        "Stretches the time for which a silent node of the \(shown) pool is only suspected."),
      Setting(
        "\(block).retransmit_mult", .int, default: .int(4), debug: "\(debug)RetransmitMult",
        "Stretches the number of repetitions of a message in the \(shown) pool."),
    ]
  }

  static let telemetry: [Setting] = [
    Setting(
      "telemetry.disable_hostname", .bool, default: false, debug: "Telemetry.DisableHostname",
      "Does not put the host name before the names of gauges."),
    Setting(
      "telemetry.enable_host_metrics", .bool, default: false, debug: "Telemetry.EnableHostMetrics",
      "Measures the host, too."),
    Setting(
      "telemetry.disable_per_tenancy_usage_metrics", .bool, default: false,
      debug: "Telemetry.DisablePerTenancyUsageMetrics", "Counts usage without labels of tenants."),
    Setting(
      "telemetry.prometheus_retention_time", .duration, default: "0s", debug: "Telemetry.PrometheusOpts.Expiration",
      "Above 0, metrics are kept that long for Prometheus."),
    Setting(
      "telemetry.prefix_filter", .strings, default: [], traits: [.reloadable],
      "Metrics to send (+prefix) and not to send (-prefix)."),
    Setting(
      "telemetry.filter_default", .bool, default: true, traits: [.reloadable], debug: "Telemetry.FilterDefault",
      "Whether metrics that no prefix names are sent."),
    Setting(
      "telemetry.metrics_prefix", .string, default: "consul", debug: "Telemetry.MetricsPrefix",
      "First part of the names of all metrics."),
    Setting(
      "telemetry.statsd_address", .string, default: "", traits: [.reloadable], debug: "Telemetry.StatsdAddr",
      "statsd server (UDP), host:port."
    ),
    Setting(
      "telemetry.statsite_address", .string, default: "", traits: [.reloadable], debug: "Telemetry.StatsiteAddr",
      "statsite server (TCP), host:port."),
    Setting(
      "telemetry.dogstatsd_addr", .string, default: "", traits: [.reloadable], debug: "Telemetry.DogstatsdAddr",
      "DogStatsD server (UDP), host:port."),
    Setting(
      "telemetry.dogstatsd_tags", .strings, default: [], traits: [.reloadable], debug: "Telemetry.DogstatsdTags",
      "Tags of all metrics, name:value."),
    Setting(
      "telemetry.retry_failed_connection", .bool, default: true, debug: "Telemetry.RetryFailedConfiguration",
      "Tries again when a metrics server cannot be reached at start."),
    Setting(
      "telemetry.circonus_api_token", .string, default: "", traits: [.secret], debug: "Telemetry.CirconusAPIToken",
      "API token of Circonus."),
    Setting(
      "telemetry.circonus_api_app", .string, default: "", debug: "Telemetry.CirconusAPIApp",
      "Application name of that token."),
    Setting("telemetry.circonus_api_url", .string, default: "", debug: "Telemetry.CirconusAPIURL", "API of Circonus."),
    Setting(
      "telemetry.circonus_submission_interval", .string, default: "", debug: "Telemetry.CirconusSubmissionInterval",
      "How often metrics go to Circonus."),
    Setting(
      "telemetry.circonus_submission_url", .string, default: "", debug: "Telemetry.CirconusSubmissionURL",
      "Where metrics go."),
    Setting(
      "telemetry.circonus_check_id", .string, default: "", debug: "Telemetry.CirconusCheckID",
      "Id of the Circonus check."),
    Setting(
      "telemetry.circonus_check_force_metric_activation", .string, default: "",
      debug: "Telemetry.CirconusCheckForceMetricActivation", "Activates metrics that are turned off at Circonus."),
    Setting(
      "telemetry.circonus_check_instance_id", .string, default: "", debug: "Telemetry.CirconusCheckInstanceID",
      "Names this instance at Circonus."),
    Setting(
      "telemetry.circonus_check_search_tag", .string, default: "", debug: "Telemetry.CirconusCheckSearchTag",
      "Tag that finds the check."),
    Setting(
      "telemetry.circonus_check_display_name", .string, default: "", debug: "Telemetry.CirconusCheckDisplayName",
      "Name of the check."),
    Setting(
      "telemetry.circonus_check_tags", .string, default: "", debug: "Telemetry.CirconusCheckTags",
      "Tags of the check, separated by commas."),
    Setting(
      "telemetry.circonus_broker_id", .string, default: "", debug: "Telemetry.CirconusBrokerID",
      "Id of the Circonus broker."),
    Setting(
      "telemetry.circonus_broker_select_tag", .string, default: "", debug: "Telemetry.CirconusBrokerSelectTag",
      "Tag that selects the broker."),
  ]

  static let enterprise: [Setting] = [
    Setting(
      "read_replica", .bool, default: false, debug: "ReadReplica", "A server that receives the log without voting."),
    Setting("segment", .string, default: "", debug: "SegmentName", "Network segment of the agent. Not supported."),
    Setting("segments", .blocks(segment), "Network segments of the servers. Not supported."),
    Setting("partition", .string, default: "", traits: [.enterprise], "Admin partition of the agent."),
    Setting(
      "dns_config.prefer_namespace", .bool, default: false, traits: [.enterprise],
      "Reads the label before `service` as a namespace."),
    Setting("audit.enabled", .bool, default: false, "Writes an audit log."),
    Setting("audit.sink", .namedBlocks(auditSink), "Where the audit log goes, by name."),
    Setting("audit.rpc_enabled", .bool, default: false, "Writes RPC requests to the audit log, too."),
    Setting("license_path", .string, default: "", traits: [.enterprise], "File with a licence."),
    Setting(
      "reporting.license.enabled", .bool, default: false, traits: [.enterprise], debug: "Reporting.License.Enabled",
      "Reports the usage of a licence."),
    Setting("reporting.snapshot_retention_time", .duration, traits: [.enterprise], "How long usage reports are kept."),
    Setting(
      "cloud.resource_id", .string, default: "", debug: "Cloud.ResourceID", "Resource of a hosted control plane."),
    Setting(
      "cloud.client_id", .string, default: "", debug: "Cloud.ClientID", "OAuth2 client of a hosted control plane."),
    Setting(
      "cloud.client_secret", .string, default: "", traits: [.secret], debug: "Cloud.ClientSecret",
      "OAuth2 secret of a hosted control plane."),
    Setting("cloud.hostname", .string, default: "", debug: "Cloud.Hostname", "API of a hosted control plane."),
    Setting("cloud.auth_url", .string, default: "", debug: "Cloud.AuthURL", "OAuth2 server of a hosted control plane."),
    Setting(
      "cloud.scada_address", .string, default: "", debug: "Cloud.ScadaAddress",
      "Tunnel server of a hosted control plane."),
  ]

  private static let segment: [Setting] = [
    Setting("name", .string, "Name of the segment."),
    Setting("bind", .string, "Address of the segment's gossip."),
    Setting("port", .int, "Port of the segment's gossip."),
    Setting("advertise", .string, "Advertised address of the segment."),
    Setting("rpc_listener", .bool, "A separate RPC listener for the segment."),
  ]

  private static let auditSink: [Setting] = [
    Setting("type", .string, "Kind of the sink: file."),
    Setting("format", .string, "Format of the events: json."),
    Setting("path", .string, "File of the events."),
    Setting("delivery_guarantee", .string, "best-effort."),
    Setting("mode", .string, "Permission bits of the file."),
    Setting("rotate_duration", .duration, "A new file is begun after that time."),
    Setting("rotate_bytes", .int, "A new file is begun after that many bytes."),
    Setting("rotate_max_files", .int, "Old files that are kept."),
  ]
}
