import AccessControl
import Checks
import Model

/// A service that was asked for, ready to be added: the row that the catalog will show, its checks, and the sidecar that
/// comes with it.
public struct ServiceRegistration: Sendable, Equatable {
  public var service: NodeService
  public var checks: [CheckRegistration]
  /// With which the agent registers the service in the catalog; "" for the agent's own.
  public var token: String
  public var sidecar: SidecarRegistration?
  /// The proxy that the agent is to run itself for the service.
  public var managedProxy: ManagedProxy?
  /// Names that DNS cannot carry, in words for the log.
  public var warnings: [String]

  /// Checks a definition and fills in what it leaves out.
  ///
  /// - Throws: the cases of `LocalAgentError` about services, `checkInvalid`.
  public init(_ definition: ServiceDefinition, node: String) throws(LocalAgentError) {
    if definition.name.isEmpty { throw .serviceNameMissing }
    if ["0.0.0.0", "::", "[::]"].contains(definition.address) { throw .serviceAddressInvalid }
    var service = NodeService(definition)
    try Self.check(service)
    let checkTypes = try Self.checkTypes(of: definition)
    token = definition.token
    managedProxy = try definition.connect?.value.proxy.map { (proxy) throws(LocalAgentError) in
      try ManagedProxy(gathering: proxy.value)
    }
    sidecar = try SidecarRegistration(for: service, token: token, node: node)
    var connect = service.connect.value
    connect.sidecarService = nil
    connect.proxy = nil
    service.connect = Boxed(connect)
    checks = Self.registrations(of: checkTypes, service: service, token: token, node: node)
    warnings = NameWarnings.warnings(for: service)
    self.service = service
  }

  private static func check(_ service: NodeService) throws(LocalAgentError) {
    if let weights = service.weights, let problem = problem(with: weights) { throw .weightsInvalid(problem) }
    if let problem = MetadataRules.problem(with: service.meta, kind: service.kind) {
      throw .serviceMetadataInvalid(problem)
    }
    if let problems = service.problemText { throw .serviceInvalid(problems) }
  }

  private static func problem(with weights: Weights) -> String? {
    if weights.passing < 1 { return "Passing must be greater than 0" }
    if weights.warning < 0 { return "Warning must be greater or equal than 0" }
    // The weight of an SRV record has 16 bits (RFC 2782).
    if max(weights.passing, weights.warning) > 65535 { return "DNS Weight must be between 0 and 65535" }
    return nil
  }

  /// The single check first, if it says anything, then the list.
  static func checkTypes(of definition: ServiceDefinition) throws(LocalAgentError) -> [CheckType] {
    let types = (definition.check.isEmptyValue ? [] : [definition.check.value]) + definition.checks
    for type in types {
      do {
        try validate(type)
      } catch {
        throw .checkInvalid(error.description)
      }
    }
    if !types.allSatisfy(\.hasValidStatus) { throw .serviceCheckStatusInvalid }
    return types
  }

  static func registrations(
    of types: [CheckType], service: NodeService, token: String, node: String
  ) -> [CheckRegistration] {
    types.enumerated().map { index, type in
      CheckRegistration(
        type, of: service, position: index + 1, count: types.count, token: token, node: node)
    }
  }

  /// The rights that adding this service needs: to write it, and the service that it is a proxy for.
  ///
  /// - Parameter existing: the service that is registered under the same id, if there is one.
  public func permissions(replacing existing: NodeService?) -> [Permission] {
    var permissions = Self.permissions(for: service)
    if let existing { permissions.append(.serviceWrite(existing.service)) }
    if let sidecar { permissions += Self.permissions(for: sidecar.service) }
    return permissions
  }

  private static func permissions(for service: NodeService) -> [Permission] {
    guard service.kind == ServiceKind.connectProxy else { return [.serviceWrite(service.service)] }
    return [.serviceWrite(service.service), .serviceWrite(service.proxy.value.destinationServiceName)]
  }
}

extension NodeService {
  /// The instance that a definition describes.
  init(_ definition: ServiceDefinition) {
    self.init()
    kind = definition.kind
    id = definition.id.isEmpty ? definition.name : definition.id
    service = definition.name
    tags = definition.tags
    address = definition.address
    taggedAddresses = definition.taggedAddresses
    // No metadata at all and none given are the same to the catalog.
    meta = definition.meta.isEmpty ? StringMap() : definition.meta
    port = definition.port
    socketPath = definition.socketPath
    weights = definition.weights ?? Weights()
    enableTagOverride = definition.enableTagOverride
    locality = definition.locality
    if let connect = definition.connect { self.connect = connect }
    if var proxy = definition.proxy?.value {
      proxy.completeUpstreams()
      self.proxy = Boxed(proxy)
    }
    completeTaggedAddresses()
  }

  /// An address that is an IP address is also the one of its family, in the LAN and in the WAN, unless others are given.
  mutating func completeTaggedAddresses() {
    guard let family = AddressFamily(of: address) else { return }
    for network in ["lan", "wan"] {
      let name = "\(network)_\(family.rawValue)"
      if taggedAddresses[name] == nil { taggedAddresses[name] = ServiceAddress(address: address, port: port) }
    }
  }

  /// A service in the mesh has an address of its own there, which the servers assign.
  var isReachedThroughMesh: Bool { connect.value.native || kind == ServiceKind.connectProxy }
}

extension ConnectProxyConfig {
  /// Upstreams name a service unless they say otherwise, and reach other datacenters in the same way as their proxy.
  mutating func completeUpstreams() {
    for index in upstreams.indices {
      if upstreams[index].destinationType.isEmpty { upstreams[index].destinationType = "service" }
      if upstreams[index].destinationType == "service", upstreams[index].meshGateway.mode.isEmpty {
        upstreams[index].meshGateway = meshGateway
      }
    }
  }
}
