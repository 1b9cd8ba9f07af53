import Glibc
import Logging
import NIOCore
import NIOPosix
import NIOSSL

/// The listening sockets of an agent and the connections that they accepted.
public final class HTTPServer: Sendable {
  private let gate: Gate
  private let group: any EventLoopGroup
  private let limiter: ConnectionLimiter
  private let resources: [ObjectIdentifier: LoopResources]

  /// - Parameter group: the event loops that connections run on; it outlives the server.
  public init(api: API, group: any EventLoopGroup) {
    gate = Gate(api: api)
    self.group = group
    limiter = ConnectionLimiter(limit: api.settings.connectionsPerClient)
    var resources: [ObjectIdentifier: LoopResources] = [:]
    for loop in group.makeIterator() { resources[ObjectIdentifier(loop)] = LoopResources(loop: loop) }
    self.resources = resources
  }

  /// Sockets that are open, to be closed by `stop`.
  public struct Listening: Sendable {
    public let channels: [any Channel]
    fileprivate let unixPaths: [String]

    /// Where clients reach the server: with the ports that the system chose where 0 was asked for.
    public var addresses: [SocketAddress] { channels.compactMap(\.localAddress) }
  }

  /// Opens all sockets, or none.
  ///
  /// - Throws: the first error, such as an address that is in use.
  public func start(_ listeners: [HTTPListener]) async throws -> Listening {
    var channels: [any Channel] = []
    do {
      for listener in listeners { channels.append(try await bind(listener)) }
    } catch {
      for channel in channels { try? await channel.close() }
      throw error
    }
    let paths = listeners.compactMap { listener -> String? in
      if case .unix(let path, _) = listener.address { path } else { nil }
    }
    return Listening(channels: channels, unixPaths: paths)
  }

  /// Stops accepting, lets answers that are under way go out, gives up queries that wait for changes.
  ///
  /// - Parameter grace: how long answers may take.
  public func stop(_ listening: Listening, grace: TimeAmount = .seconds(2)) async {
    await stopAccepting(listening)
    await withTaskGroup(of: Void.self) { tasks in
      for resource in resources.values {
        tasks.addTask {
          let closed = resource.loop.flatSubmit { resource.close() }
          let deadline = resource.loop.scheduleTask(in: grace) { resource.closeNow() }
          try? await closed.get()
          deadline.cancel()
        }
      }
    }
  }

  /// Closes the sockets. Connections that exist go on.
  public func stopAccepting(_ listening: Listening) async {
    for channel in listening.channels { try? await channel.close() }
    for path in listening.unixPaths { unlink(path) }
  }

  /// For reloads of the configuration.
  public func setConnectionsPerClient(_ limit: Int) { limiter.setLimit(limit) }

  private func bind(_ listener: HTTPListener) async throws -> any Channel {
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.maxMessagesPerRead, value: 4)
      // Requests are small: most fit into half a kilobyte, and every open connection keeps a buffer.
      .childChannelOption(
        .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 256, initial: 512, maximum: 64 * 1024)
      )
      .childChannelInitializer { [self] channel in
        channel.eventLoop.makeCompletedFuture { try self.accept(channel, listener) }
      }
    switch listener.address {
    case .tcp(let host, let port):
      return try await bootstrap.childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
        .bind(host: host, port: port).get()
    case .unix(let path, let mode):
      let channel = try await bootstrap.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
      if let mode { chmod(path, mode) }
      return channel
    }
  }

  private func accept(_ channel: any Channel, _ listener: HTTPListener) throws {
    if let address = channel.remoteAddress?.ipAddress {
      guard limiter.admit(address) else { return try refuse(channel, listener) }
      channel.closeFuture.whenComplete { [limiter] _ in limiter.release(address) }
    }
    guard let shared = resources[ObjectIdentifier(channel.eventLoop)] else {
      throw IOError(errnoCode: EINVAL, reason: "connection on a foreign event loop")
    }
    if let tls = listener.tls {
      guard let context = tls() else { throw IOError(errnoCode: ENOENT, reason: "no certificate") }
      try channel.pipeline.syncOperations.addHandlers([
        PlainRequestGuard(), NIOSSLServerHandler(context: context),
        HandshakeDeadline(timeout: listener.handshakeTimeout),
      ])
    }
    try channel.pipeline.syncOperations.addHandler(Connection(gate: gate, resources: shared))
  }

  private func refuse(_ channel: any Channel, _ listener: HTTPListener) throws {
    // Before a handshake there are no words for it.
    guard listener.tls == nil else { throw IOError(errnoCode: EMFILE, reason: "too many connections of one client") }
    let text = "Your IP is issuing too many concurrent connections, please rate limit your calls\n"
    let answer =
      "HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain; charset=utf-8\r\n"
      + "Content-Length: \(text.utf8.count)\r\nConnection: close\r\n\r\n" + text
    try channel.pipeline.syncOperations.addHandler(RefusedConnection(answer: answer))
  }
}

/// Says why a connection is not served, and closes it.
private final class RefusedConnection: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let answer: String

  init(answer: String) { self.answer = answer }

  func channelActive(context: ChannelHandlerContext) {
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
    context.close(mode: .output, promise: nil)
    context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(500)) { context.close(promise: nil) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {}
}
