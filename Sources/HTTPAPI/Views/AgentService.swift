import LocalAgent
import Model

/// A service of this agent as `/v1/agent/…` shows it.
struct AgentService: Record {
  var kind = ServiceKind.typical
  var id = ""
  var service = ""
  var tags: [String] = []
  var meta = StringMap()
  var port = 0
  var address = ""
  var socketPath = ""
  var taggedAddresses: [String: ServiceAddress] = [:]
  var weights = Weights()
  var enableTagOverride = false
  var createIndex: UInt64 = 0
  var modifyIndex: UInt64 = 0
  /// Only for a single service, which clients can wait on by this.
  var contentHash = ""
  var proxy: AgentProxy?
  var connect: AgentConnect?
  var peerName = ""
  var datacenter = ""
  var locality: Locality?

  init() {}

  init(_ row: NodeService, datacenter: String, contentHash: String = "") {
    kind = row.kind
    id = row.id
    service = row.service
    tags = row.tags
    meta = row.meta.present
    port = row.port
    address = row.address
    socketPath = row.socketPath
    taggedAddresses = row.taggedAddresses
    weights = row.weights ?? Weights()
    enableTagOverride = row.enableTagOverride
    createIndex = row.createIndex
    modifyIndex = row.modifyIndex
    self.contentHash = contentHash
    if row.kind != ServiceKind.typical { proxy = AgentProxy(row.proxy.value) }
    if row.connect.value.native { connect = AgentConnect(native: true) }
    peerName = row.peerName
    self.datacenter = datacenter
    locality = row.locality
  }

  static let schema = Schema<AgentService>("api.AgentService") {
    $0.field("Kind", \.kind, .omitEmpty)
    $0.field("ID", \.id)
    $0.field("Service", \.service)
    $0.field("Tags", \.tags)
    $0.field("Meta", \.meta)
    $0.field("Port", \.port)
    $0.field("Address", \.address)
    $0.field("SocketPath", \.socketPath, .omitEmpty)
    $0.field("TaggedAddresses", \.taggedAddresses, .omitEmpty)
    $0.field("Weights", \.weights)
    $0.field("EnableTagOverride", \.enableTagOverride)
    $0.field("CreateIndex", \.createIndex, .omitEmpty)
    $0.field("ModifyIndex", \.modifyIndex, .omitEmpty)
    $0.field("ContentHash", \.contentHash, .omitEmpty)
    $0.field("Proxy", \.proxy, .omitEmpty)
    $0.field("Connect", \.connect, .omitEmpty)
    $0.field("PeerName", \.peerName, .omitEmpty)
    $0.field("Datacenter", \.datacenter, .omitEmpty)
    $0.field("Locality", \.locality, .omitEmpty)
  }
}

/// How a service of this agent takes part in the mesh.
struct AgentConnect: Record {
  var native = false

  init() {}
  init(native: Bool) { self.native = native }

  static let schema = Schema<AgentConnect>("api.AgentServiceConnect") {
    $0.field("Native", \.native, .omitEmpty)
  }
}

/// A proxy of this agent: as in the catalog, but without what is empty.
struct AgentProxy: Record {
  var envoyExtensions: [EnvoyExtension] = []
  var destinationServiceName = ""
  var destinationServiceID = ""
  var localServiceAddress = ""
  var localServicePort = 0
  var localServiceSocketPath = ""
  var mode = ""
  var transparentProxy = TransparentProxyConfig()
  var config = DynamicMap()
  var upstreams: [AgentUpstream] = []
  var meshGateway = MeshGatewayConfig()
  var expose = AgentExpose()
  var accessLogs = AccessLogsConfig()

  init() {}

  init(_ proxy: ConnectProxyConfig) {
    envoyExtensions = proxy.envoyExtensions
    destinationServiceName = proxy.destinationServiceName
    destinationServiceID = proxy.destinationServiceID
    localServiceAddress = proxy.localServiceAddress
    localServicePort = proxy.localServicePort
    localServiceSocketPath = proxy.localServiceSocketPath
    mode = proxy.mode
    transparentProxy = proxy.transparentProxy
    config = proxy.config
    upstreams = proxy.upstreams.map(AgentUpstream.init)
    meshGateway = proxy.meshGateway
    expose = AgentExpose(proxy.expose)
    accessLogs = proxy.accessLogs
  }

  static let schema = Schema<AgentProxy>("api.AgentServiceConnectProxyConfig") {
    $0.field("EnvoyExtensions", \.envoyExtensions, .omitEmpty)
    $0.field("DestinationServiceName", \.destinationServiceName, .omitEmpty)
    $0.field("DestinationServiceID", \.destinationServiceID, .omitEmpty)
    $0.field("LocalServiceAddress", \.localServiceAddress, .omitEmpty)
    $0.field("LocalServicePort", \.localServicePort, .omitEmpty)
    $0.field("LocalServiceSocketPath", \.localServiceSocketPath, .omitEmpty)
    $0.field("Mode", \.mode, .omitEmpty)
    $0.field("TransparentProxy", \.transparentProxy, .omitEmpty)
    $0.field("Config", \.config, .omitEmpty)
    $0.field("Upstreams", \.upstreams, .omitEmpty)
    $0.field("MeshGateway", \.meshGateway)
    $0.field("Expose", \.expose)
    $0.field("AccessLogs", \.accessLogs, .omitEmpty)
  }
}

/// An upstream of a proxy of this agent.
struct AgentUpstream: Record {
  var destinationType = ""
  var destinationPeer = ""
  var destinationName = ""
  var datacenter = ""
  var localBindAddress = ""
  var localBindPort = 0
  var localBindSocketPath = ""
  var localBindSocketMode = ""
  var config = DynamicMap()
  var meshGateway = MeshGatewayConfig()
  var centrallyConfigured = false

  init() {}

  init(_ upstream: Upstream) {
    destinationType = upstream.destinationType
    destinationPeer = upstream.destinationPeer
    destinationName = upstream.destinationName
    datacenter = upstream.datacenter
    localBindAddress = upstream.localBindAddress
    localBindPort = upstream.localBindPort
    localBindSocketPath = upstream.localBindSocketPath
    localBindSocketMode = upstream.localBindSocketMode
    config = upstream.config
    meshGateway = upstream.meshGateway
    centrallyConfigured = upstream.centrallyConfigured
  }

  static let schema = Schema<AgentUpstream>("api.Upstream") {
    $0.field("DestinationType", \.destinationType, .omitEmpty)
    $0.field("DestinationPeer", \.destinationPeer, .omitEmpty)
    $0.field("DestinationName", \.destinationName)
    $0.field("Datacenter", \.datacenter, .omitEmpty)
    $0.field("LocalBindAddress", \.localBindAddress, .omitEmpty)
    $0.field("LocalBindPort", \.localBindPort, .omitEmpty)
    $0.field("LocalBindSocketPath", \.localBindSocketPath, .omitEmpty)
    $0.field("LocalBindSocketMode", \.localBindSocketMode, .omitEmpty)
    $0.field("Config", \.config, .omitEmpty)
    $0.field("MeshGateway", \.meshGateway)
    $0.field("CentrallyConfigured", \.centrallyConfigured, .omitEmpty)
  }
}

/// The paths that a proxy of this agent serves without mutual TLS.
struct AgentExpose: Record {
  var checks = false
  var paths: [AgentExposePath] = []

  init() {}

  init(_ expose: ExposeConfig) {
    checks = expose.checks
    paths = expose.paths.map(AgentExposePath.init)
  }

  static let schema = Schema<AgentExpose>("api.ExposeConfig") {
    $0.field("Checks", \.checks, .omitEmpty)
    $0.field("Paths", \.paths, .omitEmpty)
  }
}

/// One such path.
struct AgentExposePath: Record {
  var listenerPort = 0
  var path = ""
  var localPathPort = 0
  var `protocol` = ""
  var parsedFromCheck = false

  init() {}

  init(_ path: ExposePath) {
    listenerPort = path.listenerPort
    self.path = path.path
    localPathPort = path.localPathPort
    self.protocol = path.protocol
    parsedFromCheck = path.parsedFromCheck
  }

  static let schema = Schema<AgentExposePath>("api.ExposePath") {
    $0.field("ListenerPort", \.listenerPort, .omitEmpty)
    $0.field("Path", \.path, .omitEmpty)
    $0.field("LocalPathPort", \.localPathPort, .omitEmpty)
    $0.field("Protocol", \.protocol, .omitEmpty)
    $0.field("ParsedFromCheck", \.parsedFromCheck)
  }
}
