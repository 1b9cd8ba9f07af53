import Model

/// Which services the entries about a service lead to, in one direction or the other.
struct ChainReferences {
  /// Every service with a router, splitter or resolver of its own.
  private(set) var services: Set<String> = []
  private var destinations: [String: Set<String>] = [:]
  private var origins: [String: Set<String>] = [:]

  init(_ source: some ConfigEntrySource) {
    for router in source.entries(ServiceRouter.self) {
      add(router.name, router.routes.compactMap { $0.destination?.service })
    }
    for splitter in source.entries(ServiceSplitter.self) { add(splitter.name, splitter.splits.map(\.service)) }
    for resolver in source.entries(ServiceResolver.self) { add(resolver.name, resolver.destinations) }
  }

  private mutating func add(_ service: String, _ destinations: [String]) {
    services.insert(service)
    for destination in destinations where !destination.isEmpty && destination != service {
      self.destinations[service, default: []].insert(destination)
      origins[destination, default: []].insert(service)
    }
  }

  /// The service and all whose requests can get to it.
  func leading(to service: String) -> Set<String> { Self.closure(of: service, in: origins) }

  /// The service and all that its requests can get to.
  func reached(from service: String) -> Set<String> { Self.closure(of: service, in: destinations) }

  private static func closure(of service: String, in edges: [String: Set<String>]) -> Set<String> {
    var found: Set<String> = [service]
    var open = [service]
    while let next = open.popLast() {
      for neighbour in edges[next] ?? [] where found.insert(neighbour).inserted { open.append(neighbour) }
    }
    return found
  }
}

extension ServiceResolver {
  /// The services here, not at peers, that the entry names.
  fileprivate var destinations: [String] {
    var services = redirect.map { [$0.service] } ?? []
    for failover in failover.values {
      services.append(failover.service)
      services += failover.targets.filter(\.peer.isEmpty).map(\.service)
    }
    return services
  }
}
