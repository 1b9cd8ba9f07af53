import Model

// How the agent finds and stays with its peers.
extension RuntimeConfiguration {
  public struct Join: Sendable, Equatable {
    /// Addresses, names or `provider=…` texts, templates replaced.
    public var lan: [String]
    public var lanInterval: GoDuration
    /// 0: without end.
    public var lanMaxAttempts: Int
    public var wan: [String]
    public var wanInterval: GoDuration
    public var wanMaxAttempts: Int
    public var primaryGateways: [String]
    public var primaryGatewaysInterval: GoDuration
    /// 0: the default of 72 hours.
    public var reconnectTimeoutLAN: GoDuration
    public var reconnectTimeoutWAN: GoDuration

    init(_ reader: inout SettingReader) {
      lan = reader.expandedStrings("retry_join")
      lanInterval = reader.duration("retry_interval")
      lanMaxAttempts = reader.int("retry_max")
      wan = reader.expandedStrings("retry_join_wan")
      wanInterval = reader.duration("retry_interval_wan")
      wanMaxAttempts = reader.int("retry_max_wan")
      primaryGateways = reader.expandedStrings("primary_gateways")
      primaryGatewaysInterval = reader.duration("primary_gateways_interval")
      reconnectTimeoutLAN = reader.duration("reconnect_timeout")
      reconnectTimeoutWAN = reader.duration("reconnect_timeout_wan")
    }
  }

  public struct Gossip: Sendable, Equatable {
    public var gossipInterval: GoDuration
    public var gossipNodes: Int
    public var probeInterval: GoDuration
    public var probeTimeout: GoDuration
    public var suspicionMultiplier: Int
    public var retransmitMultiplier: Int

    init(_ reader: inout SettingReader, _ block: String) {
      gossipInterval = reader.duration("\(block).gossip_interval")
      gossipNodes = reader.int("\(block).gossip_nodes")
      probeInterval = reader.duration("\(block).probe_interval")
      probeTimeout = reader.duration("\(block).probe_timeout")
      suspicionMultiplier = reader.int("\(block).suspicion_mult")
      retransmitMultiplier = reader.int("\(block).retransmit_mult")
    }
  }

  /// Encryption of gossip.
  public struct Encryption: Sendable, Equatable {
    /// Base64; empty: none.
    public var key: String
    public var verifyIncoming: Bool
    public var verifyOutgoing: Bool
    public var disableKeyringFile: Bool

    init(_ reader: SettingReader) {
      key = reader.string("encrypt")
      verifyIncoming = reader.bool("encrypt_verify_incoming")
      verifyOutgoing = reader.bool("encrypt_verify_outgoing")
      disableKeyringFile = reader.bool("disable_keyring_file")
    }
  }

  public struct Raft: Sendable, Equatable {
    public enum Backend: String, Sendable, CaseIterable { case `default`, boltdb, wal }

    public var protocolVersion: Int
    /// Timing with the multiplier applied.
    public var electionTimeout: GoDuration
    public var heartbeatTimeout: GoDuration
    public var leaderLeaseTimeout: GoDuration
    public var snapshotThreshold: Int
    public var snapshotInterval: GoDuration
    public var trailingLogs: Int
    public var preVoteDisabled: Bool
    public var backend: Backend
    public var disableLogCache: Bool
    public var verificationEnabled: Bool
    public var verificationInterval: GoDuration
    public var segmentSizeMiB: Int
    public var coordinateUpdatePeriod: GoDuration
    public var coordinateUpdateBatchSize: Int
    public var coordinateUpdateMaxBatches: Int
    public var serverHealthInterval: GoDuration

    init(_ reader: inout SettingReader) {
      protocolVersion = reader.int("raft_protocol")
      let multiplier = Int64(clamping: reader.int("performance.raft_multiplier"))
      electionTimeout = reader.duration("consul.raft.election_timeout").scaled(by: multiplier)
      heartbeatTimeout = reader.duration("consul.raft.heartbeat_timeout").scaled(by: multiplier)
      leaderLeaseTimeout = reader.duration("consul.raft.leader_lease_timeout").scaled(by: multiplier)
      snapshotThreshold = reader.int("raft_snapshot_threshold")
      snapshotInterval = reader.duration("raft_snapshot_interval")
      trailingLogs = reader.int("raft_trailing_logs")
      preVoteDisabled = reader.bool("raft_prevote_disabled")
      backend = reader.choice("raft_logstore.backend", as: Backend.self) ?? .default
      disableLogCache = reader.bool("raft_logstore.disable_log_cache")
      verificationEnabled = reader.bool("raft_logstore.verification.enabled")
      verificationInterval = reader.duration("raft_logstore.verification.interval")
      segmentSizeMiB = reader.int("raft_logstore.wal.segment_size_mb")
      coordinateUpdatePeriod = reader.duration("consul.coordinate.update_period")
      coordinateUpdateBatchSize = reader.int("consul.coordinate.update_batch_size")
      coordinateUpdateMaxBatches = reader.int("consul.coordinate.update_max_batches")
      serverHealthInterval = reader.duration("consul.server.health_interval")
    }
  }

  /// What a new cluster's autopilot begins with.
  public struct Autopilot: Sendable, Equatable {
    public var cleanupDeadServers: Bool
    public var lastContactThreshold: GoDuration
    public var maxTrailingLogs: Int
    public var minQuorum: Int
    public var serverStabilizationTime: GoDuration
    public var redundancyZoneTag: String
    public var disableUpgradeMigration: Bool
    public var upgradeVersionTag: String

    init(_ reader: inout SettingReader) {
      cleanupDeadServers = reader.bool("autopilot.cleanup_dead_servers")
      lastContactThreshold = reader.duration("autopilot.last_contact_threshold")
      maxTrailingLogs = reader.int("autopilot.max_trailing_logs")
      minQuorum = reader.int("autopilot.min_quorum")
      serverStabilizationTime = reader.duration("autopilot.server_stabilization_time")
      redundancyZoneTag = reader.string("autopilot.redundancy_zone_tag")
      disableUpgradeMigration = reader.bool("autopilot.disable_upgrade_migration")
      upgradeVersionTag = reader.string("autopilot.upgrade_version_tag")
    }
  }

  public struct Performance: Sendable, Equatable {
    public var leaveDrainTime: GoDuration
    public var raftMultiplier: Int
    public var rpcHoldTimeout: GoDuration
    public var grpcKeepaliveInterval: GoDuration
    public var grpcKeepaliveTimeout: GoDuration
    public var enableXDSLoadBalancing: Bool

    init(_ reader: inout SettingReader) {
      leaveDrainTime = reader.duration("performance.leave_drain_time")
      raftMultiplier = reader.int("performance.raft_multiplier")
      rpcHoldTimeout = reader.duration("performance.rpc_hold_timeout")
      grpcKeepaliveInterval = reader.duration("performance.grpc_keepalive_interval")
      grpcKeepaliveTimeout = reader.duration("performance.grpc_keepalive_timeout")
      enableXDSLoadBalancing = reader.bool("performance.enable_xds_load_balancing")
    }
  }

  /// The agent's cache of answers from servers.
  public struct Cache: Sendable, Equatable {
    /// Refreshes of one entry per second; infinite unless set.
    public var entryFetchRate: Double
    public var entryFetchMaxBurst: Int

    init(_ reader: SettingReader) {
      let rate =
        reader.values["cache.entry_fetch_rate"] == nil ? Double.infinity : reader.double("cache.entry_fetch_rate")
      entryFetchRate = rate
      entryFetchMaxBurst = reader.int("cache.entry_fetch_max_burst")
    }
  }

  /// A hosted control plane; nothing is connected, the values are kept for tools that read them.
  public struct Cloud: Sendable, Equatable {
    public var resourceID: String
    public var clientID: String
    public var clientSecret: String
    public var hostname: String
    public var authURL: String
    public var scadaAddress: String

    init(_ reader: SettingReader) {
      resourceID = reader.string("cloud.resource_id")
      clientID = reader.string("cloud.client_id")
      clientSecret = reader.string("cloud.client_secret")
      hostname = reader.string("cloud.hostname")
      authURL = reader.string("cloud.auth_url")
      scadaAddress = reader.string("cloud.scada_address")
    }
  }
}

extension GoDuration {
  /// The product, or the longest duration there is.
  func scaled(by factor: Int64) -> GoDuration {
    let (product, overflow) = nanoseconds.multipliedReportingOverflow(by: factor)
    return GoDuration(nanoseconds: overflow ? .max : product)
  }
}
