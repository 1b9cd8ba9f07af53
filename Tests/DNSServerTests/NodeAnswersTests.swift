import Model
import Testing
import Wire

@testable import DNSServer

@Suite("Answers about nodes, addresses and the zone")
struct NodeAnswersTests {
  let resolver: TestResolver

  init() {
    let resolver = TestResolver()
    let catalog = resolver.catalog
    catalog.addNode("n1", "192.0.2.1", meta: ["rfc1035-role": "primary", "env": "prod"])
    catalog.addNode("six", "2001:db8::6")
    catalog.addNode("host", "www.example.test", id: "40e4a748-2192-161a-0510-9bf59fe950b5")
    catalog.addNode("dotted.name", "192.0.2.4")
    catalog.addNode(
      "both", "192.0.2.5", tagged: ["lan": "192.0.2.5", "lan_ipv4": "192.0.2.5", "lan_ipv6": "2001:db8::5"])
    catalog.addNode("s1", "127.0.0.1")
    catalog.addNode("s_2", "127.0.0.2")
    catalog.addService("consul", on: "s1", port: 8300)
    catalog.addService("consul", on: "s_2", port: 8300)
    catalog.addService("db", on: "n1", address: "192.0.2.99")
    self.resolver = resolver
  }

  static func meta(_ name: String) -> [String] { ["\(name). 0 TXT \"primary\"", "\(name). 0 TXT \"env=prod\""] }

  static let servers = (
    name: "consul. 0 NS s1.node.dc1.consul.", address: "s1.node.dc1.consul. 0 A 127.0.0.1"
  )
  static let six = "6.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
  static let hexSix = "20010db8000000000000000000000006.addr.consul"

  @Test(arguments: [
    ("n1.node.consul", DNSRecordType.a, Answer(["n1.node.consul. 0 A 192.0.2.1"], additional: meta("n1.node.consul"))),
    ("N1.Node.CONSUL", .a, Answer(["N1.Node.CONSUL. 0 A 192.0.2.1"], additional: meta("N1.Node.CONSUL"))),
    ("n1.node.dc1.consul", .a, Answer(["n1.node.dc1.consul. 0 A 192.0.2.1"], additional: meta("n1.node.dc1.consul"))),
    ("n1.node.dc1.dc.consul", .txt, Answer(meta("n1.node.dc1.dc.consul"))),
    ("n1.node.consul", .any, Answer(["n1.node.consul. 0 A 192.0.2.1"] + meta("n1.node.consul"))),
    ("n1.node.consul", .aaaa, Answer(additional: meta("n1.node.consul"))),
    ("n1.node.consul", .txt, Answer(meta("n1.node.consul"))),
    ("n1.node.consul", .mx, Answer()),
    ("n1.node.consul", .srv, Answer()),
    ("n1.node.consul", .cname, Answer()),
    ("n1.node.consul", .soa, Answer([Answer.soa()], authority: [servers.name], additional: [servers.address])),
    ("n1.node.consul", .ns, Answer([servers.name], additional: [servers.address])),
    ("six.node.consul", .a, Answer()),
    ("six.node.consul", .aaaa, Answer(["six.node.consul. 0 AAAA 2001:db8::6"])),
    ("six.node.consul", .any, Answer(["six.node.consul. 0 AAAA 2001:db8::6"])),
    ("host.node.consul", .a, Answer(["host.node.consul. 0 CNAME www.example.test."])),
    ("host.node.consul", .cname, Answer()),
    (
      "40e4a748-2192-161a-0510-9bf59fe950b5.node.consul", .any,
      Answer(["40e4a748-2192-161a-0510-9bf59fe950b5.node.consul. 0 CNAME www.example.test."])
    ),
    ("dotted.name.node.consul", .a, Answer(["dotted.name.node.consul. 0 A 192.0.2.4"])),
    ("both.node.consul", .a, Answer(["both.node.consul. 0 A 192.0.2.5"])),
    ("both.node.consul", .aaaa, Answer(["both.node.consul. 0 AAAA 2001:db8::5"])),
    ("both.node.consul", .any, Answer(["both.node.consul. 0 AAAA 2001:db8::5"])),
    ("absent.node.consul", .a, .nameError()),
    ("a.n1.node.consul", .a, .nameError()),
    ("n1.node.dc2.consul", .a, .nameError()),
    ("node.consul", .a, .nameError()),
    ("n1.node", .a, .refused),
    ("consul", .soa, Answer([Answer.soa()], authority: [servers.name], additional: [servers.address])),
    ("consul", .ns, Answer([servers.name], additional: [servers.address])),
    ("consul", .a, .nameError()),
    ("consul", .any, .nameError()),
    ("ns.consul", .a, .nameError()),
    ("nothing.consul", .mx, .nameError()),
    ("a.b.c.d.consul", .a, .nameError()),
    ("consul.example.test", .a, .refused),
    ("notconsul", .a, .refused),
    (".", .ns, .refused),
    ("consul", .axfr, Answer(code: "NOTIMP")),
    ("c0000201.addr.consul", .a, Answer(["c0000201.addr.consul. 0 A 192.0.2.1"])),
    ("C0000201.Addr.dc1.Consul", .a, Answer(["c0000201.addr.dc1.consul. 0 A 192.0.2.1"])),
    ("c0000201.addr.consul", .aaaa, Answer(additional: ["c0000201.addr.consul. 0 A 192.0.2.1"])),
    ("c0000201.addr.consul", .srv, Answer(additional: ["c0000201.addr.consul. 0 A 192.0.2.1"])),
    (hexSix, .aaaa, Answer(["\(hexSix). 0 AAAA 2001:db8::6"])),
    (hexSix, .a, Answer(additional: ["\(hexSix). 0 AAAA 2001:db8::6"])),
    ("7f00001.addr.consul", .a, .nameError()),
    ("zzzzzzzz.addr.consul", .a, .nameError()),
    ("a.c0000201.addr.consul", .a, .nameError()),
    ("addr.consul", .a, .nameError()),
    ("1.2.0.192.in-addr.arpa", .ptr, Answer(["1.2.0.192.in-addr.arpa. 0 PTR n1.node.dc1.consul."])),
    ("1.2.0.192.In-Addr.arpa", .a, Answer(["1.2.0.192.In-Addr.arpa. 0 PTR n1.node.dc1.consul."])),
    ("1.2.0.192.in-addr.arpa", .any, Answer(["1.2.0.192.in-addr.arpa. 0 PTR n1.node.dc1.consul."])),
    ("99.2.0.192.in-addr.arpa", .ptr, Answer(["99.2.0.192.in-addr.arpa. 0 PTR db.service.dc1.consul."])),
    ("77.2.0.192.in-addr.arpa", .ptr, .nameError()),
    ("2.0.192.in-addr.arpa", .ptr, .nameError()),
    ("256.2.0.192.in-addr.arpa", .ptr, .nameError()),
    ("x.ip6.arpa", .ptr, .nameError()),
    (six, .ptr, Answer(["\(six). 0 PTR six.node.dc1.consul."])),
  ])
  func names(name: String, type: DNSRecordType, expected: Answer) throws {
    #expect(try resolver.ask(name, type) == expected)
  }

  @Test func classesOtherThanInternetAreRefused() throws {
    let message = try resolver.resolve("n1.node.consul", class: DNSClass(rawValue: 3)).1
    #expect(message.map { Answer($0) } == .refused)
    #expect(try resolver.resolve("n1.node.consul", class: .any).1?.answers.count == 1)
  }

  @Test func flagsOfTheQueryAreRepeated() throws {
    let message = try resolver.resolve("n1.node.consul", flags: .checkingDisabled).1
    #expect(message?.header.flags == [.response, .authoritative, .checkingDisabled])
  }

  @Test(arguments: [
    ("plain", "value", "plain=value"), ("rfc1035-x", "only this", "only this"), ("a=b", "c=d", "a`=b=c=d"),
    ("tick`", "", "tick``="), (" lead and trail\t", "x", "` lead and trail`\t=x"),
  ])
  func metadataBecomesText(key: String, value: String, expected: String) {
    let map: StringMap = [key: value]
    #expect(map.map { Resolver<FixtureCatalog, SeededGenerator>.metaText($0) } == [expected])
  }

  @Test func theAlternativeDomainIsAnsweredUnderItsOwnName() throws {
    var resolver = resolver
    resolver.settings.domain = "example.test."
    resolver.settings.alternativeDomain = "alt.internal"
    resolver.catalog.addService("web", on: "n1")
    #expect(try resolver.ask("n1.node.example.test")?.answer == ["n1.node.example.test. 0 A 192.0.2.1"])
    #expect(try resolver.ask("n1.node.consul") == .refused)
    #expect(
      try resolver.ask("web.service.alt.internal", .srv)?.answer
        == ["web.service.alt.internal. 0 SRV 1 1 80 n1.node.dc1.alt.internal."])
    #expect(try resolver.ask("nothing.alt.internal") == .nameError("alt.internal"))
    #expect(
      try resolver.ask("alt.internal", .soa)
        == Answer(
          [Answer.soa("example.test")], authority: ["alt.internal. 0 NS s1.node.dc1.alt.internal."],
          additional: ["s1.node.dc1.alt.internal. 0 A 127.0.0.1"]))
    #expect(
      try resolver.ask("1.2.0.192.in-addr.arpa", .ptr)?.answer
        == ["1.2.0.192.in-addr.arpa. 0 PTR n1.node.dc1.example.test."])
  }

  @Test func anAlternativeDomainMayLieBelowTheOther() throws {
    var resolver = resolver
    resolver.settings.alternativeDomain = "alt.consul"
    #expect(try resolver.ask("n1.node.alt.consul")?.answer == ["n1.node.alt.consul. 0 A 192.0.2.1"])
    #expect(try resolver.ask("nothing.alt.consul") == .nameError("alt.consul"))
  }

  @Test func theRootCanBeTheDomain() throws {
    var resolver = resolver
    resolver.settings.domain = "."
    #expect(try resolver.ask("n1.node")?.answer == ["n1.node. 0 A 192.0.2.1"])
  }

  @Test func wanAddressesAreUsedForOtherDatacenters() throws {
    var resolver = TestResolver()
    resolver.settings.translateWANAddresses = true
    resolver.settings.datacenter = "dc2"
    let wan: StringMap = ["lan": "10.0.0.1", "wan": "198.51.100.1", "wan_ipv4": "198.51.100.1"]
    resolver.catalog.addNode("far", "10.0.0.1", tagged: wan)
    resolver.catalog.addService(
      "web", on: "far", port: 80, address: "10.0.0.9",
      tagged: ["wan": ServiceAddress(address: "198.51.100.9", port: 8080)])
    resolver.catalog.addService("plain", on: "far", port: 81)
    #expect(try resolver.ask("far.node.dc1.consul")?.answer == ["far.node.dc1.consul. 0 A 198.51.100.1"])
    #expect(
      try resolver.ask("web.service.dc1.consul", .srv)
        == Answer(
          ["web.service.dc1.consul. 0 SRV 1 1 8080 c6336409.addr.dc1.consul."],
          additional: ["c6336409.addr.dc1.consul. 0 A 198.51.100.9"]))
    // The name of the node would lead to its own address.
    #expect(
      try resolver.ask("plain.service.dc1.consul", .srv)
        == Answer(
          ["plain.service.dc1.consul. 0 SRV 1 1 81 c6336401.addr.dc1.consul."],
          additional: ["c6336401.addr.dc1.consul. 0 A 198.51.100.1"]))
    resolver.settings.datacenter = "dc1"
    #expect(try resolver.ask("far.node.consul")?.answer == ["far.node.consul. 0 A 10.0.0.1"])
  }

  @Test func answersMayBeRememberedAsLongAsTheSettingsSay() throws {
    var resolver = resolver
    resolver.settings.nodeTTL = .milliseconds(11_900)
    resolver.settings.serviceTTL = [
      "*": .seconds(5), "Web": .seconds(30), "db-*": .seconds(12), "db-main-*": .seconds(13),
    ]
    resolver.settings.authority.minimumTTL = 7
    for name in ["web", "db-x", "db-main-1", "other"] { resolver.catalog.addService(name, on: "n1") }
    #expect(try resolver.ask("n1.node.consul")?.answer == ["n1.node.consul. 11 A 192.0.2.1"])
    for (name, ttl) in [("web", 30), ("db-x", 12), ("db-main-1", 13), ("other", 5)] {
      #expect(try resolver.ask("\(name).service.consul")?.answer == ["\(name).service.consul. \(ttl) A 192.0.2.1"])
    }
    let soa = Answer.soa("consul", "3600 600 86400 7", ttl: 7)
    #expect(try resolver.ask("absent.service.consul") == Answer(authority: [soa], code: "NXDOMAIN"))
    #expect(try resolver.ask("consul", .ns)?.answer == ["consul. 11 NS s1.node.dc1.consul."])
    #expect(
      try resolver.ask("1.2.0.192.in-addr.arpa", .ptr)?.answer == ["1.2.0.192.in-addr.arpa. 0 PTR n1.node.dc1.consul."])
    #expect(try resolver.ask("c0000201.addr.consul")?.answer == ["c0000201.addr.consul. 11 A 192.0.2.1"])
  }

  @Test(arguments: ["a..b", String(repeating: "a", count: 64), "a\\"])
  func domainsThatAreNoNamesAreRefused(domain: String) throws {
    var settings = DNSSettings()
    settings.domain = domain
    #expect(throws: DNSServerError.invalidDomain(domain)) { try ResolverConfiguration(settings) }
  }

  @Test(arguments: [
    ("192.0.2.1", "192.0.2.1:53"), ("192.0.2.1:5301", "192.0.2.1:5301"), ("::1", "[::1]:53"),
    ("[::1]:5301", "[::1]:5301"),
    ("[2001:db8::1]", "[2001:db8::1]:53"), ("1.2.3.4:0", nil), ("1.2.3.4:70000", nil), ("example.test", nil),
    ("example.test:53", nil), ("[::1", nil), ("[::1]x", nil), ("", nil), (":53", nil),
  ])
  func recursorsAreAddressesWithPorts(text: String, expected: String?) {
    #expect(RecursorAddress(text)?.description == expected)
  }
}
