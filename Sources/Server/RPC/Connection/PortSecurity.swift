import NIOCore
import NIOSSL
import TransportSecurity
import Wire

/// What the server port does about TLS. Everything is asked per connection, so that reloaded certificates and settings count
/// for the next one.
public struct PortSecurity: Sendable {
  private let security: TransportSecurity
  private let datacenter: String

  public init(_ security: TransportSecurity, datacenter: String) {
    self.security = security
    self.datacenter = datacenter
  }

  /// Whether connections in clear are refused (`verify_incoming`).
  var requiresTLS: Bool { security.verifiesIncoming(.internalRPC) }

  /// Whether connections that began in this way can be accepted: there is a certificate to show.
  func accepts(_ opening: TransportSecurity.RPCOpening) -> Bool { security.serverContext(opening) != nil }

  /// The handler that speaks TLS on a connection; nil without a certificate.
  func handler(_ opening: TransportSecurity.RPCOpening) -> NIOSSLServerHandler? {
    security.serverContext(opening).map { NIOSSLServerHandler(context: $0) }
  }

  /// Whether the other end of a connection may speak this protocol: consensus is for servers only, where certificates tell
  /// who is one.
  func allows(_ named: ServerProtocol, _ tls: NIOSSLServerHandler?) -> Bool {
    named != .raft || security.mayBeServer(tls?.peerCertificate, datacenter: datacenter)
  }

  /// Why a handshake failed.
  func describe(_ error: any Error, _ tls: NIOSSLServerHandler?) -> String {
    HandshakeFailure(expected: "", now: Int(clamping: WallClock.now().unixSeconds))
      .describe(error, certificate: tls?.peerCertificate)
  }
}
