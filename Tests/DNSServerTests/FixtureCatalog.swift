import Model
import NIOCore
import State
import Synchronization
import Wire

@testable import DNSServer

/// A small catalog in memory, for the resolver and for servers started within a test.
final class FixtureCatalog: DNSCatalog, ResolverContext {
  struct Content: Sendable {
    var nodes: [Node] = []
    var instances: [(node: String, service: NodeService, status: [String])] = []
    /// Mesh-capable instances, by the service that they speak for.
    var mesh: [String: [String]] = [:]
    var ingress: [String: [String]] = [:]
    var virtualAddresses: [String: DNSAddress] = [:]
    var queries: [String: (service: String, ttl: Duration?)] = [:]
    var upstream: [DNSName: [DNSRecord]] = [:]
    var failure: String?
    /// Answers come on a later turn of the event loop.
    var isRemote = false
  }

  private let content = Mutex(Content())

  func change(_ body: (inout Content) -> Void) {
    content.withLock { body(&$0) }
  }

  func addNode(_ name: String, _ address: String, id: String = "", tagged: StringMap = [:], meta: StringMap = [:]) {
    var node = Node()
    node.node = name
    node.address = address
    node.id = id
    node.datacenter = "dc1"
    node.taggedAddresses = tagged
    node.meta = meta
    change { $0.nodes.append(node) }
  }

  func addService(
    _ name: String, on node: String, id: String? = nil, port: Int = 80, address: String = "", tags: [String] = [],
    weights: Weights? = nil, tagged: [String: ServiceAddress] = [:], status: [String] = []
  ) {
    var service = NodeService()
    service.id = id ?? name
    service.service = name
    service.port = port
    service.address = address
    service.tags = tags
    service.weights = weights
    service.taggedAddresses = tagged
    change { $0.instances.append((node, service, status)) }
  }

  // MARK: Answers

  func find(
    _ lookup: CatalogLookup, _ options: CatalogReadOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (CatalogAnswer) -> Void
  ) {
    if content.withLock({ $0.isRemote }) {
      loop.execute { completion(self.answer(lookup)) }
    } else {
      completion(answer(lookup))
    }
  }

  func find(_ lookup: CatalogLookup) -> CatalogAnswer? { answer(lookup) }

  func upstream(_ name: DNSName) -> [DNSRecord]? { content.withLock { $0.upstream[name] } }

  private func answer(_ lookup: CatalogLookup) -> CatalogAnswer {
    content.withLock { content in
      if let failure = content.failure { return .failed(failure) }
      switch lookup {
      case .node(let name, let place):
        guard content.isKnown(place) else { return .notFound }
        let found = content.nodes.first { $0.node.lowercased() == name || $0.id == name }
        return found.map { .node(Row($0)) } ?? .notFound
      case .service(let lookup):
        guard content.isKnown(lookup.place) else { return .notFound }
        return .instances(content.instances(of: lookup))
      case .virtualAddress(let service, let place):
        return .virtualAddress(place == .local ? content.virtualAddresses[service] : nil)
      case .preparedQuery(let name, let datacenter, _):
        guard content.isKnown(CatalogPlace(datacenter: datacenter)), let query = content.queries[name] else {
          return .notFound
        }
        let instances = content.instances(of: ServiceLookup(name: query.service))
        return .preparedQuery(PreparedQueryAnswer(instances: instances, service: query.service, ttl: query.ttl))
      case .reverse(let address):
        if let node = content.nodes.first(where: { DNSAddress($0.address) == address }) { return .node(Row(node)) }
        return .reverseServices(
          content.instances.filter { DNSAddress($0.service.address) == address }.map { Row($0.service) })
      }
    }
  }
}

extension FixtureCatalog.Content {
  func isKnown(_ place: CatalogPlace) -> Bool { place.peer.isEmpty && ["", "dc1"].contains(place.datacenter) }

  func instances(of lookup: ServiceLookup) -> [ServiceInstance] {
    let names: [String]
    switch lookup.kind {
    case .typical: names = [lookup.name]
    case .mesh: names = mesh[lookup.name] ?? []
    case .ingress: names = ingress[lookup.name] ?? []
    }
    return instances.compactMap { node, service, status in
      guard names.contains(where: { $0.lowercased() == service.service.lowercased() }) else { return nil }
      if let tag = lookup.tag, !service.tags.contains(where: { $0.lowercased() == tag.lowercased() }) { return nil }
      guard let node = nodes.first(where: { $0.node == node }) else { return nil }
      let checks = status.map { status in
        var check = HealthCheck()
        check.status = status
        return Row(check)
      }
      return ServiceInstance(node: Row(node), service: Row(service), checks: checks)
    }
  }
}
