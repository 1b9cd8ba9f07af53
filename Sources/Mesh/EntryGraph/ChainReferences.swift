import Model

/// Which services the entries about a service lead to, in one direction or the other.
struct ChainReferences {
  /// Every service with a router, splitter or resolver of its own.
  private(set) var services: Set<String> = []
  /// By routers, which count only for the service where a chain begins.
  private var routes = Edges()
  /// By splitters and resolvers, which count wherever requests get to.
  private var steps = Edges()

  init(_ source: some ConfigEntrySource) {
    for router in source.entries(ServiceRouter.self) {
      services.insert(router.name)
      routes.add(router.name, router.routes.compactMap { $0.destination?.service })
    }
    for splitter in source.entries(ServiceSplitter.self) {
      services.insert(splitter.name)
      steps.add(splitter.name, splitter.splits.map(\.service))
    }
    for resolver in source.entries(ServiceResolver.self) {
      services.insert(resolver.name)
      steps.add(resolver.name, resolver.destinations)
    }
  }

  /// The service and all whose requests can get to it.
  func leading(to service: String) -> Set<String> {
    let near = Self.closure(of: [service], in: steps.origins)
    return near.union(near.flatMap { routes.origins[$0] ?? [] })
  }

  /// The service and all that its requests can get to.
  func reached(from service: String) -> Set<String> {
    Self.closure(of: [service] + (routes.destinations[service] ?? []), in: steps.destinations)
  }

  private static func closure(of start: [String], in edges: [String: Set<String>]) -> Set<String> {
    var found = Set(start)
    var open = start
    while let next = open.popLast() {
      for neighbour in edges[next] ?? [] where found.insert(neighbour).inserted { open.append(neighbour) }
    }
    return found
  }

  private struct Edges {
    private(set) var destinations: [String: Set<String>] = [:]
    private(set) var origins: [String: Set<String>] = [:]

    mutating func add(_ service: String, _ destinations: [String]) {
      for destination in destinations where !destination.isEmpty && destination != service {
        self.destinations[service, default: []].insert(destination)
        origins[destination, default: []].insert(service)
      }
    }
  }
}

extension ServiceResolver {
  /// The services that the entry names: those at peers, too, as entries about services of their names count for them.
  fileprivate var destinations: [String] {
    var services = redirect.map { [$0.service] } ?? []
    for failover in failover.values {
      services.append(failover.service)
      services += failover.targets.map(\.service)
    }
    return services
  }
}
