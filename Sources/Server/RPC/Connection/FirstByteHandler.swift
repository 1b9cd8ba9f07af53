import NIOCore
import Wire

/// Reads the first byte of a connection and puts the handlers of the protocol in its place that the byte names
/// (wire/rpc.md, section 1).
final class FirstByteHandler: ChannelInboundHandler, RemovableChannelHandler, @unchecked Sendable {
  // Sendable: used on the event loop of the channel only.
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  private let settings: ServerListener.Settings
  private let protocols: ServerProtocols
  private var deadline: Scheduled<Void>?
  private var isInsideTLS = false

  init(_ protocols: ServerProtocols, _ settings: ServerListener.Settings) {
    self.protocols = protocols
    self.settings = settings
  }

  func handlerAdded(context: ChannelHandlerContext) {
    let channel = context.channel
    deadline = context.eventLoop.scheduleTask(in: settings.handshakeTimeout) { channel.close(promise: nil) }
  }

  func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

  func channelInactive(context: ChannelHandlerContext) {
    deadline?.cancel()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    guard let byte = bytes.readInteger(as: UInt8.self) else { return }
    do {
      switch ServerProtocol(rawValue: byte) {
      case .tls where !isInsideTLS: try secure(context, bytes)
      case .tls: context.close(promise: nil)
      case let named? where isAllowed(named): try begin(named, context, bytes)
      default: context.close(promise: nil)
      }
    } catch {
      context.close(promise: nil)
    }
  }

  /// In clear only what the settings let pass.
  private func isAllowed(_ named: ServerProtocol) -> Bool {
    isInsideTLS || !settings.requiresTLS || named == .insecureTLS
  }

  /// TLS comes before this handler, which sees the first byte inside once more.
  private func secure(_ context: ChannelHandlerContext, _ rest: ByteBuffer) throws {
    guard let makeTLS = settings.makeTLS else { return context.close(promise: nil) }
    isInsideTLS = true
    try context.pipeline.syncOperations.addHandler(try makeTLS(), position: .before(self))
    if rest.readableBytes > 0 { context.pipeline.fireChannelRead(rest) }
  }

  private func begin(_ named: ServerProtocol, _ context: ChannelHandlerContext, _ rest: ByteBuffer) throws {
    guard let handlers = try protocols.handlers(of: named, context.channel) else { return context.close(promise: nil) }
    deadline?.cancel()
    try context.pipeline.syncOperations.addHandlers(handlers, position: .after(self))
    if rest.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(rest)) }
    context.pipeline.syncOperations.removeHandler(self, promise: nil)
  }
}
