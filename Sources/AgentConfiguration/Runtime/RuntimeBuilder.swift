import Model

/// Makes a `RuntimeConfiguration` of merged values: first each value in its type, then what follows from others, then
/// whether all of it goes together (`Validation`).
struct RuntimeBuilder {
  private(set) var warnings: [String] = []
  private var reader: SettingReader
  private let host: HostEnvironment
  private let interfaces: [NetworkInterface]
  private let isDevelopment: Bool
  private let isServer: Bool

  init(_ values: SettingValues, isDevelopment: Bool, host: HostEnvironment) {
    self.host = host
    self.isDevelopment = isDevelopment
    interfaces = host.interfaces()
    reader = SettingReader(values, interfaces: interfaces)
    isServer = reader.bool("server")
  }

  mutating func build(sourcePaths: [String]) throws(ConfigurationError) -> RuntimeConfiguration {
    let ports = RuntimeConfiguration.Ports(&reader, isServer: isServer)
    let addresses = try AddressResolver.resolve(&reader, ports: ports, interfaces: interfaces)
    let tls = try RuntimeConfiguration.TLS(&reader)
    let telemetry = RuntimeConfiguration.Telemetry(&reader, warnings: &warnings)
    let services = try services()
    let checks = try checks()
    let datacenter = reader.string("datacenter").lowercased()
    let primary = reader.string("primary_datacenter")
    let bootstrap = bootstrap()
    var configuration = RuntimeConfiguration(
      settings: reader.values, isDevelopment: isDevelopment, isServer: isServer, datacenter: datacenter,
      primaryDatacenter: primary.isEmpty ? datacenter : primary.lowercased(), nodeName: nodeName(),
      nodeID: reader.string("node_id").lowercased(), nodeMeta: reader.stringMap("node_meta"),
      disableHostNodeID: reader.bool("disable_host_node_id"), locality: locality(),
      dataDirectory: reader.string("data_dir"), pidFile: reader.string("pid_file"),
      autoReload: reader.bool("auto_reload_config"), sourcePaths: sourcePaths,
      leaveOnTerminate: reader.values.optionalBool("leave_on_terminate") ?? !isServer,
      skipLeaveOnInterrupt: reader.values.optionalBool("skip_leave_on_interrupt") ?? isServer,
      rejoinAfterLeave: reader.bool("rejoin_after_leave"),
      serverRejoinAgeMax: reader.duration("server_rejoin_age_max"), bootstrap: bootstrap.alone,
      bootstrapExpect: bootstrap.expected, sessionTTLMin: reader.duration("session_ttl_min"),
      defaultQueryTime: reader.duration("default_query_time"), maxQueryTime: reader.duration("max_query_time"),
      discoveryMaxStale: reader.duration("discovery_max_stale"),
      useStreamingBackend: reader.bool("use_streaming_backend"), enableStreaming: reader.bool("rpc.enable_streaming"),
      protocolVersion: reader.int("protocol"), disableCoordinates: reader.bool("disable_coordinates"),
      disableRemoteExec: reader.bool("disable_remote_exec"), disableUpdateCheck: reader.bool("disable_update_check"),
      disableAnonymousSignature: reader.bool("disable_anonymous_signature"), enableDebug: reader.bool("enable_debug"),
      translateWANAddresses: reader.bool("translate_wan_addrs"), experiments: reader.strings("experiments"),
      peeringEnabled: reader.bool("peering.enabled"), readReplica: reader.bool("read_replica"), ports: ports,
      addresses: addresses, unixSockets: .init(reader), join: .init(&reader), gossipLAN: .init(&reader, "gossip_lan"),
      gossipWAN: .init(&reader, "gossip_wan"), encryption: .init(reader), raft: .init(&reader),
      autopilot: .init(&reader), performance: .init(&reader), dns: .init(&reader), http: .init(&reader),
      ui: .init(reader), limits: .init(&reader), checkSettings: .init(&reader), acl: .init(&reader), tls: tls,
      autoEncrypt: .init(&reader), autoConfig: .init(&reader, host), connect: .init(reader), logging: .init(&reader),
      telemetry: telemetry, tracing: .init(&reader), audit: .init(&reader), cache: .init(reader), cloud: .init(reader),
      services: services, checks: checks,
      watches: reader.values.list("watches").map { DynamicMap($0.object ?? .init()) },
      configEntriesToBootstrap: reader.values.list("config_entries.bootstrap").map { DynamicMap($0.object ?? .init()) },
      defaultIntentionPolicy: reader.string("default_intention_policy"))
    // Certificates for agents come from the authority of the mesh.
    if configuration.autoConfig.enabled || configuration.autoConfig.authorizer.enabled {
      configuration.connect.enabled = true
    }
    configuration.requireDurations(&reader)
    guard reader.problems.isEmpty else { throw .invalidValues(reader.problems) }
    warnings += try Validation.check(configuration, host: host)
    // A single expected server is one that may elect itself.
    if configuration.bootstrapExpect == 1 {
      configuration.bootstrap = true
      configuration.bootstrapExpect = 0
    }
    return configuration
  }

  private func nodeName() -> String {
    let name = reader.values["node_name"]?.string ?? host.hostName()
    return AddressTemplate.trimmed(name)
  }

  private func locality() -> Locality? {
    let region = reader.string("locality.region")
    let zone = reader.string("locality.zone")
    guard !region.isEmpty || !zone.isEmpty else { return nil }
    var locality = Locality()
    locality.region = region
    locality.zone = zone
    return locality
  }

  private func bootstrap() -> (alone: Bool, expected: Int) {
    (reader.bool("bootstrap"), reader.int("bootstrap_expect"))
  }

  // MARK: Definitions

  private mutating func services() throws(ConfigurationError) -> [ServiceDefinition] {
    var result: [ServiceDefinition] = []
    // Blocks called `services` come before those called `service`, as in the reference.
    for block in reader.values.list("services") + reader.values.list("service") {
      let members = block.object ?? DynamicObject()
      do throws(DecodingError) {
        result.append(try ServiceDefinition(configuration: members))
      } catch {
        reader.problem(Self.problem(error, "service[\(members["name"]?.string ?? "")]"))
      }
    }
    for service in result { try Self.validate(service) }
    return result
  }

  private static func validate(_ service: ServiceDefinition) throws(ConfigurationError) {
    if service.name.isEmpty { throw .invalid("service \"\(service.effectiveID)\": name is missing") }
    for check in service.allChecks {
      if let problem = check.definitionProblem {
        throw .invalid("service \"\(service.name)\": check \"\(check.name)\": \(problem)")
      }
    }
  }

  private mutating func checks() throws(ConfigurationError) -> [CheckDefinition] {
    var result: [CheckDefinition] = []
    for block in reader.values.list("checks") + reader.values.list("check") {
      do throws(DecodingError) {
        result.append(try CheckDefinition(from: block, DecodingContext(.configuration)))
      } catch {
        reader.problem(Self.problem(error, "check[\(block["id"]?.string ?? block["name"]?.string ?? "")]"))
      }
    }
    for check in result {
      if let problem = check.type.definitionProblem {
        throw .invalid("check \"\(check.type.name)\": \(problem)")
      }
    }
    return result
  }

  private static func problem(_ error: DecodingError, _ block: String) -> String {
    switch error {
    case .invalid(let path, let reason): "\(block).\(path.lowercased()): \(reason)"
    case .mismatch(let path, let found, let expected): "\(block).\(path.lowercased()): \(found) instead of \(expected)"
    case .unknownField(_, let name): "\(block): unknown key \(name)"
    }
  }
}

extension RuntimeConfiguration {
  /// Reads durations that no part needs but that must make sense.
  fileprivate func requireDurations(_ reader: inout SettingReader) {
    _ = reader.duration("reporting.snapshot_retention_time")
  }
}
