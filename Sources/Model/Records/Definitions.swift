/// A service as a user describes it: in a configuration file or in a call to the agent.
public struct ServiceDefinition: Record {
  public var kind = ServiceKind.typical
  public var id = ""
  public var name = ""
  public var tags: [String] = []
  public var address = ""
  public var taggedAddresses: [String: ServiceAddress] = [:]
  public var meta = StringMap()
  public var port = 0
  public var socketPath = ""
  public var check = Boxed<CheckType>()
  public var checks: [CheckType] = []
  public var weights: Weights?
  public var token = ""
  public var enableTagOverride = false
  public var proxy: Boxed<ConnectProxyConfig>?
  public var connect: Boxed<ServiceConnect>?
  public var locality: Locality?

  public init() {}

  public static let schema = Schema<ServiceDefinition>("structs.ServiceDefinition") {
    $0.field("Kind", \.kind, .omitEmpty)
    $0.field("ID", \.id, .omitEmpty)
    $0.field("Name", \.name, .omitEmpty)
    $0.field("Tags", \.tags, .omitEmpty)
    $0.field("Address", \.address, .omitEmpty)
    $0.field("TaggedAddresses", \.taggedAddresses, .omitEmpty)
    $0.field("Meta", \.meta, .omitEmpty)
    $0.field("Port", \.port, .omitEmpty)
    $0.field("SocketPath", \.socketPath, .omitEmpty)
    $0.field("Check", \.check, .omitEmpty)
    $0.field("Checks", \.checks, .omitEmpty)
    $0.field("Weights", \.weights, .omitEmpty)
    $0.field("Token", \.token, .omitEmpty)
    $0.field("EnableTagOverride", \.enableTagOverride, .omitEmpty)
    $0.field("Proxy", \.proxy, .omitEmpty)
    $0.field("Connect", \.connect, .omitEmpty)
    $0.field("Locality", \.locality, .omitEmpty)
  }
}

/// A check as a user describes it, inside a service definition.
public struct CheckType: Record {
  public var checkID = ""
  public var name = ""
  public var status = ""
  public var notes = ""
  public var scriptArgs: [String] = []
  public var http = ""
  public var h2ping = ""
  /// Nil means true.
  public var h2pingUseTLS: Bool?
  public var header: [String: [String]] = [:]
  public var method = ""
  public var body = ""
  public var disableRedirects = false
  public var tcp = ""
  public var tcpUseTLS = false
  public var udp = ""
  public var interval = GoDuration.zero
  public var aliasNode = ""
  public var aliasService = ""
  public var dockerContainerID = ""
  public var shell = ""
  public var grpc = ""
  public var osService = ""
  public var grpcUseTLS = false
  public var tlsServerName = ""
  public var tlsSkipVerify = false
  public var timeout = GoDuration.zero
  public var ttl = GoDuration.zero
  public var successBeforePassing = 0
  public var failuresBeforeWarning = 0
  public var failuresBeforeCritical = 0
  /// Where a sidecar exposes this check, instead of `http` and `grpc`.
  public var proxyHTTP = ""
  public var proxyGRPC = ""
  public var deregisterCriticalServiceAfter = GoDuration.zero
  public var outputMaxSize = 0

  public init() {}

  public static let schema = Schema<CheckType>("structs.CheckType") {
    $0.field("CheckID", \.checkID, .omitEmpty, aliases: ["ID", "check_id"])
    $0.field("Name", \.name, .omitEmpty)
    $0.field("Status", \.status, .omitEmpty)
    $0.field("Notes", \.notes, .omitEmpty)
    $0.field("ScriptArgs", \.scriptArgs, .omitEmpty, aliases: ["args", "script_args"])
    $0.field("HTTP", \.http, .omitEmpty)
    $0.field("H2PING", \.h2ping, .omitEmpty)
    $0.field("H2PingUseTLS", \.h2pingUseTLS, .omitEmpty, aliases: ["h2ping_use_tls"])
    $0.field("Header", \.header, .omitEmpty)
    $0.field("Method", \.method, .omitEmpty)
    $0.field("Body", \.body, .omitEmpty)
    $0.field("DisableRedirects", \.disableRedirects, .omitEmpty, aliases: ["disable_redirects"])
    $0.field("TCP", \.tcp, .omitEmpty)
    $0.field("TCPUseTLS", \.tcpUseTLS, .omitEmpty, aliases: ["tcp_use_tls"])
    $0.field("UDP", \.udp, .omitEmpty)
    $0.field("Interval", \.interval, [.omitEmpty, .durationText])
    $0.field("AliasNode", \.aliasNode, .omitEmpty, aliases: ["alias_node"])
    $0.field("AliasService", \.aliasService, .omitEmpty, aliases: ["alias_service"])
    $0.field("DockerContainerID", \.dockerContainerID, .omitEmpty, aliases: ["docker_container_id"])
    $0.field("Shell", \.shell, .omitEmpty)
    $0.field("GRPC", \.grpc, .omitEmpty)
    $0.field("OSService", \.osService, .omitEmpty, aliases: ["os_service"])
    $0.field("GRPCUseTLS", \.grpcUseTLS, .omitEmpty, aliases: ["grpc_use_tls"])
    $0.field("TLSServerName", \.tlsServerName, .omitEmpty, aliases: ["tls_server_name"])
    $0.field("TLSSkipVerify", \.tlsSkipVerify, .omitEmpty, aliases: ["tls_skip_verify"])
    $0.field("Timeout", \.timeout, [.omitEmpty, .durationText])
    $0.field("TTL", \.ttl, [.omitEmpty, .durationText])
    $0.field("SuccessBeforePassing", \.successBeforePassing, .omitEmpty, aliases: ["success_before_passing"])
    $0.field("FailuresBeforeWarning", \.failuresBeforeWarning, .omitEmpty, aliases: ["failures_before_warning"])
    $0.field("FailuresBeforeCritical", \.failuresBeforeCritical, .omitEmpty, aliases: ["failures_before_critical"])
    $0.field("ProxyHTTP", \.proxyHTTP, .omitEmpty)
    $0.field("ProxyGRPC", \.proxyGRPC, .omitEmpty)
    $0.field(
      "DeregisterCriticalServiceAfter", \.deregisterCriticalServiceAfter, [.omitEmpty, .durationText],
      aliases: ["deregister_critical_service_after"])
    $0.field("OutputMaxSize", \.outputMaxSize, .omitEmpty, aliases: ["output_max_size"])
  }
}

/// A check as a user describes it on its own: for a node, or for a service named by id.
public struct CheckDefinition: Record {
  public var id = ""
  public var serviceID = ""
  public var token = ""
  /// Everything else. Its own id is not used.
  public var type = CheckType()

  public init() {}

  /// The fields of `type` under their own names, beside those of the definition.
  public static let schema = Schema<CheckDefinition>("structs.CheckDefinition") {
    $0.field("ID", \.id, .omitEmpty)
    $0.field("ServiceID", \.serviceID, .omitEmpty, aliases: ["service_id"])
    $0.field("Token", \.token, .omitEmpty)
    $0.embed(\.type, except: ["CheckID"])
  }
}
