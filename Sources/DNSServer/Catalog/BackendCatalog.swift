import Model
import NIOCore
import Server
import State
import Wire

/// The catalog as the agent's servers know it: the own memory on a server, remote servers on a client.
///
/// Lookups that need more than the catalog (ingress gateways, peers) go to `other`.
public struct BackendCatalog: DNSCatalog {
  private let backend: any Backend
  private let cache: AgentCache?
  private let other: (any DNSCatalog)?
  private let token: @Sendable () -> String
  /// The agent's node, near which prepared queries may look.
  private let nodeName: String

  /// - Parameters:
  ///   - cache: answers lookups that may be answered from memory (`dns_config.use_cache`).
  ///   - other: answers what the catalog alone cannot; without it there are no such things.
  ///   - token: the token of lookups (`acl.tokens.dns`, else the default one), asked for each: it changes while the agent runs.
  public init(
    backend: any Backend, cache: AgentCache? = nil, nodeName: String = "", other: (any DNSCatalog)? = nil,
    token: @escaping @Sendable () -> String = { "" }
  ) {
    self.backend = backend
    self.cache = cache
    self.nodeName = nodeName
    self.other = other
    self.token = token
  }

  public func find(
    _ lookup: CatalogLookup, _ options: CatalogReadOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (CatalogAnswer) -> Void
  ) {
    switch lookup {
    case .node(let name, let place) where place.peer.isEmpty:
      askCached(CatalogNodeServices(node: name), place.datacenter, options, loop, completion) { found in
        found.map { .node($0.node) } ?? .notFound
      }
    case .service(let lookup) where lookup.place.peer.isEmpty && lookup.kind != .ingress:
      let query = HealthServiceNodes(
        service: lookup.name, tags: lookup.tag.map { [$0] } ?? [], connect: lookup.kind == .mesh)
      askCached(query, lookup.place.datacenter, options, loop, completion) { .instances($0) }
    case .virtualAddress(let service, let place) where place.peer.isEmpty:
      findVirtualAddress(of: service, place, options, loop, completion)
    case .reverse(let address):
      ask(CatalogByAddress(address: address.description), "", options, loop, completion) { found in
        found.node.map { .node($0) } ?? .reverseServices(found.services)
      }
    case .preparedQuery(let name, let datacenter, let client):
      execute(name, datacenter, client, options, loop, completion)
    default:
      guard let other else { return completion(Self.absent(lookup)) }
      other.find(lookup, options, on: loop, completion)
    }
  }

  /// The answer for things that do not exist here.
  private static func absent(_ lookup: CatalogLookup) -> CatalogAnswer {
    switch lookup {
    case .service(let lookup) where lookup.place.peer.isEmpty: .instances([])
    case .virtualAddress: .virtualAddress(nil)
    default: .notFound
    }
  }

  // MARK: Lookups

  /// Other datacenters give addresses of their own, which mean nothing here.
  private func findVirtualAddress(
    of service: String, _ place: CatalogPlace, _ options: CatalogReadOptions, _ loop: any EventLoop,
    _ completion: @escaping @Sendable (CatalogAnswer) -> Void
  ) {
    guard place.datacenter.isEmpty || place.datacenter == backend.datacenter.lowercased() else {
      return completion(.virtualAddress(nil))
    }
    ask(VirtualIPForService(service: service), "", options, loop, completion) { address in
      .virtualAddress(address.flatMap { DNSAddress($0) })
    }
  }

  private func execute(
    _ name: String, _ datacenter: String, _ client: DNSAddress?, _ options: CatalogReadOptions,
    _ loop: any EventLoop, _ completion: @escaping @Sendable (CatalogAnswer) -> Void
  ) {
    let read = readOptions(datacenter, isStale: options.allowStale || options.useCache)
    let own = backend.datacenter
    let query = PreparedQueryExecute(
      name, agent: QuerySource(datacenter: own, node: nodeName),
      source: QuerySource(datacenter: own, ip: client?.description ?? ""),
      datacenter: read.datacenter.isEmpty ? own : read.datacenter)
    backend.execute(query, read, on: loop) { result in
      completion(
        self.answer(result, datacenter) { outcome in
          switch outcome {
          case .success(let found): .preparedQuery(PreparedQueryAnswer(found))
          case .failure(.notFound): .notFound
          case .failure(.template(let reason)): .failed(reason)
          }
        })
    }
  }

  // MARK: Asking

  /// Asks the agent's cache, where the options allow that.
  private func askCached<Query: CacheableQuery>(
    _ query: Query, _ datacenter: String, _ options: CatalogReadOptions, _ loop: any EventLoop,
    _ completion: @escaping @Sendable (CatalogAnswer) -> Void,
    _ transform: @escaping @Sendable (Query.Reply) -> CatalogAnswer
  ) {
    guard options.useCache, let cache else { return ask(query, datacenter, options, loop, completion, transform) }
    cache.query(query, readOptions(datacenter, isStale: true), on: loop) { result in
      completion(self.answer(result.map(\.answer), datacenter, transform))
    }
  }

  private func ask<Query: ReadQuery>(
    _ query: Query, _ datacenter: String, _ options: CatalogReadOptions, _ loop: any EventLoop,
    _ completion: @escaping @Sendable (CatalogAnswer) -> Void,
    _ transform: @escaping @Sendable (Query.Reply) -> CatalogAnswer
  ) {
    let read = readOptions(datacenter, isStale: options.allowStale || options.useCache)
    let maxStale = options.maxStale.milliseconds
    backend.query(query, read, on: loop) { result in
      switch result {
      case .success(let answer) where read.consistency == .stale && answer.lastContactMilliseconds > maxStale:
        // Too old: the leader knows better.
        let read = self.readOptions(datacenter, isStale: false)
        self.backend.query(query, read, on: loop) { completion(self.answer($0, datacenter, transform)) }
      default:
        completion(self.answer(result, datacenter, transform))
      }
    }
  }

  private func readOptions(_ datacenter: String, isStale: Bool) -> QueryOptions {
    var options = QueryOptions()
    // The name was asked for in small letters.
    if !datacenter.isEmpty {
      options.datacenter = backend.datacenters.first { $0.lowercased() == datacenter } ?? datacenter
    }
    options.token = token()
    options.consistency = isStale ? .stale : .leaseBased
    return options
  }

  private func answer<Reply>(
    _ result: Result<Answer<Reply>, ServerError>, _ datacenter: String, _ transform: (Reply) -> CatalogAnswer
  ) -> CatalogAnswer {
    switch result {
    case .success(let answer): transform(answer.value)
    case .failure(.noPathToDatacenter) where !isKnown(datacenter): .notFound
    case .failure(.permissionDenied), .failure(.denied): .notFound
    case .failure(let error): .failed(error.description)
    }
  }

  private func isKnown(_ datacenter: String) -> Bool {
    backend.datacenters.contains { $0.lowercased() == datacenter }
  }
}

extension PreparedQueryAnswer {
  fileprivate init(_ found: PreparedQueryResult) {
    let ttl = found.query.dns.ttl
    self.init(
      instances: found.instances, service: found.query.service.service,
      ttl: ttl.isEmpty ? nil : GoDuration(ttl).map { .nanoseconds($0.nanoseconds) },
      place: CatalogPlace(datacenter: found.datacenter, peer: found.peer))
  }
}

extension Duration {
  fileprivate var milliseconds: UInt64 {
    let seconds = UInt64(clamping: components.seconds)
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
    return overflow ? .max : whole &+ UInt64(clamping: components.attoseconds / 1_000_000_000_000_000)
  }
}
