import NIOCore
import Wire

/// Answers datagrams. What one round of reading brought is answered into one buffer, cut into slices, and sent with one
/// flush.
final class DatagramHandler: ChannelInboundHandler {
  typealias InboundIn = AddressedEnvelope<ByteBuffer>
  typealias OutboundOut = AddressedEnvelope<ByteBuffer>

  /// When a round has brought this many bytes of answers, they are sent before its end.
  private static let batchByteLimit = 256 * 1024

  private let engine: QueryEngine
  private var answers: ByteBuffer
  private var recipients: [(address: SocketAddress, start: Int, length: Int)] = []

  init(_ engine: QueryEngine, allocator: ByteBufferAllocator) {
    self.engine = engine
    answers = allocator.buffer(capacity: 32 * 1024)
    recipients.reserveCapacity(256)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let envelope = unwrapInboundIn(data)
    let sender = envelope.remoteAddress
    let outcome = envelope.data.withUnsafeReadableBytes { bytes in
      engine.handle(bytes, over: .datagram, from: sender.dnsAddress) {
        let channel = context.channel
        return { bytes in
          // Without a promise nobody learns whether it was sent: datagrams may get lost anyway.
          channel.writeAndFlush(
            AddressedEnvelope(remoteAddress: sender, data: channel.allocator.buffer(bytes: bytes)), promise: nil)
        }
      }
    }
    guard case .ready = outcome else { return }
    let start = answers.writerIndex
    recipients.append((sender, start, answers.writeBytes(engine.answer)))
    if answers.readableBytes > Self.batchByteLimit { send(context) }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    send(context)
  }

  private func send(_ context: ChannelHandlerContext) {
    guard !recipients.isEmpty else { return }
    for (address, start, length) in recipients {
      guard let slice = answers.getSlice(at: start, length: length) else { continue }
      context.write(wrapOutboundOut(AddressedEnvelope(remoteAddress: address, data: slice)), promise: nil)
    }
    context.flush()
    recipients.removeAll(keepingCapacity: true)
    // Reuses the memory unless the kernel did not take everything yet.
    answers.clear()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // Errors of single datagrams (a port that closed, a message too long) concern their sender only.
    engine.environment.logger.debug("DNS datagram error", metadata: ["error": "\(error)"])
  }
}

extension SocketAddress {
  /// The IP address; nil for others.
  var dnsAddress: DNSAddress? {
    switch self {
    case .v4(let address): .v4(UInt32(bigEndian: address.address.sin_addr.s_addr))
    case .v6(let address):
      withUnsafeBytes(of: address.address.sin6_addr) { bytes in
        let halves = [bytes[..<8], bytes[8...]].map { $0.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
        return halves[0] == 0 && halves[1] >> 32 == 0xFFFF
          ? .v4(UInt32(truncatingIfNeeded: halves[1])) : .v6(halves[0], halves[1])
      }
    case .unixDomainSocket: nil
    }
  }
}
