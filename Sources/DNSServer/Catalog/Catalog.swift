import Model
import NIOCore
import State
import Wire

/// Where the resolver's knowledge comes from: the local state of a server, or the servers behind a client agent.
public protocol DNSCatalog: Sendable {
  /// Answers a lookup.
  ///
  /// Called on `loop`, and `completion` runs on `loop`, once: before the call returns if memory can answer, later if
  /// others must be asked.
  func find(
    _ lookup: CatalogLookup, _ options: CatalogReadOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (CatalogAnswer) -> Void)
}

/// One question of the resolver to the catalog. Names come in small letters and match without regard to case.
public enum CatalogLookup: Hashable, Sendable {
  /// A node by its name or, failing that, by its id.
  case node(name: String, CatalogPlace)
  /// The instances of a service with the checks of instance and node, healthy or not.
  case service(ServiceLookup)
  /// The virtual address of a service of the mesh.
  case virtualAddress(service: String, CatalogPlace)
  /// The result of a prepared query, found by name or id. `client` is who asks, for queries "near" the client.
  case preparedQuery(name: String, datacenter: String, client: DNSAddress?)
  /// The node with this address or, failing that, the services with it.
  case reverse(DNSAddress)
}

public struct ServiceLookup: Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    /// The instances themselves.
    case typical
    /// What speaks for the service in the mesh: its proxies, gateways and native instances.
    case mesh
    /// The ingress gateways that expose the service.
    case ingress
  }

  public var name: String
  /// Only instances with this tag; matches without regard to case.
  public var tag: String?
  public var kind: Kind
  public var place: CatalogPlace

  public init(name: String, tag: String? = nil, kind: Kind = .typical, place: CatalogPlace = .local) {
    self.name = name
    self.tag = tag
    self.kind = kind
    self.place = place
  }
}

/// Whose catalog is meant.
public struct CatalogPlace: Hashable, Sendable {
  /// Empty for the agent's own.
  public var datacenter: String
  /// The peer that the records were imported from; empty for none.
  public var peer: String

  public init(datacenter: String = "", peer: String = "") {
    self.datacenter = datacenter
    self.peer = peer
  }

  public static let local = CatalogPlace()
}

/// How fresh answers must be.
public struct CatalogReadOptions: Hashable, Sendable {
  public var allowStale: Bool
  public var maxStale: Duration
  public var useCache: Bool
  public var cacheMaxAge: Duration

  init(_ settings: DNSSettings) {
    allowStale = settings.allowStale
    maxStale = settings.maxStale
    useCache = settings.useCache
    cacheMaxAge = settings.cacheMaxAge
  }
}

/// What the catalog knows.
public enum CatalogAnswer: Sendable {
  case node(Row<Node>)
  /// Empty if there are none, or none that the token may see.
  case instances([ServiceInstance])
  case preparedQuery(PreparedQueryAnswer)
  /// Nil if the service has none.
  case virtualAddress(DNSAddress?)
  case reverseServices([Row<NodeService>])
  /// There is no such node, query, peer or datacenter.
  case notFound
  /// Nobody could be asked, or the token is not valid.
  case failed(String)
}

/// What a prepared query found: only instances that it lets through.
public struct PreparedQueryAnswer: Sendable {
  public var instances: [ServiceInstance]
  /// The service that the query is for, whose TTL applies unless the query states one.
  public var service: String
  public var ttl: Duration?
  /// Where the instances were found: another than the own after a failover.
  public var place: CatalogPlace

  public init(instances: [ServiceInstance], service: String, ttl: Duration? = nil, place: CatalogPlace = .local) {
    self.instances = instances
    self.service = service
    self.ttl = ttl
    self.place = place
  }
}
