import Certificates
import NIOCore
import NIOEmbedded
import NIOSSL
import NIOTLS
import Testing

@testable import TransportSecurity

/// Both ends of a connection in one process: what is accepted, and how a refusal is explained.
struct HandshakeTests {
  private enum Outcome: Equatable {
    case accepted
    case refused(String)
  }

  /// What the server and the client make of each other.
  private func shake(
    _ server: NIOSSLContext, _ client: TLSConfiguration, name: String = "agent.test"
  ) throws -> (server: Outcome, client: Outcome) {
    let ends = (server: EmbeddedChannel(), client: EmbeddedChannel())
    let serverEnd = End(nil, expected: name)
    let tls = try NIOSSLClientHandler(context: NIOSSLContext(configuration: client), serverHostname: name)
    let clientEnd = End(tls, expected: name)
    try ends.server.pipeline.syncOperations.addHandlers([NIOSSLServerHandler(context: server), serverEnd])
    try ends.client.pipeline.syncOperations.addHandlers([tls, clientEnd])
    let address = try SocketAddress(ipAddress: "127.0.0.1", port: 1)
    ends.server.connect(to: address, promise: nil)
    ends.client.connect(to: address, promise: nil)
    try move(between: ends.client, ends.server)
    let outcome = (serverEnd.outcome, clientEnd.outcome)
    // Closing waits for the other end's goodbye, or a while: time that only passes when the test says so.
    ends.client.close(promise: nil)
    try move(between: ends.client, ends.server)
    for end in [ends.client, ends.server] { end.embeddedEventLoop.advanceTime(by: .seconds(10)) }
    return outcome
  }

  /// Carries bytes in both directions until there are none.
  private func move(between a: EmbeddedChannel, _ b: EmbeddedChannel) throws {
    var moved = true
    while moved {
      moved = false
      for (from, to) in [(a, b), (b, a)] {
        while let bytes = try from.readOutbound(as: ByteBuffer.self) {
          moved = true
          _ = try? to.writeInbound(bytes)
        }
      }
    }
  }

  private final class End: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    var outcome = Outcome.refused("nothing happened")
    private let tls: NIOSSLClientHandler?
    private let failure: HandshakeFailure

    init(_ tls: NIOSSLClientHandler?, expected: String) {
      self.tls = tls
      failure = HandshakeFailure(expected: expected, now: Int(Folder.now))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
      if case .handshakeCompleted? = event as? TLSUserEvent { outcome = .accepted }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      if case NIOSSLError.uncleanShutdown = error { return }
      outcome = .refused(failure.describe(error, certificate: tls?.peerCertificate))
    }
  }

  private func client(_ folder: Folder, with pair: (SignedCertificate, PrivateKey)? = nil) throws -> TLSConfiguration {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.trustRoots = .certificates(try PEMFiles.certificates("\(folder.path)/ca.pem"))
    if let pair {
      configuration.certificateChain = [.certificate(try NIOSSLCertificate(bytes: pair.0.der, format: .der))]
      configuration.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: Array(pair.1.pem.utf8), format: .pem))
    }
    return configuration
  }

  @Test func clientsNeedACertificateOfTheAuthorityWhereIncomingConnectionsAreVerified() throws {
    let folder = try Folder()
    var settings = folder.settings
    settings.https.verifiesIncoming = true
    let security = try TransportSecurity(settings)
    let server = try #require(security.serverContext(.https))
    #expect(try shake(server, client(folder)).server != .accepted)
    #expect(try shake(server, client(folder, with: folder.pair("cli"))).server == .accepted)
    let stranger = try folder.pair("cli", by: Folder.authority("Other"))
    #expect(try shake(server, client(folder, with: stranger)).server != .accepted)
    let grpc = try #require(security.serverContext(.grpc))
    #expect(try shake(grpc, client(folder)) == (.accepted, .accepted))
  }

  @Test func clientsThatAreTooOldAreRefused() throws {
    let folder = try Folder()
    var settings = folder.settings
    settings.https.minimumVersion = .tls13
    let server = try #require(try TransportSecurity(settings).serverContext(.https))
    var old = try client(folder)
    old.maximumTLSVersion = .tlsv12
    #expect(try shake(server, old).client == .refused("remote error: tls: protocol version not supported"))
    #expect(try shake(server, client(folder)).server == .accepted)
  }

  @Test func onlyTheConfiguredCipherSuitesAreAccepted() throws {
    let folder = try Folder()
    var settings = folder.settings
    settings.https.cipherSuites = ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"]
    let server = try #require(try TransportSecurity(settings).serverContext(.https))
    var other = try client(folder)
    other.maximumTLSVersion = .tlsv12
    other.cipherSuiteValues = [.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]
    #expect(try shake(server, other).server != .accepted)
    other.cipherSuiteValues = [.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]
    #expect(try shake(server, other).server == .accepted)
  }

  @Test func refusalsSayWhatIsWrong() throws {
    let folder = try Folder()
    let prefix = "tls: failed to verify certificate: x509: "
    let server = try #require(try TransportSecurity(folder.settings).serverContext(.https))
    #expect(try shake(server, client(folder)).client == .accepted)
    #expect(
      try shake(server, client(folder), name: "wrong.test").client
        == .refused(prefix + "certificate is valid for agent.test, not wrong.test"))
    var stranger = try client(folder)
    stranger.trustRoots = .certificates([])
    #expect(
      try shake(server, stranger).client == .refused(prefix + "certificate signed by unknown authority"))
    try folder.addPair("agent", from: Folder.now - 10 * 86400)
    let expired = try #require(try TransportSecurity(folder.settings).serverContext(.https))
    guard case .refused(let reason) = try shake(expired, client(folder)).client else {
      Issue.record("an expired certificate was accepted")
      return
    }
    #expect(reason.hasPrefix(prefix + "certificate has expired or is not yet valid: current time "))
  }
}
