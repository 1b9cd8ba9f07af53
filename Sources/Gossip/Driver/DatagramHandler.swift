import NIOCore

/// Hands datagrams to the reactor, on its event loop.
final class GossipDatagramHandler: ChannelInboundHandler {
  typealias InboundIn = AddressedEnvelope<ByteBuffer>

  private let reactor: GossipReactor

  init(_ reactor: GossipReactor) { self.reactor = reactor }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let envelope = unwrapInboundIn(data)
    guard let sender = NodeAddress(envelope.remoteAddress) else { return }
    reactor.received(Array(envelope.data.readableBytesView), from: sender)
  }

  func channelReadComplete(context: ChannelHandlerContext) { reactor.readingEnded() }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // Errors of single datagrams, such as a port that nobody listens at. Probes find that out.
    reactor.logger.trace("datagram error", metadata: ["error": "\(error)"])
  }
}
