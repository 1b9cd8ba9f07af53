import Model
import Testing
import Wire

@testable import DNSServer

@Suite("Nodes and services whose address is a name")
struct AliasTests {
  let resolver: TestResolver

  init() {
    let resolver = TestResolver()
    let catalog = resolver.catalog
    catalog.addNode("google", "www.example.test")
    catalog.addNode("n1", "192.0.2.1")
    catalog.addNode("n2", "google.node.consul")
    catalog.addService("search", on: "google")
    catalog.addService("mixed", on: "n1", port: 1, address: "alias.example.test")
    catalog.addService("inner", on: "n1", port: 2, address: "web.service.consul")
    catalog.addService("web", on: "n1", address: "10.0.0.1")
    catalog.addService("loop", on: "n1", port: 3, address: "loop.service.consul")
    catalog.addService("chain", on: "n2", port: 4)
    catalog.addService("broken", on: "n1", port: 5, address: "no..name")
    catalog.addService("ping", on: "n1", port: 6, address: "pong.service.consul")
    catalog.addService("pong", on: "n1", port: 7, address: "ping.service.consul")
    self.resolver = resolver
  }

  static let inner = Answer(["inner.service.consul. 0 CNAME web.service.consul.", "web.service.consul. 0 A 10.0.0.1"])
  static let search = Answer(["search.service.consul. 0 CNAME www.example.test."])

  @Test(arguments: [
    ("search.service.consul", DNSRecordType.a, search), ("search.service.consul", .cname, search),
    ("search.service.consul", .any, search),
    ("search.service.consul", .srv, Answer(["search.service.consul. 0 SRV 1 1 80 www.example.test."])),
    ("mixed.service.consul", .a, Answer(["mixed.service.consul. 0 CNAME alias.example.test."])),
    ("mixed.service.consul", .srv, Answer(["mixed.service.consul. 0 SRV 1 1 1 alias.example.test."])),
    ("inner.service.consul", .a, inner), ("inner.service.consul", .any, inner), ("inner.service.consul", .aaaa, inner),
    (
      "inner.service.consul", .srv,
      Answer(
        ["inner.service.consul. 0 SRV 1 1 2 web.service.consul."], additional: ["web.service.consul. 0 A 10.0.0.1"])
    ),
    ("loop.service.consul", .a, Answer(["loop.service.consul. 0 A 192.0.2.1"])),
    (
      "loop.service.consul", .srv,
      Answer(
        ["loop.service.consul. 0 SRV 1 1 3 n1.node.dc1.consul."], additional: ["n1.node.dc1.consul. 0 A 192.0.2.1"])
    ),
    (
      "chain.service.consul", .a,
      Answer(["chain.service.consul. 0 CNAME google.node.consul.", "google.node.consul. 0 CNAME www.example.test."])
    ),
    (
      "n2.node.consul", .a,
      Answer(["n2.node.consul. 0 CNAME google.node.consul.", "google.node.consul. 0 CNAME www.example.test."])
    ),
    ("broken.service.consul", .a, Answer(authority: [Answer.soa()])),
  ])
  func names(name: String, type: DNSRecordType, expected: Answer) throws {
    #expect(try resolver.ask(name, type) == expected)
  }

  @Test func circlesOfAliasesEnd() throws {
    let answer = try resolver.ask("ping.service.consul")?.answer ?? []
    #expect(answer.contains("ping.service.consul. 0 CNAME pong.service.consul."))
    #expect(answer.count <= 3)
  }

  @Test func withRecursorsForeignNamesAreForwarded() throws {
    var resolver = resolver
    resolver.settings.recursors = ["192.0.2.53"]
    #expect(try resolver.resolve("www.example.test").0 == .forward)
    #expect(try resolver.resolve("77.2.0.192.in-addr.arpa", .ptr).0 == .forward)
    #expect(try resolver.resolve("2.0.192.in-addr.arpa", .ptr).0 == .forward)
    let flags: Set<String> = ["AA", "RD", "RA"]
    #expect(
      try resolver.ask("1.2.0.192.in-addr.arpa", .ptr)
        == Answer(["1.2.0.192.in-addr.arpa. 0 PTR n1.node.dc1.consul."], flags: flags))
    #expect(
      try resolver.ask("absent.service.consul") == Answer(authority: [Answer.soa()], code: "NXDOMAIN", flags: flags))
  }

  @Test func foreignAliasesNeedTheUpstreamServers() throws {
    var resolver = resolver
    resolver.settings.recursors = ["192.0.2.53"]
    let name = try DNSName("www.example.test")
    for query in ["search.service.consul", "google.node.consul", "chain.service.consul", "n2.node.consul"] {
      #expect(try resolver.resolve(query).0 == .needs([.upstream(name)]))
    }
    let cdn = try DNSName("cdn.example.test")
    resolver.catalog.change {
      $0.upstream[name] = [
        DNSRecord(name: name, type: .cname, ttl: 60, data: .name(cdn)),
        DNSRecord(name: cdn, type: .a, ttl: 60, data: .address(.v4(0xC000_0250))),
        DNSRecord(name: cdn, type: .txt, ttl: 60, data: .text([[65]])),
      ]
    }
    let flags: Set<String> = ["AA", "RD", "RA"]
    #expect(
      try resolver.ask("search.service.consul")
        == Answer(
          [
            "search.service.consul. 0 CNAME www.example.test.", "www.example.test. 0 CNAME cdn.example.test.",
            "cdn.example.test. 0 A 192.0.2.80",
          ], flags: flags))
    #expect(
      try resolver.ask("search.service.consul", .srv)
        == Answer(
          ["search.service.consul. 0 SRV 1 1 80 www.example.test."],
          additional: ["www.example.test. 0 CNAME cdn.example.test.", "cdn.example.test. 0 A 192.0.2.80"], flags: flags)
    )
    #expect(
      try resolver.ask("google.node.consul")
        == Answer(
          [
            "google.node.consul. 0 CNAME www.example.test.", "www.example.test. 60 CNAME cdn.example.test.",
            "cdn.example.test. 60 A 192.0.2.80",
          ], flags: flags))
    resolver.catalog.change { $0.upstream[name] = [] }
    #expect(
      try resolver.ask("search.service.consul")
        == Answer(["search.service.consul. 0 CNAME www.example.test."], flags: flags))
  }
}
