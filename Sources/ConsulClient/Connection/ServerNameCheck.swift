import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import Synchronization
import TransportSecurity

/// The agent's certificate is none for the agent that was asked for, or is not trusted; with the reason.
struct CertificateRefused: Error {
  let reason: String
}

/// Checks that the agent at the other end of a connection is the one that was asked for.
///
/// The TLS library would accept a certificate for the peer's address where a name was asked for, and would not tell which
/// names a certificate has.
struct ServerNameCheck: Sendable {
  /// A DNS name or an IP address.
  let expected: String

  /// Looks at the certificate of a connection whose handshake is over; closes it if that is for somebody else.
  func check(_ channel: any Channel) -> EventLoopFuture<Void> {
    channel.eventLoop.flatSubmit {
      do {
        let tls = try channel.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self)
        guard let certificate = tls.peerCertificate else { throw CertificateRefused(reason: "tls: no certificate") }
        let failure = HandshakeFailure(expected: expected, now: time(nil))
        if let reason = failure.refusal(certificate) { throw CertificateRefused(reason: reason) }
        return channel.eventLoop.makeSucceededVoidFuture()
      } catch {
        channel.close(promise: nil)
        return channel.eventLoop.makeFailedFuture(error)
      }
    }
  }

  /// Finds out what is wrong with the certificate that a server presents, after it was refused. Nothing is sent.
  ///
  /// - Returns: Nil if that cannot be found out, or if only the authority is wrong.
  func reason(at host: String, port: Int) async -> String? {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.certificateVerification = .none
    configuration.trustRoots = .certificates([])
    let name = IPBytes.parse(expected) == nil ? expected : nil
    guard let context = try? NIOSSLContext(configuration: configuration) else { return nil }
    let look = CertificateLook()
    let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connectTimeout(.seconds(3))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let tls = try NIOSSLClientHandler(context: context, serverHostname: name)
          try channel.pipeline.syncOperations.addHandlers([tls, CertificateTaker(tls, look)])
          channel.eventLoop.scheduleTask(in: .seconds(5)) { channel.close(promise: nil) }
        }
      }
    guard let channel = try? await bootstrap.connect(host: host, port: port).get() else { return nil }
    try? await channel.closeFuture.get()
    return look.certificate.withLock { $0 }.flatMap {
      HandshakeFailure(expected: expected, now: time(nil)).refusal($0)
    }
  }
}

/// What was seen of a server's certificate.
private final class CertificateLook: Sendable {
  let certificate = Mutex<NIOSSLCertificate?>(nil)
}

/// Takes the certificate of a server, however the handshake ends, and closes the connection.
private final class CertificateTaker: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let tls: NIOSSLClientHandler
  private let look: CertificateLook

  init(_ tls: NIOSSLClientHandler, _ look: CertificateLook) {
    self.tls = tls
    self.look = look
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .handshakeCompleted? = event as? TLSUserEvent { take(context) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { take(context) }

  private func take(_ context: ChannelHandlerContext) {
    if let certificate = tls.peerCertificate { look.certificate.withLock { $0 = certificate } }
    context.close(promise: nil)
  }
}
