import NIOCore
import Wire

/// Answers the messages of a TCP connection, which may send several without waiting (RFC 7766). Answers that memory does
/// not hold come when they come, also after later ones.
final class StreamHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// Queries of one connection that may wait; beyond, nothing more is read from it.
  private static let waitingLimit = 100

  private let engine: QueryEngine
  private var waiting = 0
  private var hasWritten = false

  init(_ engine: QueryEngine) {
    self.engine = engine
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let message = unwrapInboundIn(data)
    let outcome = message.withUnsafeReadableBytes { bytes in
      engine.handle(bytes, over: .stream, from: context.remoteAddress?.dnsAddress) { delivery(context) }
    }
    switch outcome {
    case .ready:
      context.write(wrapOutboundOut(Self.frame(engine.answer, context.channel.allocator)), promise: nil)
      hasWritten = true
    case .none:
      break
    case .later:
      waiting += 1
      if waiting == Self.waitingLimit { setReading(false, context.channel) }
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if hasWritten {
      hasWritten = false
      context.flush()
    }
    context.fireChannelReadComplete()
  }

  private func delivery(_ context: ChannelHandlerContext) -> QueryEngine.Delivery {
    let channel = context.channel
    return { bytes in
      channel.writeAndFlush(Self.frame(bytes, channel.allocator), promise: nil)
      self.waiting -= 1
      if self.waiting == Self.waitingLimit - 1 { self.setReading(true, channel) }
    }
  }

  private func setReading(_ reads: Bool, _ channel: any Channel) {
    channel.setOption(.autoRead, value: reads).whenFailure { _ in channel.close(promise: nil) }
    if reads { channel.read() }
  }

  private static func frame(_ message: UnsafeRawBufferPointer, _ allocator: ByteBufferAllocator) -> ByteBuffer {
    var buffer = allocator.buffer(capacity: message.count + 2)
    buffer.writeInteger(UInt16(truncatingIfNeeded: message.count))
    buffer.writeBytes(message)
    return buffer
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is IdleStateHandler.IdleStateEvent, waiting == 0 {
      context.close(promise: nil)
    } else {
      context.fireUserInboundEventTriggered(event)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}
