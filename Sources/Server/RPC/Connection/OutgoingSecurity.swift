import NIOCore
import NIOSSL
import NIOTLS
import TransportSecurity

/// How connections to other servers are secured (wire/rpc.md, section 2.1). Everything is asked per connection, so that
/// reloaded certificates and settings count for the next one.
public struct OutgoingSecurity: Sendable {
  private let security: TransportSecurity
  private let members: MemberTable
  /// How long a handshake may take.
  private let timeout: TimeAmount

  public init(_ security: TransportSecurity, members: MemberTable, timeout: TimeAmount = .seconds(10)) {
    self.security = security
    self.members = members
    self.timeout = timeout
  }

  /// Puts TLS on a connection to the server with this RPC address; nil for one that stays in clear.
  public func upgrade(to address: String) -> RPCClient.Upgrade? {
    guard security.usesTLSForRPC else { return nil }
    // A server that says it has no TLS is reached in clear, unless that is ruled out.
    guard members.server(at: address)?.usesTLS ?? true || security.verifiesOutgoing(.internalRPC) else { return nil }
    return { [self] channel in secure(channel, to: address) }
  }

  /// Why no server would take a connection now; nil if some may. Servers that ask for a certificate would only refuse those
  /// without one, and log it.
  public var refusal: String? {
    security.awaitsAutomaticCertificate
      ? "auto_encrypt: the servers have not given this agent a certificate yet" : nil
  }

  /// The same without regard to whether TLS is wanted, or a certificate there to show.
  func secure(_ channel: any Channel, to address: String) -> EventLoopFuture<Void> {
    let datacenter = members.server(at: address)?.datacenter ?? members.datacenter
    let name = security.verifiesServerHostname(.internalRPC) ? security.serverHostname(datacenter: datacenter) : nil
    return secure(channel, expecting: name)
  }

  /// Ends when the handshake is done.
  private func secure(_ channel: any Channel, expecting name: String?) -> EventLoopFuture<Void> {
    guard let context = security.rpcClientContext else {
      return channel.eventLoop.makeFailedFuture(SecuringError(description: "tls: no authority is configured"))
    }
    let done = channel.eventLoop.makePromise(of: Void.self)
    do {
      let tls = try NIOSSLClientHandler(context: context, serverHostname: name)
      try channel.pipeline.syncOperations.addHandler(tls, position: .first)
      try channel.pipeline.syncOperations.addHandler(
        HandshakeWaiter(tls, expected: name ?? "", timeout: timeout, done), position: .after(tls))
    } catch {
      done.fail(error)
    }
    return done.futureResult
  }
}

/// Why a connection could not be secured, in the words for users.
struct SecuringError: Error, CustomStringConvertible {
  var description: String
}

/// Waits for the end of a handshake and then makes itself scarce.
private final class HandshakeWaiter: ChannelInboundHandler, RemovableChannelHandler, @unchecked Sendable {
  // Sendable: used on the event loop of the channel only.
  typealias InboundIn = ByteBuffer

  private let tls: NIOSSLClientHandler
  private let expected: String
  private let timeout: TimeAmount
  private var done: EventLoopPromise<Void>?
  private var deadline: Scheduled<Void>?

  init(_ tls: NIOSSLClientHandler, expected: String, timeout: TimeAmount, _ done: EventLoopPromise<Void>) {
    self.tls = tls
    self.expected = expected
    self.timeout = timeout
    self.done = done
  }

  func handlerAdded(context: ChannelHandlerContext) {
    let channel = context.channel
    deadline = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) { [self] in
      fail("tls: handshake timed out")
      channel.close(promise: nil)
    }
  }

  func handlerRemoved(context: ChannelHandlerContext) { fail("EOF") }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent {
      deadline?.cancel()
      let done = done
      self.done = nil
      context.pipeline.syncOperations.removeHandler(self, promise: nil)
      done?.succeed()
    }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    let failure = HandshakeFailure(expected: expected, now: Int(clamping: WallClock.now().unixSeconds))
    var reason = failure.describe(error, certificate: tls.peerCertificate)
    // Without a name to expect it is the chain alone that is verified, and said to be wrong.
    let prefix = "tls: failed to verify certificate: "
    if expected.isEmpty, reason.hasPrefix(prefix) { reason = String(reason.dropFirst(prefix.count)) }
    fail(reason)
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    fail("EOF")
    context.fireChannelInactive()
  }

  private func fail(_ reason: String) {
    deadline?.cancel()
    let done = done
    self.done = nil
    done?.fail(SecuringError(description: reason))
  }
}
