import Model

extension ChainCompilation {
  /// Where redirects and default subsets led to.
  private struct Resolution {
    let address: TargetAddress
    let entry: ServiceResolver?
  }

  /// Makes the node of a resolver, or of the one that it redirects to.
  ///
  /// - Returns: the key of the node.
  mutating func resolver(_ address: TargetAddress) throws(DiscoveryChainError) -> String {
    let resolution = try resolve(address)
    var node = DiscoveryGraphNode()
    node.type = DiscoveryGraphNode.resolver
    node.name = resolution.address.id
    if nodes[node.key] != nil { return node.key }
    let target = target(resolution)
    let entry = resolution.entry
    var resolver = DiscoveryResolver()
    resolver.connectTimeout = target.connectTimeout
    resolver.requestTimeout = entry?.requestTimeout ?? .zero
    resolver.isDefault = entry?.saysNothing ?? true
    resolver.target = target.id
    resolver.failover = try failover(resolution)
    node.resolver = resolver
    node.loadBalancer = entry?.loadBalancer
    nodes[node.key] = node
    return node.key
  }

  private mutating func resolve(_ first: TargetAddress) throws(DiscoveryChainError) -> Resolution {
    var address = first
    var seen: Set<TargetAddress> = []
    var order: [String] = []
    while true {
      // What a service of a peer speaks is not known here. The entry about the service of the same name counts for it, too.
      if address.peer.isEmpty { try visit(address.service) }
      order.append(address.id)
      guard seen.insert(address).inserted else { throw .circularRedirect(order) }
      guard order.count <= DiscoveryChainCompiler.maximumDepth else {
        throw .tooManyRedirects(chain: service, limit: DiscoveryChainCompiler.maximumDepth)
      }
      guard let entry = source.entry(ServiceResolver.self, address.service) else {
        guard address.subset.isEmpty else {
          throw .missingSubset(service: address.service, subset: address.subset)
        }
        return Resolution(address: address, entry: nil)
      }
      if address.peer.isEmpty { try refuseFeaturesOfExternal(entry) }
      if let redirect = entry.redirect {
        let next = address.changed(
          service: redirect.service, subset: redirect.serviceSubset, datacenter: redirect.datacenter,
          peer: redirect.peer, home: settings.datacenter)
        if next != address {
          address = next
          continue
        }
      }
      if address.subset.isEmpty, !entry.defaultSubset.isEmpty {
        // Subsets are of instances here: a target at a peer is given up for them, as in the reference.
        address = address.changed(subset: entry.defaultSubset, home: settings.datacenter)
        continue
      }
      guard address.subset.isEmpty || entry.subsets[address.subset] != nil else {
        throw .missingSubset(service: address.service, subset: address.subset)
      }
      return Resolution(address: address, entry: entry)
    }
  }

  /// Where to go when no instance is healthy: resolved like any other target, but without failover of their own.
  private mutating func failover(_ resolution: Resolution) throws(DiscoveryChainError) -> DiscoveryFailover? {
    guard let entry = resolution.entry,
      let definition = entry.failover[resolution.address.subset] ?? entry.failover["*"]
    else { return nil }
    var failover = DiscoveryFailover()
    var known: Set<String> = [resolution.address.id]
    for address in resolution.address.alternatives(definition, home: settings.datacenter)
    where address != resolution.address {
      let target = target(try resolve(address))
      if known.insert(target.id).inserted { failover.targets.append(target.id) }
    }
    guard !failover.targets.isEmpty else { return nil }
    failover.policy = definition.policy ?? proxyDefaults?.failoverPolicy
    return failover
  }

  private mutating func target(_ resolution: Resolution) -> DiscoveryTarget {
    let address = resolution.address
    let entry = resolution.entry
    if let known = targets[address.id] { return known }
    var target = DiscoveryTarget()
    target.id = address.id
    target.service = address.service
    target.serviceSubset = address.subset
    target.datacenter = address.datacenter
    target.peer = address.peer
    target.connectTimeout = connectTimeout(entry)
    target.subset = entry?.subsets[address.subset] ?? ServiceResolverSubset()
    target.name = address.serverName(trustDomain: settings.trustDomain)
    target.sni = target.name
    target.prioritizeByLocality = entry?.prioritizeByLocality ?? proxyDefaults?.prioritizeByLocality
    let defaults = source.entry(ServiceDefaults.self, address.service)
    target.transparentProxy.dialedDirectly =
      defaults?.transparentProxy.dialedDirectly == true || proxyDefaults?.transparentProxy.dialedDirectly == true
    if let external = defaults?.externalSNI, !external.isEmpty, address.peer.isEmpty {
      target.external = true
      target.sni = external
    } else {
      target.meshGateway = meshGateway(defaults)
    }
    targets[target.id] = target
    return target
  }

  private func refuseFeaturesOfExternal(_ entry: ServiceResolver) throws(DiscoveryChainError) {
    guard source.entry(ServiceDefaults.self, entry.name)?.externalSNI.isEmpty == false else { return }
    if entry.redirect != nil { throw .external(service: entry.name, feature: "redirects") }
    if !entry.subsets.isEmpty { throw .external(service: entry.name, feature: "subsets") }
    if !entry.failover.isEmpty { throw .external(service: entry.name, feature: "failover") }
  }

  private mutating func connectTimeout(_ entry: ServiceResolver?) -> GoDuration {
    let own = entry?.connectTimeout ?? .zero
    let natural = own > .zero ? own : DiscoveryChainCompiler.defaultConnectTimeout
    let override = settings.overrides.connectTimeout
    guard override > .zero, override != natural else { return natural }
    effective.connectTimeout = override
    return override
  }

  private mutating func meshGateway(_ defaults: ServiceDefaults?) -> MeshGatewayConfig {
    var natural = defaults?.meshGateway ?? MeshGatewayConfig()
    if natural.mode.isEmpty { natural.mode = proxyDefaults?.meshGateway.mode ?? "" }
    let override = settings.overrides.meshGateway
    guard !override.mode.isEmpty, override != natural else { return natural }
    effective.meshGateway = override
    return override
  }
}

extension TargetAddress {
  /// What a failover names, seen from this address.
  fileprivate func alternatives(_ failover: ServiceResolverFailover, home: String) -> [TargetAddress] {
    if !failover.targets.isEmpty {
      return failover.targets.map {
        changed(service: $0.service, subset: $0.serviceSubset, datacenter: $0.datacenter, peer: $0.peer, home: home)
      }
    }
    let datacenters = failover.datacenters.isEmpty ? [""] : failover.datacenters
    return datacenters.map {
      changed(service: failover.service, subset: failover.serviceSubset, datacenter: $0, home: home)
    }
  }
}

extension ServiceResolver {
  /// Whether the service is resolved as if the entry did not exist.
  fileprivate var saysNothing: Bool {
    var bare = ServiceResolver()
    bare.common = common
    return self == bare
  }
}
