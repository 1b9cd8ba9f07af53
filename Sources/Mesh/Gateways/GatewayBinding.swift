import Model

/// The state of one binding: which routes lead where, and what is said about it.
struct GatewayBinding<Source: ConfigEntrySource> {
  /// One route on one listener.
  private struct Attachment {
    let route: ResourceReference
    let services: [String]
  }

  let gateways: [APIGateway]
  /// Each with its conditions.
  private(set) var routes: [(route: any StatusRecord, conditions: [GatewayCondition])] = []
  private let source: Source
  private let compiler: DiscoveryChainCompiler
  /// By gateway, then by listener.
  private var attachments: [String: [String: [Attachment]]] = [:]
  /// What services speak, or why their chains cannot be compiled.
  private var protocols: [String: Result<String, DiscoveryChainError>] = [:]

  init(_ source: Source, datacenter: String) {
    self.source = source
    gateways = source.entries(APIGateway.self)
    compiler = DiscoveryChainCompiler(datacenter: datacenter, trustDomain: "")
  }

  // MARK: Routes

  mutating func bind(_ route: some GatewayRoute) {
    let fault = fault(of: route)
    var conditions = [fault ?? GatewayCondition("Accepted", true, "Accepted", "route is valid")]
    for parent in route.parents {
      if let reason = attach(route, to: parent, isAccepted: fault == nil) {
        conditions.append(GatewayCondition("Bound", false, reason.reason, reason.message, parent))
      } else {
        conditions.append(GatewayCondition("Bound", true, "Bound", "successfully bound route", parent))
      }
    }
    routes.append((route, conditions))
  }

  /// Why a route is not accepted; nil when it is.
  private mutating func fault(of route: some GatewayRoute) -> GatewayCondition? {
    if route.serviceNames.isEmpty {
      return GatewayCondition(
        "Accepted", false, "NoUpstreamServicesTargeted", "route must target at least one upstream service")
    }
    for service in route.serviceNames {
      let message: String
      switch meshProtocol(of: service) {
      case .success(route.listenerProtocol): continue
      case .success: message = "route protocol does not match targeted service protocol"
      case .failure(let error): message = error.description
      }
      return GatewayCondition("Accepted", false, "InvalidDiscoveryChain", message)
    }
    return nil
  }

  private mutating func meshProtocol(of service: String) -> Result<String, DiscoveryChainError> {
    if let known = protocols[service] { return known }
    let result: Result<String, DiscoveryChainError>
    do {
      result = .success(try compiler.compile(service, in: source).protocol)
    } catch {
      result = .failure(error)
    }
    protocols[service] = result
    return result
  }

  /// Attaches a route to the listeners that it names.
  ///
  /// - Returns: why it is attached to none; nil when it is.
  private mutating func attach(
    _ route: some GatewayRoute, to parent: ResourceReference, isAccepted: Bool
  ) -> (reason: String, message: String)? {
    guard let gateway = source.entry(APIGateway.self, parent.name) else {
      return ("GatewayNotFound", "gateway was not found")
    }
    guard isAccepted else {
      return ("FailedToBind", "failed to bind route to gateway \(gateway.name): route has not been accepted")
    }
    // A route that names no listener takes all that speak its protocol, and ignores the others.
    let named = gateway.listeners.filter { parent.sectionName.isEmpty || $0.name == parent.sectionName }
    let fitting = named.filter { $0.protocol == route.listenerProtocol }
    let attachment = Attachment(
      route: ResourceReference(type(of: route).kind, route.name), services: route.serviceNames)
    for listener in fitting { attachments[gateway.name, default: [:]][listener.name, default: []].append(attachment) }
    guard fitting.isEmpty else { return nil }
    let problem: String
    if let listener = named.first, !parent.sectionName.isEmpty {
      problem = "listener \(listener.name) is not a \(route.listenerProtocol) listener"
    } else {
      problem = "no valid listener has name '\(parent.sectionName)' and uses \(route.listenerProtocol) protocol"
    }
    return ("FailedToBind", "failed to bind route \(route.name) to gateway \(gateway.name): \(problem)")
  }

  // MARK: Gateways

  func conditions(of gateway: APIGateway) -> [GatewayCondition] {
    var conditions: [GatewayCondition] = []
    var isValid = true
    for listener in gateway.listeners {
      let resource = ResourceReference(.apiGateway, gateway.name, section: listener.name)
      if let missing = listener.tls.certificates.first(where: { !exists($0) }) {
        isValid = false
        let message = "certificate \(missing.name.goQuoted) not found"
        conditions.append(GatewayCondition("ResolvedRefs", false, "InvalidCertificateRef", message, resource))
      } else {
        conditions.append(GatewayCondition("ResolvedRefs", true, "ResolvedRefs", "resolved refs", resource))
      }
      conditions.append(conflict(on: listener, of: gateway, resource))
    }
    conditions.append(
      isValid
        ? GatewayCondition("Accepted", true, "Accepted", "gateway is valid")
        : GatewayCondition("Accepted", false, "InvalidCertificates", "gateway references invalid certificates"))
    return conditions
  }

  /// Connections of which nothing is known but the port can go to one place only.
  private func conflict(
    on listener: APIGatewayListener, of gateway: APIGateway, _ resource: ResourceReference
  ) -> GatewayCondition {
    let routes = attachments[gateway.name]?[listener.name] ?? []
    guard listener.protocol == "tcp", Set(routes.map(\.route.name)).count > 1 else {
      return GatewayCondition("Conflicted", false, "NoConflict", "listener has no route conflicts", resource)
    }
    return GatewayCondition(
      "Conflicted", true, "RouteConflict", "TCP-based listeners currently only support binding a single route",
      resource)
  }

  private func exists(_ certificate: ResourceReference) -> Bool {
    switch ConfigEntryKind(rawValue: certificate.kind) {
    case .inlineCertificate: source.entry(InlineCertificate.self, certificate.name) != nil
    case .fileSystemCertificate: source.entry(FileSystemCertificate.self, certificate.name) != nil
    default: false
    }
  }

  func boundGateway(_ gateway: APIGateway) -> BoundAPIGateway {
    let former = source.entry(BoundAPIGateway.self, gateway.name)
    var bound = former ?? BoundAPIGateway(name: gateway.name)
    bound.services = BoundServices()
    bound.listeners = gateway.listeners.map { listener in
      let attached = attachments[gateway.name]?[listener.name] ?? []
      let earlier = former?.listeners.first { $0.name == listener.name }?.routes ?? []
      var result = BoundAPIGatewayListener()
      result.name = listener.name
      result.certificates = listener.tls.certificates.filter(exists)
      // The order in which they came.
      result.routes = earlier.filter { route in attached.contains { $0.route == route } }
      for attachment in attached where !result.routes.contains(attachment.route) {
        result.routes.append(attachment.route)
      }
      for attachment in attached {
        for service in attachment.services { bound.services.add(attachment.route, to: service) }
      }
      return result
    }
    // A service that a bound route led to once is kept until the route is unbound, as in the reference.
    let routes = bound.listeners.flatMap(\.routes)
    for (service, references) in former?.services.routes ?? [] {
      for route in references where routes.contains(route) { bound.services.add(route, to: service) }
    }
    return bound
  }
}

extension BoundServices {
  fileprivate mutating func add(_ route: ResourceReference, to service: String) {
    if !self[service].contains(route) { self[service].append(route) }
  }
}

/// What routes of all protocols have in common.
protocol GatewayRoute: StatusRecord {
  /// The gateways, and the listeners of these, that the route is for.
  var parents: [ResourceReference] { get }
  /// What listeners and services must speak.
  var listenerProtocol: String { get }
  /// Each once, in the order in which they appear.
  var serviceNames: [String] { get }
}

extension HTTPRoute: GatewayRoute {
  var listenerProtocol: String { "http" }
  var serviceNames: [String] {
    rules.flatMap { $0.services.map(\.name) }.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }
}

extension TCPRoute: GatewayRoute {
  var listenerProtocol: String { "tcp" }
  var serviceNames: [String] {
    services.map(\.name).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }
}
