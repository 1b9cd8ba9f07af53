import NIOCore
import NIOHTTP2

/// Finds out whether the other side of a connection is still there, and ends connections whose other side asks that too often
/// (gRPC, "Keepalive"). Sees the frames of the connection itself; calls have channels of their own.
final class GRPCKeepalive: ChannelInboundHandler, @unchecked Sendable {
  // Sendable: everything is used on the event loop of the connection only.
  typealias InboundIn = HTTP2Frame
  typealias OutboundOut = HTTP2Frame

  /// Pings that come too early, before the connection ends.
  private static let strikesMax = 2

  private let settings: GRPCSettings
  private let isServer: Bool
  private var strikes: PingStrikes
  private var timer: Scheduled<Void>?
  private var isWaitingForAnswer = false

  init(_ settings: GRPCSettings, isServer: Bool) {
    self.settings = settings
    self.isServer = isServer
    strikes = PingStrikes(interval: settings.pingIntervalMin, limit: Self.strikesMax)
  }

  func handlerAdded(context: ChannelHandlerContext) {
    if context.channel.isActive { schedule(context, in: settings.pingInterval) }
  }

  func channelActive(context: ChannelHandlerContext) {
    schedule(context, in: settings.pingInterval)
    context.fireChannelActive()
  }

  private func schedule(_ context: ChannelHandlerContext, in time: TimeAmount) {
    timer?.cancel()
    timer = context.eventLoop.assumeIsolated().scheduleTask(in: time) { [self] in timerFired(context) }
  }

  private func timerFired(_ context: ChannelHandlerContext) {
    guard context.channel.isActive else { return }
    if isWaitingForAnswer { return context.close(promise: nil) }
    isWaitingForAnswer = true
    let ping = HTTP2Frame(streamID: .rootStream, payload: .ping(HTTP2PingData(withInteger: 0x6b65_6570), ack: false))
    context.writeAndFlush(wrapOutboundOut(ping), promise: nil)
    schedule(context, in: settings.pingTimeout)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data).payload {
    case .ping(_, let isAnswer) where isAnswer:
      isWaitingForAnswer = false
      schedule(context, in: settings.pingInterval)
    case .ping where isServer:
      if strikes.exceeds(now: .now()) { endTooEager(context) }
    case .goAway: context.fireUserInboundEventTriggered(GRPCGoAway())
    default: break
    }
  }

  /// Something was sent on a call: the other side may ask at once how good the way is.
  func sentSomething() { strikes.sentSomething() }

  private func endTooEager(_ context: ChannelHandlerContext) {
    var reason = ByteBuffer()
    reason.writeString("too_many_pings")
    let frame = HTTP2Frame(
      streamID: .rootStream,
      payload: .goAway(lastStreamID: .maxID, errorCode: .enhanceYourCalm, opaqueData: reason))
    context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    context.close(promise: nil)
  }

  /// What is wrong with one stream is no reason to end the others.
  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if error is NIOHTTP2Errors.StreamError { return }
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    timer?.cancel()
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }
}

/// The other side takes no more calls on this connection.
struct GRPCGoAway: Sendable {}

/// Counts pings that come sooner after one another than allowed.
struct PingStrikes: Sendable {
  private let interval: TimeAmount
  private let limit: Int
  private var last: NIODeadline?
  private var strikes = 0

  init(interval: TimeAmount, limit: Int) {
    self.interval = interval
    self.limit = limit
  }

  mutating func sentSomething() {
    strikes = 0
    last = nil
  }

  /// Notes a ping; true if there were too many.
  mutating func exceeds(now: NIODeadline) -> Bool {
    defer { last = now }
    guard let last, now - last < interval else { return false }
    strikes += 1
    return strikes > limit
  }
}
