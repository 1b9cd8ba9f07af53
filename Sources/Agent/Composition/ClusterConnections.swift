import AgentConfiguration
import Consensus
import GRPC
import Model
import NIOCore
import NIOPosix
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
  /// The health of services as servers stream it; nil in an agent that does not ask for streams.
  let views: HealthViews?
  /// On which streams are asked for.
  private let streams: StreamConnections
  /// What operators ask of the leader.
  let operators: OperatorService
  private let members: MemberTable
  private let bind: ListenPlace
  private let formation = FormationBox()
  /// Gets a client its certificate, where servers give it one.
  private let encryption: AutoEncryption?
  /// What the servers gave the agent to start with, where they did.
  private let automatic: AutoConfiguration?
  /// Lets a server accept the certificates that were given.
  private let clientAuthorities: ClientAuthorities?

  private struct ListenPlace: Sendable {
    var host: String
    var port: Int
  }

  init(
    _ configuration: RuntimeConfiguration, nodeID: String, members: MemberTable, security: TransportSecurity,
    dataDirectory: String?, keyrings: KeyringStore, automatic: AutoConfiguration?,
    credentials: AgentCredentials, group: MultiThreadedEventLoopGroup
  ) throws(AgentError) {
    self.members = members
    self.automatic = automatic
    let outgoing = OutgoingSecurity(security, members: members)
    let upgrade: @Sendable (String) -> RPCClient.Upgrade? = { outgoing.upgrade(to: $0) }
    bind = ListenPlace(host: configuration.addresses.bind.description, port: configuration.ports.server)
    var calls = Self.clientSettings(configuration, upgrade)
    calls.refusal = { outgoing.refusal }
    streams = StreamConnections(group: group, settings: calls)
    let client = RPCClient(
      group: group, settings: calls, logger: LogOutput.logger("agent.server.rpc"))
    let hold = TimeAmount.nanoseconds(configuration.performance.rpcHoldTimeout.nanoseconds)
    guard configuration.isServer else {
      let servers = ServerList()
      backend = ClusterBackend(
        datacenter: configuration.datacenter, servers: servers, client: client, holdTimeout: hold)
      operators = OperatorService(backend, connections: streams)
      listener = nil
      clientAuthorities = nil
      let call = StrangerCall(group: group, security: outgoing, localAddress: Self.localAddress(configuration))
      let settings =
        automatic.map { Self.encryptionSettings(configuration, $0, call) }
        ?? (configuration.autoEncrypt.tls ? Self.encryptionSettings(configuration, credentials, call) : nil)
      encryption = settings.map { [backend, members] settings in
        var settings = settings
        let configured = settings.candidates()
        settings.candidates = { Array(Set(configured + Self.addresses(members))) }
        settings.token = { credentials.agent }
        return AutoEncryption(
          settings, backend: backend, security: security, on: group.next(),
          logger: LogOutput.logger("agent.auto_config"))
      }
      views =
        configuration.useStreamingBackend
        ? HealthViews(datacenter: configuration.datacenter, servers: servers, connections: streams, group: group) : nil
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
      autoConfiguration: try AutoConfigService(
        configuration, security: security, keyrings: keyrings, members: members),
      transport: connections, loop: group.next())
    backend = ClusterBackend(server, client: client, holdTimeout: hold)
    var settings = ServerListener.Settings()
    settings.handshakeTimeout = .nanoseconds(configuration.limits.rpcHandshakeTimeout.nanoseconds)
    settings.connectionsPerClientMax = configuration.limits.rpcMaxConnectionsPerClient
    settings.security = PortSecurity(security, datacenter: configuration.datacenter)
    let allows = configuration.autoEncrypt.allowTLS
    let strangers = RPCMethods(strangersOf: backend, server: server, allows ? AutoEncryptSettings(security) : nil)
    encryption = nil
    clientAuthorities =
      allows || configuration.autoConfig.authorizer.enabled
      ? ClientAuthorities(
        backend: backend, security: security, on: group.next(), logger: LogOutput.logger("agent.server")) : nil
    var grpc = GRPCServer()
    operators = OperatorService(backend, connections: streams)
    operators.register(in: &grpc)
    if configuration.enableStreaming {
      SubscribeService(server, group: group, connections: streams).register(in: &grpc)
    }
    views = nil
    listener = ServerListener(
      ServerProtocols(
        methods: RPCMethods(backend, server: server), raft: connections, strangers: strangers, grpc: grpc),
      group: group, settings: settings, logger: LogOutput.logger("agent.server.rpc"))
  }

  /// The certificate as `auto_encrypt` has it: whoever may speak to the servers gets one.
  private static func encryptionSettings(
    _ configuration: RuntimeConfiguration, _ credentials: AgentCredentials, _ call: StrangerCall
  ) -> AutoEncryption.Settings {
    var settings = AutoEncryption.Settings(.init(configuration)) { [datacenter = configuration.datacenter] in
      GivenCertificate(
        try await call.autoEncrypt(signingRequest: $0, datacenter: datacenter, token: credentials.agent, at: $1))
    }
    let configured = Self.serverAddresses(configuration)
    settings.candidates = { configured }
    return settings
  }

  /// The certificate as `auto_config` has it: the agent is introduced again when it has let the time of its certificate pass.
  private static func encryptionSettings(
    _ configuration: RuntimeConfiguration, _ automatic: AutoConfiguration, _ call: StrangerCall
  ) -> AutoEncryption.Settings {
    let introduction = Introduction(configuration, call: call)
    var settings = AutoEncryption.Settings(.init(configuration)) { request, server in
      let response = try await introduction.ask(server, signingRequest: request)
      guard let given = GivenCertificate(response) else { throw AgentError.configuration("no certificate was given") }
      automatic.replaceSettings(by: response)
      return given
    }
    settings.feature = "auto_config"
    settings.candidates = { introduction.servers }
    settings.observe = { automatic.keep($0, $1) }
    return settings
  }

  /// Where servers may be by the addresses that the agent is to join: those are of gossip, and the servers' port is
  /// expected to be this agent's.
  private static func serverAddresses(_ configuration: RuntimeConfiguration) -> [String] {
    configuration.join.lan.filter { !$0.contains("=") }.map { address in
      var host = address[...]
      if host.hasPrefix("["), let end = host.firstIndex(of: "]") {
        host = host[...end]
      } else if host.count(where: { $0 == ":" }) == 1, let colon = host.firstIndex(of: ":") {
        host = host[..<colon]
      } else if host.contains(":") {
        host = "[\(host)]"
      }
      return "\(host):\(configuration.ports.server)"
    }
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
    if let (given, key) = try automatic?.certificate() {
      encryption?.start(with: given, key)
    } else {
      encryption?.start()
    }
    clientAuthorities?.start()
  }

  /// Closes it, and all connections to other servers.
  func stop() async {
    encryption?.stop()
    clientAuthorities?.stop()
    await listener?.stop()
    streams.shutdown()
    backend.client.shutdown()
  }
}

/// Holds what forms a cluster for as long as the agent runs.
private final class FormationBox: Sendable {
  let value = Mutex<ClusterFormation?>(nil)
}
