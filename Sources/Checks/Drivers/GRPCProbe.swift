import Model
import NIOCore
import NIOHPACK
import NIOHTTP2

/// Asks the gRPC health service (`grpc.health.v1.Health/Check`) of a server.
///
/// One unary call with messages of two fields needs no gRPC runtime: it is three frames on the same kind of connection that an
/// HTTP/2 ping uses.
struct GRPCProbe: Probe {
  /// As the user wrote it: `host:port`, with `/service` after it to ask for one service rather than the server.
  let target: String
  let tls: TLSWish?
  let timeout: GoDuration
  let dialer: Dialer

  func run(on loop: any EventLoop, _ finish: @escaping Attempt.Finish) -> any Abandonable {
    let attempt = Attempt(on: loop, timeout: timeout, finish)
    let target = target
    attempt.limit { .critical("rpc error: code = DeadlineExceeded desc = context deadline exceeded") }
    let parts = target.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    let address = parts.first.map(String.init) ?? ""
    let place: HostPort
    do {
      place = try HostPort(address)
    } catch {
      attempt.finish(.critical(Self.unavailable(NetworkFailure("dial tcp: \(error.text)"))))
      return attempt
    }
    let call = GRPCHealthCall(
      authority: tls?.serverName.isEmpty == false ? tls?.serverName ?? address : address, isTLS: tls != nil,
      service: parts.count > 1 ? String(parts[1]) : "", timeoutNanoseconds: attempt.timeout.nanoseconds)
    dialer.open(.tcp(place), tls: tls, on: loop, timeout: attempt.timeout) { channel in
      attempt.opened(channel)
      try channel.pipeline.syncOperations.addHandlers([
        NIOHTTP2Handler(mode: .client), GRPCCaller(call, channel.eventLoop),
      ])
    }.flatMap { channel in
      channel.outcome(of: GRPCCaller.self)
    }.whenComplete { result in
      switch result {
      case .success(let answer): attempt.finish(Self.judge(answer, target))
      case .failure(let error):
        let failure = error as? NetworkFailure ?? NetworkFailure("\(error)", .exchange)
        attempt.finish(.critical(Self.unavailable(failure)))
      }
    }
    return attempt
  }

  private static func judge(_ answer: GRPCAnswer, _ target: String) -> ProbeResult {
    switch answer {
    case .serving(.serving): .passing("gRPC check \(target): success")
    case .serving(let status): .critical("gRPC \(target) serving status: \(status)")
    case .failed(let code, let message): .critical("rpc error: code = \(code) desc = \(message)")
    }
  }

  private static func unavailable(_ failure: NetworkFailure) -> String {
    let reason =
      switch failure.stage {
      case .dialing: "connection error: desc = \"transport: Error while dialing: \(failure.text)\""
      case .handshake: "connection error: desc = \"transport: authentication handshake failed: \(failure.text)\""
      case .exchange: "error reading from server: \(failure.text)"
      }
    return "rpc error: code = Unavailable desc = \(reason)"
  }
}

/// The frames of a call to the health service.
struct GRPCHealthCall: Sendable {
  let authority: String
  let isTLS: Bool
  /// "" asks for the server as a whole.
  let service: String
  let timeoutNanoseconds: Int64

  var frames: [HTTP2Frame] {
    let headers: HPACKHeaders = [
      ":method": "POST", ":scheme": isTLS ? "https" : "http", ":path": "/grpc.health.v1.Health/Check",
      ":authority": authority, "content-type": "application/grpc", "user-agent": HTTPProbe.userAgent, "te": "trailers",
      // At most eight digits (gRPC over HTTP/2, "Timeout").
      "grpc-timeout": "\(min(max(timeoutNanoseconds / 1_000_000, 1), 99_999_999))m",
    ]
    let body = ByteBuffer(bytes: GRPCMessage.framed(HealthMessages.request(service: service)))
    let stream = HTTP2StreamID(1)
    return [
      HTTP2Frame(streamID: stream, payload: .headers(.init(headers: headers))),
      HTTP2Frame(streamID: stream, payload: .data(.init(data: .byteBuffer(body), endStream: true))),
    ]
  }
}

private final class GRPCCaller: ChannelInboundHandler, Conversation {
  typealias InboundIn = HTTP2Frame
  typealias OutboundOut = HTTP2Frame
  /// An answer is a handful of bytes.
  static let messageLimit = 64 << 10

  private let call: GRPCHealthCall
  private let answered: EventLoopPromise<GRPCAnswer>
  private var reply = GRPCReply()

  var outcome: EventLoopFuture<GRPCAnswer> { answered.futureResult }

  init(_ call: GRPCHealthCall, _ loop: any EventLoop) {
    self.call = call
    answered = loop.makePromise()
  }

  /// The HTTP/2 handler has sent the connection preface by now; a TLS handler holds all back until hands are shaken.
  func channelActive(context: ChannelHandlerContext) {
    for frame in call.frames { context.write(wrapOutboundOut(frame), promise: nil) }
    context.flush()
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let frame = unwrapInboundIn(data)
    switch frame.payload {
    case .headers(let headers):
      reply.take(headers.headers)
      if headers.endStream { answered.succeed(reply.answer) }
    case .data(let data):
      if case .byteBuffer(let buffer) = data.data { reply.message += buffer.readableBytesView }
      if reply.message.count > Self.messageLimit {
        answered.succeed(.failed(code: .resourceExhausted, message: "received message larger than max"))
      } else if data.endStream {
        answered.succeed(reply.answer)
      }
    case .rstStream(let code):
      let message = "stream terminated by RST_STREAM with error code: \(code)"
      answered.succeed(.failed(code: .unavailable, message: message))
    case .goAway(_, let code, _):
      answered.succeed(.failed(code: .unavailable, message: "server closed the connection: \(code)"))
    default: break
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    answered.fail(NetworkFailure.reading("tcp", context.channel, error))
  }

  func channelInactive(context: ChannelHandlerContext) { answered.fail(NetworkFailure.endOfStream) }
  func handlerRemoved(context: ChannelHandlerContext) { answered.fail(NetworkFailure.endOfStream) }
}
