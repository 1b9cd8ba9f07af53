import Glibc
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Wire

/// # DNSServer
///
/// The catalog as a DNS zone: nodes and services by name, addresses by name and back, and everything else through
/// upstream servers.
///
///     datagram or stream → QueryEngine → Resolver (pure) → AnswerDraft → ResponseWriter → bytes
///                               ↕                ↕
///                        UpstreamClient      DNSCatalog
///
/// Owns the sockets, the meaning of names and the shape of answers. Must not know where the catalog lies (a server's
/// memory or remote servers: ``DNSCatalog``), how tokens become rights, or how settings were written down.
public final class DNSServer: Sendable {
  /// Connections that say nothing for this long are closed.
  private static let idleTimeout = TimeAmount.seconds(10)
  /// Datagrams that one system call reads.
  private static let datagramsPerRead = 32
  /// Longest query that is read as a datagram, in bytes: far beyond any with one question.
  private static let datagramByteLimit = 4096
  /// What the kernel may hold back for a socket; it takes less where it must.
  private static let receiveBufferBytes = 1 << 20

  private let environment: EngineEnvironment
  private let group: any EventLoopGroup
  private let addresses: [SocketAddress]
  private let state = Mutex(State())

  private struct State {
    var channels: [any Channel] = []
    var isStopped = false
  }

  /// - Parameters:
  ///   - settings: what can change later (``update(_:)``).
  ///   - addresses: IP addresses to listen on, UDP and TCP.
  ///   - catalog: where answers come from.
  ///   - group: the event loops that answer.
  ///   - observer: is told of every query, for metrics.
  public init(
    settings: DNSSettings, addresses: [String], port: Int = 8600, catalog: any DNSCatalog, group: any EventLoopGroup,
    observer: (any DNSObserver)? = nil, logger: Logger
  ) throws(DNSServerError) {
    environment = EngineEnvironment(
      try ResolverConfiguration(settings), catalog: catalog, observer: observer, logger: logger)
    self.group = group
    var parsed: [SocketAddress] = []
    for text in addresses {
      guard let address = try? SocketAddress(ipAddress: text, port: port) else { throw .invalidListenAddress(text) }
      parsed.append(address)
    }
    self.addresses = parsed
  }

  /// Uses other settings from the next query on; addresses stay.
  /// - Throws: settings that make no sense; the former ones then stay in force.
  public func update(_ settings: DNSSettings) throws(DNSServerError) {
    environment.configuration = try ResolverConfiguration(settings)
  }

  /// Listens.
  /// - Throws: `DNSServerError.bind` if an address cannot be had; then nothing is left open.
  public func start() async throws {
    do {
      let engines = try await makeEngines()
      for address in addresses { try await listen(on: address, engines) }
    } catch {
      await stop()
      throw error
    }
  }

  /// Closes all sockets. Queries that wait are not answered any more.
  public func stop() async {
    let channels = state.withLock { state in
      defer { state.channels = [] }
      state.isStopped = true
      return state.channels
    }
    for channel in channels { try? await channel.close() }
  }

  // MARK: Sockets

  /// The engine of every event loop, by the loop's identity.
  private typealias Engines = [ObjectIdentifier: NIOLoopBound<QueryEngine>]

  private func makeEngines() async throws -> Engines {
    var engines: Engines = [:]
    for loop in group.makeIterator() {
      let environment = environment
      engines[ObjectIdentifier(loop)] = try await loop.submit {
        NIOLoopBound(QueryEngine(loop: loop, environment: environment), eventLoop: loop)
      }.get()
    }
    return engines
  }

  private func listen(on address: SocketAddress, _ engines: Engines) async throws {
    // TCP first: it notices another agent on this address, which datagram sockets that share a port do not.
    try await open("tcp", address) { try await streams(on: address, engines) }
    for engine in engines.values {
      try await open("udp", address) { try await datagrams(on: address, engine, isShared: engines.count > 1) }
    }
  }

  private func open(_ network: String, _ address: SocketAddress, _ bind: () async throws -> any Channel) async throws {
    let channel: any Channel
    do {
      channel = try await bind()
    } catch {
      let host = address.ipAddress ?? "", port = address.port ?? 0
      throw DNSServerError.bind(
        address: host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)", network: network, reason: "\(error)")
    }
    let isStopped = state.withLock { state in
      if !state.isStopped { state.channels.append(channel) }
      return state.isStopped
    }
    if isStopped { try? await channel.close() }
  }

  private func streams(on address: SocketAddress, _ engines: Engines) async throws -> any Channel {
    try await ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 256)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          guard let engine = engines[ObjectIdentifier(channel.eventLoop)] else {
            throw ChannelError.operationUnsupported
          }
          try channel.pipeline.syncOperations.addHandlers(
            IdleStateHandler(allTimeout: Self.idleTimeout), ByteToMessageHandler(DNSFrameDecoder()),
            StreamHandler(engine.value))
        }
      }
      .bind(to: address).get()
  }

  /// One socket for one event loop; the kernel spreads senders over sockets that share a port.
  private func datagrams(
    on address: SocketAddress, _ engine: NIOLoopBound<QueryEngine>, isShared: Bool
  ) async throws -> any Channel {
    let buffers = FixedSizeRecvByteBufferAllocator(capacity: Self.datagramsPerRead * Self.datagramByteLimit)
    var bootstrap = DatagramBootstrap(group: engine.eventLoop)
      .channelOption(.datagramVectorReadMessageCount, value: Self.datagramsPerRead)
      .channelOption(.recvAllocator, value: buffers)
      .channelOption(.socketOption(.so_rcvbuf), value: Self.receiveBufferBytes)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(DatagramHandler(engine.value, allocator: channel.allocator))
        }
      }
    if isShared {
      bootstrap = bootstrap.channelOption(.socketOption(NIOBSDSocket.Option(rawValue: SO_REUSEPORT)), value: 1)
    }
    return try await bootstrap.bind(to: address).get()
  }
}
