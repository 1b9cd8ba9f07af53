import AgentConfiguration
import Consensus
import Model
import NIOCore
import NIOPosix
import Server
import Telemetry

/// What connects an agent with the servers of its datacenter: its own server, if it has one, the port of that, and its calls
/// of the others.
struct ClusterConnections: Sendable {
  let backend: ClusterBackend
  /// Nil in an agent without a server.
  let listener: ServerListener?
  private let bind: ListenPlace

  private struct ListenPlace: Sendable {
    var host: String
    var port: Int
  }

  init(
    _ configuration: RuntimeConfiguration, nodeID: String, members: MemberTable, usesTLS: Bool, dataDirectory: String?,
    group: MultiThreadedEventLoopGroup
  ) throws(AgentError) {
    bind = ListenPlace(host: configuration.addresses.bind.description, port: configuration.ports.server)
    let client = RPCClient(
      group: group, settings: Self.clientSettings(configuration), logger: LogOutput.logger("agent.server.rpc"))
    let hold = TimeAmount.nanoseconds(configuration.performance.rpcHoldTimeout.nanoseconds)
    guard configuration.isServer else {
      backend = ClusterBackend(
        datacenter: configuration.datacenter, servers: ServerList(), client: client, holdTimeout: hold)
      listener = nil
      return
    }
    let address = configuration.addresses.advertiseLAN.with(port: configuration.ports.server)
    var raft = RaftConnections.Settings()
    raft.localAddress = Self.localAddress(configuration)
    raft.upgrade = Self.upgrade(configuration)
    let connections = RaftConnections(id: nodeID, address: address, group: group, settings: raft)
    let server = try ServerSetup.make(
      configuration, nodeID: nodeID, members: members, usesTLS: usesTLS, dataDirectory: dataDirectory,
      transport: connections, loop: group.next())
    backend = ClusterBackend(server, client: client, holdTimeout: hold)
    var settings = ServerListener.Settings()
    settings.handshakeTimeout = .nanoseconds(configuration.limits.rpcHandshakeTimeout.nanoseconds)
    settings.connectionsPerClientMax = configuration.limits.rpcMaxConnectionsPerClient
    settings.requiresTLS = configuration.tls.internalRPC.verifyIncoming
    listener = ServerListener(
      ServerProtocols(methods: RPCMethods(backend, server: server), raft: connections), group: group,
      settings: settings)
  }

  private static func clientSettings(_ configuration: RuntimeConfiguration) -> RPCClient.Settings {
    var settings = RPCClient.Settings()
    settings.localAddress = localAddress(configuration)
    settings.callTimeout = .nanoseconds(configuration.limits.rpcClientTimeout.nanoseconds)
    settings.rate = configuration.limits.rpcRate
    settings.burst = configuration.limits.rpcMaxBurst
    settings.upgrade = upgrade(configuration)
    if !configuration.isServer {
      // A client has fewer calls at a time, and closes after its servers would.
      settings.idleStreamsMax = 32
      settings.idleTimeout = .seconds(127)
    }
    return settings
  }

  /// The address that connections come from; nil where any is as good.
  private static func localAddress(_ configuration: RuntimeConfiguration) -> String? {
    let bind = configuration.addresses.bind.description
    return ["0.0.0.0", "::"].contains(bind) ? nil : bind
  }

  /// Where outgoing TLS is required, nothing is sent in clear.
  private static func upgrade(
    _ configuration: RuntimeConfiguration
  ) -> (@Sendable (any Channel) -> EventLoopFuture<Void>)? {
    guard configuration.tls.internalRPC.verifyOutgoing else { return nil }
    return { $0.eventLoop.makeFailedFuture(AgentError.configuration("TLS is required, but no certificate is in use")) }
  }

  /// Opens the port of the server.
  ///
  /// - Throws: `AgentError.listen` if it cannot be had.
  func start() async throws {
    do {
      try await listener?.start(host: bind.host, port: bind.port)
    } catch {
      throw AgentError.listen(what: "RPC server", address: "\(bind.host):\(bind.port)", reason: "\(error)")
    }
  }

  /// Closes it, and all connections to other servers.
  func stop() async {
    await listener?.stop()
    backend.client.shutdown()
  }
}
