import NIOCore
import NIOSSL
import NIOTLS
import TransportSecurity
import Wire

/// Reads the first byte of a connection and puts the handlers of the protocol in its place that the byte names
/// (wire/rpc.md, sections 1 and 2). TLS may come before that: announced by a byte, and then another first byte follows inside;
/// or with a handshake that itself names the protocol.
final class FirstByteHandler: ChannelInboundHandler, RemovableChannelHandler, @unchecked Sendable {
  // Sendable: used on the event loop of the channel only.
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  private enum State {
    /// In clear; the first byte tells what follows.
    case clear
    /// TLS is announced or done; inside it a byte tells.
    case announced
    /// The handshake tells.
    case native
    /// After the handshake of a client without a certificate nothing is to be told.
    case withoutCertificate
    case over
  }

  /// How long a client without a certificate may stay: it has one thing to ask.
  private static let strangerTime = TimeAmount.seconds(60)

  private let settings: ServerListener.Settings
  private let protocols: ServerProtocols
  private let refusals: RefusalLog
  private var deadline: Scheduled<Void>?
  private var state = State.clear
  private var tls: NIOSSLServerHandler?

  init(_ protocols: ServerProtocols, _ settings: ServerListener.Settings, _ refusals: RefusalLog) {
    self.protocols = protocols
    self.settings = settings
    self.refusals = refusals
  }

  func handlerAdded(context: ChannelHandlerContext) {
    let channel = context.channel
    deadline = context.eventLoop.assumeIsolated().scheduleTask(in: settings.handshakeTimeout) { [self] in
      if tls != nil { refusals.note("tls: no handshake in time", from: channel.remoteAddress) }
      state = .over
      channel.close(promise: nil)
    }
  }

  func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

  func channelInactive(context: ChannelHandlerContext) {
    deadline?.cancel()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if let security = settings.security, let tls { return refuse(context, security.describe(error, tls)) }
    context.close(promise: nil)
  }

  /// The first word about a connection is the last.
  private func refuse(_ context: ChannelHandlerContext, _ reason: String) {
    if case .over = state { return }
    state = .over
    refusals.note(reason, from: context.remoteAddress)
    context.close(promise: nil)
  }

  // MARK: Bytes

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    guard bytes.readableBytes > 0 else { return }
    do {
      switch state {
      case .clear: try readInClear(context, &bytes)
      case .announced: try readInside(context, &bytes)
      case .native, .withoutCertificate, .over: break
      }
    } catch {
      context.close(promise: nil)
    }
  }

  private func readInClear(_ context: ChannelHandlerContext, _ bytes: inout ByteBuffer) throws {
    if bytes.getInteger(at: bytes.readerIndex, as: UInt8.self) == ServerProtocol.tlsHandshakeRecord {
      return try secure(context, .native, bytes)
    }
    switch bytes.readInteger(as: UInt8.self).flatMap(ServerProtocol.init(rawValue:)) {
    case .tls: try secure(context, .announced, bytes)
    case .insecureTLS where protocols.strangers != nil: try secure(context, .withoutCertificate, bytes)
    case let named?:
      if settings.security?.requiresTLS == true {
        return refuse(context, "in clear, but verify_incoming is set")
      }
      try begin(named, context, bytes)
    case nil: refuse(context, "the first byte stands for no protocol")
    }
  }

  private func readInside(_ context: ChannelHandlerContext, _ bytes: inout ByteBuffer) throws {
    let named = bytes.readInteger(as: UInt8.self).flatMap(ServerProtocol.init(rawValue:))
    guard let named, named != .tls, named != .insecureTLS else {
      return refuse(context, "the first byte inside TLS stands for no protocol")
    }
    try begin(named, context, bytes)
  }

  // MARK: TLS

  /// TLS comes before this handler, which sees what is inside.
  private func secure(
    _ context: ChannelHandlerContext, _ opening: TransportSecurity.RPCOpening, _ rest: ByteBuffer
  ) throws {
    guard let handler = settings.security?.handler(opening) else {
      return refuse(context, "tls: this server has no certificate")
    }
    switch opening {
    case .announced: state = .announced
    case .native: state = .native
    case .withoutCertificate: state = .withoutCertificate
    }
    tls = handler
    // Who wants a snapshot ends its side at once: that end may come together with the first byte, and is part of the request.
    try context.channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
    try context.pipeline.syncOperations.addHandler(handler, position: .before(self))
    if rest.readableBytes > 0 { context.pipeline.fireChannelRead(rest) }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case TLSUserEvent.handshakeCompleted(let name)? = event as? TLSUserEvent {
      do {
        switch state {
        case .native:
          let named = name.flatMap { ServerProtocol(applicationProtocolName: $0) }
          guard let named else { return refuse(context, "tls: no application protocol") }
          try begin(named, context, ByteBuffer())
        case .withoutCertificate:
          guard let strangers = protocols.strangers else { return context.close(promise: nil) }
          let channel = context.channel
          try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: false)
          let end = context.eventLoop.scheduleTask(in: Self.strangerTime) { channel.close(promise: nil) }
          channel.closeFuture.whenComplete { _ in end.cancel() }
          try hand(over: [RPCSessionHandler(strangers)], context, ByteBuffer())
        case .clear, .announced, .over: break
        }
      } catch {
        context.close(promise: nil)
      }
    }
    // Before anything was said, an end is the end.
    if case ChannelEvent.inputClosed = event { context.close(promise: nil) }
    context.fireUserInboundEventTriggered(event)
  }

  // MARK: Protocols

  private func begin(_ named: ServerProtocol, _ context: ChannelHandlerContext, _ rest: ByteBuffer) throws {
    if let security = settings.security, !security.allows(named, tls) {
      return refuse(context, "tls: the certificate is not that of a server")
    }
    guard let handlers = try protocols.handlers(of: named, context.channel) else {
      return refuse(context, "the protocol \(named.rawValue) is not spoken here")
    }
    if tls != nil, named != .snapshot {
      try context.channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: false)
    }
    try hand(over: handlers, context, rest)
  }

  private func hand(over handlers: [any ChannelHandler], _ context: ChannelHandlerContext, _ rest: ByteBuffer) throws {
    deadline?.cancel()
    state = .over
    try context.pipeline.syncOperations.addHandlers(handlers + [BreachNoter(refusals)], position: .after(self))
    if rest.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(rest)) }
    context.pipeline.syncOperations.removeHandler(self, promise: nil)
  }
}
