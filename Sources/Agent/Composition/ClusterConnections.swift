import AgentConfiguration
import Consensus
import Model
import NIOCore
import NIOPosix
import NIOSSL
import Server
import Synchronization
import Telemetry
import TransportSecurity

/// What connects an agent with the servers of its datacenter: its own server, if it has one, the port of that, and its calls
/// of the others.
struct ClusterConnections: Sendable {
  let backend: ClusterBackend
  /// Nil in an agent without a server.
  let listener: ServerListener?
  private let members: MemberTable
  private let bind: ListenPlace
  private let formation = FormationBox()

  private struct ListenPlace: Sendable {
    var host: String
    var port: Int
  }

  init(
    _ configuration: RuntimeConfiguration, nodeID: String, members: MemberTable, security: TransportSecurity,
    dataDirectory: String?, group: MultiThreadedEventLoopGroup
  ) throws(AgentError) {
    self.members = members
    let upgrade = Self.upgrade(
      security, members, datacenter: configuration.datacenter, configuration.tls.internalRPC)
    bind = ListenPlace(host: configuration.addresses.bind.description, port: configuration.ports.server)
    let client = RPCClient(
      group: group, settings: Self.clientSettings(configuration, upgrade), logger: LogOutput.logger("agent.server.rpc"))
    let hold = TimeAmount.nanoseconds(configuration.performance.rpcHoldTimeout.nanoseconds)
    guard configuration.isServer else {
      let servers = ServerList()
      backend = ClusterBackend(
        datacenter: configuration.datacenter, servers: servers, client: client, holdTimeout: hold)
      listener = nil
      members.observe { [unowned members] _ in servers.update(Self.addresses(members)) }
      return
    }
    let address = configuration.addresses.advertiseLAN.with(port: configuration.ports.server)
    var raft = RaftConnections.Settings()
    raft.localAddress = Self.localAddress(configuration)
    raft.upgrade = upgrade
    raft.addressOf = { [members] in members.server(id: $0)?.rpcAddress }
    let connections = RaftConnections(id: nodeID, address: address, group: group, settings: raft)
    let server = try ServerSetup.make(
      configuration, nodeID: nodeID, members: members, usesTLS: security.usesTLSForRPC, dataDirectory: dataDirectory,
      transport: connections, loop: group.next())
    backend = ClusterBackend(server, client: client, holdTimeout: hold)
    var settings = ServerListener.Settings()
    settings.handshakeTimeout = .nanoseconds(configuration.limits.rpcHandshakeTimeout.nanoseconds)
    settings.connectionsPerClientMax = configuration.limits.rpcMaxConnectionsPerClient
    settings.requiresTLS = security.verifiesIncoming(.internalRPC)
    settings.makeTLS = {
      guard let context = security.serverContext(.internalRPC) else { throw ChannelError.operationUnsupported }
      return NIOSSLServerHandler(context: context)
    }
    listener = ServerListener(
      ServerProtocols(methods: RPCMethods(backend, server: server), raft: connections), group: group,
      settings: settings)
  }

  private static func clientSettings(
    _ configuration: RuntimeConfiguration, _ upgrade: @escaping @Sendable (String) -> RPCClient.Upgrade?
  ) -> RPCClient.Settings {
    var settings = RPCClient.Settings()
    settings.localAddress = localAddress(configuration)
    settings.callTimeout = .nanoseconds(configuration.limits.rpcClientTimeout.nanoseconds)
    settings.upgrade = upgrade
    if !configuration.isServer {
      settings.rate = configuration.limits.rpcRate
      settings.burst = configuration.limits.rpcMaxBurst
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

  /// Speaks TLS with other servers where certificates or authorities are configured. Files that change count for the next
  /// connection.
  private static func upgrade(
    _ security: TransportSecurity, _ members: MemberTable, datacenter: String,
    _ settings: RuntimeConfiguration.TLS.Interface
  ) -> @Sendable (String) -> RPCClient.Upgrade? {
    let name = settings.verifyServerHostname ? security.serverHostname(datacenter: datacenter) : nil
    let secure: RPCClient.Upgrade = { channel in
      channel.eventLoop.makeCompletedFuture {
        let context = try NIOSSLContext(configuration: security.clientConfiguration(.internalRPC))
        try channel.pipeline.syncOperations.addHandler(
          try NIOSSLClientHandler(context: context, serverHostname: name), position: .first)
      }
    }
    return { address in
      guard security.usesTLSForRPC else { return nil }
      // A server that says it has no TLS is reached in clear, unless that is ruled out.
      let speaksTLS = members.servers.first { $0.rpcAddress == address }?.usesTLS ?? true
      return speaksTLS || settings.verifyOutgoing ? secure : nil
    }
  }

  /// The servers that a client may ask.
  private static func addresses(_ members: MemberTable) -> [String] {
    members.servers.filter { $0.status == .alive }.map(\.rpcAddress)
  }

  /// Calls `observer` whenever there may be somebody who carries requests out: a leader, or new servers.
  func observeServers(_ observer: @escaping @Sendable () -> Void) {
    guard let server = backend.server else {
      members.observe { [unowned members] _ in if !Self.addresses(members).isEmpty { observer() } }
      if !Self.addresses(members).isEmpty { observer() }
      return
    }
    server.raft.observeLeader { if $0 != nil { observer() } }
    if server.raft.leader != nil { observer() }
  }

  /// Begins a cluster with the other servers as soon as all of them are there, if that is what they are to do.
  func form(_ configuration: RuntimeConfiguration, on loop: any EventLoop) {
    guard let server = backend.server, configuration.bootstrapExpect > 1 else { return }
    let new = ClusterFormation(server, client: backend.client, expect: configuration.bootstrapExpect, on: loop)
    formation.value.withLock { $0 = new }
    new.consider()
  }

  /// Changes the server that a client asks from time to time.
  func balance(on loop: any EventLoop) {
    backend.startRebalancing(on: loop) { [members] in members.members().count }
  }

  /// For reloads of the configuration.
  func setLimits(_ limits: RuntimeConfiguration.Limits) {
    listener?.setConnectionsPerClientMax(limits.rpcMaxConnectionsPerClient)
    if backend.server == nil { backend.client.setRate(limits.rpcRate, burst: limits.rpcMaxBurst) }
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

/// Holds what forms a cluster for as long as the agent runs.
private final class FormationBox: Sendable {
  let value = Mutex<ClusterFormation?>(nil)
}
