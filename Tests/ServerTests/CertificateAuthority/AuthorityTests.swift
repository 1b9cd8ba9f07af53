import Certificates
import Logging
import Model
import NIOCore
import Testing
import TransportSecurity

@testable import Server

/// The certificate authority of a running cluster.
@Suite struct AuthorityTests {
  private static func server(_ host: String) async throws -> TestServer {
    let server = try await TestServer(1, of: [host], authority: AuthoritySettings())
    while try await server.roots().activeID.isEmpty { await Task.yield() }
    return server
  }

  @Test func aLeaderMakesTheFirstRoot() async throws {
    let server = try await Self.server("127.85.40.1")
    let roots = try await server.roots()
    #expect(roots.roots.count == 1 && roots.roots.first?.value.active == true)
    #expect(roots.trustDomain.hasSuffix(".consul") && roots.trustDomain.utf8.count == 43)
    let configuration = try await server.query(ConnectCAConfigurationGet()).value
    #expect(configuration.provider == "consul" && configuration.config["LeafCertTTL"] == "72h")
    let state = try #require(server.node.store.current.caProviderStates.first)
    #expect(state.rootCert == roots.roots.first?.value.rootCert && !state.privateKey.isEmpty)
    await server.stop()
  }

  @Test func withoutAMeshThereIsNone() async throws {
    let server = try await TestServer(1, of: ["127.85.40.2"])
    while !server.node.isLeader { await Task.yield() }
    await #expect(throws: ServerError.meshDisabled) { try await server.roots() }
    await #expect(throws: ServerError.meshDisabled) {
      try await server.backend.write(ConnectCASign(signingRequest: ""), on: server.loop)
    }
    await server.stop()
  }

  @Test func certificatesAreMadeOnceAndAnswerThoseWhoWait() async throws {
    let server = try await Self.server("127.85.40.3")
    let leaves = LeafCertificates(backend: server.backend, on: server.loop)
    let first = try await leaves.certificate(for: "web", on: server.loop)
    let again = try await leaves.certificate(for: "web", on: server.loop)
    #expect(first.value == again.value && first.index == first.value.modifyIndex)
    let certificate = try SignedCertificate(pem: first.value.certPEM)
    #expect(try PrivateKey(pem: first.value.privateKeyPEM.revealed).publicKey == certificate.publicKey)
    let root = try #require(try await server.roots().roots.first?.value)
    #expect(certificate.isSigned(by: try SignedCertificate(pem: root.rootCert)))
    let waited = try await leaves.certificate(for: "web", minIndex: first.index, wait: 1, on: server.loop)
    #expect(waited.value == first.value)
    #expect(try await leaves.certificate(for: "db", on: server.loop).value.service == "db")
    leaves.shutdown()
    await server.stop()
  }

  @Test func anotherRootRenewsWhatTheOldOneSigned() async throws {
    let server = try await Self.server("127.85.40.4")
    var settings = LeafCertificates.Settings()
    settings.rootChangeSpread = .milliseconds(1)
    let leaves = LeafCertificates(backend: server.backend, on: server.loop, settings: settings)
    let before = try await leaves.certificate(for: "web", on: server.loop)
    var wanted = CAConfiguration()
    wanted.provider = "consul"
    wanted.config["PrivateKeyBits"] = 384
    try await server.backend.write(ConnectCAConfigurationSet(wanted), on: server.loop)
    let roots = try await server.roots()
    #expect(roots.roots.count == 2 && roots.roots.count { $0.value.active } == 1)
    let active = try #require(roots.roots.first { $0.value.active }?.value)
    #expect(active.intermediateCerts.count == 1 && active.privateKeyBits == 384)
    // The one who waits is told.
    let after = try await leaves.certificate(for: "web", minIndex: before.index, wait: 60, on: server.loop)
    #expect(after.index > before.index)
    let chain = try SignedCertificate.chain(pem: after.value.certPEM)
    #expect(chain.count == 2)
    #expect(chain[0].isSigned(by: try SignedCertificate(pem: active.rootCert)))
    let old = try #require(roots.roots.first { !$0.value.active }?.value)
    // Who knows only the old root trusts the new certificate.
    #expect(chain[1].isSigned(by: try SignedCertificate(pem: old.rootCert)) && chain[0].isSigned(by: chain[1]))
    // Only the state of the provider in force is kept; the same configuration changes nothing.
    #expect(server.node.store.current.caProviderStates.count == 1)
    try await server.backend.write(ConnectCAConfigurationSet(wanted), on: server.loop)
    #expect(try await server.roots().roots.map(\.value) == roots.roots.map(\.value))
    leaves.shutdown()
    await server.stop()
  }

  @Test func unknownProvidersAndOptionsChangeNothing() async throws {
    let server = try await Self.server("127.85.40.5")
    let before = try await server.query(ConnectCAConfigurationGet()).value
    var wanted = CAConfiguration()
    wanted.provider = "unknown"
    await #expect(throws: ServerError.rejected("could not initialize provider: unknown CA provider \"unknown\"")) {
      try await server.backend.write(ConnectCAConfigurationSet(wanted), on: server.loop)
    }
    wanted.provider = "consul"
    wanted.config["PrivateKey"] = "notapem"
    await #expect(
      throws: ServerError.rejected(
        "error generating CA root certificate: error generating CA: error parsing private key \"notapem\": "
          + "no PEM-encoded data found")
    ) { try await server.backend.write(ConnectCAConfigurationSet(wanted), on: server.loop) }
    #expect(try await server.query(ConnectCAConfigurationGet()).value == before)
    await server.stop()
  }

  @Test func moreRequestsThanAllowedAreRefused() async throws {
    let server = try await Self.server("127.85.40.6")
    var wanted = CAConfiguration()
    wanted.provider = "consul"
    wanted.config["CSRMaxPerSecond"] = .double(0.001)
    try await server.backend.write(ConnectCAConfigurationSet(wanted), on: server.loop)
    let leaves = LeafCertificates(backend: server.backend, on: server.loop)
    _ = try await leaves.certificate(for: "a", on: server.loop)
    await #expect(throws: ServerError.signingLimit) { try await leaves.certificate(for: "b", on: server.loop) }
    leaves.shutdown()
    await server.stop()
  }

  // MARK: auto_encrypt

  @Test func anAgentGetsItsCertificateAndThenSpeaksWithIt() async throws {
    let files = try TLSFiles()
    try files.make("server", dnsNames: ["server.dc1.consul"])
    let host = "127.85.40.7"
    let security = try files.security("server")
    let server = try await TestServer(1, of: [host], security: security, authority: AuthoritySettings())
    let trusted = ClientAuthorities(backend: server.backend, security: security, on: server.loop, logger: .silent)
    trusted.start()
    // The agent has nothing but the authority of the servers.
    var settings = files.settings("server")
    (settings.internalRPC.certificateFile, settings.internalRPC.keyFile) = ("", "")
    settings.internalRPC.verifiesIncoming = false
    settings.internalRPC.awaitsAutomaticCertificate = true
    let own = try TransportSecurity(settings)
    let outgoing = OutgoingSecurity(own, members: MemberTable(datacenter: "dc1"))
    var calls = RPCClient.Settings()
    calls.upgrade = { outgoing.upgrade(to: $0) }
    calls.refusal = { outgoing.refusal }
    let client = RPCClient(group: server.group, settings: calls)
    let backend = ClusterBackend(
      datacenter: "dc1", servers: ServerList([server.address]), client: client, holdTimeout: .seconds(60))
    #expect(own.awaitsAutomaticCertificate && own.serverContext(.https) == nil)
    let call = StrangerCall(group: server.group, security: outgoing)
    var names = AutoEncryption.Names(datacenter: "dc1", node: "agent")
    names.dnsNames = ["agent.example"]
    var wanted = AutoEncryption.Settings(names) {
      GivenCertificate(try await call.autoEncrypt(signingRequest: $0, datacenter: "dc1", token: "", at: $1))
    }
    wanted.candidates = { [address = server.address] in ["127.85.40.8:1", address] }
    wanted.retryMin = .milliseconds(20)
    let encryption = AutoEncryption(
      wanted, backend: backend, security: own, on: server.loop, logger: .silent)
    encryption.start()
    // Held until there is a certificate.
    #expect(try await backend.put("a", "through tls", on: server.loop))
    #expect(server.stored("a") == "through tls")
    #expect(!own.awaitsAutomaticCertificate && own.serverContext(.https) != nil && own.certificateExpiry != nil)
    encryption.stop()
    trusted.stop()
    client.shutdown()
    await server.stop()
  }

  @Test func strangersMayAskForNothingElse() async throws {
    let files = try TLSFiles()
    try files.make("server", dnsNames: ["server.dc1.consul"])
    let host = "127.85.40.9"
    let server = try await TestServer(
      1, of: [host], security: try files.security("server"), authority: AuthoritySettings())
    while try await server.roots().activeID.isEmpty { await Task.yield() }
    let own = try files.security("server") { ($0.certificateFile, $0.keyFile) = ("", "") }
    let call = StrangerCall(
      group: server.group, security: OutgoingSecurity(own, members: MemberTable(datacenter: "dc1")))
    let key = try PrivateKey.generate(.p256)
    func failure(_ kind: SPIFFEIdentity.Kind, datacenter: String = "dc1") async throws -> String {
      let uri = SPIFFEIdentity(trustDomain: SPIFFEIdentity.unknownTrustDomain, kind).uri
      let request = try SigningRequest(subject: SubjectName([]), names: AlternativeNames(uris: [uri]), key: key).pem
      do {
        _ = try await call.autoEncrypt(signingRequest: request, datacenter: datacenter, token: "", at: server.address)
        return ""
      } catch {
        return "\(error)"
      }
    }
    #expect(try await failure(.agent(datacenter: "dc1", node: "n")) == "")
    #expect(
      try await failure(.agent(datacenter: "dc1", node: "n"), datacenter: "dc2").contains("mismatched datacenter"))
    let service = SPIFFEIdentity.Kind.service(namespace: "default", datacenter: "dc1", name: "web")
    #expect(try await failure(service).contains("must be an agent ID"))
    await server.stop()
  }
}

extension Logger {
  fileprivate static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

extension TestServer {
  fileprivate func roots() async throws -> CARoots {
    while !node.isLeader { await Task.yield() }
    return try await query(ConnectCARoots()).value
  }
}

extension LeafCertificates {
  fileprivate func certificate(
    for service: String, minIndex: UInt64 = 0, wait: Int = 0, on loop: any EventLoop
  ) async throws -> Answer<IssuedCertificate> {
    try await withCheckedThrowingContinuation { continuation in
      _ = certificate(for: service, token: "", minIndex: minIndex, maxTime: .seconds(wait), on: loop) {
        continuation.resume(with: $0.mapError { $0 as any Error })
      }
    }
  }
}
