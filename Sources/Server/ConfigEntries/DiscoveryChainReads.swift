import AccessControl
import Mesh
import Model
import State
import Synchronization

/// How the requests to a service find instances: its config entries and those that they lead to, compiled.
public struct DiscoveryChainGet: CacheableQuery {
  public static let method = "DiscoveryChain.Get"
  public static var needsMesh: Bool { true }
  public var service: String
  /// Where the chain is evaluated; "" is where it is asked for.
  public var evaluateIn: String
  public var overrides: DiscoveryChainOverrides
  private var datacenter = ""

  public init(_ service: String, evaluateIn: String = "", overrides: DiscoveryChainOverrides = .init()) {
    self.service = service
    self.evaluateIn = evaluateIn
    self.overrides = overrides
  }

  public func informed(by server: ServerFacts) -> DiscoveryChainGet {
    var query = self
    query.datacenter = server.datacenter
    return query
  }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<Result<CompiledDiscoveryChain, ServerError>> {
    let compiler = DiscoveryChainCompiler(
      datacenter: evaluateIn.isEmpty ? datacenter : evaluateIn,
      trustDomain: ConnectCARoots().evaluate(state).value.trustDomain, overrides: overrides)
    let source = WatchedEntries(state)
    let addresses = state.virtualAddresses(of: service)
    let compiled: Result<CompiledDiscoveryChain, ServerError>
    do throws(DiscoveryChainError) {
      var chain = try compiler.compile(service, in: source)
      if let found = addresses.value {
        chain.autoVirtualIPs = DiscoveryVirtualIPs([found.assigned])
        chain.manualVirtualIPs = DiscoveryVirtualIPs(found.manual)
      }
      compiled = .success(chain)
    } catch {
      compiled = .failure(.invalid(error.description))
    }
    return QueryResult(index: state.configEntryIndex, value: compiled, watch: source.points + addresses.watch)
  }

  public func permission(_ reader: Reader) -> Permission? { .serviceRead(service) }
  public func limit(_ reply: inout Reply, to reader: Reader) -> Bool { false }

  public static func == (a: DiscoveryChainGet, b: DiscoveryChainGet) -> Bool {
    a.service == b.service && a.evaluateIn == b.evaluateIn && a.overrides == b.overrides
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(service)
    hasher.combine(evaluateIn)
    hasher.combine(overrides.protocol)
  }
}

/// The entries of one version of the state, and which of them somebody looked for: a change of another one does not matter.
private final class WatchedEntries: ConfigEntrySource {
  private let state: StateSnapshot
  private var seen: Set<WatchPoint> = []

  init(_ state: StateSnapshot) { self.state = state }

  var points: [WatchPoint] { Array(seen) }

  func entry<Kind: ConfigEntryRecord>(_ kind: Kind.Type, _ name: String) -> Kind? {
    seen.insert(.configEntry(Kind.kind, name.folded))
    return state.entry(kind, name)
  }

  func entries<Kind: ConfigEntryRecord>(_ kind: Kind.Type) -> [Kind] {
    seen.insert(.configEntries(Kind.kind))
    return state.entries(kind)
  }
}

/// A service and the peers that may use it.
public struct SharedService: Record {
  public var service = ""
  public var consumers = Consumers()

  public struct Consumers: Record {
    /// In byte order.
    public var peers: [String] = []

    public init() {}

    public static let schema = Schema<Consumers>("pbconfigentry.Consumers") {
      $0.field("Peers", \.peers, .omitEmpty)
    }
  }

  public init() {}

  public static let schema = Schema<SharedService>("api.ResolvedExportedService") {
    $0.field("Service", \.service)
    $0.field("Consumers", \.consumers)
  }
}

/// Which services peers may use: those that the config entry names and, where it says any, those that there are.
public struct SharedServices: ReadQuery {
  public static let method = "ConfigEntry.ResolvedExportedServices"

  public init() {}

  public func evaluate(_ state: StateSnapshot) -> QueryResult<[SharedService]> {
    var result = QueryResult<[SharedService]>(
      index: state.configEntryIndex, value: [], watch: [.configEntries(.exportedServices)])
    var peers: [String: Set<String>] = [:]
    for exported in state.entries(ExportedServices.self).flatMap(\.services) {
      let consumers = exported.consumers.map(\.peer).filter { !$0.isEmpty }
      guard exported.name == anyService else {
        peers[exported.name, default: []].formUnion(consumers)
        continue
      }
      let catalog = state.serviceNames(kind: ServiceKind.typical)
      result.index = max(result.index, catalog.index)
      result.watch += catalog.watch
      for name in catalog.value where name != "consul" { peers[name, default: []].formUnion(consumers) }
    }
    result.value = peers.filter { !$0.value.isEmpty }.sorted { bytewiseLess($0.key, $1.key) }.map { name, consumers in
      var shared = SharedService()
      shared.service = name
      shared.consumers.peers = consumers.sorted(by: bytewiseLess)
      return shared
    }
    return result
  }

  public func permission(_ reader: Reader) -> Permission? { .meshRead }
  public func limit(_ reply: inout [SharedService], to reader: Reader) -> Bool { false }
}
