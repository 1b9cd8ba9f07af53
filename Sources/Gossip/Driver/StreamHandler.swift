import NIOCore

/// One stream, opened by us or by another node: reads one message of the other side.
final class GossipStreamHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  enum Role {
    /// Another node opened it.
    case serving
    /// We opened it.
    case asking
  }

  private let reactor: GossipReactor
  private let id: StreamID
  private let role: Role
  private let timeout: TimeAmount
  private var bytes: [UInt8] = []
  private var isDone = false
  private var deadline: Scheduled<Void>?

  init(_ reactor: GossipReactor, _ id: StreamID, _ role: Role, timeout: TimeAmount) {
    self.reactor = reactor
    self.id = id
    self.role = role
    self.timeout = timeout
  }

  func handlerAdded(context: ChannelHandlerContext) {
    let channel = context.channel
    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
    deadline = context.eventLoop.scheduleTask(in: timeout) {
      bound.value.fail(.timeout)
      channel.close(promise: nil)
    }
  }

  func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isDone else { return }
    bytes += unwrapInboundIn(data).readableBytesView
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    guard !isDone, !bytes.isEmpty else { return }
    do throws(GossipError) {
      guard let message = try reactor.codec.openStream(bytes, fromOpener: role == .serving) else { return }
      isDone = true
      bytes = []
      switch role {
      case .serving: reactor.requested(id, message, from: NodeAddress(context.remoteAddress))
      case .asking:
        reactor.answered(id, message)
        context.close(promise: nil)
      }
    } catch {
      if role == .serving { reactor.refuse(id, error) } else { context.close(promise: nil) }
      fail(error)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    fail(.connection("EOF"))
    reactor.closed(id, role)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    fail(.connection("\(error)"))
    context.close(promise: nil)
  }

  private func fail(_ error: GossipError) {
    guard !isDone else { return }
    isDone = true
    bytes = []
    switch role {
    case .serving: reactor.logger.debug("gossip stream failed", metadata: ["error": "\(error)"])
    case .asking: reactor.failed(id, error)
    }
  }
}
