import Model

/// The state of one compilation: what was found so far.
struct ChainCompilation<Source: ConfigEntrySource> {
  let service: String
  let settings: DiscoveryChainCompiler
  let source: Source
  let proxyDefaults: ProxyDefaults?
  var nodes: [String: DiscoveryGraphNode] = [:]
  var targets: [String: DiscoveryTarget] = [:]
  /// Of the service itself, once it is known; all others must have the same.
  private var `protocol` = ""
  private var usesAdvancedRouting = false
  /// Which of the overrides made a difference.
  var effective = DiscoveryChainOverrides()

  init(service: String, settings: DiscoveryChainCompiler, source: Source) {
    self.service = service
    self.settings = settings
    self.source = source
    proxyDefaults = source.globalProxyDefaults
  }

  mutating func run() throws(DiscoveryChainError) -> CompiledDiscoveryChain {
    let start = try start()
    var flattening = SplitterFlattening(chain: service, nodes: nodes)
    try flattening.run(from: start)
    if usesAdvancedRouting, !ServiceProtocol.hasRequests(`protocol`) {
      throw .noAdvancedRouting(chain: service, protocol: `protocol`)
    }
    var chain = CompiledDiscoveryChain()
    chain.serviceName = service
    chain.datacenter = settings.datacenter
    chain.startNode = start
    chain.nodes = flattening.reached
    chain.targets = targets(of: chain.nodes)
    chain.protocol = `protocol`
    if !settings.overrides.protocol.isEmpty, settings.overrides.protocol != `protocol` {
      effective.protocol = settings.overrides.protocol
      chain.protocol = settings.overrides.protocol
    }
    chain.customizationHash = effective.hash
    chain.isDefault = isDefault(chain)
    let defaults = source.entry(ServiceDefaults.self, service)
    chain.serviceMeta = defaults?.meta ?? StringMap()
    chain.envoyExtensions = (proxyDefaults?.envoyExtensions ?? []) + (defaults?.envoyExtensions ?? [])
    return chain
  }

  /// Whether callers of the service would do the same if there were no chain.
  private func isDefault(_ chain: CompiledDiscoveryChain) -> Bool {
    guard let resolver = chain.nodes[chain.startNode]?.resolver else { return false }
    return resolver.isDefault && resolver.target == address(service).id
  }

  private func targets(of nodes: [String: DiscoveryGraphNode]) -> [String: DiscoveryTarget] {
    var used: [String: DiscoveryTarget] = [:]
    for resolver in nodes.values.lazy.compactMap(\.resolver) {
      for id in [resolver.target] + (resolver.failover?.targets ?? []) { used[id] = targets[id] }
    }
    return used
  }

  func address(_ service: String, subset: String = "") -> TargetAddress {
    TargetAddress(service: service, subset: subset, datacenter: settings.datacenter)
  }

  /// Notes that requests get to a service: the first decides what the chain speaks.
  mutating func visit(_ service: String) throws(DiscoveryChainError) {
    let found = ServiceProtocol.of(service, in: source)
    if `protocol`.isEmpty { `protocol` = found }
    guard found == `protocol` else {
      throw .inconsistentProtocols(chain: self.service, service: service, protocol: found, expected: `protocol`)
    }
  }
}

// MARK: Routers and splitters

extension ChainCompilation {
  /// A caller that takes the service for one whose requests cannot be told apart has no use for routers and splitters.
  private var ignoresAdvancedRouting: Bool {
    !settings.overrides.protocol.isEmpty && !ServiceProtocol.hasRequests(settings.overrides.protocol)
  }

  /// Makes all nodes.
  ///
  /// - Returns: the key of the first.
  private mutating func start() throws(DiscoveryChainError) -> String {
    guard !ignoresAdvancedRouting, let router = source.entry(ServiceRouter.self, service) else {
      return try splitterOrResolver(service, subset: "", depth: 0)
    }
    try visit(service)
    usesAdvancedRouting = true
    var node = DiscoveryGraphNode()
    node.type = DiscoveryGraphNode.router
    node.name = "\(service).default.default"
    for definition in router.routes + [catchAll] {
      var route = DiscoveryRoute()
      route.definition = definition
      let destination = definition.destination
      let next = destination?.service ?? ""
      route.nextNode = try splitterOrResolver(
        next.isEmpty ? service : next, subset: destination?.serviceSubset ?? "", depth: 0)
      node.routes.append(route)
    }
    nodes[node.key] = node
    return node.key
  }

  /// Where requests go that no route matches.
  private var catchAll: ServiceRoute {
    var match = ServiceRouteHTTPMatch()
    match.pathPrefix = "/"
    var destination = ServiceRouteDestination()
    destination.service = service
    destination.namespace = "default"
    destination.partition = "default"
    var route = ServiceRoute()
    route.match = ServiceRouteMatch()
    route.match?.http = match
    route.destination = destination
    return route
  }

  private mutating func splitterOrResolver(
    _ service: String, subset: String, depth: Int
  ) throws(DiscoveryChainError) -> String {
    if subset.isEmpty, !ignoresAdvancedRouting, let entry = source.entry(ServiceSplitter.self, service) {
      return try splitter(entry, depth: depth)
    }
    return try resolver(address(service, subset: subset))
  }

  private mutating func splitter(_ entry: ServiceSplitter, depth: Int) throws(DiscoveryChainError) -> String {
    var node = DiscoveryGraphNode()
    node.type = DiscoveryGraphNode.splitter
    node.name = "\(entry.name).default.default"
    if nodes[node.key] != nil { return node.key }
    guard depth < DiscoveryChainCompiler.maximumDepth else {
      throw .tooDeep(chain: service, limit: DiscoveryChainCompiler.maximumDepth)
    }
    try visit(entry.name)
    usesAdvancedRouting = true
    // Known before its splits are, so that a circle comes to an end here. It is reported when the nodes are complete.
    nodes[node.key] = node
    for definition in entry.splits {
      var split = DiscoverySplit()
      split.definition = definition
      split.weight = definition.weight
      let isOwn = definition.service.isEmpty || definition.service == entry.name
      split.nextNode =
        isOwn
        ? try resolver(address(entry.name, subset: definition.serviceSubset))
        : try splitterOrResolver(definition.service, subset: definition.serviceSubset, depth: depth + 1)
      node.splits.append(split)
      // A proxy chooses by one policy for all splits: the first that keeps callers where they were.
      if node.loadBalancer == nil, let balancer = nodes[split.nextNode]?.loadBalancer, balancer.isHashBased {
        node.loadBalancer = balancer
      }
    }
    nodes[node.key] = node
    return node.key
  }
}

extension DiscoveryChainOverrides {
  /// Tells apart what differs; empty for no overrides.
  fileprivate var hash: String {
    guard self != DiscoveryChainOverrides() else { return "" }
    var digest = BLAKE2b(length: 4)
    digest.update("\(`protocol`)\n\(connectTimeout.nanoseconds)\n\(meshGateway.mode)".utf8)
    return digest.digest().map { byte in
      let text = String(byte, radix: 16)
      return byte < 16 ? "0" + text : text
    }.joined()
  }
}

extension LoadBalancer {
  /// Whether what a request is like decides which instance gets it.
  fileprivate var isHashBased: Bool { policy == "ring_hash" || policy == "maglev" }
}
