import Model

/// Compiles the entries about a service, and about those that it leads to, into its discovery chain.
///
/// A chain has three stages, each of which may be missing: a router chooses by what a request is like, splitters divide by
/// chance, resolvers say which instances are meant and what follows when none of them is healthy. Only the router of the
/// service itself counts. Splitters that lead to splitters are flattened into one. A resolver that redirects is replaced by
/// the one it leads to.
public struct DiscoveryChainCompiler: Sendable {
  /// How long proxies try to connect when no entry says it.
  public static let defaultConnectTimeout = GoDuration.seconds(5)
  /// Splitters that lead to splitters, or resolvers that redirect to resolvers, one behind the other.
  public static let maximumDepth = 128
  /// Splits of all splitters of a chain after flattening. One alone has as many steps of weight.
  public static let maximumSplits = 10_000

  /// Where the chain is evaluated.
  public var datacenter: String
  /// Of the cluster: part of the names of targets.
  public var trustDomain: String
  public var overrides: DiscoveryChainOverrides

  public init(
    datacenter: String, trustDomain: String, overrides: DiscoveryChainOverrides = DiscoveryChainOverrides()
  ) {
    self.datacenter = datacenter
    self.trustDomain = trustDomain
    self.overrides = overrides
  }

  /// The chain of a service, without virtual addresses: whoever knows them adds them.
  public func compile(
    _ service: String, in source: some ConfigEntrySource
  ) throws(DiscoveryChainError) -> CompiledDiscoveryChain {
    var compilation = ChainCompilation(service: service, settings: self, source: source)
    return try compilation.run()
  }
}

/// Why the entries about a service make no chain.
public enum DiscoveryChainError: Error, Equatable, CustomStringConvertible {
  /// Routers and splitters need a protocol whose requests can be told apart.
  case noAdvancedRouting(chain: String, protocol: String)
  /// All services of a chain must speak the same.
  case inconsistentProtocols(chain: String, service: String, protocol: String, expected: String)
  case missingSubset(service: String, subset: String)
  /// The ids of the targets, from the first to its return.
  case circularRedirect([String])
  /// The keys of the nodes, from the start to the return.
  case circularReference([String])
  /// Instances outside the mesh are not known: nothing can be chosen among them.
  case external(service: String, feature: String)
  case tooDeep(chain: String, limit: Int)
  case tooManyRedirects(chain: String, limit: Int)
  case tooManySplits(chain: String, limit: Int)

  public var description: String {
    switch self {
    case .noAdvancedRouting(let chain, let `protocol`):
      "discovery chain \(chain.goQuoted) uses a protocol \(`protocol`.goQuoted) that does not permit advanced routing "
        + "or splitting behavior"
    case .inconsistentProtocols(let chain, let service, let `protocol`, let expected):
      "discovery chain \(chain.goQuoted) uses inconsistent protocols; service \(service.goQuoted) has "
        + "\(`protocol`.goQuoted) which is not \(expected.goQuoted)"
    case .missingSubset(let service, let subset):
      "service \(service.goQuoted) does not have a subset named \(subset.goQuoted)"
    case .circularRedirect(let targets): "detected circular resolver redirect: [\(targets.joined(separator: " -> "))]"
    case .circularReference(let nodes): "detected circular reference: [\(nodes.joined(separator: " -> "))]"
    case .external(let service, let feature):
      "service \(service.goQuoted) has an external SNI set; cannot define \(feature) for external services"
    case .tooDeep(let chain, let limit):
      "discovery chain \(chain.goQuoted) has more than \(limit) splitters one behind the other"
    case .tooManyRedirects(let chain, let limit):
      "discovery chain \(chain.goQuoted) has more than \(limit) redirects one behind the other"
    case .tooManySplits(let chain, let limit):
      "discovery chain \(chain.goQuoted) divides its requests into more than \(limit) parts"
    }
  }
}
