import AccessControl
import AgentConfiguration
import Checks
import DNSServer
import HTTPAPI
import LocalAgent
import Model
import NIOCore
import Server
import Telemetry
import TransportSecurity

// What each part takes from the agent's configuration.

extension LocalAgentSettings {
  init(_ configuration: RuntimeConfiguration, nodeID: String, dataDirectory: String?) {
    self.init(node: OwnNode(configuration, nodeID: nodeID))
    datacenter = configuration.datacenter
    self.dataDirectory = dataDirectory
    checkUpdateInterval = configuration.checkSettings.updateInterval
    discardsCheckOutput = configuration.checkSettings.discardOutput
    if let ports = configuration.ports.sidecars { sidecarPorts = ports }
    if let ports = configuration.ports.exposedChecks { exposedPorts = ports }
    allowsManagedProxiesOverAPI = configuration.connect.allowManagedProxyAPIRegistration
    tokens = AgentTokens(configuration)
  }
}

extension OwnNode {
  init(_ configuration: RuntimeConfiguration, nodeID: String) {
    self.init(name: configuration.nodeName, address: configuration.addresses.advertiseLAN.description)
    id = nodeID
    taggedAddresses = StringMap(configuration.addresses.tagged.map { (key: $0.key, value: $0.value) })
    meta = configuration.shownNodeMeta
    locality = configuration.locality
  }
}

extension RuntimeConfiguration {
  /// The node's metadata with what every agent adds.
  var shownNodeMeta: StringMap {
    var meta = StringMap(nodeMeta.map { (key: $0.key, value: $0.value) })
    meta["consul-network-segment"] = ""
    meta["consul-version"] = Release.version
    return meta
  }

  /// The listeners of the HTTP API, with and without TLS.
  func httpListeners(_ security: TransportSecurity) -> [HTTPListener] {
    addresses.http.map { HTTPListener(place($0)) }
      + addresses.https.map { address in
        var listener = HTTPListener(place(address)) { security.serverContext(.https) }
        listener.handshakeTimeout = .nanoseconds(limits.httpsHandshakeTimeout.nanoseconds)
        return listener
      }
  }

  private func place(_ address: ListenAddress) -> HTTPListenAddress {
    switch address {
    case .ip(let ip, let port): .tcp(host: ip.description, port: port)
    case .unix(let path): .unix(path: path, mode: UInt32(unixSockets.mode, radix: 8))
    }
  }
}

extension CheckEnvironment {
  init(
    _ configuration: RuntimeConfiguration, security: TransportSecurity, aliases: any AliasSource,
    group: any EventLoopGroup
  ) {
    self.init(
      eventLoopGroup: group, nodeName: configuration.nodeName, aliases: aliases,
      logger: LogOutput.logger("agent.checks"), agentTLS: configuration.checkTLS(security))
    let settings = configuration.checkSettings
    scripts = settings.enableRemoteScripts ? .enabled : settings.enableLocalScripts ? .fromFiles : .disabled
    outputMaxSize = settings.outputMaxSize
    if let host = Environment["DOCKER_HOST"], !host.isEmpty { dockerHost = host }
  }
}

extension HTTPSettings {
  /// More than any client sends: bytes.
  private static let headLimitMax = 1 << 30

  init(_ configuration: RuntimeConfiguration) {
    self.init()
    prettyByDefault = configuration.isDevelopment
    responseHeaders = configuration.http.responseHeaders.map { (name: $0.key, value: $0.value) }
      .sorted { $0.name < $1.name }
    blockedEndpoints = configuration.http.blockEndpoints
    allowWriteFrom = configuration.http.allowWriteFrom
    usesCache = configuration.http.useCache
    if !configuration.dataDirectory.isEmpty { temporaryDirectory = configuration.dataDirectory }
    usesStreaming = configuration.useStreamingBackend
    defaultQueryTime = configuration.defaultQueryTime
    maxQueryTime = configuration.maxQueryTime
    kvValueLimit = configuration.limits.kvMaxValueSize
    transactionLimit = configuration.limits.transactionMaxRequestLength
    connectionsPerClient = configuration.limits.httpMaxConnectionsPerClient
    if configuration.http.maxHeaderBytes > 0 {
      // The reference accepts as much again as its reader holds, so that small limits do not refuse every request.
      headLimit = min(configuration.http.maxHeaderBytes, Self.headLimitMax) + 4096
    }
    allowsUnprintablePaths = configuration.http.disableUnprintableFilter
    uiEnabled = configuration.ui.enabled
    uiPath = configuration.ui.contentPath
    coordinatesEnabled = !configuration.disableCoordinates
    aclEnabled = configuration.acl.enabled
    defaultPolicy = configuration.acl.defaultPolicy
    allowsIntentionsByDefault = configuration.allowsIntentionsByDefault
    downPolicy = configuration.acl.downPolicy
    enableKeyListPolicy = configuration.acl.enableKeyListPolicy
  }
}

extension DNSSettings {
  init(_ configuration: RuntimeConfiguration) {
    self.init()
    let dns = configuration.dns
    nodeName = configuration.nodeName
    datacenter = configuration.datacenter
    domain = dns.domain
    alternativeDomain = dns.altDomain.isEmpty ? nil : dns.altDomain
    recursors = dns.recursors
    recursorStrategy = dns.recursorStrategy == .random ? .random : .sequential
    recursorTimeout = dns.recursorTimeout.duration
    allowStale = dns.allowStale
    maxStale = dns.maxStale.duration
    useCache = dns.useCache
    cacheMaxAge = dns.cacheMaxAge.duration
    nodeTTL = dns.nodeTTL.duration
    serviceTTL = dns.serviceTTL.mapValues(\.duration)
    authority.refresh = UInt32(clamping: dns.soa.refresh)
    authority.retry = UInt32(clamping: dns.soa.retry)
    authority.expire = UInt32(clamping: dns.soa.expire)
    authority.minimumTTL = UInt32(clamping: dns.soa.minTTL)
    onlyPassing = dns.onlyPassing
    enableTruncate = dns.enableTruncate
    udpAnswerLimit = dns.udpAnswerLimit
    aRecordLimit = dns.aRecordLimit
    disableCompression = dns.disableCompression
    enableAdditionalNodeMetaTXT = dns.nodeMetaTXT
    translateWANAddresses = configuration.translateWANAddresses
  }
}

extension DNSServer {
  /// Nil when the configuration turns DNS off.
  static func make(
    _ configuration: RuntimeConfiguration, backend: any Backend, cache: AgentCache,
    credentials: AgentCredentials, group: any EventLoopGroup
  ) throws -> DNSServer? {
    let addresses = configuration.addresses.dns.compactMap { address -> String? in
      if case .ip(let ip, _) = address { ip.description } else { nil }
    }
    guard !addresses.isEmpty, configuration.ports.dns > 0 else { return nil }
    return try DNSServer(
      settings: DNSSettings(configuration), addresses: addresses, port: configuration.ports.dns,
      catalog: BackendCatalog(backend: backend, cache: cache, nodeName: configuration.nodeName) { credentials.dns },
      group: group,
      observer: DNSMetrics(node: configuration.nodeName), logger: LogOutput.logger("agent.dns"))
  }
}
