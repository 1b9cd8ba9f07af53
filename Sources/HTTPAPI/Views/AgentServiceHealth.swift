import LocalAgent
import Model

/// A local service with its checks, as `/v1/agent/health/service/…` shows it.
struct AgentServiceHealth {
  let health: ServiceHealth
  let datacenter: String

  func encodeJSON(_ writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("AggregatedStatus")
    writer.string(health.status.rawValue)
    writer.member("Service")
    AgentService(health.service, datacenter: datacenter).encodeJSON(&writer)
    writer.member("Checks")
    if health.checks.isEmpty {
      writer.null()
    } else {
      writer.array(health.checks) { AgentHealthCheck($1).encodeJSON(&$0) }
    }
    writer.endObject()
  }
}

/// A check as the health of local services shows it: without its type.
struct AgentHealthCheck: Record {
  var node = ""
  var checkID = ""
  var name = ""
  var status = ""
  var notes = ""
  var output = ""
  var serviceID = ""
  var serviceName = ""
  var serviceTags: [String] = []
  var type = ""
  var exposedPort = 0
  var definition = AgentHealthCheckDefinition()
  var createIndex: UInt64 = 0
  var modifyIndex: UInt64 = 0

  init() {}

  init(_ check: HealthCheck) {
    node = check.node
    checkID = check.checkID
    name = check.name
    status = check.status
    notes = check.notes
    output = check.output
    serviceID = check.serviceID
    serviceName = check.serviceName
    serviceTags = check.serviceTags
  }

  static let schema = Schema<AgentHealthCheck>("api.HealthCheck") {
    $0.field("Node", \.node)
    $0.field("CheckID", \.checkID)
    $0.field("Name", \.name)
    $0.field("Status", \.status)
    $0.field("Notes", \.notes)
    $0.field("Output", \.output)
    $0.field("ServiceID", \.serviceID)
    $0.field("ServiceName", \.serviceName)
    $0.field("ServiceTags", \.serviceTags, .nullWhenEmpty)
    $0.field("Type", \.type)
    $0.field("ExposedPort", \.exposedPort)
    $0.field("Definition", \.definition)
    $0.field("CreateIndex", \.createIndex)
    $0.field("ModifyIndex", \.modifyIndex)
  }
}

/// What a check does, with every field; the agent leaves them empty here.
struct AgentHealthCheckDefinition: Record {
  var interval = GoDuration.zero
  var timeout = GoDuration.zero
  var deregisterCriticalServiceAfter = GoDuration.zero
  var http = ""
  var header: [String: [String]] = [:]
  var method = ""
  var body = ""
  var tlsServerName = ""
  var tlsSkipVerify = false
  var tcp = ""
  var tcpUseTLS = false
  var udp = ""
  var grpc = ""
  var osService = ""
  var grpcUseTLS = false

  init() {}

  static let schema = Schema<AgentHealthCheckDefinition>("api.HealthCheckDefinition") {
    $0.field("Interval", \.interval, .durationText)
    $0.field("Timeout", \.timeout, .durationText)
    $0.field("DeregisterCriticalServiceAfter", \.deregisterCriticalServiceAfter, .durationText)
    $0.field("HTTP", \.http)
    $0.field("Header", \.header, .nullWhenEmpty)
    $0.field("Method", \.method)
    $0.field("Body", \.body)
    $0.field("TLSServerName", \.tlsServerName)
    $0.field("TLSSkipVerify", \.tlsSkipVerify)
    $0.field("TCP", \.tcp)
    $0.field("TCPUseTLS", \.tcpUseTLS)
    $0.field("UDP", \.udp)
    $0.field("GRPC", \.grpc)
    $0.field("OSService", \.osService)
    $0.field("GRPCUseTLS", \.grpcUseTLS)
  }
}
