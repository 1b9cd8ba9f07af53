import Model
import NIOCore
import NIOHTTP2
import NIOPosix
import Testing

@testable import Checks

/// Nothing listens here.
private let absent = "127.81.9.9:9"

@Suite(.timeLimit(.minutes(1))) struct SocketProbeTests {
  @Test func aTCPServerThatAcceptsIsPassing() async throws {
    let server = try await TestServer.raw("127.81.1.1", answer: nil)
    let result = try await probe(check { $0.tcp = server.place }).once()
    #expect(result == .passing("TCP connect \(server.place): Success"))
    try await server.close()
  }

  @Test(
    arguments: [
      (absent, "dial tcp \(absent): connect: connection refused"),
      ("127.81.9.9", "dial tcp: address 127.81.9.9: missing port in address"),
      ("no-such-host.invalid:80", "dial tcp: lookup no-such-host.invalid: no such host"),
    ])
  func aTCPServerThatIsNotThereIsCritical(address: String, output: String) async throws {
    #expect(try await probe(check { $0.tcp = address }).once() == .critical(output))
  }

  @Test func aNameIsResolved() async throws {
    let server = try await TestServer.raw("127.0.0.1", answer: nil)
    let result = try await probe(check { $0.tcp = "localhost:\(server.port)" }).once()
    #expect(result == .passing("TCP connect localhost:\(server.port): Success"))
    try await server.close()
  }

  @Test func aUDPServerThatAnswersIsPassingAndItsLaterSilenceCritical() async throws {
    let answers = Flag(true)
    let server = try await TestServer.udp("127.81.2.1", answers: answers)
    let udp = try probe(
      check {
        $0.udp = server.place
        $0.timeout = .milliseconds(500)
      })
    #expect(await udp.once() == .passing("UDP connect \(server.place): Success"))
    answers.set(false)
    #expect(await udp.once() == .critical("read udp \(server.place): i/o timeout"))
    try await server.close()
  }

  @Test func aUDPServerThatNeverAnsweredLeavesTheStatusAlone() async throws {
    let server = try await TestServer.udp("127.81.2.2", answers: Flag(false))
    let udp = try probe(
      check {
        $0.udp = server.place
        $0.timeout = .milliseconds(20)
      })
    #expect(await udp.once() == nil)
    try await server.close()
  }

  @Test func aClosedUDPPortIsCritical() async throws {
    let result = try await probe(check { $0.udp = absent }).once()
    #expect(result?.status == .critical)
    #expect(result?.output.hasPrefix("read udp 127.") == true, "\(result?.output ?? "")")
    #expect(result?.output.hasSuffix("->\(absent): read: connection refused") == true, "\(result?.output ?? "")")
    #expect(
      try await probe(check { $0.udp = "nothing" }).once()
        == .critical("dial udp: address nothing: missing port in address"))
    #expect(
      try await probe(check { $0.udp = "no-such-host.invalid:1" }).once()
        == .critical("dial udp: lookup no-such-host.invalid: no such host"))
  }

  @Test func anHTTP2ServerAnswersPings() async throws {
    let certificate = try TestCertificate(name: "h2", dnsNames: ["h2.test"])
    let plain = try await TestServer.grpc("127.81.3.1", [:])
    let tls = try await TestServer.grpc("127.81.3.2", tls: certificate.serverConfiguration(alpn: ["h2"]), [:])
    func ping(_ server: TestServer, tls: Bool?) throws -> any Probe {
      try probe(
        check {
          $0.h2ping = server.place
          $0.h2pingUseTLS = tls
          $0.tlsServerName = "h2.test"
        }, agentTLS: certificate.trust())
    }
    #expect(try await ping(plain, tls: false).once() == .passing("HTTP2 ping was successful"))
    #expect(try await ping(tls, tls: nil).once() == .passing("HTTP2 ping was successful"))
    let mixed = try await ping(plain, tls: true).once()
    #expect(mixed?.status == .critical)
    #expect(mixed?.output.hasPrefix("Failed to dial to \(plain.place): ") == true, "\(mixed?.output ?? "")")
    try await plain.close()
    try await tls.close()
  }

  @Test func aServerWithoutHTTP2FailsPings() async throws {
    let closing = try await TestServer.raw("127.81.3.3", answer: nil, closes: true)
    let silent = try await TestServer.raw("127.81.3.4", answer: nil)
    let http1 = try await TestServer.raw("127.81.3.5", answer: "HTTP/1.1 400 Bad Request\r\n\r\n", closes: true)
    func ping(_ address: String, tls: Bool = false) throws -> any Probe {
      try probe(
        check {
          $0.h2ping = address
          $0.h2pingUseTLS = tls
          $0.timeout = .milliseconds(300)
        })
    }
    #expect(try await ping(closing.place).once() == .critical("HTTP2 ping failed: EOF"))
    // Whether the end of the server shows as the end of the stream or as a reset is a race that the system decides.
    let result = try await ping(closing.place, tls: true).once()
    #expect(result?.status == .critical)
    #expect(result?.output.hasPrefix("Failed to dial to \(closing.place): ") == true)
    #expect(try await ping(silent.place).once() == .critical("HTTP2 ping failed: context deadline exceeded"))
    #expect(try await ping(http1.place).once()?.status == .critical)
    #expect(
      try await ping(absent).once()
        == .critical("Failed to dial to \(absent): dial tcp \(absent): connect: connection refused"))
    for server in [closing, silent, http1] { try await server.close() }
  }
}

@Suite(.timeLimit(.minutes(1))) struct GRPCProbeTests {
  private func ask(_ target: String, tls: Bool = false, _ change: (inout CheckType) -> Void = { _ in }) throws
    -> any Probe
  {
    try probe(
      check {
        $0.grpc = target
        $0.grpcUseTLS = tls
        change(&$0)
      })
  }

  @Test func theStatusOfTheServiceIsThatOfTheCheck() async throws {
    let server = try await TestServer.grpc("127.81.4.1", ["": 1, "good": 1, "bad": 2, "dunno": 0])
    let place = server.place
    #expect(try await ask(place).once() == .passing("gRPC check \(place): success"))
    #expect(try await ask("\(place)/good").once() == .passing("gRPC check \(place)/good: success"))
    #expect(try await ask("\(place)/bad").once() == .critical("gRPC \(place)/bad serving status: NOT_SERVING"))
    #expect(try await ask("\(place)/dunno").once() == .critical("gRPC \(place)/dunno serving status: UNKNOWN"))
    #expect(
      try await ask("\(place)/nosuch").once() == .critical("rpc error: code = NotFound desc = unknown service"))
    try await server.close()
  }

  @Test func tlsIsVerifiedUnlessItIsNot() async throws {
    let certificate = try TestCertificate(name: "grpc", dnsNames: ["grpc.test"])
    let server = try await TestServer.grpc(
      "127.81.4.2", tls: certificate.serverConfiguration(alpn: ["h2"]), ["": 1])
    let skipping = try ask(server.place, tls: true) { $0.tlsSkipVerify = true }
    #expect(await skipping.once() == .passing("gRPC check \(server.place): success"))
    let strict = try ask(server.place, tls: true) { $0.tlsServerName = "grpc.test" }
    let reason = "tls: failed to verify certificate: x509: certificate signed by unknown authority"
    let text = "connection error: desc = \"transport: authentication handshake failed: \(reason)\""
    #expect(await strict.once() == .critical("rpc error: code = Unavailable desc = \(text)"))
    try await server.close()
  }

  @Test func aServerThatIsNotGRPCIsCritical() async throws {
    let silent = try await TestServer.raw("127.81.4.3", answer: nil)
    let closing = try await TestServer.raw("127.81.4.4", answer: nil, closes: true)
    let timed = try ask(silent.place) { $0.timeout = .milliseconds(50) }
    #expect(await timed.once() == .critical("rpc error: code = DeadlineExceeded desc = context deadline exceeded"))
    #expect(
      try await ask(closing.place).once()
        == .critical("rpc error: code = Unavailable desc = error reading from server: EOF"))
    let refused = "transport: Error while dialing: dial tcp \(absent): connect: connection refused"
    #expect(
      try await ask("\(absent)/x").once()
        == .critical("rpc error: code = Unavailable desc = connection error: desc = \"\(refused)\""))
    #expect(try await ask("nonsense").once()?.status == .critical)
    try await silent.close()
    try await closing.close()
  }
}
