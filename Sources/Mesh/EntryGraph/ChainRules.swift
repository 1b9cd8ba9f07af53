import Model

/// What must hold of discovery chains and of the entries that depend on them.
struct ChainRules<Base: ConfigEntrySource> {
  private let before: Base
  private let source: ChangedEntries<Base>
  private let change: ConfigEntryChange
  private let references: ChainReferences
  private let compiler: DiscoveryChainCompiler
  private let gateways: [IngressGateway]
  private let exports: PeerExports

  init(_ change: ConfigEntryChange, in before: Base, datacenter: String) {
    self.before = before
    self.change = change
    source = ChangedEntries(base: before, change: change)
    references = ChainReferences(source)
    // Names of targets play no part here.
    compiler = DiscoveryChainCompiler(datacenter: datacenter, trustDomain: "")
    gateways = source.entries(IngressGateway.self)
    exports = PeerExports(source.entries(ExportedServices.self))
  }

  /// Whose chains a change can have an effect on: its own service first, the others in order.
  func services(concernedBy change: ConfigEntryChange) -> [String] {
    let services: Set<String>
    switch change.kind {
    case .serviceRouter: services = [change.name]
    case .serviceDefaults, .serviceSplitter, .serviceResolver: services = references.leading(to: change.name)
    case .proxyDefaults: services = all
    case .serviceIntentions: services = hasPermissions(change.name) ? [change.name] : []
    case .ingressGateway:
      services = source.entry(IngressGateway.self, change.name).map { Set($0.serviceNames) } ?? []
    case .exportedServices: services = exports.includesAll ? references.services.union(exports.names) : exports.names
    default: services = []
    }
    let others = services.subtracting([change.name]).sorted(by: bytewiseLess)
    return services.contains(change.name) ? [change.name] + others : others
  }

  /// Every service whose chain matters to any entry.
  private var all: Set<String> {
    var services = references.services.union(exports.names)
    for gateway in gateways { services.formUnion(gateway.serviceNames) }
    for intentions in source.entries(ServiceIntentions.self) where intentions.hasPermissions {
      services.insert(intentions.name)
    }
    services.remove("*")
    return services
  }

  /// - Throws: when the chain of a service cannot be compiled, or is not what others expect of it.
  func check(_ service: String) throws(ConfigEntryError) {
    if exports.include(service) { try checkReach(ofExported: service) }
    let chain: CompiledDiscoveryChain
    do {
      chain = try compiler.compile(service, in: source)
    } catch {
      throw ConfigEntryError(error.description)
    }
    if exports.include(service) { try checkTargets(ofExported: chain) }
    try checkListeners(chain)
    if hasPermissions(service), !ServiceProtocol.hasRequests(chain.protocol) {
      throw ConfigEntryError(
        "service \(service.goQuoted) has protocol \(chain.protocol.goQuoted), "
          + "which is incompatible with L7 intentions permissions")
    }
  }

  private func hasPermissions(_ service: String) -> Bool {
    service != "*" && source.entry(ServiceIntentions.self, service)?.hasPermissions == true
  }

  private func checkListeners(_ chain: CompiledDiscoveryChain) throws(ConfigEntryError) {
    for gateway in gateways {
      for listener in gateway.listeners where listener.services.contains(where: { $0.name == chain.serviceName }) {
        let expected = listener.protocol.isEmpty ? ServiceProtocol.fallback : listener.protocol
        guard expected != chain.protocol, !tolerates(chain, on: expected, of: gateway) else { continue }
        throw ConfigEntryError(
          "service \(chain.serviceName.goQuoted) has protocol \(chain.protocol.goQuoted), "
            + "which does not match defined listener protocol \(expected.goQuoted)")
      }
    }
  }

  /// A port that passes on connections as they come may have a service whose requests could be told apart, as long as
  /// nothing does so. Those who write the gateway are expected to know better.
  private func tolerates(_ chain: CompiledDiscoveryChain, on `protocol`: String, of gateway: IngressGateway) -> Bool {
    let isWritten = change.kind == .ingressGateway && change.name == gateway.name
    return !isWritten && `protocol` == ServiceProtocol.fallback && chain.nodes[chain.startNode]?.resolver != nil
  }

  // MARK: Exports

  /// What is exported to a peer has to be here: requests of a peer are not passed on to other datacenters or peers.
  private func checkReach(ofExported service: String) throws(ConfigEntryError) {
    func refuse(_ what: String) -> ConfigEntryError {
      ConfigEntryError("peer exported service \(service.goQuoted) contains \(what)")
    }
    for name in references.reached(from: service).sorted(by: bytewiseLess) {
      guard let resolver = source.entry(ServiceResolver.self, name) else { continue }
      if let redirect = resolver.redirect {
        if !redirect.datacenter.isEmpty { throw refuse("cross-datacenter resolver redirect") }
        if !redirect.peer.isEmpty { throw refuse("cross-peer resolver redirect") }
      }
      for failover in resolver.failover.values
      where !failover.datacenters.isEmpty || failover.targets.contains(where: { !$0.datacenter.isEmpty }) {
        throw refuse("cross-datacenter failover")
      }
    }
  }

  /// Where requests cannot be told apart, callers at peers expect the identities that they were told: none may be added
  /// behind their backs. Failover does not count, as it does not extend to them.
  private func checkTargets(ofExported chain: CompiledDiscoveryChain) throws(ConfigEntryError) {
    guard !ServiceProtocol.hasRequests(chain.protocol),
      let former = try? compiler.compile(chain.serviceName, in: before)
    else { return }
    let known = Set(former.primaryTargets.map(\.service))
    let strangers = chain.primaryTargets.filter { !known.contains($0.service) }
    guard let stranger = strangers.map(\.id).min(by: bytewiseLess) else { return }
    throw ConfigEntryError(
      "peer exported service \(chain.serviceName.goQuoted) uses protocol=\(chain.protocol.goQuoted) and cannot "
        + "introduce new discovery chain targets like \(stranger.goQuoted)")
  }
}

extension CompiledDiscoveryChain {
  /// The targets that requests get to while their instances are healthy.
  fileprivate var primaryTargets: [DiscoveryTarget] {
    nodes.values.compactMap { node in node.resolver.flatMap { targets[$0.target] } }
  }
}

/// Which services peers may use.
private struct PeerExports {
  /// Whether all are exported.
  let includesAll: Bool
  /// Those that are named.
  let names: Set<String>

  init(_ entries: [ExportedServices]) {
    let services = entries.flatMap(\.services).filter { service in
      service.consumers.contains { !$0.peer.isEmpty }
    }
    includesAll = services.contains { $0.name == "*" }
    names = Set(services.map(\.name)).subtracting(["*"])
  }

  func include(_ service: String) -> Bool { includesAll || names.contains(service) }
}

extension IngressGateway {
  /// The services that listeners name.
  fileprivate var serviceNames: [String] {
    listeners.flatMap { $0.services.map(\.name) }.filter { $0 != "*" }
  }
}

extension ServiceIntentions {
  /// Whether any source is judged by its requests.
  fileprivate var hasPermissions: Bool { sources.contains { !$0.permissions.isEmpty } }
}
