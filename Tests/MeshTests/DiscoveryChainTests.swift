import Mesh
import Model
import Testing

/// What entries are compiled into. A case names its nodes in short: `.dc1` stands for the default namespace and partition.
@Suite struct DiscoveryChainTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let entries: [String]
    var service = "web"
    var overrides = DiscoveryChainOverrides()
    let nodes: [String]

    init(
      _ testDescription: String, _ entries: [String], service: String = "web",
      overrides: DiscoveryChainOverrides = DiscoveryChainOverrides(), _ nodes: String...
    ) {
      self.testDescription = testDescription
      self.entries = entries
      self.service = service
      self.overrides = overrides
      self.nodes = nodes
    }
  }

  static func compile(
    _ service: String, _ entries: [String], datacenter: String = "dc1",
    _ overrides: DiscoveryChainOverrides = DiscoveryChainOverrides()
  ) throws -> CompiledDiscoveryChain {
    try DiscoveryChainCompiler(datacenter: datacenter, trustDomain: "trust.consul", overrides: overrides)
      .compile(service, in: StoredEntries(entries))
  }

  /// The start node first, then the others, each with what it leads to.
  static func summary(_ chain: CompiledDiscoveryChain) -> [String] {
    let others = chain.nodes.keys.filter { $0 != chain.startNode }.sorted(by: bytewiseLess)
    return ([chain.startNode] + others).map { key in
      guard let node = chain.nodes[key] else { return "\(key) is missing" }
      var parts = node.routes.map { "-> \($0.nextNode)" } + node.splits.map { "\($0.weight)% \($0.nextNode)" }
      if let resolver = node.resolver {
        if key != "resolver:\(resolver.target)" { parts.append(resolver.target) }
        if resolver.isDefault { parts.append("default") }
        if let failover = resolver.failover { parts.append("else \(failover.targets.joined(separator: ", "))") }
        if resolver.connectTimeout != .seconds(5) { parts.append("connect \(resolver.connectTimeout)") }
      }
      return short(([key] + parts).joined(separator: " "))
    }
  }

  private static func short(_ text: String) -> String {
    text.split(separator: ".default.default", omittingEmptySubsequences: false).joined()
  }

  static let splitWeb = Texts.splitter("web", #"{"Weight": 60}, {"Weight": 40, "Service": "api"}"#)
  static let splitAPI = Texts.splitter(
    "api", #"{"Weight": 50, "RequestHeaders": {"Set": {"a": "1"}}}, {"Weight": 50, "Service": "other"}"#)
  static let subsets = #""Subsets": {"a": {"Filter": "Service.Meta.s == a"}, "b": {"Filter": "Service.Meta.s == b"}}"#

  static let cases: [Case] = [
    Case("no entries", [], "resolver:web.dc1 default"),
    Case(
      "a resolver with nothing but metadata is none", [Texts.resolver("web", #""Meta": {"r": "1"}"#)],
      "resolver:web.dc1 default"),
    Case(
      "the default subset stands for the service",
      [Texts.resolver("web", #""ConnectTimeout": "2s", "DefaultSubset": "a", \#(subsets)"#)],
      "resolver:a.web.dc1 connect 2s"),
    Case(
      "a redirect leads to the default subset of another service",
      [
        Texts.resolver("web", #""Redirect": {"Service": "api"}"#),
        Texts.resolver("api", #""DefaultSubset": "b", \#(subsets)"#),
      ],
      "resolver:b.api.dc1"),
    Case(
      "a redirect to another datacenter keeps the service",
      [Texts.resolver("web", #""Redirect": {"Datacenter": "dc2"}"#)], "resolver:web.dc2"),
    Case(
      "a redirect of a redirect forgets the subset",
      [
        Texts.resolver("web", #""Redirect": {"Service": "api", "ServiceSubset": "none"}"#),
        Texts.resolver("api", #""Redirect": {"Service": "db"}"#),
      ],
      "resolver:db.dc1 default"),
    Case(
      "a redirect to itself is none", [Texts.resolver("web", #""Redirect": {"Service": "web"}"#)],
      "resolver:web.dc1"),
    Case(
      "a redirect leads to a peer, whose protocol is not known",
      [Texts.defaults("web", "http"), Texts.resolver("web", #""Redirect": {"Service": "api", "Peer": "east"}"#)],
      "resolver:api.external.east default"),
    Case(
      "an entry about a service counts for the one of a peer, too",
      [
        Texts.resolver("web", #""Redirect": {"Service": "api", "Peer": "east"}"#),
        Texts.resolver("api", #""ConnectTimeout": "9s""#),
      ],
      "resolver:api.external.east connect 9s"),
    Case(
      "subsets are of instances here",
      [
        Texts.resolver("web", #""Redirect": {"Service": "api", "Peer": "east"}"#),
        Texts.resolver("api", #""DefaultSubset": "b", \#(subsets)"#),
      ],
      "resolver:b.api.dc1"),
    Case(
      "requests are split between a service and the one of a peer, which takes over",
      [
        Texts.proxyDefaults("http"), Texts.resolver("web", #""Failover": {"*": {"Targets": [{"Peer": "east"}]}}"#),
        Texts.resolver("web-peer", #""Redirect": {"Service": "web", "Peer": "east"}"#),
        Texts.splitter("web", #"{"Weight": 50}, {"Weight": 50, "Service": "web-peer"}"#),
      ],
      "splitter:web 50.0% resolver:web.dc1 50.0% resolver:web.external.east",
      "resolver:web.dc1 else web.external.east", "resolver:web.external.east"),
    Case(
      "failover to a service follows its redirect",
      [
        Texts.resolver("web", #""Failover": {"*": {"Service": "backup"}}"#),
        Texts.resolver("backup", #""ConnectTimeout": "44s", "Redirect": {"Service": "last"}"#),
      ],
      "resolver:web.dc1 else last.dc1"),
    Case(
      "failover of a failover is not followed",
      [
        Texts.resolver("web", #""Failover": {"*": {"Service": "last"}}"#),
        Texts.resolver("last", #""Failover": {"*": {"Service": "web"}}"#),
      ],
      "resolver:web.dc1 else last.dc1"),
    Case(
      "failover to datacenters",
      [Texts.resolver("web", #""Failover": {"*": {"Datacenters": ["dc2", "dc1", "dc3"]}}"#)],
      "resolver:web.dc1 else web.dc2, web.dc3"),
    Case(
      "failover to a service in datacenters",
      [Texts.resolver("web", #""Failover": {"*": {"Service": "backup", "Datacenters": ["dc2"]}}"#)],
      "resolver:web.dc1 else backup.dc2"),
    Case(
      "failover of a subset comes before that of any",
      [
        Texts.resolver(
          "web",
          #""DefaultSubset": "a", \#(subsets), "Failover": {"a": {"ServiceSubset": "b"}, "*": {"Service": "x"}}"#)
      ],
      "resolver:a.web.dc1 else b.web.dc1"),
    Case(
      "failover to targets of all sorts",
      [
        Texts.resolver(
          "web",
          #""Failover": {"*": {"Targets": [{"Service": "one"}, {"Service": "two", "Datacenter": "dc2"}, "#
            + #"{"Peer": "east"}, {"Service": "three", "Peer": "west"}]}}"#)
      ],
      "resolver:web.dc1 else one.dc1, two.dc2, web.external.east, three.external.west"),
    Case(
      "a splitter", [Texts.proxyDefaults("http"), splitWeb],
      "splitter:web 60.0% resolver:web.dc1 40.0% resolver:api.dc1", "resolver:api.dc1 default",
      "resolver:web.dc1 default"),
    Case(
      "nested splitters become one", [Texts.proxyDefaults("http"), splitWeb, splitAPI],
      "splitter:web 60.0% resolver:web.dc1 20.0% resolver:api.dc1 20.0% resolver:other.dc1",
      "resolver:api.dc1 default", "resolver:other.dc1 default", "resolver:web.dc1 default"),
    Case(
      "a splitter that keeps all for its own service",
      [Texts.proxyDefaults("http"), Texts.splitter("web", #"{"Weight": 100, "Service": "web"}"#)],
      "splitter:web 100.0% resolver:web.dc1", "resolver:web.dc1 default"),
    Case(
      "splits between subsets",
      [
        Texts.defaults("web", "http"), Texts.resolver("web", subsets),
        Texts.splitter("web", #"{"Weight": 90, "ServiceSubset": "a"}, {"Weight": 10, "ServiceSubset": "b"}"#),
      ],
      "splitter:web 90.0% resolver:a.web.dc1 10.0% resolver:b.web.dc1", "resolver:a.web.dc1", "resolver:b.web.dc1"),
    Case(
      "a router ends with a route for the rest",
      [
        Texts.proxyDefaults("http"),
        Texts.router("web", #"{"Match": {"HTTP": {"PathPrefix": "/api"}}, "Destination": {"Service": "api"}}"#),
        splitAPI,
      ],
      "router:web -> splitter:api -> resolver:web.dc1", "resolver:api.dc1 default", "resolver:other.dc1 default",
      "resolver:web.dc1 default", "splitter:api 50.0% resolver:api.dc1 50.0% resolver:other.dc1"),
    Case(
      "routers of other services do not count",
      [
        Texts.proxyDefaults("http"), Texts.router("web", #"{"Destination": {"Service": "api"}}"#),
        Texts.router("api", #"{"Destination": {"Service": "solo"}}"#),
      ],
      "router:web -> resolver:api.dc1 -> resolver:web.dc1", "resolver:api.dc1 default", "resolver:web.dc1 default"),
    Case(
      "a caller that speaks tcp has no use for splits", [Texts.proxyDefaults("http"), splitWeb],
      overrides: DiscoveryChainOverrides(protocol: "tcp"), "resolver:web.dc1 default"),
    Case(
      "a caller with another protocol of requests keeps the splits", [Texts.proxyDefaults("http"), splitWeb],
      overrides: DiscoveryChainOverrides(protocol: "grpc", connectTimeout: .seconds(7)),
      "splitter:web 60.0% resolver:web.dc1 40.0% resolver:api.dc1", "resolver:api.dc1 default connect 7s",
      "resolver:web.dc1 default connect 7s"),
  ]

  @Test(arguments: cases)
  func entriesAreCompiledIntoNodes(_ example: Case) throws {
    let chain = try Self.compile(example.service, example.entries, example.overrides)
    #expect(Self.summary(chain) == example.nodes)
  }

  @Test func aChainHasTheFormOfTheAPI() throws {
    var chain = try Self.compile(
      "web", [Texts.resolver("web", #""RequestTimeout": "9s", "Failover": {"*": {"Targets": [{"Peer": "east"}]}}"#)])
    chain.autoVirtualIPs = DiscoveryVirtualIPs(["240.0.0.1"])
    chain.manualVirtualIPs = DiscoveryVirtualIPs([])
    let name = "web.default.dc1.internal.trust.consul"
    let nodes =
      #"{"resolver:web.default.default.dc1":{"Type":"resolver","Name":"web.default.default.dc1","Resolver":{"#
      + #""ConnectTimeout":"5s","RequestTimeout":9000000000,"Target":"web.default.default.dc1","Failover":{"#
      + #""Targets":["web.default.default.external.east"]}}}}"#
    let targets =
      #"{"web.default.default.dc1":{"ConnectTimeout":"5s","ID":"web.default.default.dc1","Service":"web","#
      + #""Namespace":"default","Partition":"default","Datacenter":"dc1","MeshGateway":{},"Subset":{},"#
      + #""TransparentProxy":{},"SNI":"\#(name)","Name":"\#(name)"},"web.default.default.external.east":{"#
      + #""ConnectTimeout":"5s","ID":"web.default.default.external.east","Service":"web","Namespace":"default","#
      + #""Partition":"default","Peer":"east","MeshGateway":{},"Subset":{},"TransparentProxy":{}}}"#
    let text =
      #"{"ServiceName":"web","Namespace":"default","Partition":"default","Datacenter":"dc1","Protocol":"tcp","#
      + #""StartNode":"resolver:web.default.default.dc1","Nodes":\#(nodes),"Targets":\#(targets),"#
      + #""AutoVirtualIPs":["240.0.0.1"],"ManualVirtualIPs":[]}"#
    #expect(chain.json == text)
    #expect(try CompiledDiscoveryChain(messagePack: chain.messagePack) == chain)
    #expect(try CompiledDiscoveryChain(messagePack: chain.messagePack).json == text)
  }

  @Test func headerChangesOfNestedSplitsAreMerged() throws {
    let outer = Texts.splitter(
      "web",
      #"{"Weight": 100, "Service": "api", "RequestHeaders": {"Set": {"a": "0", "b": "2"}, "Remove": ["c"]}, "#
        + #""ResponseHeaders": {"Set": {"r": "outer"}}}"#)
    let inner = Texts.splitter(
      "api",
      #"{"Weight": 100, "RequestHeaders": {"Set": {"a": "1"}, "Remove": ["d"]}, "#
        + #""ResponseHeaders": {"Set": {"r": "inner", "s": "1"}}}"#)
    let chain = try Self.compile("web", [Texts.proxyDefaults("http"), outer, inner])
    let definition = try #require(chain.nodes["splitter:web.default.default"]?.splits.first?.definition)
    #expect(definition.requestHeaders?.set == ["a": "1", "b": "2"])
    #expect(definition.requestHeaders?.remove == ["c", "d"])
    #expect(definition.responseHeaders?.set == ["r": "outer", "s": "1"])
  }

  @Test func aSplitterHasTheFirstPolicyThatIsBasedOnHashes() throws {
    let chain = try Self.compile(
      "web",
      [
        Texts.proxyDefaults("http"), Texts.resolver("web", #""LoadBalancer": {"Policy": "least_request"}"#),
        Texts.resolver("api", #""LoadBalancer": {"Policy": "maglev"}"#),
        Texts.resolver("db", #""LoadBalancer": {"Policy": "ring_hash"}"#),
        Texts.splitter("inner", #"{"Weight": 50, "Service": "api"}, {"Weight": 50, "Service": "db"}"#),
        Texts.splitter("web", #"{"Weight": 50}, {"Weight": 50, "Service": "inner"}"#),
      ])
    #expect(chain.nodes["splitter:web.default.default"]?.loadBalancer?.policy == "maglev")
    #expect(chain.nodes["resolver:web.default.default.dc1"]?.loadBalancer?.policy == "least_request")
  }

  @Test func theRestOfARouterNamesItsService() throws {
    let chain = try Self.compile("web", [Texts.proxyDefaults("http"), Texts.router("web", "")])
    #expect(
      chain.nodes["router:web.default.default"]?.routes.last?.definition?.json
        == #"{"Match":{"HTTP":{"PathPrefix":"/"}},"#
        + #""Destination":{"Service":"web","Namespace":"default","Partition":"default"}}"#)
  }

  @Test func eachTargetHasTheGatewayModeOfItsService() throws {
    let chain = try Self.compile(
      "web",
      [
        #"{"Kind": "proxy-defaults", "Name": "global", "Config": {"protocol": "http"}, "MeshGateway": {"Mode": "local"}}"#,
        #"{"Kind": "service-defaults", "Name": "a", "Protocol": "http", "MeshGateway": {"Mode": "remote"}}"#,
        #"{"Kind": "service-defaults", "Name": "x", "Protocol": "http", "ExternalSNI": "x.example.com", "#
          + #""TransparentProxy": {"DialedDirectly": true}}"#,
        Texts.splitter("web", #"{"Weight": 50}, {"Weight": 25, "Service": "a"}, {"Weight": 25, "Service": "x"}"#),
      ])
    #expect(chain.targets["web.default.default.dc1"]?.meshGateway.mode == "local")
    #expect(chain.targets["a.default.default.dc1"]?.meshGateway.mode == "remote")
    let external = try #require(chain.targets["x.default.default.dc1"])
    #expect(external.meshGateway.mode.isEmpty && external.external && external.sni == "x.example.com")
    #expect(external.name == "x.default.dc1.internal.trust.consul")
    #expect(external.transparentProxy.dialedDirectly)
  }

  @Test func onlyOverridesThatChangeSomethingAreCounted() throws {
    let entries = [Texts.defaults("web", "http")]
    let same = DiscoveryChainOverrides(protocol: "http", connectTimeout: .seconds(5))
    #expect(try Self.compile("web", entries, same).customizationHash.isEmpty)
    var gateway = MeshGatewayConfig()
    gateway.mode = "remote"
    let customized = [
      DiscoveryChainOverrides(protocol: "grpc"), DiscoveryChainOverrides(connectTimeout: .seconds(1)),
      DiscoveryChainOverrides(meshGateway: gateway),
      DiscoveryChainOverrides(protocol: "grpc", connectTimeout: .seconds(1), meshGateway: gateway),
    ]
    let hashes = try customized.map { try Self.compile("web", entries, $0).customizationHash }
    #expect(Set(hashes).count == 4)
    #expect(hashes.allSatisfy { $0.count == 8 })
  }

  @Test func aChainIsTheDefaultOfItsServiceOnly() throws {
    #expect(try Self.compile("web", [Texts.defaults("web", "http")], datacenter: "dc7").isDefault)
    let redirect = Texts.resolver("web", #""Redirect": {"Service": "api"}"#)
    #expect(try !Self.compile("web", [redirect]).isDefault)
    #expect(try !Self.compile("web", [Texts.resolver("web", #""LoadBalancer": {"Policy": "random"}"#)]).isDefault)
  }

  @Test func metadataAndExtensionsOfTheServiceComeAlong() throws {
    let chain = try Self.compile(
      "web",
      [
        #"{"Kind": "proxy-defaults", "Name": "global", "EnvoyExtensions": [{"Name": "builtin/lua"}]}"#,
        #"{"Kind": "service-defaults", "Name": "web", "Meta": {"team": "a"}, "#
          + #""EnvoyExtensions": [{"Name": "builtin/wasm"}]}"#,
      ])
    #expect(chain.serviceMeta == ["team": "a"])
    #expect(chain.envoyExtensions.map(\.name) == ["builtin/lua", "builtin/wasm"])
  }
}
