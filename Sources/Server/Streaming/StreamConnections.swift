import GRPC
import NIOCore
import NIOPosix
import Synchronization
import Wire

/// Connections to servers on which streams of events are asked for: one per server, opened when the first is wanted.
public final class StreamConnections: Sendable {
  typealias Completion = @Sendable (Result<GRPCConnection, GRPCStatus>) -> Void

  private enum Entry {
    case opening([Completion])
    case open(GRPCConnection)
  }

  private struct State {
    var entries: [String: Entry] = [:]
    var isOver = false
  }

  private let group: any EventLoopGroup
  private let settings: RPCClient.Settings
  private let grpc: GRPCSettings
  private let state = Mutex(State())

  /// - Parameter settings: of calls of servers; how connections are opened is the same.
  public init(
    group: any EventLoopGroup, settings: RPCClient.Settings = RPCClient.Settings(), grpc: GRPCSettings = GRPCSettings()
  ) {
    self.group = group
    self.settings = settings
    self.grpc = grpc
  }

  /// A connection to the server at `host:port`. `completion` runs on any thread.
  func connection(to address: String, _ completion: @escaping Completion) {
    enum Step { case wait, dial, done(Result<GRPCConnection, GRPCStatus>) }
    let step = state.withLock { state in
      if state.isOver { return Step.done(.failure(GRPCStatus(.unavailable, "the agent is shutting down"))) }
      switch state.entries[address] {
      case .open(let connection) where !connection.isOver: return .done(.success(connection))
      case .opening(let waiting):
        state.entries[address] = .opening(waiting + [completion])
        return .wait
      default:
        state.entries[address] = .opening([completion])
        return .dial
      }
    }
    switch step {
    case .wait: break
    case .done(let result): completion(result)
    case .dial: dial(address)
    }
  }

  private func dial(_ address: String) {
    guard let (host, port) = RPCConnection.split(address) else {
      return dialled(address, .failure(GRPCStatus(.unavailable, "address \(address): missing port in address")))
    }
    var bootstrap = ClientBootstrap(group: group.next()).connectTimeout(settings.dialTimeout)
      .channelOption(.socketOption(.so_keepalive), value: 1)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
    if let local = settings.localAddress, let bound = try? SocketAddress(ipAddress: local, port: 0) {
      bootstrap = bootstrap.bind(to: bound)
    }
    bootstrap.connect(host: host, port: port)
      .flatMap { [settings] channel in RPCConnection.introduce(.grpc, on: channel, settings.upgrade(address)) }
      .flatMap { [grpc] channel in
        channel.eventLoop.submit { try GRPCConnection(on: channel, authority: address, settings: grpc) }
          .flatMap { connection in channel.setOption(.autoRead, value: true).map { connection } }
      }
      .whenComplete { [self] result in
        dialled(
          address,
          result.mapError { GRPCStatus(.unavailable, RPCConnection.failure($0, dialling: address)) })
      }
  }

  private func dialled(_ address: String, _ result: Result<GRPCConnection, GRPCStatus>) {
    let (waiting, isOver) = state.withLock { state in
      var waiting: [Completion] = []
      if case .opening(let all) = state.entries[address] { waiting = all }
      state.entries[address] = nil
      if !state.isOver, case .success(let connection) = result { state.entries[address] = .open(connection) }
      return (waiting, state.isOver)
    }
    if case .success(let connection) = result {
      if isOver { connection.close() }
      connection.whenClosed { [weak self, weak connection] in
        if let connection { self?.forget(address, connection) }
      }
    }
    for completion in waiting { completion(result) }
  }

  private func forget(_ address: String, _ connection: GRPCConnection) {
    state.withLock { state in
      if case .open(let known) = state.entries[address], known === connection { state.entries[address] = nil }
    }
  }

  /// Ends all connections, and the calls on them.
  public func shutdown() {
    let entries = state.withLock { state in
      state.isOver = true
      defer { state.entries = [:] }
      return state.entries.values
    }
    for case .open(let connection) in entries { connection.close() }
  }
}
