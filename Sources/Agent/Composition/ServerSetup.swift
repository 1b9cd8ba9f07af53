import AccessControl
import AgentConfiguration
import Consensus
import Model
import NIOCore
import Server
import Telemetry

#if canImport(Glibc)
  import Glibc
#endif

/// Makes the server part of an agent from its configuration.
enum ServerSetup {
  static func make(
    _ configuration: RuntimeConfiguration, nodeID: String, members: MemberTable, usesTLS: Bool,
    dataDirectory: String?, autoConfiguration: AutoConfigService?, transport: any RaftTransport, loop: any EventLoop
  ) throws(AgentError) -> ServerNode {
    let address = configuration.addresses.advertiseLAN.with(port: configuration.ports.server)
    var settings = ServerNode.Settings(
      datacenter: configuration.datacenter, member: ClusterMember(configuration, nodeID: nodeID, usesTLS: usesTLS),
      logger: LogOutput.logger("agent.server"))
    if let dataDirectory { settings.temporaryDirectory = dataDirectory }
    if configuration.sessionTTLMin > .zero { settings.sessionTTLMinimum = configuration.sessionTTLMin }
    settings.autopilot = AutopilotConfiguration(configuration.autopilot)
    settings.requestLimits = RequestLimits(configuration.limits)
    settings.coordinates.period = configuration.raft.coordinateUpdatePeriod
    settings.coordinates.batchSize = configuration.raft.coordinateUpdateBatchSize
    settings.coordinates.batchLimit = configuration.raft.coordinateUpdateMaxBatches
    settings.primary = PrimaryDatacenter(configuration)
    settings.accessControl = AccessControlSettings(configuration, dataDirectory: dataDirectory)
    settings.providers = ProviderClient()
    settings.authority = AuthoritySettings(configuration)
    settings.autoConfiguration = autoConfiguration
    settings.allowsIntentionsByDefault = configuration.allowsIntentionsByDefault
    do throws(ConfigurationError) {
      settings.initialConfigEntries =
        settings.primary == nil ? try configuration.initialConfigEntries() : []
    } catch {
      throw .configuration("\(error)")
    }
    let stop: @Sendable (String) -> Never = { reason in
      LogOutput.logger("agent.server").critical("\(reason)")
      exit(1)
    }
    settings.stop = stop
    do {
      let storage = try dataDirectory.map { try RaftStorage.open(dataDirectory: $0) } ?? .memory()
      if let dataDirectory {
        try PeersFile(dataDirectory: dataDirectory).consume { (peers) throws(RaftError) in
          try ServerNode.recover(storage, peers, stop: stop)
        }
      }
      let server = try ServerNode(
        settings: settings, members: members, raftOptions: options(configuration, id: nodeID, address: address),
        storage: storage, transport: transport, loop: loop)
      server.raft.observeFailure { error in stop("the log cannot be written any more: \(error)") }
      return server
    } catch let error as AgentError {
      throw error
    } catch {
      throw .storage("\(error)")
    }
  }

  private static func options(_ configuration: RuntimeConfiguration, id: String, address: String) -> RaftOptions {
    let raft = configuration.raft
    var settings = RaftSettings(
      heartbeatTimeout: raft.heartbeatTimeout.duration, electionTimeout: raft.electionTimeout.duration,
      leaderLeaseTimeout: raft.leaderLeaseTimeout.duration)
    settings.preVote = !raft.preVoteDisabled
    let isAlone = configuration.isDevelopment || configuration.bootstrap || configuration.bootstrapExpect == 1
    let server = RaftServer(id: id, address: address)
    return RaftOptions(
      id: id, address: address, settings: settings, snapshots: snapshots(configuration),
      bootstrap: isAlone ? RaftConfiguration(servers: [server]) : nil, logger: LogOutput.logger("agent.server.raft"))
  }

  private static func snapshots(_ configuration: RuntimeConfiguration) -> SnapshotPolicy {
    var policy = configuration.isDevelopment ? SnapshotPolicy.inMemory : SnapshotPolicy()
    policy.threshold = UInt64(max(configuration.raft.snapshotThreshold, 1))
    policy.interval = configuration.raft.snapshotInterval.duration
    policy.trailingEntries = UInt64(max(configuration.raft.trailingLogs, 0))
    return policy
  }
}

extension AutopilotConfiguration {
  init(_ settings: RuntimeConfiguration.Autopilot) {
    self.init()
    cleanupDeadServers = settings.cleanupDeadServers
    lastContactThreshold = settings.lastContactThreshold
    maxTrailingLogs = UInt64(clamping: settings.maxTrailingLogs)
    minQuorum = UInt64(clamping: settings.minQuorum)
    serverStabilizationTime = settings.serverStabilizationTime
    redundancyZoneTag = settings.redundancyZoneTag
    disableUpgradeMigration = settings.disableUpgradeMigration
    upgradeVersionTag = settings.upgradeVersionTag
  }
}

extension AuthoritySettings {
  /// Nil without a service mesh.
  init?(_ configuration: RuntimeConfiguration) {
    guard configuration.connect.enabled else { return nil }
    self.init()
    provider = configuration.connect.caProvider
    config = configuration.connect.caConfig
    isPrimary =
      configuration.primaryDatacenter.isEmpty || configuration.primaryDatacenter == configuration.datacenter
  }
}

extension RequestLimits {
  init(_ limits: RuntimeConfiguration.Limits) {
    self.init()
    switch limits.requestMode {
    case .disabled: mode = .disabled
    case .permissive: mode = .permissive
    case .enforcing: mode = .enforcing
    }
    readRate = limits.readRate
    writeRate = limits.writeRate
  }
}

extension AccessControlSettings {
  /// Nil when access control is off.
  init?(_ configuration: RuntimeConfiguration, dataDirectory: String?) {
    let acl = configuration.acl
    guard acl.enabled else { return nil }
    self.init(nodeName: configuration.nodeName)
    fallback = acl.defaultPolicy == "deny" ? .deny : .allow
    downPolicy = acl.downPolicy
    initialManagement = Secret(acl.tokens.initialManagement)
    self.dataDirectory = dataDirectory
    isDryRun = acl.dryRun
    listsKeysByPolicy = acl.enableKeyListPolicy
    primary = PrimaryDatacenter(configuration)
  }
}

extension PrimaryDatacenter {
  /// Nil in the primary datacenter itself.
  init?(_ configuration: RuntimeConfiguration) {
    let (name, acl) = (configuration.primaryDatacenter, configuration.acl)
    if name.isEmpty || name == configuration.datacenter { return nil }
    self.init(name)
    replicatesTokens = acl.enableTokenReplication
    replicationToken = Secret(acl.tokens.replication)
    tokenTTL = acl.tokenTTL
    downPolicy = RemoteTokenResolver.DownPolicy(rawValue: acl.downPolicy) ?? .extendCache
  }
}

extension RemoteTokenResolver.Settings {
  /// Nil when access control is off.
  init?(_ configuration: RuntimeConfiguration) {
    let acl = configuration.acl
    guard acl.enabled else { return nil }
    self.init(nodeName: configuration.nodeName)
    fallback = acl.defaultPolicy == "deny" ? .deny : .allow
    downPolicy = RemoteTokenResolver.DownPolicy(rawValue: acl.downPolicy) ?? .extendCache
    tokenTTL = acl.tokenTTL
    policyTTL = acl.policyTTL
    roleTTL = acl.roleTTL > .zero ? acl.roleTTL : acl.policyTTL
  }
}
