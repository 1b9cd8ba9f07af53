import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A connection without any protocol: what a test writes, and what comes back.
final class RawConnection: ChannelInboundHandler, @unchecked Sendable {
  // Sendable: what changes is used on the loop of the channel only.
  typealias InboundIn = ByteBuffer

  private var received: [UInt8] = []
  private var isClosed = false
  private var waiting: (count: Int, promise: EventLoopPromise<[UInt8]>)?
  private let channel = Mutex<(any Channel)?>(nil)

  static func open(_ host: String, _ port: Int = TestServer.port) async throws -> RawConnection {
    let connection = RawConnection()
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(connection) }
      }
      .connect(host: host, port: port).get()
    connection.channel.withLock { $0 = channel }
    return connection
  }

  /// The same behind TLS: `opening` goes in clear before the handshake, and what is written comes inside.
  static func open(
    _ host: String, _ port: Int = TestServer.port, opening: [UInt8], _ tls: NIOSSLContext
  ) async throws -> RawConnection {
    let connection = try await open(host, port)
    let channel = try connection.open
    if !opening.isEmpty { try await channel.writeAndFlush(ByteBuffer(bytes: opening)) }
    try await channel.eventLoop.submit {
      let handler = try NIOSSLClientHandler(context: tls, serverHostname: nil)
      try channel.pipeline.syncOperations.addHandler(handler, position: .first)
    }.get()
    return connection
  }

  private var open: any Channel {
    get throws {
      guard let channel = channel.withLock({ $0 }) else { throw ChannelError.ioOnClosedChannel }
      return channel
    }
  }

  func write(_ bytes: [UInt8]) async throws { try await open.writeAndFlush(ByteBuffer(bytes: bytes)) }

  /// What came so far, once it is as long or the other side has closed.
  func read(_ count: Int) async throws -> [UInt8] {
    let channel = try open
    return try await channel.eventLoop.flatSubmit { [self] in
      let promise = channel.eventLoop.makePromise(of: [UInt8].self)
      waiting = (count, promise)
      answer()
      return promise.futureResult
    }.get()
  }

  /// Everything until the other side closes.
  func readToEnd() async throws -> [UInt8] { try await read(.max) }

  func close() async { try? await open.close() }

  private func answer() {
    guard let waiting, received.count >= waiting.count || isClosed else { return }
    self.waiting = nil
    waiting.promise.succeed(received)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    received += unwrapInboundIn(data).readableBytesView
    answer()
  }

  func channelInactive(context: ChannelHandlerContext) {
    isClosed = true
    answer()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
