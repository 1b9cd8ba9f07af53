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
  /// Bytes of an archive: more than any disk of a server has to spare.
  private static let archiveBytesMax = 64 << 30

  private enum State {
    case request(MessagePackScanner)
    /// It is being found out what the token of the request may do.
    case asking
    case archive(SnapshotRequest, SpoolFile)
    case answering
  }

  private let backend: ClusterBackend
  private let channel: any Channel
  private var state = State.request(MessagePackScanner(bytesMax: requestBytesMax))
  private var received = ByteBuffer()
  private var archiveBytes = 0
  /// Whether a part of the archive is on its way to the disk.
  private var isSpooling = false
  /// Whether the caller has sent everything.
  private var isComplete = false
  private var isAnswered = false

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
    case .asking: break
    case .archive(_, let file): spool(to: file)
    case .answering: received.clear()
    }
  }

  private func takeRequest(_ scanner: MessagePackScanner) throws {
    var scanner = scanner
    let length = try received.withUnsafeReadableBytes { try scanner.scan($0) }
    guard let length, let body = received.readSlice(length: length) else { return state = .request(scanner) }
    let request = try SnapshotRequest(decoding: body)
    guard let server = backend.server else { return admit(request) }
    state = .asking
    channel.setOption(.autoRead, value: false).whenFailure { _ in }
    server.whenKnown(request.token, on: channel.eventLoop) { [self] in
      channel.setOption(.autoRead, value: true).whenFailure { _ in }
      admit(request)
    }
  }

  private func admit(_ request: SnapshotRequest) {
    do throws(ServerError) {
      // The state has all tokens in it.
      try backend.server?.require(.aclWrite, token: request.token)
    } catch {
      return fail(error.description)
    }
    switch request.op {
    case SnapshotRequest.save: save(request)
    case SnapshotRequest.restore: expectArchive(request)
    default: fail("unrecognized snapshot op \(request.op)")
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed = event {
      switch state {
      case .request: channel.close(promise: nil)
      case .archive(let request, let file):
        isComplete = true
        if !isSpooling { restore(request, file) }
      case .asking: isComplete = true
      case .answering:
        isComplete = true
        if isAnswered { channel.close(promise: nil) }
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

  // MARK: The archive of a restore

  private func expectArchive(_ request: SnapshotRequest) {
    do throws(SpoolFile.Failure) {
      let file = try SpoolFile(in: backend.server?.settings.temporaryDirectory ?? "/tmp")
      state = .archive(request, file)
      spool(to: file)
      if isComplete, !isSpooling { restore(request, file) }
    } catch {
      fail(error.description)
    }
  }

  /// Writes what has arrived, away from the loop. The connection is read on when it is on the disk.
  private func spool(to file: SpoolFile) {
    guard !isSpooling, received.readableBytes > 0 else { return }
    archiveBytes += received.readableBytes
    if archiveBytes > Self.archiveBytesMax { return fail("the archive is larger than \(Self.archiveBytesMax) bytes") }
    let piece = received
    received = ByteBuffer()
    isSpooling = true
    channel.setOption(.autoRead, value: false).whenFailure { _ in }
    ArchiveWork.queue.async { [self] in
      let result = Result { () throws(SpoolFile.Failure) in
        let written = piece.withUnsafeReadableBytes { bytes in
          Result { () throws(SpoolFile.Failure) in try file.write(bytes) }
        }
        try written.get()
      }
      channel.eventLoop.execute { self.spooled(result) }
    }
  }

  private func spooled(_ result: Result<Void, SpoolFile.Failure>) {
    isSpooling = false
    guard case .archive(let request, let file) = state else { return }
    if case .failure(let error) = result { return fail(error.description) }
    if received.readableBytes > 0 { return spool(to: file) }
    if isComplete { return restore(request, file) }
    channel.setOption(.autoRead, value: true).whenFailure { _ in }
  }

  private func restore(_ request: SnapshotRequest, _ archive: SpoolFile) {
    state = .answering
    do throws(SpoolFile.Failure) { try archive.rewind() } catch { return fail(error.description) }
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
    isAnswered = true
    channel.writeAndFlush(ByteBuffer.messagePack(response)).whenComplete { [self] _ in
      channel.closeLingering(isInputOver: isComplete)
    }
  }
}
