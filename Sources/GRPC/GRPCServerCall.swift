import NIOCore
import NIOHPACK
import NIOHTTP2

/// The server's end of one call. Everything is used on `loop`, but for `onLoop`.
public final class GRPCServerCall: @unchecked Sendable {
  // Sendable: what changes is used on `loop` only.

  public let loop: any EventLoop
  private var context: ChannelHandlerContext?
  private let keepalive: GRPCKeepalive
  private var hasSentHead = false

  fileprivate init(_ context: ChannelHandlerContext, _ keepalive: GRPCKeepalive) {
    loop = context.eventLoop
    self.keepalive = keepalive
    self.context = context
  }

  /// Whether the call is still to be answered.
  public var isOpen: Bool { context != nil }

  /// Whether the other side keeps up: while it does not, what is sent waits in memory.
  public var isWritable: Bool { context?.channel.isWritable ?? false }

  /// Runs `work` on `loop`, at once if that is where the caller is.
  public func onLoop(_ work: @escaping @Sendable () -> Void) {
    if loop.inEventLoop { work() } else { loop.execute(work) }
  }

  /// Sends headers before the first message: the call has begun, whenever that may come.
  public func sendHead(_ metadata: HPACKHeaders = HPACKHeaders()) {
    writeHead(metadata)
    context?.flush()
  }

  private func writeHead(_ metadata: HPACKHeaders) {
    guard let context, !hasSentHead else { return }
    hasSentHead = true
    var headers: HPACKHeaders = [":status": "200", "content-type": "application/grpc"]
    headers.add(contentsOf: metadata)
    context.write(NIOAny(HTTP2Frame.FramePayload.headers(.init(headers: headers))), promise: nil)
  }

  /// Sends messages that stand behind their lengths already (`ByteBuffer.writeGRPCMessage`).
  public func send(_ messages: ByteBuffer) {
    guard let context else { return }
    writeHead(HPACKHeaders())
    keepalive.sentSomething()
    context.writeAndFlush(NIOAny(HTTP2Frame.FramePayload.data(.init(data: .byteBuffer(messages)))), promise: nil)
  }

  /// Ends the call.
  public func finish(_ status: GRPCStatus, _ metadata: HPACKHeaders = HPACKHeaders()) {
    guard let context else { return }
    self.context = nil
    var trailers = HPACKHeaders()
    if !hasSentHead {
      trailers.add(name: ":status", value: "200")
      trailers.add(name: "content-type", value: "application/grpc")
    }
    trailers.add(name: "grpc-status", value: String(status.code.rawValue))
    trailers.add(name: "grpc-message", value: StatusText.encode(status.message))
    trailers.add(contentsOf: metadata)
    context.writeAndFlush(
      NIOAny(HTTP2Frame.FramePayload.headers(.init(headers: trailers, endStream: true))), promise: nil)
  }

  /// Refuses what is no call of gRPC.
  fileprivate func refuse(httpStatus: String) {
    guard let context else { return }
    self.context = nil
    context.writeAndFlush(
      NIOAny(HTTP2Frame.FramePayload.headers(.init(headers: [":status": httpStatus], endStream: true))), promise: nil)
  }

  fileprivate func close() { context = nil }
}

/// Turns the frames of one stream into a call.
final class GRPCServerCallHandler: ChannelInboundHandler {
  typealias InboundIn = HTTP2Frame.FramePayload
  typealias OutboundOut = HTTP2Frame.FramePayload

  private let server: GRPCServer
  private let keepalive: GRPCKeepalive
  private var decoder: GRPCMessageDecoder
  private var call: GRPCServerCall?
  private var handler: (any GRPCCallHandler)?
  private var deadline: Scheduled<Void>?

  init(_ server: GRPCServer, _ keepalive: GRPCKeepalive) {
    self.server = server
    self.keepalive = keepalive
    decoder = GRPCMessageDecoder(bytesMax: server.settings.messageBytesMax)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .headers(let frame):
      if call == nil { begin(context, frame.headers) }
      if frame.endStream { end() }
    case .data(let frame):
      if case .byteBuffer(let bytes) = frame.data { receive(bytes) }
      if frame.endStream { end() }
    default: break
    }
  }

  private func begin(_ context: ChannelHandlerContext, _ headers: HPACKHeaders) {
    let call = GRPCServerCall(context, keepalive)
    self.call = call
    guard headers.first(name: ":method") == "POST" else { return call.refuse(httpStatus: "405") }
    guard headers.first(name: "content-type")?.hasPrefix("application/grpc") == true else {
      return call.refuse(httpStatus: "415")
    }
    do throws(GRPCStatus) {
      let path = headers.first(name: ":path") ?? ""
      let method = try server.method(path)
      if let text = headers.first(name: "grpc-timeout") { try limit(call, text) }
      let request = GRPCRequest(path: path, authority: headers.first(name: ":authority") ?? "", metadata: headers)
      handler = method(request, call)
    } catch {
      call.finish(error)
    }
  }

  private func limit(_ call: GRPCServerCall, _ text: String) throws(GRPCStatus) {
    guard let timeout = CallTimeout.parse(text) else {
      throw GRPCStatus(.internal, "malformed grpc-timeout: \(text)")
    }
    deadline = call.loop.scheduleTask(in: timeout) { [weak call] in
      call?.finish(GRPCStatus(.deadlineExceeded, "context deadline exceeded"))
    }
  }

  private func receive(_ bytes: ByteBuffer) {
    guard let call, call.isOpen, let handler else { return }
    decoder.append(bytes)
    do throws(GRPCStatus) {
      while call.isOpen, let message = try decoder.next() { handler.received(message) }
    } catch {
      call.finish(error)
    }
  }

  private func end() {
    guard let call, call.isOpen else { return }
    if decoder.isWithinMessage { return call.finish(GRPCStatus(.internal, "grpc: the request ends within a message")) }
    handler?.receivedEnd()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { handler?.becameWritable() }
    context.fireChannelWritabilityChanged()
  }

  /// Whatever is wrong with a stream closes it; the connection goes on.
  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  func channelInactive(context: ChannelHandlerContext) {
    over()
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) { over() }

  private func over() {
    deadline?.cancel()
    call?.close()
    let handler = handler
    self.handler = nil
    handler?.ended()
  }
}
