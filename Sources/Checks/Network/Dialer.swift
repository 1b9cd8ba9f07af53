import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import TransportSecurity

/// Where to connect to.
enum Endpoint: Sendable {
  case tcp(HostPort)
  case unix(path: String)
}

/// Opens the connections of checks.
struct Dialer: Sendable {
  let contexts: TLSContexts

  /// Connects, and shakes hands if TLS is wished for.
  ///
  /// - Parameters:
  ///   - timeout: for the connection alone; whoever dials limits the whole.
  ///   - handlers: adds the protocol's handlers; called on `loop` before the connection is established.
  /// - Returns: the open channel. Fails with `NetworkFailure` only.
  func open(
    _ endpoint: Endpoint, tls: TLSWish?, on loop: any EventLoop, timeout: TimeAmount,
    handlers: @escaping @Sendable (any Channel) throws -> Void
  ) -> EventLoopFuture<any Channel> {
    guard let tls else { return connect(endpoint, on: loop, timeout: timeout, handlers: handlers) }
    return contexts.context(tls, on: loop).flatMapErrorThrowing { error in
      throw NetworkFailure("tls: cannot use the agent's TLS settings: \(error)", .handshake)
    }.flatMap { context in
      connect(endpoint, on: loop, timeout: timeout) { channel in
        try channel.pipeline.syncOperations.addHandlers(tlsHandlers(context, tls, endpoint, channel))
        try handlers(channel)
      }.flatMap { channel in channel.outcome(of: HandshakeGate.self).map { channel } }
    }
  }

  private func connect(
    _ endpoint: Endpoint, on loop: any EventLoop, timeout: TimeAmount,
    handlers: @escaping @Sendable (any Channel) throws -> Void
  ) -> EventLoopFuture<any Channel> {
    let bootstrap = ClientBootstrap(group: loop).connectTimeout(timeout).channelInitializer { channel in
      channel.eventLoop.makeCompletedFuture { try handlers(channel) }
    }
    switch endpoint {
    case .unix(let path):
      return bootstrap.connect(unixDomainSocketPath: path).flatMapErrorThrowing { error in
        throw NetworkFailure.dialing("unix", path, error)
      }
    case .tcp(let place):
      // An address needs no resolver and its thread.
      let connected =
        place.numeric.map { bootstrap.connect(to: $0) } ?? bootstrap.connect(host: place.host, port: place.port)
      return connected.flatMapErrorThrowing { error in throw NetworkFailure.dialing("tcp", place.description, error) }
    }
  }

  private func tlsHandlers(
    _ context: NIOSSLContext, _ wish: TLSWish, _ endpoint: Endpoint, _ channel: any Channel
  ) throws -> [any ChannelHandler] {
    var expected = wish.serverName.isEmpty ? contexts.serverName : wish.serverName
    if expected.isEmpty, case .tcp(let place) = endpoint { expected = place.host }
    // SNI cannot carry an address (RFC 6066, section 3); the certificate is then matched with the peer's address.
    let name = expected.isEmpty || IPBytes.parse(expected) != nil ? nil : expected
    let tls: NIOSSLClientHandler
    do {
      tls = try NIOSSLClientHandler(context: context, serverHostname: name)
    } catch {
      throw NetworkFailure("tls: \"\(expected)\" is not a server name", .handshake)
    }
    let failure = HandshakeFailure(expected: expected, now: time(nil))
    return [tls, HandshakeGate(tls, failure, verifies: !wish.skipsVerification, channel.eventLoop)]
  }
}

/// A handler that leads one conversation over its channel and knows how it ended.
///
/// Connecting to a name may open several channels and keep the first that is established; so each channel has its own handler,
/// and whoever dialled asks that of the channel which it got.
protocol Conversation: ChannelHandler {
  associatedtype Outcome: Sendable
  /// Completes when the channel is closed at the latest.
  var outcome: EventLoopFuture<Outcome> { get }
}

extension Channel {
  /// The outcome of the conversation that a handler of this channel leads. To be called on the channel's event loop.
  func outcome<Handler: Conversation>(of type: Handler.Type) -> EventLoopFuture<Handler.Outcome> {
    do {
      return try pipeline.syncOperations.handler(type: type).outcome
    } catch {
      return eventLoop.makeFailedFuture(NetworkFailure.endOfStream)
    }
  }
}

/// Waits for the end of the handshake and explains its failure.
private final class HandshakeGate: ChannelInboundHandler, Conversation {
  typealias InboundIn = ByteBuffer

  private let tls: NIOSSLClientHandler
  private let failure: HandshakeFailure
  private let verifies: Bool
  private let shaken: EventLoopPromise<Void>
  private var isOver = false

  var outcome: EventLoopFuture<Void> { shaken.futureResult }

  init(_ tls: NIOSSLClientHandler, _ failure: HandshakeFailure, verifies: Bool, _ loop: any EventLoop) {
    self.tls = tls
    self.failure = failure
    self.verifies = verifies
    shaken = loop.makePromise()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .handshakeCompleted? = event as? TLSUserEvent {
      // The library accepts the peer's address, too, where a name is expected.
      if verifies, let refusal = failure.refusal(tls.peerCertificate) {
        end(NetworkFailure(refusal, .handshake))
        return context.close(promise: nil)
      }
      end(nil)
    }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if isOver { return context.fireErrorCaught(error) }
    let text = (error as? NetworkFailure)?.text ?? failure.describe(error, certificate: tls.peerCertificate)
    end(NetworkFailure(text, .handshake))
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    end(NetworkFailure("EOF", .handshake))
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) { end(NetworkFailure("EOF", .handshake)) }

  private func end(_ failure: NetworkFailure?) {
    guard !isOver else { return }
    isOver = true
    if let failure { shaken.fail(failure) } else { shaken.succeed() }
  }
}
