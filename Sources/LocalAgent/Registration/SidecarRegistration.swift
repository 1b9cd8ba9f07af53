import Model

/// The proxy that a service asks for with `connect { sidecar_service { … } }`, with all that the user left out.
public struct SidecarRegistration: Sendable, Equatable {
  public var service: NodeService
  /// What the user described; empty for the usual checks, which need the port.
  private var checkTypes: [CheckType]
  public var token: String
  /// The service that the sidecar belongs to.
  private var parentID: String
  private var node: String

  /// - Returns: nil when `parent` asks for no sidecar.
  /// - Throws: `sidecarInvalid`, and what is wrong with the sidecar's checks.
  init?(for parent: NodeService, token: String, node: String) throws(LocalAgentError) {
    guard let definition = parent.connect.value.sidecarService?.value else { return nil }
    var sidecar = NodeService(Self.complete(definition, for: parent))
    sidecar.connect = Boxed()
    sidecar.locallyRegisteredAsSidecar = true
    try Self.check(sidecar)
    service = sidecar
    checkTypes = try ServiceRegistration.checkTypes(of: definition)
    self.token = definition.token.isEmpty ? token : definition.token
    parentID = parent.id
    self.node = node
  }

  private static func complete(_ definition: ServiceDefinition, for parent: NodeService) -> ServiceDefinition {
    var definition = definition
    definition.id = sidecarID(of: parent.id)
    if definition.name.isEmpty { definition.name = sidecarID(of: parent.service) }
    if definition.kind.isEmpty { definition.kind = ServiceKind.connectProxy }
    if definition.tags.isEmpty { definition.tags = parent.tags }
    if definition.meta.isEmpty { definition.meta = parent.meta }
    if definition.address.isEmpty { definition.address = parent.address }
    if definition.locality == nil { definition.locality = parent.locality }
    definition.proxy = Boxed(complete(definition.proxy?.value ?? ConnectProxyConfig(), for: parent))
    return definition
  }

  private static func complete(_ proxy: ConnectProxyConfig, for parent: NodeService) -> ConnectProxyConfig {
    var proxy = proxy
    if proxy.destinationServiceName.isEmpty { proxy.destinationServiceName = parent.service }
    if proxy.destinationServiceID.isEmpty { proxy.destinationServiceID = parent.id }
    if proxy.localServiceAddress.isEmpty, proxy.localServicePort < 1, proxy.localServiceSocketPath.isEmpty {
      proxy.localServiceSocketPath = parent.socketPath
    }
    if proxy.localServiceSocketPath.isEmpty {
      if proxy.localServiceAddress.isEmpty { proxy.localServiceAddress = "127.0.0.1" }
      if proxy.localServicePort < 1 { proxy.localServicePort = parent.port }
    }
    return proxy
  }

  /// The port of a proxy may still be missing: the agent finds one when it adds the sidecar.
  private static func check(_ sidecar: NodeService) throws(LocalAgentError) {
    var complete = sidecar
    if complete.kind == ServiceKind.connectProxy, complete.port == 0 { complete.port = 1 }
    if let problems = complete.problemText { throw .sidecarInvalid(problems) }
    if let problem = MetadataRules.problem(with: sidecar.meta, kind: sidecar.kind) {
      throw .serviceMetadataInvalid(problem)
    }
  }

  /// The id of the sidecar of the service `id`.
  static func sidecarID(of id: String) -> String { "\(id)-sidecar-proxy" }

  var needsPort: Bool { service.port == 0 && service.socketPath.isEmpty }

  /// Where the proxy listens; the addresses that the agent derives follow it.
  mutating func listen(on port: Int) {
    for name in Array(service.taggedAddresses.keys) where service.taggedAddresses[name]?.port == service.port {
      if service.taggedAddresses[name]?.address == service.address { service.taggedAddresses[name]?.port = port }
    }
    service.port = port
  }

  /// The checks that the user described, or else: whether the proxy listens, and how the service is.
  var checks: [CheckRegistration] {
    ServiceRegistration.registrations(
      of: checkTypes.isEmpty ? usualChecks : checkTypes, service: service, token: token, node: node)
  }

  private var usualChecks: [CheckType] {
    var alias = CheckType()
    alias.name = "Connect Sidecar Aliasing \(parentID)"
    alias.aliasService = parentID
    guard service.port > 0 else { return [alias] }
    let address = service.address.isEmpty ? service.proxy.value.localServiceAddress : service.address
    var listening = CheckType()
    listening.name = "Connect Sidecar Listening"
    listening.tcp = AddressFamily(of: address) == .ipv6 ? "[\(address)]:\(service.port)" : "\(address):\(service.port)"
    listening.interval = .seconds(10)
    return [listening, alias]
  }
}
