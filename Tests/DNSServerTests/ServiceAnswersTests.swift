import Model
import Testing
import Wire

@testable import DNSServer

@Suite("Answers about services")
struct ServiceAnswersTests {
  let resolver: TestResolver

  init() {
    let resolver = TestResolver()
    let catalog = resolver.catalog
    catalog.addNode("n1", "192.0.2.1")
    catalog.addNode("n2", "192.0.2.2")
    catalog.addNode("s1", "127.0.0.1", meta: ["version": "1"])
    catalog.addService("web", on: "n1", port: 8080, tags: ["primary", "v1.2"])
    catalog.addService("web", on: "n2", id: "w2", port: 8081, address: "10.0.0.2", tags: ["replica"])
    catalog.addService(
      "web", on: "n2", id: "w3", port: 8082, address: "10.0.0.2", weights: Weights(passing: 7, warning: 3))
    catalog.addService("Upper", on: "n1", tags: ["TAG"])
    catalog.addService("consul", on: "s1", port: 8300)
    self.resolver = resolver
  }

  static func addresses(_ name: String) -> Answer {
    Answer(["\(name). 0 A 10.0.0.2", "\(name). 0 A 192.0.2.1"])
  }

  static func services(_ name: String) -> Answer {
    Answer(
      [
        "\(name). 0 SRV 1 1 8080 n1.node.dc1.consul.", "\(name). 0 SRV 1 1 8081 0a000002.addr.dc1.consul.",
        "\(name). 0 SRV 1 7 8082 0a000002.addr.dc1.consul.",
      ], additional: ["0a000002.addr.dc1.consul. 0 A 10.0.0.2", "n1.node.dc1.consul. 0 A 192.0.2.1"])
  }

  static func replica(_ name: String) -> Answer {
    Answer(
      ["\(name). 0 SRV 1 1 8081 0a000002.addr.dc1.consul."], additional: ["0a000002.addr.dc1.consul. 0 A 10.0.0.2"])
  }

  static let nameServer = "consul. 0 NS s1.node.dc1.consul."
  static let nameServerAddress = "s1.node.dc1.consul. 0 A 127.0.0.1"

  @Test(arguments: [
    ("web.service.consul", DNSRecordType.a, addresses("web.service.consul")),
    ("web.service.dc1.consul", .a, addresses("web.service.dc1.consul")),
    ("web.service.dc1.dc.consul", .a, addresses("web.service.dc1.dc.consul")),
    ("WEB.Service.Consul", .a, addresses("WEB.Service.Consul")),
    ("web.service.consul", .any, addresses("web.service.consul")),
    ("web.service.consul", .txt, addresses("web.service.consul")),
    ("web.service.consul", .srv, services("web.service.consul")),
    ("web.service.dc1.consul", .srv, services("web.service.dc1.consul")),
    ("web.service.consul", .aaaa, Answer(authority: [Answer.soa()])),
    ("web.service.consul", .ns, Answer([nameServer], additional: [nameServerAddress])),
    ("web.service.consul", .soa, Answer([Answer.soa()], authority: [nameServer], additional: [nameServerAddress])),
    ("_web._tcp.service.consul", .srv, services("_web._tcp.service.consul")),
    ("_web._tcp.consul", .srv, services("_web._tcp.consul")),
    ("_web._tcp.dc1.consul", .srv, services("_web._tcp.dc1.consul")),
    ("_web._tcp.consul", .a, .nameError()),
    ("_web._tcp.service.consul", .a, addresses("_web._tcp.service.consul")),
    ("_web._udp.service.consul", .srv, .nameError()),
    ("_web._replica.service.consul", .srv, replica("_web._replica.service.consul")),
    ("_web._replica.service.dc1.consul", .srv, replica("_web._replica.service.dc1.consul")),
    ("_web.service.consul", .srv, .nameError()),
    ("Primary.web.service.consul", .a, Answer(["Primary.web.service.consul. 0 A 192.0.2.1"])),
    ("v1.2.web.service.consul", .a, Answer(["v1.2.web.service.consul. 0 A 192.0.2.1"])),
    ("absent.web.service.consul", .a, .nameError()),
    ("a.b.web.service.consul", .a, .nameError()),
    ("upper.service.consul", .a, Answer(["upper.service.consul. 0 A 192.0.2.1"])),
    ("tag.upper.service.consul", .a, Answer(["tag.upper.service.consul. 0 A 192.0.2.1"])),
    ("absent.service.consul", .srv, .nameError()),
    ("web.service.dc9.consul", .a, .nameError()),
    ("service.consul", .a, .nameError()),
    ("web.nonsense.consul", .a, .nameError()),
    ("web.consul", .a, .nameError()),
    ("web.service", .a, .refused),
    ("web.service.dc1.extra.consul", .a, .nameError()),
    ("web.service.default.dc1.dc.consul", .a, .nameError()),
    ("web.service.ns1.ns.consul", .a, .nameError()),
    ("web.service.part1.ap.consul", .a, .nameError()),
    ("web.service.group.sg.consul", .a, .nameError()),
    ("web.service.peer1.peer.consul", .a, .nameError()),
  ])
  func namesOfServices(name: String, type: DNSRecordType, expected: Answer) throws {
    #expect(try resolver.ask(name, type) == expected)
  }

  @Test func onlyHealthyInstancesAreAnsweredWithTheWeightOfTheirHealth() throws {
    var resolver = TestResolver()
    let weights = Weights(passing: 10, warning: 5)
    for (index, (name, status)) in [
      ("p", ["passing", "passing"]), ("w", ["passing", "warning"]), ("c", ["warning", "critical"]), ("u", ["unknown"]),
      ("n", []),
    ].enumerated() {
      resolver.catalog.addNode(name, "192.0.2.\(index + 1)")
      resolver.catalog.addService("api", on: name, port: index + 1, weights: weights, status: status)
    }
    resolver.transport = .stream
    let answers = { (only: Bool) throws -> [String] in
      resolver.settings.onlyPassing = only
      return try resolver.ask("api.service.consul", .srv)?.answer ?? []
    }
    let passing = [
      "api.service.consul. 0 SRV 1 10 1 p.node.dc1.consul.", "api.service.consul. 0 SRV 1 10 5 n.node.dc1.consul.",
    ]
    let others = [
      "api.service.consul. 0 SRV 1 5 2 w.node.dc1.consul.", "api.service.consul. 0 SRV 1 1 4 u.node.dc1.consul.",
    ]
    #expect(try answers(false) == (passing + others).sorted())
    #expect(try answers(true) == passing)
  }

  @Test(arguments: [
    (Weights(passing: 0, warning: 0), 1), (Weights(passing: 3, warning: 0), 0),
    (Weights(passing: 3, warning: 70_000), 65535),
    (Weights(passing: 3, warning: -4), 0),
  ])
  func weightsOfWarningsStayWithinTheirField(weights: Weights, expected: Int) throws {
    let resolver = TestResolver()
    resolver.catalog.addNode("z", "192.0.2.6")
    resolver.catalog.addService("zero", on: "z", port: 1, weights: weights, status: ["warning"])
    #expect(
      try resolver.ask("zero.service.consul", .srv)
        == Answer(
          ["zero.service.consul. 0 SRV 1 \(expected) 1 z.node.dc1.consul."],
          additional: ["z.node.dc1.consul. 0 A 192.0.2.6"]))
  }

  @Test func aServiceWithoutHealthyInstancesDoesNotExist() throws {
    let resolver = TestResolver()
    resolver.catalog.addNode("n", "192.0.2.1")
    resolver.catalog.addService("api", on: "n", status: ["critical"])
    #expect(try resolver.ask("api.service.consul") == .nameError())
    #expect(try resolver.ask("api.service.consul", .srv) == .nameError())
  }

  @Test func servicesAtIPv6AddressesAnswerAAAA() throws {
    let resolver = TestResolver()
    resolver.catalog.addNode("n3", "192.0.2.3")
    resolver.catalog.addService("six", on: "n3", port: 5, address: "2001:db8::3")
    let hex = "20010db8000000000000000000000003.addr.dc1.consul."
    #expect(try resolver.ask("six.service.consul") == Answer(authority: [Answer.soa()]))
    #expect(try resolver.ask("six.service.consul", .aaaa) == Answer(["six.service.consul. 0 AAAA 2001:db8::3"]))
    #expect(try resolver.ask("six.service.consul", .any) == Answer(["six.service.consul. 0 AAAA 2001:db8::3"]))
    #expect(
      try resolver.ask("six.service.consul", .srv)
        == Answer(["six.service.consul. 0 SRV 1 1 5 \(hex)"], additional: ["\(hex) 0 AAAA 2001:db8::3"]))
  }

  @Test func metadataOfNodesAccompaniesServicesUnlessSwitchedOff() throws {
    var resolver = TestResolver()
    resolver.catalog.addNode("s1", "192.0.2.1", meta: ["env": "prod"])
    resolver.catalog.addService("web", on: "s1")
    resolver.catalog.addService("web", on: "s1", id: "other", address: "192.0.2.8")
    let services = [
      "web.service.consul. 0 SRV 1 1 80 s1.node.dc1.consul.",
      "web.service.consul. 0 SRV 1 1 80 c0000208.addr.dc1.consul.",
    ]
    let addresses = ["s1.node.dc1.consul. 0 A 192.0.2.1", "c0000208.addr.dc1.consul. 0 A 192.0.2.8"]
    let text = "s1.node.dc1.consul. 0 TXT \"env=prod\""
    #expect(try resolver.ask("web.service.consul", .srv) == Answer(services, additional: addresses + [text]))
    resolver.settings.enableAdditionalNodeMetaTXT = false
    #expect(try resolver.ask("web.service.consul", .srv) == Answer(services, additional: addresses))
  }

  @Test func nodesWhoseNameNoDomainNameCanHoldAreNamedByAddress() throws {
    let resolver = TestResolver()
    resolver.catalog.addNode(String(repeating: "x", count: 64), "192.0.2.1", meta: ["a": "b"])
    resolver.catalog.addNode("Node_2", "192.0.2.2")
    resolver.catalog.addService("long", on: String(repeating: "x", count: 64), port: 1)
    resolver.catalog.addService("odd", on: "Node_2", port: 2)
    #expect(
      try resolver.ask("long.service.consul", .srv)
        == Answer(
          ["long.service.consul. 0 SRV 1 1 1 c0000201.addr.dc1.consul."],
          additional: ["c0000201.addr.dc1.consul. 0 A 192.0.2.1"]))
    #expect(
      try resolver.ask("odd.service.consul", .srv)
        == Answer(
          ["odd.service.consul. 0 SRV 1 1 2 Node_2.node.dc1.consul."],
          additional: ["Node_2.node.dc1.consul. 0 A 192.0.2.2"]))
  }

  @Test func meshAndIngressNamesLeadToProxiesAndGateways() throws {
    let resolver = TestResolver()
    let catalog = resolver.catalog
    catalog.addNode("s1", "192.0.2.1")
    catalog.addService("web-sidecar-proxy", on: "s1", port: 21500)
    catalog.addService("gate", on: "s1", port: 8888, address: "192.0.2.20")
    catalog.change {
      $0.mesh["web"] = ["web-sidecar-proxy"]
      $0.ingress["web"] = ["gate"]
      $0.virtualAddresses["web"] = DNSAddress("240.0.0.1")
    }
    #expect(
      try resolver.ask("web.connect.consul", .srv)
        == Answer(
          ["web.connect.consul. 0 SRV 1 1 21500 s1.node.dc1.consul."], additional: ["s1.node.dc1.consul. 0 A 192.0.2.1"]
        ))
    #expect(try resolver.ask("web.connect.consul") == Answer(["web.connect.consul. 0 A 192.0.2.1"]))
    #expect(try resolver.ask("plain.connect.consul") == .nameError())
    #expect(try resolver.ask("web.ingress.consul") == Answer(["web.ingress.consul. 0 A 192.0.2.20"]))
    #expect(try resolver.ask("plain.ingress.consul") == .nameError())
    for type in [DNSRecordType.a, .aaaa, .srv] {
      #expect(try resolver.ask("web.virtual.consul", type) == Answer(["web.virtual.consul. 0 A 240.0.0.1"]))
    }
    #expect(try resolver.ask("web.virtual.dc1.consul") == Answer())
    #expect(try resolver.ask("absent.virtual.consul") == Answer())
  }

  @Test func preparedQueriesAreExecutedByName() throws {
    var resolver = TestResolver()
    resolver.settings.onlyPassing = true
    resolver.settings.serviceTTL = ["web": .seconds(30)]
    resolver.catalog.addNode("n1", "192.0.2.1")
    resolver.catalog.addService("web", on: "n1", status: ["warning"])
    resolver.catalog.change {
      $0.queries["q"] = ("web", nil)
      $0.queries["a.b"] = ("web", .seconds(99))
      $0.queries["none"] = ("absent", nil)
    }
    #expect(try resolver.ask("q.query.consul") == Answer(["q.query.consul. 30 A 192.0.2.1"]))
    #expect(try resolver.ask("a.b.query.dc1.consul") == Answer(["a.b.query.dc1.consul. 99 A 192.0.2.1"]))
    #expect(
      try resolver.ask("_q._tcp.query.consul", .srv)
        == Answer(
          ["_q._tcp.query.consul. 30 SRV 1 1 80 n1.node.dc1.consul."],
          additional: ["n1.node.dc1.consul. 30 A 192.0.2.1"]))
    #expect(try resolver.ask("none.query.consul") == .nameError())
    #expect(try resolver.ask("absent.query.consul") == .nameError())
    #expect(try resolver.ask("q.query.dc9.consul") == .nameError())
  }

  @Test func whatCannotBeReadIsAServerFailure() throws {
    resolver.catalog.change { $0.failure = "ACL not found" }
    #expect(try resolver.resolve("web.service.consul").0 == .failed("ACL not found"))
    #expect(try resolver.resolve("consul", .soa).0 == .failed("ACL not found"))
    #expect(try resolver.resolve("1.2.0.192.in-addr.arpa", .ptr).0 == .failed("ACL not found"))
  }
}
