import Consensus
import GRPC
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Wire

/// What a server speaks on its port.
public struct ServerProtocols: Sendable {
  /// net/rpc, alone and multiplexed.
  public var methods: RPCMethods
  /// The transport of consensus; nil for a server that never has peers.
  public var raft: RaftConnections?
  /// What agents may call that have no certificate yet; nil where none get any.
  public var strangers: RPCMethods?
  /// What is called by gRPC; nil for a server without such services.
  public var grpc: GRPCServer?

  public init(
    methods: RPCMethods, raft: RaftConnections? = nil, strangers: RPCMethods? = nil, grpc: GRPCServer? = nil
  ) {
    self.methods = methods
    self.raft = raft
    self.strangers = strangers
    self.grpc = grpc
  }

  /// What a TLS handshake may name (ALPN).
  public static let applicationProtocols = [ServerProtocol.rpc, .raft, .multiplex, .snapshot, .grpc]
    .compactMap(\.applicationProtocolName)

  /// The handlers of a connection; nil where the protocol is not spoken.
  func handlers(of named: ServerProtocol, _ channel: any Channel) throws -> [any ChannelHandler]? {
    switch named {
    case .rpc: return [RPCSessionHandler(methods)]
    case .multiplex: return [YamuxHandler(.acceptor, delegate: RPCStreams(methods, on: channel))]
    case .raft:
      ServerMetrics.raftConnection.increment()
      return raft.map { [$0.acceptor(on: channel)] }
    case .snapshot: return [SnapshotHandler(methods.backend, on: channel)]
    case .grpc: return grpc?.handlers(on: channel.eventLoop)
    case .oldMultiplex, .tls, .gossip, .insecureTLS, .raftForwarding: return nil
    }
  }
}

/// The server's port (8300): accepts connections and hands each to its protocol.
public final class ServerListener: Sendable {
  public struct Settings: Sendable {
    /// How long the first byte, and a TLS handshake, may take.
    public var handshakeTimeout = TimeAmount.seconds(5)
    /// Connections per client address; 0 is no limit.
    public var connectionsPerClientMax = 100
    /// Nil where only connections in clear are taken.
    public var security: PortSecurity?

    public init() {}
  }

  private let group: any EventLoopGroup
  private let settings: Settings
  private let protocols: ServerProtocols
  private let limit: ConnectionLimit
  private let refusals: RefusalLog
  private let open = Mutex<OpenChannels>(OpenChannels())

  private struct OpenChannels {
    var isStopping = false
    var channels: [ObjectIdentifier: any Channel] = [:]
  }

  public init(
    _ protocols: ServerProtocols, group: any EventLoopGroup, settings: Settings = Settings(),
    logger: Logger = Logger(label: "rpc")
  ) {
    self.protocols = protocols
    self.group = group
    self.settings = settings
    limit = ConnectionLimit(settings.connectionsPerClientMax)
    refusals = RefusalLog(logger)
  }

  /// For reloads of the configuration.
  public func setConnectionsPerClientMax(_ count: Int) { limit.set(count) }

  /// Opens the port.
  /// - Returns: the address with the port that it came to.
  @discardableResult
  public func start(host: String, port: Int) async throws -> SocketAddress? {
    let listening = try await ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.socketOption(.so_keepalive), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { [self] channel in
        channel.eventLoop.makeCompletedFuture { try accept(channel) }
      }
      .bind(host: host, port: port).get()
    track(listening)
    return listening.localAddress
  }

  private func accept(_ channel: any Channel) throws {
    let client = channel.remoteAddress?.ipAddress ?? ""
    guard limit.enter(client) else { throw ChannelError.operationUnsupported }
    channel.closeFuture.whenComplete { [limit] _ in limit.leave(client) }
    ServerMetrics.acceptedConnection.increment()
    track(channel)
    try channel.pipeline.syncOperations.addHandler(FirstByteHandler(protocols, settings, refusals))
  }

  private func track(_ channel: any Channel) {
    let id = ObjectIdentifier(channel)
    let isStopping = open.withLock { open in
      if !open.isStopping { open.channels[id] = channel }
      return open.isStopping
    }
    if isStopping { return channel.close(promise: nil) }
    channel.closeFuture.whenComplete { [weak self] _ in self?.open.withLock { $0.channels[id] = nil } }
  }

  /// Closes the port and all connections.
  public func stop() async {
    let channels = open.withLock { open in
      open.isStopping = true
      return Array(open.channels.values)
    }
    for channel in channels { try? await channel.close() }
  }
}
