import NIOCore
import NIOHPACK
import NIOHTTP2
import Synchronization

/// What becomes of a call that was made: told on the event loop of its connection.
public protocol GRPCResponses: AnyObject, Sendable {
  /// The other side has taken the call up.
  func begun()
  func received(_ message: ByteBuffer)
  /// The call is over; nothing follows.
  func ended(_ status: GRPCStatus)
}

extension GRPCResponses {
  public func begun() {}
}

/// A connection on which calls are made. Everything happens on its event loop.
public final class GRPCConnection: @unchecked Sendable {
  // Sendable: what changes is used on `loop` only, but for `over`, which is atomic.

  public let loop: any EventLoop
  private let channel: any Channel
  private let settings: GRPCSettings
  private let authority: String
  private let multiplexer: NIOHTTP2Handler.StreamMultiplexer
  private let over = Atomic(false)

  /// Speaks gRPC on a channel whose other side expects the preface of HTTP/2. To be called on its event loop.
  ///
  /// - Parameter authority: the name under which the other side is called.
  public init(on channel: any Channel, authority: String, settings: GRPCSettings = GRPCSettings()) throws {
    self.channel = channel
    self.settings = settings
    self.authority = authority
    loop = channel.eventLoop
    let http2 = NIOHTTP2Handler(
      mode: .client, eventLoop: channel.eventLoop, connectionConfiguration: settings.connection,
      streamConfiguration: settings.stream
    ) { $0.eventLoop.makeFailedFuture(GRPCStatus(.internal, "a server does not begin calls")) }
    let pipeline = channel.pipeline.syncOperations
    try pipeline.addHandlers([http2, GRPCKeepalive(settings, isServer: false)])
    multiplexer = try http2.syncMultiplexer()
    try pipeline.addHandler(EndWatcher { [weak self] in self?.over.store(true, ordering: .releasing) })
  }

  /// No call can be made any more.
  public var isOver: Bool { over.load(ordering: .acquiring) }

  /// Told when the connection is closed.
  public func whenClosed(_ action: @escaping @Sendable () -> Void) {
    channel.closeFuture.whenComplete { _ in action() }
  }

  /// Makes a call with one request.
  ///
  /// - Parameter responses: held until the call is over.
  @discardableResult
  public func call(
    _ path: String, _ message: [UInt8], metadata: HPACKHeaders = HPACKHeaders(), _ responses: any GRPCResponses
  ) -> GRPCClientCall {
    let call = GRPCClientCall(loop, responses)
    if isOver {
      call.end(GRPCStatus(.unavailable, "the connection is closing"))
      return call
    }
    var headers: HPACKHeaders = [
      ":method": "POST", ":scheme": "http", ":path": path, ":authority": authority,
      "content-type": "application/grpc", "te": "trailers",
    ]
    headers.add(contentsOf: metadata)
    let begin = headers
    multiplexer.createStreamChannel { [settings] channel in
      channel.eventLoop.makeCompletedFuture {
        let handler = GRPCClientCallHandler(call, head: begin, message, bytesMax: settings.messageBytesMax)
        try channel.pipeline.syncOperations.addHandler(handler)
      }
    }.whenFailure { error in call.end(GRPCStatus(.unavailable, "\(error)")) }
    return call
  }

  public func close() { channel.close(promise: nil) }
}

/// Notes that a connection is over, or takes no more calls.
private final class EndWatcher: ChannelInboundHandler {
  typealias InboundIn = HTTP2Frame
  private let ended: () -> Void

  init(_ ended: @escaping () -> Void) { self.ended = ended }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is GRPCGoAway { ended() }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    ended()
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) { ended() }
}

/// One call that was made.
public final class GRPCClientCall: @unchecked Sendable {
  // Sendable: what changes is used on `loop` only.

  private let loop: any EventLoop
  fileprivate var responses: (any GRPCResponses)?
  fileprivate var channel: (any Channel)?
  private var isReading = true

  init(_ loop: any EventLoop, _ responses: any GRPCResponses) {
    self.loop = loop
    self.responses = responses
  }

  /// Gives the call up. Nothing is told of it any more.
  public func cancel() {
    onLoop { [self] in
      responses = nil
      channel?.close(promise: nil)
      channel = nil
    }
  }

  /// Whether more is taken from the other side. While it is not, flow control holds the other side back.
  public func setReading(_ isReading: Bool) {
    onLoop { [self] in
      guard self.isReading != isReading else { return }
      self.isReading = isReading
      channel?.setOption(.autoRead, value: isReading).whenFailure { _ in }
      if isReading { channel?.read() }
    }
  }

  private func onLoop(_ work: @escaping @Sendable () -> Void) {
    if loop.inEventLoop { work() } else { loop.execute(work) }
  }

  fileprivate func opened(_ channel: any Channel) {
    self.channel = channel
    if responses == nil { return channel.close(promise: nil) }
    if !isReading { channel.setOption(.autoRead, value: false).whenFailure { _ in } }
  }

  func end(_ status: GRPCStatus) {
    onLoop { [self] in
      let responses = responses
      self.responses = nil
      channel = nil
      responses?.ended(status)
    }
  }
}

/// Turns a call into the frames of one stream, and those into answers.
final class GRPCClientCallHandler: ChannelInboundHandler {
  typealias InboundIn = HTTP2Frame.FramePayload
  typealias OutboundOut = HTTP2Frame.FramePayload

  private let call: GRPCClientCall
  private let head: HPACKHeaders
  private let request: [UInt8]
  private var decoder: GRPCMessageDecoder
  private var hasHead = false

  init(_ call: GRPCClientCall, head: HPACKHeaders, _ request: [UInt8], bytesMax: Int) {
    self.call = call
    self.head = head
    self.request = request
    decoder = GRPCMessageDecoder(bytesMax: bytesMax)
  }

  func channelActive(context: ChannelHandlerContext) {
    call.opened(context.channel)
    context.write(wrapOutboundOut(.headers(.init(headers: head))), promise: nil)
    let message = ByteBuffer(grpcMessage: request)
    context.writeAndFlush(wrapOutboundOut(.data(.init(data: .byteBuffer(message), endStream: true))), promise: nil)
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .headers(let frame): receive(frame, context)
    case .data(let frame):
      if case .byteBuffer(let bytes) = frame.data { receive(bytes, context) }
      if frame.endStream { end(GRPCStatus(.internal, "grpc: the answer ends without a status"), context) }
    case .rstStream(let code): end(GRPCStatus(code == .refusedStream ? .unavailable : .internal, "\(code)"), context)
    default: break
    }
  }

  private func receive(_ frame: HTTP2Frame.FramePayload.Headers, _ context: ChannelHandlerContext) {
    let headers = frame.headers
    if !hasHead {
      hasHead = true
      let status = headers.first(name: ":status") ?? ""
      // Something in between answered.
      guard status == "200" else {
        return end(GRPCStatus(.unavailable, "unexpected HTTP status code received from server: \(status)"), context)
      }
    }
    guard frame.endStream else {
      call.responses?.begun()
      return
    }
    let number = headers.first(name: "grpc-status").flatMap { Int($0) }
    let code = number.flatMap { GRPCStatus.Code(rawValue: $0) } ?? .unknown
    // Both sides have said everything: the stream is about to close by itself.
    call.end(GRPCStatus(code, StatusText.decode(headers.first(name: "grpc-message") ?? "")))
  }

  private func receive(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
    decoder.append(bytes)
    do throws(GRPCStatus) {
      while let responses = call.responses, let message = try decoder.next() { responses.received(message) }
    } catch {
      end(error, context)
    }
  }

  private func end(_ status: GRPCStatus, _ context: ChannelHandlerContext) {
    call.end(status)
    context.close(promise: nil)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    end(GRPCStatus(.unavailable, "\(error)"), context)
  }

  func channelInactive(context: ChannelHandlerContext) {
    call.end(GRPCStatus(.unavailable, "error reading from server: EOF"))
    context.fireChannelInactive()
  }
}
