/// The health of a node or service, worst last.
public enum CheckStatus: String, Sendable, CaseIterable, Comparable {
  case passing, warning, critical, maintenance

  private var rank: Int {
    switch self {
    case .passing: 0
    case .warning: 1
    case .critical: 2
    case .maintenance: 3
    }
  }

  public static func < (a: CheckStatus, b: CheckStatus) -> Bool { a.rank < b.rank }
}

/// Ids that checks carry by convention.
public enum CheckID {
  /// The check that says whether the agent of a node answers.
  public static let serfHealth = "serfHealth"
  public static let nodeMaintenance = "_node_maintenance"
  public static let serviceMaintenancePrefix = "_service_maintenance:"
}

/// The state of one check, as the catalog knows it.
public struct HealthCheck: Record {
  public var node = ""
  public var checkID = ""
  public var name = ""
  /// Text rather than `CheckStatus`: the catalog accepts any.
  public var status = ""
  public var notes = ""
  public var output = ""
  public var serviceID = ""
  public var serviceName = ""
  public var serviceTags: [String] = []
  public var type = ""
  public var interval = ""
  public var timeout = ""
  public var exposedPort = 0
  public var definition = Boxed<HealthCheckDefinition>()
  public var peerName = ""
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init() {}

  public static let schema = Schema<HealthCheck>("structs.HealthCheck") {
    $0.field("Node", \.node)
    $0.field("CheckID", \.checkID)
    $0.field("Name", \.name)
    $0.field("Status", \.status)
    $0.field("Notes", \.notes)
    $0.field("Output", \.output)
    $0.field("ServiceID", \.serviceID)
    $0.field("ServiceName", \.serviceName)
    $0.field("ServiceTags", \.serviceTags)
    $0.field("Type", \.type)
    $0.field("Interval", \.interval)
    $0.field("Timeout", \.timeout)
    $0.field("ExposedPort", \.exposedPort)
    $0.field("Definition", \.definition, .notSelectable)
    $0.field("PeerName", \.peerName, .omitEmpty)
    $0.field("CreateIndex", \.createIndex)
    $0.field("ModifyIndex", \.modifyIndex)
  }
}

/// What a check does, as far as the catalog keeps it.
public struct HealthCheckDefinition: Record {
  public var http = ""
  public var tlsServerName = ""
  public var tlsSkipVerify = false
  public var header: [String: [String]] = [:]
  public var method = ""
  public var body = ""
  public var disableRedirects = false
  public var tcp = ""
  public var tcpUseTLS = false
  public var udp = ""
  public var h2ping = ""
  public var osService = ""
  public var h2pingUseTLS = false
  public var interval = GoDuration.zero
  public var outputMaxSize: UInt64 = 0
  public var timeout = GoDuration.zero
  public var deregisterCriticalServiceAfter = GoDuration.zero
  public var scriptArgs: [String] = []
  public var dockerContainerID = ""
  public var shell = ""
  public var grpc = ""
  public var grpcUseTLS = false
  public var aliasNode = ""
  public var aliasService = ""
  public var ttl = GoDuration.zero
  public var sessionName = ""

  public init() {}

  public static let schema = Schema<HealthCheckDefinition>("structs.HealthCheckDefinition") {
    $0.field("HTTP", \.http, .omitEmpty)
    $0.field("TLSServerName", \.tlsServerName, .omitEmpty)
    $0.field("TLSSkipVerify", \.tlsSkipVerify, .omitEmpty)
    $0.field("Header", \.header, .omitEmpty)
    $0.field("Method", \.method, .omitEmpty)
    $0.field("Body", \.body, .omitEmpty)
    $0.field("DisableRedirects", \.disableRedirects, .omitEmpty)
    $0.field("TCP", \.tcp, .omitEmpty)
    $0.field("TCPUseTLS", \.tcpUseTLS, .omitEmpty)
    $0.field("UDP", \.udp, .omitEmpty)
    $0.field("H2PING", \.h2ping, .omitEmpty)
    $0.field("OSService", \.osService, .omitEmpty)
    $0.field("H2PingUseTLS", \.h2pingUseTLS, .omitEmpty)
    $0.field("Interval", \.interval, [.omitEmpty, .durationText])
    $0.field("OutputMaxSize", \.outputMaxSize, .omitEmpty)
    $0.field("Timeout", \.timeout, [.omitEmpty, .durationText])
    $0.field("DeregisterCriticalServiceAfter", \.deregisterCriticalServiceAfter, [.omitEmpty, .durationText])
    $0.field("ScriptArgs", \.scriptArgs, .omitEmpty)
    $0.field("DockerContainerID", \.dockerContainerID, .omitEmpty)
    $0.field("Shell", \.shell, .omitEmpty)
    $0.field("GRPC", \.grpc, .omitEmpty)
    $0.field("GRPCUseTLS", \.grpcUseTLS, .omitEmpty)
    $0.field("AliasNode", \.aliasNode, .omitEmpty)
    $0.field("AliasService", \.aliasService, .omitEmpty)
    $0.field("TTL", \.ttl, [.omitEmpty, .durationText])
    $0.field("SessionName", \.sessionName, .omitEmpty)
  }
}

extension HealthCheckDefinition {
  /// The type of check that this describes, as `HealthCheck.type` names it; "" for none.
  public var kind: String {
    if !http.isEmpty { return "http" }
    if !grpc.isEmpty { return "grpc" }
    if !tcp.isEmpty { return "tcp" }
    if !udp.isEmpty { return "udp" }
    if !h2ping.isEmpty { return "h2ping" }
    if !osService.isEmpty { return "os_service" }
    if !aliasNode.isEmpty || !aliasService.isEmpty { return "alias" }
    if !dockerContainerID.isEmpty { return "docker" }
    if !scriptArgs.isEmpty { return "script" }
    if !sessionName.isEmpty { return "session" }
    return ttl > .zero ? "ttl" : ""
  }
}
