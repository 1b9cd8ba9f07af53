import Consensus
import NIOCore
import Wire

/// A connection of consensus that another server opened: hands its requests on as they come and answers them in their order.
final class RaftAcceptor: ChannelInboundHandler, @unchecked Sendable {
  // Sendable: everything that changes is used on the loop of the channel only.
  typealias InboundIn = ByteBuffer

  private enum State {
    case type
    case request(RaftRequestType)
    /// The content of a snapshot, of which so many bytes are missing.
    case content(ReceivedSnapshot, missing: Int64)
  }

  private let connections: RaftConnections
  private let channel: any Channel
  private var reader = RaftStreamReader()
  private var state = State.type
  /// Who is at the other end, once a request said so.
  private var peer: ServerID?
  /// Answers that are ready or awaited, oldest first. The number of the oldest is `firstAnswer`.
  private var answers: CircularBuffer<[UInt8]?> = []
  private var firstAnswer: UInt64 = 0

  init(_ connections: RaftConnections, on channel: any Channel) {
    self.connections = connections
    self.channel = channel
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    reader.append(unwrapInboundIn(data))
    do {
      while try step() {}
    } catch {
      context.fireUserInboundEventTriggered(ProtocolBreach(reason: "raft: \(error)"))
      context.close(promise: nil)
    }
  }

  /// - Returns: false if more has to arrive first.
  private func step() throws -> Bool {
    switch state {
    case .type:
      guard let byte = reader.byte() else { return false }
      guard let type = RaftRequestType(rawValue: byte) else {
        channel.pipeline.fireUserInboundEventTriggered(ProtocolBreach(reason: "raft: no request has type \(byte)"))
        channel.close(promise: nil)
        return false
      }
      state = .request(type)
      return true
    case .request(let type):
      guard let body = try reader.value() else { return false }
      state = .type
      let (request, from) = try RaftRequest.decode(type, body)
      take(request, from: from)
      return true
    case .content(let content, let missing):
      guard let piece = reader.content(missing) else { return false }
      let left = missing - Int64(piece.readableBytes)
      state = left > 0 ? .content(content, missing: left) : .type
      if content.add(piece) { channel.setOption(.autoRead, value: false).whenFailure { _ in } }
      return true
    }
  }

  private func take(_ request: RaftRequest, from: RaftHeader) {
    let number = firstAnswer &+ UInt64(answers.count)
    answers.append(nil)
    if peer == nil, !from.id.isEmpty {
      peer = from.id
      connections.entered(from.id)
    }
    var content: ReceivedSnapshot?
    if case .installSnapshot(let install) = request { content = receive(install) }
    guard (2...3).contains(from.protocolVersion) else {
      content?.stop()
      return answer(number, RaftResponse.refusal("operation not supported with current protocol version"))
    }
    guard let receiver = connections.receiver else { return channel.close(promise: nil) }
    let loop = channel.eventLoop
    receiver.receive(request, from: from, content: content) { [self, own = connections.own, content] response in
      content?.stop()
      let bytes = response.encoded(from: own)
      loop.execute { self.answer(number, bytes) }
    }
  }

  private func receive(_ install: InstallSnapshotRequest) -> ReceivedSnapshot {
    let channel = channel
    let content = ReceivedSnapshot(size: install.size) {
      channel.setOption(.autoRead, value: true).whenFailure { _ in }
    }
    if install.size > 0 { state = .content(content, missing: install.size) }
    return content
  }

  private func answer(_ number: UInt64, _ bytes: [UInt8]) {
    let place = Int(truncatingIfNeeded: number &- firstAnswer)
    guard place >= 0, place < answers.count else { return }
    answers[answers.index(answers.startIndex, offsetBy: place)] = bytes
    var out = ByteBuffer()
    while let first = answers.first, let ready = first {
      out.writeBytes(ready)
      answers.removeFirst()
      firstAnswer &+= 1
    }
    if out.readableBytes > 0 { channel.writeAndFlush(out, promise: nil) }
  }

  func channelInactive(context: ChannelHandlerContext) {
    if case .content(let content, _) = state { content.stop() }
    if let peer { connections.left(peer) }
    peer = nil
    answers = []
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
