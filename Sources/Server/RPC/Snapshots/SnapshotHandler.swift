import Model
import NIOCore
import Wire

/// A connection that saves or restores the whole state (first byte 5): the request, for a restore the archive, and the end of
/// what the caller sends; then the answer, for a save the archive, and the end.
final class SnapshotHandler: ChannelInboundHandler, @unchecked Sendable {
  // Sendable: used on the event loop of the channel only.
  typealias InboundIn = ByteBuffer

  /// Bytes of a request without its archive.
  private static let requestBytesMax = 64 << 10
  /// Bytes of an archive.
  private static let archiveBytesMax = 2 << 30

  private enum State {
    case request(MessagePackScanner)
    case archive(SnapshotRequest)
    case answering
  }

  private let backend: ClusterBackend
  private let channel: any Channel
  private var state = State.request(MessagePackScanner(bytesMax: requestBytesMax))
  private var received = ByteBuffer()

  init(_ backend: ClusterBackend, on channel: any Channel) {
    self.backend = backend
    self.channel = channel
  }

  /// The caller ends its side before it hears an answer.
  func handlerAdded(context: ChannelHandlerContext) {
    try? channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    received.writeImmutableBuffer(unwrapInboundIn(data))
    switch state {
    case .request(let scanner):
      do {
        try takeRequest(scanner)
      } catch {
        channel.close(promise: nil)
      }
    case .archive:
      if received.readableBytes > Self.archiveBytesMax { channel.close(promise: nil) }
    case .answering: received.clear()
    }
  }

  private func takeRequest(_ scanner: MessagePackScanner) throws {
    var scanner = scanner
    let length = try received.withUnsafeReadableBytes { try scanner.scan($0) }
    guard let length, let body = received.readSlice(length: length) else { return state = .request(scanner) }
    let request = try SnapshotRequest(decoding: body)
    do throws(ServerError) {
      // The state has all tokens in it.
      try backend.server?.require(.aclWrite, token: request.token)
    } catch {
      return fail(error.description)
    }
    switch request.op {
    case SnapshotRequest.save: save(request)
    case SnapshotRequest.restore: state = .archive(request)
    default: fail("unrecognized snapshot op \(request.op)")
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed = event {
      switch state {
      case .request: channel.close(promise: nil)
      case .archive(let request): restore(request)
      case .answering: break
      }
    }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  // MARK: Answers

  private func save(_ request: SnapshotRequest) {
    state = .answering
    var options = QueryOptions()
    options.datacenter = request.datacenter
    options.token = request.token
    options.consistency = request.allowStale ? .stale : .leaseBased
    let loop = channel.eventLoop
    backend.saveSnapshot(options, on: loop) { [self] result in
      switch result {
      case .failure(let error): fail(error.description)
      case .success(let answer):
        var response = SnapshotResponse()
        response.meta = RPCQueryMeta(answer)
        channel.writeAndFlush(ByteBuffer.messagePack(response)).whenComplete { _ in self.send(answer.value) }
      }
    }
  }

  /// The next piece follows when the one before is gone.
  private func send(_ archive: any SnapshotArchiveStream) {
    guard channel.isActive else { return }
    archive.next(on: channel.eventLoop) { [self] result in
      // What is cut off shows in the archive itself.
      guard case .success(let piece?) = result else { return channel.close(promise: nil) }
      channel.writeAndFlush(ByteBuffer(bytes: piece)).whenComplete { _ in self.send(archive) }
    }
  }

  private func restore(_ request: SnapshotRequest) {
    state = .answering
    let archive = SpoolFile(Array(received.readableBytesView))
    received = ByteBuffer()
    backend.restoreSnapshot(
      archive, datacenter: request.datacenter, token: request.token, on: channel.eventLoop
    ) { [self] result in
      switch result {
      case .failure(let error): fail(error.description)
      case .success: finish(SnapshotResponse())
      }
    }
  }

  private func fail(_ text: String) {
    state = .answering
    var response = SnapshotResponse()
    response.error = text
    finish(response)
  }

  private func finish(_ response: SnapshotResponse) {
    let channel = channel
    channel.writeAndFlush(ByteBuffer.messagePack(response)).whenComplete { _ in channel.close(promise: nil) }
  }
}
