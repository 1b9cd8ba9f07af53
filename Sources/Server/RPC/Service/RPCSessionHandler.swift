import NIOCore
import Wire

/// One net/rpc session that has a connection of its own (first byte 0).
final class RPCSessionHandler: ChannelInboundHandler, @unchecked Sendable {
  // Sendable: used on the event loop of the channel only.
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let methods: RPCMethods
  private var session: RPCSession?

  init(_ methods: RPCMethods) { self.methods = methods }

  func handlerAdded(context: ChannelHandlerContext) {
    let channel = context.channel
    session = RPCSession(
      methods, on: context.eventLoop, send: { channel.writeAndFlush($0, promise: nil) }, consume: { _ in },
      end: { channel.closeLingering() })
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    session?.abandon()
    session = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) { session?.receive(unwrapInboundIn(data)) }

  func channelInactive(context: ChannelHandlerContext) {
    session?.abandon()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// The server's side of a multiplexed connection: every stream is a net/rpc session.
final class RPCStreams: YamuxDelegate {
  private let methods: RPCMethods
  private let loop: any EventLoop
  private var sessions: [UInt32: RPCSession] = [:]

  init(_ methods: RPCMethods, on loop: any EventLoop) {
    self.methods = methods
    self.loop = loop
  }

  func yamux(_ handler: YamuxHandler, _ event: YamuxSession.Event) {
    switch event {
    case .opened(let stream):
      sessions[stream] = RPCSession(
        methods, on: loop, send: { handler.write($0, to: stream) }, consume: { handler.consume($0, of: stream) },
        end: { handler.close(stream) })
    case .data(let stream, let bytes): sessions[stream]?.receive(bytes)
    case .ended(let stream):
      sessions.removeValue(forKey: stream)?.callerEnded()
      handler.close(stream)
    case .reset(let stream): sessions.removeValue(forKey: stream)?.abandon()
    case .goneAway: break
    }
  }

  func yamuxClosed(_ handler: YamuxHandler, _ reason: String) {
    let ended = sessions.values
    sessions = [:]
    for session in ended { session.abandon() }
  }
}
