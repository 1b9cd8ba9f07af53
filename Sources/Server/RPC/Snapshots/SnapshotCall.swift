import Model
import NIOCore
import NIOPosix
import Wire

/// Saves or restores the state through another server: one connection per call.
///
/// The archive of a save is read from the connection as somebody asks for it.
final class SnapshotCall: ChannelInboundHandler, SnapshotArchiveStream, @unchecked Sendable {
  // Sendable: everything that changes is used on `loop` only.
  typealias InboundIn = ByteBuffer
  typealias Completion = @Sendable (Result<(RPCQueryMeta, SnapshotCall), RPCError>) -> Void
  typealias Piece = @Sendable (Result<[UInt8]?, ServerError>) -> Void

  /// Bytes that may wait for the reader before the connection is not read on.
  private static let queuedBytesMax = 1 << 20

  private let loop: any EventLoop
  private var channel: (any Channel)?
  private var completion: Completion?
  private var scanner = MessagePackScanner(bytesMax: 64 << 10)
  private var received = ByteBuffer()
  private var isEnded = false
  private var reader: (loop: any EventLoop, completion: Piece)?

  private init(on loop: any EventLoop, _ completion: @escaping Completion) {
    self.loop = loop
    self.completion = completion
  }

  /// - Parameter completion: gets the answer's beginning, and where its archive comes from; runs on `loop`.
  static func start(
    _ request: SnapshotRequest, archive: SpoolFile?, to address: String, _ settings: RPCClient.Settings,
    on loop: any EventLoop, _ completion: @escaping Completion
  ) {
    guard let (host, port) = RPCConnection.split(address) else {
      return completion(.failure(.connecting("address \(address): missing port in address")))
    }
    let call = SnapshotCall(on: loop, completion)
    var bootstrap = ClientBootstrap(group: loop).connectTimeout(settings.dialTimeout)
      .channelOption(.socketOption(.so_keepalive), value: 1)
      .channelOption(.allowRemoteHalfClosure, value: true)
    if let local = settings.localAddress, let bound = try? SocketAddress(ipAddress: local, port: 0) {
      bootstrap = bootstrap.bind(to: bound)
    }
    bootstrap.connect(host: host, port: port)
      .flatMap { RPCConnection.introduce(.snapshot, on: $0, settings.upgrade(address)) }
      .whenComplete { result in
        switch result {
        case .failure(let error):
          call.conclude(.failure(.connecting(RPCConnection.failure(error, dialling: address))))
        case .success(let channel): call.send(request, archive, on: channel)
        }
      }
  }

  private func send(_ request: SnapshotRequest, _ archive: SpoolFile?, on channel: any Channel) {
    self.channel = channel
    do {
      try channel.pipeline.syncOperations.addHandler(self)
    } catch {
      channel.close(promise: nil)
      return conclude(.failure(.connecting("\(error)")))
    }
    channel.writeAndFlush(ByteBuffer.messagePack(request), promise: nil)
    if let archive { sendNext(of: archive, on: channel) } else { finishSending(on: channel) }
  }

  /// The other side reads to the end before it answers.
  private func finishSending(on channel: any Channel) { channel.close(mode: .output, promise: nil) }

  /// Each piece is read, away from the loop, when the one before is gone.
  private func sendNext(of archive: SpoolFile, on channel: any Channel) {
    ArchiveWork.queue.async { [self] in
      var piece = [UInt8](repeating: 0, count: Self.queuedBytesMax)
      let count = try? piece.withUnsafeMutableBytes { try archive.read(into: $0) }
      guard let count else { return loop.execute { self.conclude(.failure(.broken("the archive cannot be read"))) } }
      let bytes = ByteBuffer(bytes: piece[..<count])
      loop.execute {
        guard count > 0 else { return self.finishSending(on: channel) }
        channel.writeAndFlush(bytes).whenComplete { _ in self.sendNext(of: archive, on: channel) }
      }
    }
  }

  private func conclude(_ result: Result<(RPCQueryMeta, SnapshotCall), RPCError>) {
    let completion = completion
    self.completion = nil
    if case .failure = result { channel?.close(promise: nil) }
    completion?(result)
  }

  // MARK: Channel

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    received.writeImmutableBuffer(unwrapInboundIn(data))
    if completion != nil { takeResponse() }
    if completion == nil { deliver() }
  }

  private func takeResponse() {
    do {
      let length = try received.withUnsafeReadableBytes { try scanner.scan($0) }
      guard let length, let body = received.readSlice(length: length) else { return }
      let response = try SnapshotResponse(decoding: body)
      let isSuccess = response.error.isEmpty
      conclude(isSuccess ? .success((response.meta, self)) : .failure(.remote(response.error)))
    } catch {
      conclude(.failure(.malformed("\(error)")))
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed = event { ended() }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) { ended() }
  func errorCaught(context: ChannelHandlerContext, error: any Error) { ended() }

  private func ended() {
    isEnded = true
    if completion != nil { conclude(.failure(.broken("EOF"))) }
    channel?.close(promise: nil)
    deliver()
  }

  // MARK: The archive

  func next(on loop: any EventLoop, _ completion: @escaping Piece) {
    self.loop.execute {
      self.reader = (loop, completion)
      self.deliver()
    }
  }

  private func deliver() {
    if received.readableBytes > Self.queuedBytesMax, reader == nil {
      channel?.setOption(.autoRead, value: false).whenFailure { _ in }
    }
    guard let reader, received.readableBytes > 0 || isEnded else { return }
    self.reader = nil
    let piece: [UInt8]? = received.readableBytes > 0 ? Array(received.readableBytesView) : nil
    received.clear()
    if !isEnded { channel?.setOption(.autoRead, value: true).whenFailure { _ in } }
    reader.loop.execute { reader.completion(.success(piece)) }
  }
}
