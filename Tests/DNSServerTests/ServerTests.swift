import Logging
import Model
import NIOCore
import NIOPosix
import Synchronization
import Testing
import Wire

@testable import DNSServer

/// A server of the fixture catalog on a loopback address of its own.
private func withServer(
  on address: String, threads: Int = 1, _ catalog: FixtureCatalog, _ settings: DNSSettings = DNSSettings(),
  observer: (any DNSObserver)? = nil, _ body: (DNSServer) async throws -> Void
) async throws {
  let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
  let server = try DNSServer(
    settings: settings, addresses: [address], catalog: catalog, group: group, observer: observer,
    logger: Logger(label: "dns"))
  do {
    try await server.start()
    try await body(server)
    await server.stop()
    try await group.shutdownGracefully()
  } catch {
    await server.stop()
    try? await group.shutdownGracefully()
    throw error
  }
}

private func exampleCatalog() -> FixtureCatalog {
  let catalog = FixtureCatalog()
  catalog.addNode("n1", "192.0.2.1")
  catalog.addNode("ext", "www.example.test")
  catalog.addService("web", on: "n1", port: 8080)
  catalog.addService("search", on: "ext")
  for index in 1...40 {
    catalog.addService("big", on: "n1", id: "big\(index)", port: index, address: "10.0.0.\(index)")
  }
  return catalog
}

private func ask(
  _ host: String, _ name: String, _ type: DNSRecordType = .a, edns: UInt16? = nil, tcp: Bool = false
) throws -> Answer {
  let query = try TestClient.query(name, type, edns: edns)
  let bytes = tcp ? try TestClient.stream([query], to: host)[0] : try TestClient.datagram(query, to: host)
  let message = try DNSMessage(bytes)
  #expect(message.header.id == 7)
  return Answer(message)
}

@Suite("DNS over sockets")
struct ServerTests {
  static let web = Answer(["web.service.consul. 0 A 192.0.2.1"])

  @Test(arguments: [1, 2])
  func datagramsAndConnectionsAreAnswered(threads: Int) async throws {
    let host = "127.86.1.\(threads)"
    try await withServer(on: host, threads: threads, exampleCatalog()) { _ async throws in
      for _ in 0..<20 {
        #expect(try ask(host, "web.service.consul") == Self.web)
        #expect(try ask(host, "web.service.consul", tcp: true) == Self.web)
      }
      #expect(try ask(host, "big.service.consul").answer.count == 3)
      #expect(try ask(host, "big.service.consul", edns: 4096).answer.count == 40)
      #expect(try ask(host, "big.service.consul", tcp: true).answer.count == 40)
      #expect(
        try ask(host, "absent.service.consul", edns: 1232)
          == .nameError(payload: 1232).at(try ask(host, "consul", .soa)))
    }
  }

  @Test func severalQueriesOfAConnectionAreAnsweredWithoutWaiting() async throws {
    try await withServer(on: "127.86.1.3", exampleCatalog()) { _ async throws in
      let queries = try (0..<200).map { try TestClient.query("web.service.consul", .srv, id: UInt16($0)) }
      let answers = try TestClient.stream(queries, to: "127.86.1.3").map { try DNSMessage($0) }
      #expect(answers.map(\.header.id) == (0..<200).map { UInt16($0) })
      #expect(answers.allSatisfy { $0.answers.count == 1 && $0.additionals.count == 1 })
    }
  }

  @Test func malformedMessagesAreToldOff() async throws {
    let host = "127.86.1.4"
    try await withServer(on: host, exampleCatalog()) { _ async throws in
      let truncated = Array(try TestClient.query("web.service.consul").dropLast(3))
      let answer = try DNSMessage(try TestClient.datagram(truncated, to: host))
      #expect(answer.header == DNSHeader(id: 7, flags: DNSFlags([.response, .recursionDesired]).with(.formatError)))
      let update = try TestClient.query("consul", .soa, flags: DNSFlags(rawValue: 5 << 11))
      #expect(
        try DNSMessage(try TestClient.stream([update], to: host)[0]).header.flags
          == DNSFlags(rawValue: 5 << 11).union(.response).with(.notImplemented))
      var version = try TestClient.query("web.service.consul", edns: 1232)
      version[version.count - 5] = 1
      let bad = try DNSMessage(try TestClient.datagram(version, to: host))
      #expect(bad.extensionRecord?.ttl == 0x0100_0000)
      #expect(bad.header.flags.responseCode == .noError)
      // Nothing is said to responses, and the server lives on.
      #expect(throws: Never.self) { try ask(host, "web.service.consul") }
    }
  }

  @Test func answersOfRemoteCatalogsComeLater() async throws {
    let catalog = exampleCatalog()
    catalog.change { $0.isRemote = true }
    let host = "127.86.1.5"
    try await withServer(on: host, catalog) { _ in
      #expect(try ask(host, "web.service.consul") == Self.web)
      #expect(try ask(host, "web.service.consul", tcp: true) == Self.web)
      let queries = try (0..<300).map { try TestClient.query("web.service.consul", id: UInt16($0)) }
      let answers = try TestClient.stream(queries, to: host).map { try DNSMessage($0) }
      #expect(Set(answers.map(\.header.id)) == Set(0..<300))
      #expect(try ask(host, "77.2.0.192.in-addr.arpa", .ptr).code == "NXDOMAIN")
      catalog.change { $0.failure = "No cluster leader" }
      #expect(try ask(host, "web.service.consul") == Answer(code: "SERVFAIL"))
    }
  }

  @Test func settingsChangeWhileRunning() async throws {
    let host = "127.86.1.6"
    try await withServer(on: host, exampleCatalog()) { server async throws in
      var settings = DNSSettings()
      settings.serviceTTL = ["*": .seconds(9)]
      try server.update(settings)
      #expect(try ask(host, "web.service.consul").answer == ["web.service.consul. 9 A 192.0.2.1"])
      settings.domain = "not..valid"
      #expect(throws: DNSServerError.invalidDomain("not..valid")) { try server.update(settings) }
      #expect(try ask(host, "web.service.consul").answer == ["web.service.consul. 9 A 192.0.2.1"])
    }
  }

  @Test func anAddressInUseIsReported() async throws {
    let host = "127.86.1.7"
    try await withServer(on: host, threads: 2, exampleCatalog()) { _ async throws in
      await #expect(throws: DNSServerError.self) {
        try await withServer(on: host, threads: 2, exampleCatalog()) { _ in }
      }
      #expect(try ask(host, "web.service.consul") == Self.web)
    }
    try await withServer(on: host, exampleCatalog()) { _ async throws in
      #expect(try ask(host, "web.service.consul") == Self.web)
    }
  }

  @Test func observersAreToldOfQueries() async throws {
    final class Recorder: DNSObserver {
      let seen = Mutex<[DNSQueryKind]>([])
      func answered(_ kind: DNSQueryKind, type: DNSRecordType, after duration: Duration) {
        seen.withLock { $0.append(kind) }
      }
    }
    let recorder = Recorder()
    let host = "127.86.1.8"
    try await withServer(on: host, exampleCatalog(), observer: recorder) { _ in
      _ = try ask(host, "web.service.consul")
      _ = try ask(host, "1.2.0.192.in-addr.arpa", .ptr)
      _ = try ask(host, "www.example.test")
    }
    #expect(recorder.seen.withLock { $0 } == [.domain, .reverse, .recursive])
  }

  // MARK: Upstream servers

  private static func upstreamCatalog() -> FixtureCatalog {
    let catalog = FixtureCatalog()
    catalog.addNode("www", "192.0.2.80")
    for index in 1...40 {
      catalog.addService("many", on: "www", id: "\(index)", port: index, address: "10.0.0.\(index)")
    }
    return catalog
  }

  private static func upstreamSettings() -> DNSSettings {
    var settings = DNSSettings()
    settings.domain = "up.test"
    settings.nodeTTL = .seconds(60)
    settings.enableTruncate = true
    return settings
  }

  @Test func foreignNamesAreForwarded() async throws {
    let host = "127.86.1.10", upstream = "127.86.1.11"
    try await withServer(on: upstream, Self.upstreamCatalog(), Self.upstreamSettings()) { _ in
      var settings = DNSSettings()
      // Nothing listens on the first.
      settings.recursors = ["127.86.1.12:8600", "\(upstream):8600"]
      let catalog = exampleCatalog()
      catalog.addNode("alias", "www.node.up.test")
      catalog.addService("alias", on: "alias")
      catalog.addNode("many", "many.service.up.test")
      try await withServer(on: host, catalog, settings) { server in
        let www = ["www.node.up.test. 60 A 192.0.2.80"]
        #expect(try ask(host, "www.node.up.test").answer == www)
        #expect(try ask(host, "www.node.up.test", tcp: true).answer == www)
        #expect(try ask(host, "absent.node.up.test").code == "NXDOMAIN")
        #expect(try ask(host, "many.service.up.test", edns: 4096).answer.count == 40)
        #expect(try ask(host, "many.service.up.test").flags.contains("TC"))
        #expect(
          try ask(host, "80.2.0.192.in-addr.arpa", .ptr).answer == [
            "80.2.0.192.in-addr.arpa. 0 PTR www.node.dc1.up.test."
          ])
        #expect(
          try ask(host, "1.2.0.192.in-addr.arpa", .ptr).answer == ["1.2.0.192.in-addr.arpa. 0 PTR n1.node.dc1.consul."])
        let flags: Set<String> = ["AA", "RD", "RA"]
        #expect(
          try ask(host, "alias.service.consul")
            == Answer(
              ["alias.service.consul. 0 CNAME www.node.up.test.", "www.node.up.test. 0 A 192.0.2.80"], flags: flags))
        #expect(
          try ask(host, "alias.node.consul", tcp: true)
            == Answer(["alias.node.consul. 0 CNAME www.node.up.test."] + www, flags: flags))
        // The answer does not fit a datagram: the rest is fetched over TCP, five records are used.
        #expect(try ask(host, "many.node.consul", edns: 4096).answer.count == 6)
        // Refused by all: nobody answers for this name.
        #expect(try ask(host, "www.elsewhere.test") == Answer(code: "SERVFAIL", flags: ["RD", "RA"]))
        settings.recursorStrategy = .random
        try server.update(settings)
        for _ in 0..<10 { #expect(try ask(host, "www.node.up.test").answer == www) }
      }
    }
  }

  @Test func silentUpstreamServersAreGivenUp() async throws {
    let host = "127.86.1.13", upstream = "127.86.1.14", silent = "127.86.1.15"
    try await withServer(on: upstream, Self.upstreamCatalog(), Self.upstreamSettings()) { _ in
      var settings = DNSSettings()
      settings.recursorTimeout = .milliseconds(100)
      settings.recursors = ["\(silent):8600", "\(upstream):8600"]
      try await withServer(on: host, exampleCatalog(), settings) { server in
        try TestClient.withSilentServer(on: silent, port: 8600) {
          #expect(try ask(host, "www.node.up.test").answer == ["www.node.up.test. 60 A 192.0.2.80"])
          settings.recursors = ["\(silent):8600"]
          try server.update(settings)
          let failed = Answer(code: "SERVFAIL", flags: ["RD", "RA"])
          #expect(try ask(host, "www.node.up.test") == failed)
          #expect(try ask(host, "www.node.up.test", tcp: true) == failed)
          #expect(
            try ask(host, "search.service.consul")
              == Answer(["search.service.consul. 0 CNAME www.example.test."], flags: ["AA", "RD", "RA"]))
        }
      }
    }
  }

  // MARK: Other people's clients

  @Test(.enabled(if: TestClient.isInstalled("/usr/bin/dig")))
  func digUnderstandsTheAnswers() async throws {
    let host = "127.86.1.20"
    let catalog = exampleCatalog()
    catalog.addNode("meta", "192.0.2.7", meta: ["k": #"with "quotes""#, "rfc1035-x": "bare"])
    try await withServer(on: host, catalog) { _ in
      let dig = { (arguments: String) in
        try TestClient.run(
          "/usr/bin/dig", ["@\(host)", "-p", "8600"] + arguments.split(separator: " ").map(String.init))
      }
      #expect(try dig("web.service.consul +short") == "192.0.2.1\n")
      #expect(try dig("+tcp web.service.consul SRV +short") == "1 1 8080 n1.node.dc1.consul.\n")
      #expect(try dig("-x 192.0.2.1 +short") == "n1.node.dc1.consul.\n")
      #expect(
        Set(try dig("meta.node.consul TXT +short").split(separator: "\n")) == [#""k=with \"quotes\"""#, #""bare""#])
      let full = try dig("big.service.consul SRV +bufsize=4096")
      #expect(full.contains("status: NOERROR") && full.contains("flags: qr aa rd; QUERY: 1, ANSWER: 40"))
      #expect(full.contains("EDNS: version: 0, flags:; udp: 4096"))
      #expect(!full.lowercased().contains("malformed") && !full.contains("Warning"))
      #expect(try dig("web.service.consul +edns=1 +noednsneg").contains("status: BADVERS"))
      #expect(try dig("web.service.consul +subnet=192.0.2.0/24").contains("CLIENT-SUBNET: 192.0.2.0/24/0"))
      #expect(try dig("absent.service.consul").contains("status: NXDOMAIN"))
      #expect(try dig("www.example.test").contains("status: REFUSED"))
      #expect(try dig("+opcode=notify consul").contains("status: NOTIMP"))
    }
  }

  @Test(.enabled(if: TestClient.isInstalled("/usr/bin/kdig")))
  func kdigUnderstandsTheAnswers() async throws {
    let host = "127.86.1.21"
    try await withServer(on: host, exampleCatalog()) { _ async throws in
      let output = try TestClient.run(
        "/usr/bin/kdig", ["@\(host)", "-p", "8600", "+tcp", "+bufsize=1232", "big.service.consul", "SRV"])
      #expect(output.contains("status: NOERROR") && output.contains("ANSWER: 40; AUTHORITY: 0; ADDITIONAL: 41"))
    }
  }
}

extension Answer {
  /// The same with the serial number, which is the time, of another answer's SOA.
  fileprivate func at(_ other: Answer) -> Answer {
    var copy = self
    copy.authority = other.answer
    return copy
  }
}
