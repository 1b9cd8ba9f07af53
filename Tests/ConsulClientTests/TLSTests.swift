import Certificates
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Testing

@testable import ConsulClient

/// Whom a client takes for its agent.
final class TLSTests {
  private let path: String
  private let authority: CertificateAuthority

  init() throws {
    path = "/tmp/consul-client-\(getpid())-\(UInt64.random(in: 0 ... .max)).pem"
    let template = CertificateTemplate(
      .authority(pathLengthMax: nil), subject: SubjectName(commonName: "CA"),
      validity: try Validity(from: Self.now - 100 * 86400, days: 200), usages: [.certificateSigning])
    authority = try CertificateAuthority.root(template, key: try PrivateKey.generate(.p256))
    let file = try #require(fopen(path, "w"))
    fputs(authority.certificate.pem, file)
    fclose(file)
  }

  deinit { unlink(path) }

  private static let now = Int64(time(nil))

  /// A server whose certificate counts for a day from `from` on.
  private func server(_ address: String, from: Int64 = now - 60) async throws -> any Channel {
    var template = CertificateTemplate(
      .leaf, subject: SubjectName(commonName: "agent"), validity: try Validity(from: from, days: 1),
      usages: [.digitalSignature])
    template.names = AlternativeNames(dnsNames: ["server.dc1.consul", "localhost"], addresses: [address])
    let key = try PrivateKey.generate(.p256)
    let certificate = try authority.sign(template, for: key.publicKey)
    let configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: [.certificate(try NIOSSLCertificate(bytes: certificate.der, format: .der))],
      privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(key.pem.utf8), format: .pem)))
    let context = try NIOSSLContext(configuration: configuration)
    return try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          try channel.pipeline.syncOperations.addHandler(Welcome())
        }
      }
      .bind(host: address, port: 8501).get()
  }

  /// The answer, or why there is none.
  private func get(_ address: String, _ change: (inout ClientConfiguration.TLS) -> Void) async throws -> String {
    var configuration = ClientConfiguration(address: try AgentAddress(parsing: "https://\(address):8501"))
    change(&configuration.tls)
    let client = try ConsulClient(configuration)
    let text: String
    do {
      text = try await client.perform(APIRequest("GET", "/")).text
    } catch let error as ClientError {
      text = error.description
    }
    await client.shutdown()
    return text
  }

  private func refusal(_ address: String, _ reason: String) -> String {
    "Get \"https://\(address):8501/\": tls: failed to verify certificate: x509: \(reason)"
  }

  @Test("An agent with the right name and authority is trusted, by address as by name")
  func trusted() async throws {
    let server = try await server("127.117.4.1")
    #expect(try await get("127.117.4.1") { $0.authorityFile = self.path } == "welcome")
    #expect(
      try await get("127.117.4.1") {
        $0.authorityFile = self.path
        $0.serverName = "server.dc1.consul"
      } == "welcome")
    #expect(try await get("127.117.4.1") { $0.verifies = false } == "welcome")
    try await server.close()
  }

  @Test("A name that the certificate does not have is refused, though the address would fit")
  func wrongName() async throws {
    let server = try await server("127.117.4.2")
    let answer = try await get("127.117.4.2") {
      $0.authorityFile = self.path
      $0.serverName = "wrong.name"
    }
    #expect(
      answer
        == refusal("127.117.4.2", "certificate is valid for server.dc1.consul, localhost, not wrong.name"))
    try await server.close()
  }

  @Test("An unknown authority and an expired certificate are told apart")
  func distrusted() async throws {
    let server = try await server("127.117.4.3")
    #expect(
      try await get("127.117.4.3") { _ in } == refusal("127.117.4.3", "certificate signed by unknown authority"))
    try await server.close()
    let expired = try await self.server("127.117.4.4", from: Self.now - 10 * 86400)
    let answer = try await get("127.117.4.4") { $0.authorityFile = self.path }
    #expect(
      answer.hasPrefix(refusal("127.117.4.4", "certificate has expired or is not yet valid: current time ")),
      "\(answer)")
    try await expired.close()
  }
}

private final class Welcome: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard case .end = unwrapInboundIn(data) else { return }
    let text = ByteBuffer(string: "welcome")
    var head = HTTPResponseHead(version: .http1_1, status: .ok)
    head.headers.add(name: "Content-Length", value: String(text.readableBytes))
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    context.write(wrapOutboundOut(.body(.byteBuffer(text))), promise: nil)
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
