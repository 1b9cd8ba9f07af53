import Model

// The configuration as `GET /v1/agent/self` shows it (`DebugConfig`).
extension RuntimeConfiguration {
  /// Every option that has a name there, with what was derived from several. Secrets are `"hidden"`.
  ///
  /// - Parameters:
  ///   - nodeID: the id that the agent uses, which need not be configured.
  ///   - version: version of the program.
  ///   - revision: what the program was built from.
  ///   - buildDate: when it was built.
  public func debugConfiguration(
    nodeID: String, version: String, revision: String = "", buildDate: String = ""
  ) -> DynamicObject {
    var tree = DebugTree()
    for setting in SettingTable.all {
      guard let name = setting.debugName else { continue }
      tree.set(name, Self.shown(setting, settings[setting.path]))
    }
    let derived = identity(nodeID: nodeID, version: version) + network + security + authorizer + observability + timing
    for (name, value) in derived {
      tree.set(name, value)
    }
    tree.set("Revision", .string(revision))
    tree.set("BuildDate", .string(buildDate))
    return tree.object
  }

  /// A value as it is shown: durations in their normal form, secrets hidden, what is missing by the zero value of its type.
  private static func shown(_ setting: Setting, _ value: Dynamic?) -> Dynamic {
    if setting.traits.contains(.secret) { return "hidden" }
    // Those of an auth method that is not there are not empty but missing.
    if value == nil, setting.path.hasPrefix("auto_config.authorization.static.") { return .null }
    switch setting.type {
    case .duration: return shown(GoDuration(value?.string ?? "") ?? .zero)
    case .bool: return value ?? false
    case .int, .double: return value ?? 0
    case .string: return value ?? ""
    case .strings, .objects, .blocks, .definitions: return value ?? []
    case .stringMap, .durationMap, .object, .namedBlocks: return value ?? [:]
    }
  }

  private static func shown(_ duration: GoDuration) -> Dynamic { .string(duration.description) }
  private static func shown(_ texts: [String]) -> Dynamic { .array(texts.map { .string($0) }) }
  /// Infinite rates are shown as the largest number: JSON has no other.
  private static func shown(_ rate: Double) -> Dynamic { .double(rate.isFinite ? rate : .greatestFiniteMagnitude) }

  private typealias Members = [(String, Dynamic)]

  private func identity(nodeID: String, version: String) -> Members {
    [
      ("Datacenter", .string(datacenter)), ("PrimaryDatacenter", .string(primaryDatacenter)),
      ("NodeName", .string(nodeName)), ("NodeID", .string(nodeID)), ("DevMode", .bool(isDevelopment)),
      ("ServerMode", .bool(isServer)), ("Bootstrap", .bool(bootstrap)),
      ("BootstrapExpect", .int(Int64(bootstrapExpect))), ("LeaveOnTerm", .bool(leaveOnTerminate)),
      ("SkipLeaveOnInt", .bool(skipLeaveOnInterrupt)), ("Version", .string(version)), ("VersionMetadata", ""),
      ("VersionPrerelease", ""), ("EnableRemoteScriptChecks", .bool(checkSettings.enableRemoteScripts)),
      ("EnableLocalScriptChecks", .bool(checkSettings.enableLocalScripts)), ("Cloud.NodeName", .string(nodeName)),
      ("Cloud.NodeID", ""), ("Cloud.ManagementToken", "hidden"), ("Cloud.TLSConfig", .null),
      ("Locality", locality.map { ["Region": .string($0.region), "Zone": .string($0.zone)] } ?? .null),
      ("UIConfig.ContentPath", .string(ui.contentPath)), ("UIConfig.HCPEnabled", false),
      (
        "UIConfig.MetricsProxy.AddHeaders",
        .array(ui.metricsProxy.addHeaders.map { ["Name": .string($0.name), "Value": "hidden"] })
      ),
      ("UIConfig.MetricsProxy.PathAllowlist", Self.shown(ui.metricsProxy.pathAllowlist)),
      ("Services", .array(services.map { .string($0.id) })), ("Checks", .array(checks.map { .string($0.id) })),
      ("Watches", .array(watches.map { .object($0.members) })),
      ("ConfigEntryBootstrap", .array(configEntriesToBootstrap.map { .object($0.members) })),
    ]
  }

  private var network: Members {
    func shown(_ list: [ListenAddress], _ transports: [String] = ["tcp"]) -> Dynamic {
      Self.shown(list.flatMap { address in transports.map { address.shown(transport: $0) } })
    }
    func tcp(_ address: IPAddress, _ port: Int) -> Dynamic { .string("tcp://\(address.with(port: port))") }
    return [
      ("BindAddr", .string(addresses.bind.description)),
      ("AdvertiseAddrLAN", .string(addresses.advertiseLAN.description)),
      ("AdvertiseAddrWAN", .string(addresses.advertiseWAN.description)),
      ("ClientAddrs", Self.shown(addresses.clients.map(\.description))),
      ("DNSAddrs", shown(addresses.dns, ["tcp", "udp"])), ("HTTPAddrs", shown(addresses.http)),
      ("HTTPSAddrs", shown(addresses.https)), ("GRPCAddrs", shown(addresses.grpc)),
      ("GRPCTLSAddrs", shown(addresses.grpcTLS)), ("GRPCTLSPort", .int(Int64(ports.grpcTLS))),
      ("RPCAdvertiseAddr", tcp(addresses.advertiseLAN, ports.server)),
      ("RPCBindAddr", tcp(addresses.bind, ports.server)),
      ("SerfAdvertiseAddrLAN", tcp(addresses.advertiseLAN, ports.serfLAN)),
      ("SerfBindAddrLAN", tcp(addresses.serfLANBind, ports.serfLAN)),
      ("SerfAdvertiseAddrWAN", ports.serfWAN > 0 ? tcp(addresses.advertiseWAN, ports.serfWAN) : .null),
      ("SerfBindAddrWAN", ports.serfWAN > 0 ? tcp(addresses.serfWANBind, ports.serfWAN) : .null),
      ("SerfAllowedCIDRsLAN", Self.shown(addresses.serfLANAllowed.map(\.description))),
      ("SerfAllowedCIDRsWAN", Self.shown(addresses.serfWANAllowed.map(\.description))),
      ("TaggedAddresses", .object(DynamicObject(addresses.tagged.map { ($0.key, .string($0.value)) }))),
      ("DNSDomain", .string(dns.domain)), ("DNSAltDomain", .string(dns.altDomain)),
      (
        "DNSServiceTTL", .object(DynamicObject(dns.serviceTTL.map { ($0.key, .string($0.value.description)) }))
      ),
      ("RetryJoinLAN", Self.shown(join.lan)), ("RetryJoinWAN", Self.shown(join.wan)), ("SegmentLimit", 64),
      ("SegmentNameLimit", 64), ("Segments", []),
    ]
  }

  private var security: Members {
    var members: Members = [
      ("ACLResolverSettings.ACLDefaultPolicy", .string(acl.defaultPolicy)),
      ("ACLResolverSettings.ACLDownPolicy", .string(acl.downPolicy)),
      ("ACLResolverSettings.ACLTokenTTL", Self.shown(acl.tokenTTL)),
      ("ACLResolverSettings.ACLPolicyTTL", Self.shown(acl.policyTTL)),
      ("ACLResolverSettings.ACLRoleTTL", Self.shown(acl.roleTTL)),
      ("ACLResolverSettings.ACLsEnabled", .bool(acl.enabled)),
      ("ACLResolverSettings.Datacenter", .string(datacenter)),
      ("ACLResolverSettings.NodeName", .string(nodeName)), ("ACLResolverSettings.EnterpriseMeta", [:]),
      ("ACLTokens.DataDir", .string(dataDirectory)), ("ACLTokens.EnterpriseConfig", [:]),
      (
        "ConnectCAConfig",
        .object(DynamicObject(connect.caConfig.members.map { ($0.key, Self.hidden($0.key, $0.value)) }))
      ),
      ("DefaultIntentionPolicy", ""), ("TLS.AutoTLS", .bool(autoEncrypt.tls || autoConfig.enabled)),
      ("TLS.Domain", .string(dns.domain)), ("TLS.NodeName", .string(nodeName)), ("TLS.ServerMode", .bool(isServer)),
      ("TLS.ServerName", .string(tls.serverName)),
      ("TLS.EnableAgentTLSForChecks", .bool(checkSettings.enableAgentTLS)),
    ]
    for (name, interface) in [("GRPC", tls.grpc), ("HTTPS", tls.https), ("InternalRPC", tls.internalRPC)] {
      members += Self.shown(interface).map { ("TLS.\(name).\($0.0)", $0.1) }
    }
    return members
  }

  /// The auth method that introductions of clients are checked with.
  private var authorizer: Members {
    let method = "AutoConfig.Authorizer.AuthMethod"
    let leeways = autoConfig.authorizer
    return [
      ("\(method).Name", "Auto Config Authorizer"), ("\(method).Type", "jwt"), ("\(method).DisplayName", ""),
      ("\(method).Description", ""), ("\(method).MaxTokenTTL", "0s"), ("\(method).TokenLocality", ""),
      ("\(method).EnterpriseMeta", [:]), ("\(method).ACLAuthMethodEnterpriseFields", [:]),
      ("\(method).RaftIndex", ["CreateIndex": 0, "ModifyIndex": 0]),
      ("\(method).Config.ExpirationLeeway", .int(leeways.expirationLeeway.nanoseconds)),
      ("\(method).Config.NotBeforeLeeway", .int(leeways.notBeforeLeeway.nanoseconds)),
      ("\(method).Config.ClockSkewLeeway", .int(leeways.clockSkewLeeway.nanoseconds)),
    ]
  }

  /// Keys and tokens among the options of a certificate authority.
  private static func hidden(_ key: String, _ value: Dynamic) -> Dynamic {
    ["PrivateKey", "Token", "AuthMethod"].contains(key) ? "hidden" : value
  }

  private static func shown(_ interface: TLS.Interface) -> Members {
    [
      ("CAFile", .string(interface.caFile)), ("CAPath", .string(interface.caPath)),
      ("CertFile", .string(interface.certFile)), ("KeyFile", "hidden"),
      ("CipherSuites", shown(interface.cipherSuites)), ("TLSMinVersion", .string(interface.minVersion.rawValue)),
      ("UseAutoCert", .bool(interface.useAutomaticCertificate)), ("VerifyIncoming", .bool(interface.verifyIncoming)),
      ("VerifyOutgoing", .bool(interface.verifyOutgoing)),
      ("VerifyServerHostname", .bool(interface.verifyServerHostname)),
    ]
  }

  private var observability: Members {
    [
      ("Telemetry.AllowedPrefixes", Self.shown(telemetry.allowedPrefixes)),
      ("Telemetry.BlockedPrefixes", Self.shown(telemetry.blockedPrefixes)), ("Telemetry.Disable", false),
      ("Telemetry.PrometheusOpts.Name", .string(telemetry.metricsPrefix)), ("Logging.Name", ""),
      ("Telemetry.PrometheusOpts.CounterDefinitions", []), ("Telemetry.PrometheusOpts.GaugeDefinitions", []),
      ("Telemetry.PrometheusOpts.SummaryDefinitions", []), ("Telemetry.PrometheusOpts.Registerer", .null),
      ("Cache.EntryFetchRate", Self.shown(cache.entryFetchRate)), ("Cache.Logger", .null),
      ("RPCRateLimit", Self.shown(limits.rpcRate)), ("RequestLimitsMode", .int(Int64(limits.requestMode.number))),
      ("RequestLimitsReadRate", Self.shown(limits.readRate)),
      ("RequestLimitsWriteRate", Self.shown(limits.writeRate)), ("PeeringTestAllowPeerRegistrations", false),
    ]
  }

  private var timing: Members {
    [
      ("ConsulRaftElectionTimeout", Self.shown(raft.electionTimeout)),
      ("ConsulRaftHeartbeatTimeout", Self.shown(raft.heartbeatTimeout)),
      ("ConsulRaftLeaderLeaseTimeout", Self.shown(raft.leaderLeaseTimeout)),
      ("RaftLogStoreConfig.WAL.SegmentSize", .int(Int64(raft.segmentSizeMiB) << 20)),
      ("AEInterval", "1m0s"), ("CheckDeregisterIntervalMin", "1m0s"), ("CheckReapInterval", "30s"),
      ("AutoReloadConfigCoalesceInterval", "1s"), ("LocalProxyConfigResyncInterval", "30s"),
      ("SyncCoordinateIntervalMin", "15s"), ("SyncCoordinateRateTarget", 64),
      ("ConnectTestCALeafRootChangeSpread", "0s"), ("EnterpriseRuntimeConfig", [:]),
    ]
  }
}

/// Builds nested objects from names with dots.
private struct DebugTree {
  private indirect enum Node {
    case leaf(Dynamic)
    case block([String: Node])
  }

  private var root: [String: Node] = [:]

  mutating func set(_ name: String, _ value: Dynamic) {
    Self.set(&root, name.split(separator: ".").map(String.init)[...], value)
  }

  private static func set(_ block: inout [String: Node], _ path: ArraySlice<String>, _ value: Dynamic) {
    guard let first = path.first else { return }
    if path.count == 1 {
      block[first] = .leaf(value)
      return
    }
    var inner: [String: Node] = [:]
    if case .block(let present) = block[first] { inner = present }
    set(&inner, path.dropFirst(), value)
    block[first] = .block(inner)
  }

  /// Members in the order of their names.
  var object: DynamicObject { Self.object(root) }

  private static func object(_ block: [String: Node]) -> DynamicObject {
    DynamicObject(
      block.sorted { bytewiseLess($0.key, $1.key) }.map { name, node in
        switch node {
        case .leaf(let value): (name, value)
        case .block(let inner): (name, .object(object(inner)))
        }
      })
  }
}
