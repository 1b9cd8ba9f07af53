import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import Synchronization

/// A request of a check, as sent.
struct HTTPQuestion: Sendable {
  var method: String
  /// Path and query.
  var target: String
  var headers: HTTPHeaders
  var body: [UInt8] = []
}

/// What has arrived of an answer.
struct HTTPReply: Sendable {
  var status: Int
  /// `200 OK`
  var statusText: String
  var headers: HTTPHeaders
  var body: TailBuffer
  /// Set when the body is a stream of frames whose contents are wanted.
  var frames: DockerStream?
}

/// One request and its answer over a connection of its own, which checks whether new connections are served, too.
struct HTTPExchange: Sendable {
  /// An answer that is longer is cut off: bytes.
  static let bodyLimit = 16 << 20

  let dialer: Dialer
  let attempt: Attempt
  /// How much of the end of the body is kept.
  let outputLimit: Int
  /// Whether the body of a successful answer is Docker's stream of frames.
  var isDockerStream = false
  let progress = HTTPProgress()

  /// Calls `done` once, unless the attempt ends before; the connection is closed by then.
  func perform(
    _ question: HTTPQuestion, _ endpoint: Endpoint, tls: TLSWish?,
    _ done: @escaping @Sendable (Result<HTTPReply, NetworkFailure>) -> Void
  ) {
    dialer.open(endpoint, tls: tls, on: attempt.loop, timeout: attempt.timeout) { channel in
      attempt.opened(channel)
      let pipeline = channel.pipeline.syncOperations
      try pipeline.addHTTPClientHandlers(leftOverBytesStrategy: .dropBytes)
      if question.headers.first(name: "Accept-Encoding") == "gzip" {
        try pipeline.addHandler(NIOHTTPResponseDecompressor(limit: .size(Self.bodyLimit)))
      }
      try pipeline.addHandler(HTTPReplyReader(self, channel.eventLoop))
    }.flatMap { channel in
      let outcome = channel.outcome(of: HTTPReplyReader.self)
      Self.send(question, channel)
      return outcome.always { _ in channel.close(promise: nil) }
    }.whenComplete { result in
      done(result.mapError { $0 as? NetworkFailure ?? NetworkFailure("\($0)", .exchange) })
    }
  }

  private static func send(_ question: HTTPQuestion, _ channel: any Channel) {
    let head = HTTPRequestHead(
      version: .http1_1, method: HTTPMethod(rawValue: question.method), uri: question.target, headers: question.headers)
    channel.write(HTTPClientRequestPart.head(head), promise: nil)
    if !question.body.isEmpty {
      channel.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(bytes: question.body))), promise: nil)
    }
    channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
  }
}

/// The answer as far as it has arrived, readable when time runs out.
final class HTTPProgress: Sendable {
  private let reply = Mutex<HTTPReply?>(nil)

  var current: HTTPReply? { reply.withLock { $0 } }
  func begin(_ new: HTTPReply?) { reply.withLock { $0 = new } }

  /// - Returns: how many bytes there are now.
  func append(_ bytes: ByteBufferView) -> Int {
    reply.withLock {
      if let data = $0?.frames?.feed(bytes) { $0?.body.append(data) } else { $0?.body.append(bytes) }
      return $0?.body.total ?? 0
    }
  }
}

private final class HTTPReplyReader: ChannelInboundHandler, Conversation {
  typealias InboundIn = HTTPClientResponsePart

  private let exchange: HTTPExchange
  private let answered: EventLoopPromise<HTTPReply>
  private var isOver = false

  var outcome: EventLoopFuture<HTTPReply> { answered.futureResult }

  init(_ exchange: HTTPExchange, _ loop: any EventLoop) {
    self.exchange = exchange
    answered = loop.makePromise()
    exchange.progress.begin(nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      let status = head.status
      let isSuccess = (200...299).contains(status.code)
      exchange.progress.begin(
        HTTPReply(
          status: Int(status.code), statusText: "\(status.code) \(status.reasonPhrase)", headers: head.headers,
          body: TailBuffer(limit: exchange.outputLimit),
          frames: exchange.isDockerStream && isSuccess ? DockerStream() : nil))
    case .body(let buffer):
      if exchange.progress.append(buffer.readableBytesView) > HTTPExchange.bodyLimit { end(.endOfStream) }
    case .end: end(.endOfStream)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if error is HTTPParserError {
      end(NetworkFailure("net/http: HTTP/1.x transport connection broken: malformed HTTP response", .exchange))
    } else {
      end(.reading("tcp", context.channel, error))
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    end(.endOfStream)
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) { end(.endOfStream) }

  /// An answer whose head arrived counts, complete or not: the status is known.
  private func end(_ failure: NetworkFailure) {
    guard !isOver else { return }
    isOver = true
    if let reply = exchange.progress.current { answered.succeed(reply) } else { answered.fail(failure) }
  }
}
