import Mesh
import Model
import Testing

/// What holds for chains of any entries that were accepted.
@Suite struct ChainPropertyTests {
  static let services = ["a", "b", "c", "d", "e", "f"]

  /// Makes the same entries for the same seed.
  struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let mixed = (state ^ (state >> 33)) &* 0xFF51_AFD7_ED55_8CCD
      return mixed ^ (mixed >> 33)
    }
    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }
    mutating func service() -> String { ChainPropertyTests.services.randomElement(using: &self) ?? "a" }
    mutating func subset() -> String { chance(20) ? (chance(50) ? "v1" : "v2") : "" }
    mutating func `protocol`() -> String { chance(70) ? "http" : (chance(50) ? "tcp" : "grpc") }
  }

  static func change(_ dice: inout Dice) -> ConfigEntryChange {
    let kinds: [ConfigEntryKind] = [
      .serviceDefaults, .proxyDefaults, .serviceRouter, .serviceSplitter, .serviceResolver, .ingressGateway,
      .exportedServices,
    ]
    let kind = kinds.randomElement(using: &dice) ?? .serviceDefaults
    let name = kind == .proxyDefaults ? "global" : kind == .exportedServices ? "default" : dice.service()
    if dice.chance(20) { return .delete(kind, name: name) }
    switch kind {
    case .serviceDefaults:
      var entry = ServiceDefaults(name: name)
      entry.protocol = dice.chance(50) ? dice.protocol() : ""
      entry.externalSNI = dice.chance(10) ? "x.example.com" : ""
      return .put(ConfigEntry(entry))
    case .proxyDefaults:
      var entry = ProxyDefaults(name: name)
      entry.protocol = dice.protocol()
      return .put(ConfigEntry(entry))
    case .serviceRouter: return .put(ConfigEntry(router(name, &dice)))
    case .serviceSplitter: return .put(ConfigEntry(splitter(name, &dice)))
    case .serviceResolver: return .put(ConfigEntry(resolver(name, &dice)))
    case .ingressGateway:
      var service = IngressService()
      service.name = dice.service()
      var listener = IngressListener()
      listener.protocol = dice.protocol()
      listener.services = [service]
      var entry = IngressGateway(name: name)
      entry.listeners = [listener]
      return .put(ConfigEntry(entry))
    default:
      var consumer = ServiceConsumer()
      consumer.peer = "east"
      var service = ExportedService()
      service.name = dice.chance(10) ? "*" : dice.service()
      service.consumers = [consumer]
      var entry = ExportedServices(name: name)
      entry.services = [service]
      return .put(ConfigEntry(entry))
    }
  }

  private static func router(_ name: String, _ dice: inout Dice) -> ServiceRouter {
    var entry = ServiceRouter(name: name)
    for _ in 0..<Int.random(in: 0..<4, using: &dice) {
      var route = ServiceRoute()
      if dice.chance(80) {
        var destination = ServiceRouteDestination()
        destination.service = dice.chance(80) ? dice.service() : ""
        destination.serviceSubset = dice.subset()
        route.destination = destination
      }
      entry.routes.append(route)
    }
    return entry
  }

  private static func splitter(_ name: String, _ dice: inout Dice) -> ServiceSplitter {
    var entry = ServiceSplitter(name: name)
    for weight: Float in dice.chance(50) ? [100] : [33.33, 66.67] {
      var split = ServiceSplit()
      split.weight = weight
      split.service = dice.chance(80) ? dice.service() : ""
      split.serviceSubset = dice.subset()
      entry.splits.append(split)
    }
    return entry
  }

  private static func resolver(_ name: String, _ dice: inout Dice) -> ServiceResolver {
    var entry = ServiceResolver(name: name)
    if dice.chance(40) {
      var redirect = ServiceResolverRedirect()
      redirect.service = dice.chance(80) ? dice.service() : ""
      redirect.serviceSubset = dice.subset()
      redirect.datacenter = dice.chance(20) ? "dc2" : ""
      entry.redirect = redirect
      return entry
    }
    if dice.chance(60) { entry.subsets = ["v1": ServiceResolverSubset(), "v2": ServiceResolverSubset()] }
    entry.defaultSubset = dice.subset()
    if dice.chance(50) {
      var failover = ServiceResolverFailover()
      failover.service = dice.service()
      failover.serviceSubset = dice.subset()
      failover.datacenters = dice.chance(30) ? ["dc2", "dc3"] : []
      entry.failover["*"] = failover
    }
    return entry
  }

  @Test(arguments: UInt64(1)...40)
  func whatIsAcceptedCompilesAndIsWhole(_ seed: UInt64) throws {
    var dice = Dice(state: seed)
    var entries = StoredEntries()
    let compiler = DiscoveryChainCompiler(datacenter: "dc1", trustDomain: "trust.consul")
    var refused = 0
    for _ in 0..<60 {
      let change = Self.change(&dice)
      do {
        try EntryGraph.check(change, in: entries, datacenter: "dc1")
      } catch {
        refused += 1
        continue
      }
      entries.apply(change)
      for service in Self.services {
        let chain = try compiler.compile(service, in: entries)
        #expect(Self.faults(of: chain) == [], "seed \(seed), service \(service)")
      }
    }
    #expect((1..<60).contains(refused), "seed \(seed)")
  }

  /// What is wrong with a chain in itself.
  static func faults(of chain: CompiledDiscoveryChain) -> [String] {
    var faults: [String] = []
    var named: Set<String> = [chain.startNode]
    var targets: Set<String> = []
    for (key, node) in chain.nodes {
      if key != node.key { faults.append("\(node.key) stands at \(key)") }
      named.formUnion(node.routes.map(\.nextNode) + node.splits.map(\.nextNode))
      if let resolver = node.resolver { targets.formUnion([resolver.target] + (resolver.failover?.targets ?? [])) }
      for split in node.splits where chain.nodes[split.nextNode]?.resolver == nil {
        faults.append("\(key) splits to \(split.nextNode)")
      }
      let total = node.splits.reduce(0) { $0 + $1.weight }
      if !node.splits.isEmpty, abs(total - 100) > 0.1 { faults.append("the splits of \(key) are \(total)%") }
    }
    if named != Set(chain.nodes.keys) { faults.append("named \(named), there are \(chain.nodes.keys)") }
    if targets != Set(chain.targets.keys) { faults.append("targets \(targets), there are \(chain.targets.keys)") }
    return faults
  }

  // MARK: Limits

  static let compiler = DiscoveryChainCompiler(datacenter: "dc1", trustDomain: "trust.consul")

  /// Each splits its requests between twice the next.
  static func doubling(_ count: Int) throws -> StoredEntries {
    var entries = try StoredEntries([Texts.proxyDefaults("http")])
    for index in 0..<count {
      let half = #"{"Weight": 50, "Service": "s\#(index + 1)"}"#
      entries.put(try StoredEntries.parse(Texts.splitter("s\(index)", "\(half), \(half)")))
    }
    return entries
  }

  @Test func splittersThatMultiplyAreRefusedBeforeTheyFillTheMemory() throws {
    #expect(throws: DiscoveryChainError.tooManySplits(chain: "s0", limit: 10_000)) {
      try Self.compiler.compile("s0", in: Self.doubling(100))
    }
    #expect(
      try Self.compiler.compile("s0", in: Self.doubling(10)).nodes["splitter:s0.default.default"]?.splits.count == 1024)
  }

  @Test func splittersThatNestWithoutEndAreRefused() throws {
    #expect(throws: DiscoveryChainError.tooDeep(chain: "s0", limit: 128)) {
      try Self.compiler.compile("s0", in: Self.doubling(10_000))
    }
  }

  @Test func aLongWayOfRedirectsIsFollowedUpToALimit() throws {
    var entries = StoredEntries()
    for index in 0..<200 {
      entries.put(try StoredEntries.parse(Texts.resolver("r\(index)", #""Redirect": {"Service": "r\#(index + 1)"}"#)))
    }
    #expect(try Self.compiler.compile("r100", in: entries).targets.keys.sorted() == ["r200.default.default.dc1"])
    #expect(throws: DiscoveryChainError.tooManyRedirects(chain: "r0", limit: 128)) {
      try Self.compiler.compile("r0", in: entries)
    }
  }
}
