import Model
import NIOSSL
import Testing

@testable import Checks

@Suite(.timeLimit(.minutes(1))) struct TLSTests {
  private func get(_ url: String, trust: AgentTLS? = nil, _ change: (inout CheckType) -> Void = { _ in })
    async throws -> ProbeResult?
  {
    try await probe(
      check {
        $0.http = url
        change(&$0)
      }, agentTLS: trust
    ).once()
  }

  private func failure(_ url: String, _ reason: String) -> ProbeResult {
    .critical("Get \"\(url)\": tls: \(reason)")
  }

  @Test func anUnknownCertificateIsRefusedUnlessVerificationIsOff() async throws {
    let certificate = try TestCertificate(name: "self", dnsNames: ["checks.test"])
    let server = try await TestServer.http("127.83.1.1", tls: certificate.serverConfiguration()) { _ in .text(.ok, "in")
    }
    let url = "https://\(server.place)/"
    let noAddress = "x509: cannot validate certificate for 127.83.1.1 because it doesn't contain any IP SANs"
    #expect(try await get(url) == failure(url, "failed to verify certificate: \(noAddress)"))
    #expect(
      try await get(url) { $0.tlsServerName = "checks.test" }
        == failure(url, "failed to verify certificate: x509: certificate signed by unknown authority"))
    #expect(
      try await get(url) { $0.tlsSkipVerify = true } == .passing("HTTP GET \(url): 200 OK Output: in"))
    let tcp = try probe(
      check {
        $0.tcp = server.place
        $0.tcpUseTLS = true
        $0.tlsSkipVerify = true
      })
    #expect(await tcp.once() == .passing("TCP+TLS connect \(server.place): Success"))
    let strict = try probe(
      check {
        $0.tcp = server.place
        $0.tcpUseTLS = true
      })
    #expect(await strict.once() == .critical("tls: failed to verify certificate: \(noAddress)"))
    try await server.close()
  }

  @Test func aCertificateOfTheAgentsAuthorityIsAccepted() async throws {
    let authority = try TestCertificate(name: "CA")
    let certificate = try TestCertificate(
      name: "web", dnsNames: ["a.test", "*.web.test"], addresses: [[127, 83, 1, 2]], issuer: authority)
    let server = try await TestServer.http("127.83.1.2", tls: certificate.serverConfiguration()) { _ in .text(.ok, "in")
    }
    let url = "https://\(server.place)/"
    let trust = try authority.trust()
    let welcome = ProbeResult.passing("HTTP GET \(url): 200 OK Output: in")
    #expect(try await get(url, trust: trust) == welcome)
    #expect(try await get(url, trust: trust) { $0.tlsServerName = "a.test" } == welcome)
    #expect(try await get(url, trust: trust) { $0.tlsServerName = "b.web.test" } == welcome)
    let other = try await get(url, trust: trust) { $0.tlsServerName = "c.test" }
    #expect(
      other
        == failure(url, "failed to verify certificate: x509: certificate is valid for a.test, *.web.test, not c.test"))
    try await server.close()
  }

  @Test func anExpiredCertificateIsNamedSo() async throws {
    let certificate = try TestCertificate(
      name: "old", dnsNames: ["old.test"], validity: ("20200101000000Z", "20200301120000Z"))
    let server = try await TestServer.http("127.83.1.3", tls: certificate.serverConfiguration()) { _ in .text(.ok, "in")
    }
    let result = try await get("https://\(server.place)/", trust: certificate.trust()) { $0.tlsServerName = "old.test" }
    #expect(result?.status == .critical)
    #expect(
      result?.output.contains("x509: certificate has expired or is not yet valid: current time ") == true,
      "\(result?.output ?? "")")
    #expect(result?.output.hasSuffix(" is after 2020-03-01T12:00:00Z") == true, "\(result?.output ?? "")")
    try await server.close()
  }

  @Test func aPlainServerBehindHTTPSIsRecognised() async throws {
    let plain = try await TestServer.raw("127.83.1.4", answer: "HTTP/1.1 400 Bad Request\r\n\r\n", closes: true)
    let url = "https://\(plain.place)/"
    #expect(
      try await get(url) { $0.tlsSkipVerify = true } == failure(url, "first record does not look like a TLS handshake"))
    let closing = try await TestServer.raw("127.83.1.5", answer: nil, closes: true)
    #expect(try await get("https://\(closing.place)/") == .critical("Get \"https://\(closing.place)/\": EOF"))
    try await plain.close()
    try await closing.close()
  }

  @Test func aServerThatNeverShakesHandsTimesOut() async throws {
    let silent = try await TestServer.raw("127.83.1.6", answer: nil)
    let tcp = try probe(
      check {
        $0.tcp = silent.place
        $0.tcpUseTLS = true
        $0.timeout = .milliseconds(50)
      })
    #expect(await tcp.once() == .critical("dial tcp \(silent.place): i/o timeout"))
    try await silent.close()
  }

  @Test func newAuthoritiesServeRunningChecks() async throws {
    let authority = try TestCertificate(name: "CA")
    let certificate = try TestCertificate(name: "web", addresses: [[127, 83, 1, 7]], issuer: authority)
    let server = try await TestServer.http("127.83.1.7", tls: certificate.serverConfiguration()) { _ in .text(.ok, "in")
    }
    let environment = testEnvironment(on: group)
    let definition = check { $0.http = "https://\(server.place)/" }
    let running = try #require(try makeProbe(.http, definition, outputLimit: 100, environment))
    #expect(await running.once()?.status == .critical)
    environment.replaceTLS(try authority.trust())
    #expect(await running.once()?.status == .passing)
    try await server.close()
  }

  @Test func theAgentsServerNameIsExpectedUnlessACheckNamesAnother() async throws {
    let authority = try TestCertificate(name: "CA")
    let certificate = try TestCertificate(
      name: "web", dnsNames: ["n1", "a.test"], addresses: [[127, 83, 1, 8]], issuer: authority)
    let server = try await TestServer.http("127.83.1.8", tls: certificate.serverConfiguration()) { _ in .text(.ok, "in")
    }
    let url = "https://\(server.place)/"
    var trust = try authority.trust()
    trust.serverName = "n1"
    #expect(try await get(url, trust: trust)?.status == .passing)
    trust.serverName = "n2"
    #expect(
      try await get(url, trust: trust)
        == failure(url, "failed to verify certificate: x509: certificate is valid for n1, a.test, not n2"))
    #expect(try await get(url, trust: trust) { $0.tlsServerName = "a.test" }?.status == .passing)
    try await server.close()
  }

  @Test func theAgentsCertificateIsPresentedToServersThatAskForOne() async throws {
    let authority = try TestCertificate(name: "CA")
    let certificate = try TestCertificate(name: "web", addresses: [[127, 83, 1, 9]], issuer: authority)
    var asking = try certificate.serverConfiguration()
    asking.certificateVerification = .noHostnameVerification
    asking.trustRoots = .certificates([try authority.certificate()])
    let server = try await TestServer.http("127.83.1.9", tls: asking) { _ in .text(.ok, "in") }
    let url = "https://\(server.place)/"
    var trust = try authority.trust()
    #expect(try await get(url, trust: trust)?.status == .critical)
    let own = try TestCertificate(name: "agent", issuer: authority).serverConfiguration()
    trust.configuration.certificateChain = own.certificateChain
    trust.configuration.privateKey = own.privateKey
    #expect(try await get(url, trust: trust)?.status == .passing)
    try await server.close()
  }
}
