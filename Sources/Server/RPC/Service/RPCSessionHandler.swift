import NIOCore
import Wire

/// One net/rpc session that has a connection of its own (first byte 0).
final class RPCSessionHandler: ChannelInboundHandler, @unchecked Sendable {
  // Sendable: used on the event loop of the channel only.
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// Bytes that may wait behind a request that is under way; the peer has to keep the rest.
  private static let unconsumedMax = 1 << 20

  private let methods: RPCMethods
  private var session: RPCSession?
  private var unconsumed = 0
  private var isReading = true

  init(_ methods: RPCMethods) { self.methods = methods }

  func handlerAdded(context: ChannelHandlerContext) {
    let channel = context.channel
    session = RPCSession(
      methods, on: context.eventLoop, send: { channel.writeAndFlush($0, promise: nil) },
      consume: { [unowned self] in count($0, taken: true, channel) },
      breach: { channel.pipeline.fireUserInboundEventTriggered(ProtocolBreach(reason: $0)) },
      end: { channel.closeLingering() })
  }

  private func count(_ bytes: Int, taken: Bool, _ channel: any Channel) {
    unconsumed += taken ? -bytes : bytes
    let mayRead = unconsumed <= Self.unconsumedMax
    guard mayRead != isReading else { return }
    isReading = mayRead
    channel.setOption(.autoRead, value: mayRead).whenFailure { _ in }
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    session?.abandon()
    session = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data)
    count(bytes.readableBytes, taken: false, context.channel)
    session?.receive(bytes)
  }

  func channelInactive(context: ChannelHandlerContext) {
    session?.abandon()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// The server's side of a multiplexed connection: every stream is a net/rpc session.
final class RPCStreams: YamuxDelegate {
  private let methods: RPCMethods
  private let channel: any Channel
  private var sessions: [UInt32: RPCSession] = [:]

  init(_ methods: RPCMethods, on channel: any Channel) {
    self.methods = methods
    self.channel = channel
  }

  func yamux(_ handler: YamuxHandler, _ event: YamuxSession.Event) {
    switch event {
    case .opened(let stream):
      sessions[stream] = RPCSession(
        methods, on: channel.eventLoop, send: { handler.write($0, to: stream) },
        consume: { handler.consume($0, of: stream) },
        breach: { [channel] in channel.pipeline.fireUserInboundEventTriggered(ProtocolBreach(reason: $0)) },
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
