import Model
import NIOCore
import NIOHTTP2

/// Pings a server on an HTTP/2 connection.
struct H2PingProbe: Probe {
  /// As the user wrote it.
  let address: String
  let tls: TLSWish?
  let timeout: GoDuration
  let dialer: Dialer

  func run(on loop: any EventLoop, _ finish: @escaping Attempt.Finish) -> any Abandonable {
    let attempt = Attempt(on: loop, timeout: timeout, finish)
    let address = address
    attempt.limit { .critical("HTTP2 ping failed: context deadline exceeded") }
    let place: HostPort
    do {
      place = try HostPort(address)
    } catch {
      attempt.finish(.critical("Failed to dial to \(address): dial tcp: \(error.text)"))
      return attempt
    }
    dialer.open(.tcp(place), tls: tls, on: loop, timeout: attempt.timeout) { channel in
      attempt.opened(channel)
      try channel.pipeline.syncOperations.addHandlers([NIOHTTP2Handler(mode: .client), Pinger(channel.eventLoop)])
    }.flatMap { channel in
      channel.outcome(of: Pinger.self)
    }.whenComplete { result in
      switch result {
      case .success: attempt.finish(.passing("HTTP2 ping was successful"))
      case .failure(let error):
        let failure = error as? NetworkFailure ?? NetworkFailure("\(error)", .exchange)
        let what = failure.stage == .exchange ? "HTTP2 ping failed" : "Failed to dial to \(address)"
        attempt.finish(.critical("\(what): \(failure.text)"))
      }
    }
    return attempt
  }
}

private final class Pinger: ChannelInboundHandler, Conversation {
  typealias InboundIn = HTTP2Frame
  typealias OutboundOut = HTTP2Frame

  private let answered: EventLoopPromise<Void>

  var outcome: EventLoopFuture<Void> { answered.futureResult }

  init(_ loop: any EventLoop) { answered = loop.makePromise() }

  /// The HTTP/2 handler has sent the connection preface by now; a TLS handler holds both back until hands are shaken.
  func channelActive(context: ChannelHandlerContext) {
    let ping = HTTP2Frame(streamID: .rootStream, payload: .ping(HTTP2PingData(withInteger: 1), ack: false))
    context.writeAndFlush(wrapOutboundOut(ping), promise: nil)
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data).payload {
    case .ping(_, let ack) where ack: answered.succeed()
    case .goAway(_, let code, _): answered.fail(NetworkFailure("server sent GOAWAY: \(code)", .exchange))
    default: break
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    answered.fail(NetworkFailure.reading("tcp", context.channel, error))
  }

  func channelInactive(context: ChannelHandlerContext) { answered.fail(NetworkFailure.endOfStream) }
  func handlerRemoved(context: ChannelHandlerContext) { answered.fail(NetworkFailure.endOfStream) }
}
