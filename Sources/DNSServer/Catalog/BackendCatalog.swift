import Model
import NIOCore
import Server
import State
import Wire

/// The catalog as the servers know it: from memory on a server, through it on a client agent.
public struct BackendCatalog: DNSCatalog {
  private let backend: any Backend
  /// The token of lookups (`acl.tokens.dns`, else the default one).
  private let token: @Sendable () -> String

  public init(backend: any Backend, token: @escaping @Sendable () -> String = { "" }) {
    self.backend = backend
    self.token = token
  }

  public func find(
    _ lookup: CatalogLookup, _ options: CatalogReadOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (CatalogAnswer) -> Void
  ) {
    switch lookup {
    case .node(let name, let place):
      ask(CatalogNodeServices(node: name), place, options, on: loop, completion) { found in
        found.map { .node($0.node) } ?? .notFound
      }
    case .service(let service):
      guard service.kind != .ingress else { return completion(.instances([])) }
      let query = HealthServiceNodes(
        service: service.name, tags: service.tag.map { [$0] } ?? [], connect: service.kind == .mesh)
      ask(query, service.place, options, on: loop, completion) { .instances($0) }
    case .virtualAddress: completion(.virtualAddress(nil))
    case .preparedQuery: completion(.notFound)
    case .reverse(let address):
      ask(CatalogByAddress(address: "\(address)"), .local, options, on: loop, completion) { found in
        if let node = found.node { return .node(node) }
        return found.services.isEmpty ? .notFound : .reverseServices(found.services)
      }
    }
  }

  private func ask<Query: ReadQuery>(
    _ query: Query, _ place: CatalogPlace, _ options: CatalogReadOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (CatalogAnswer) -> Void,
    _ answer: @escaping @Sendable (Query.Reply) -> CatalogAnswer
  ) {
    guard place.peer.isEmpty else { return completion(.notFound) }
    var read = QueryOptions()
    read.datacenter = place.datacenter
    read.token = token()
    read.consistency = options.allowStale ? .stale : .leaseBased
    backend.query(query, read, on: loop) { result in
      switch result {
      case .success(let found): completion(answer(found.value))
      case .failure(.noPathToDatacenter): completion(.notFound)
      case .failure(let error): completion(.failed("\(error)"))
      }
    }
  }
}
