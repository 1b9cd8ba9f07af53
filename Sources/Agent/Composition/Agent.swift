import AccessControl
import AgentConfiguration
import Checks
import DNSServer
import HTTPAPI
import LocalAgent
import Logging
import Model
import NIOCore
import NIOPosix
import Server
import Synchronization
import Telemetry
import TransportSecurity

/// # Agent
///
/// The composition root of a running agent: it reads the configuration, makes the parts, connects them, and starts and stops
/// them in order. It owns the life of the process (signals, reload, leaving) and what the API asks of the agent as a whole
/// (`Control`). It must not know how any part does its work.
///
///     configuration ──▶ Agent ──▶ ServerNode ◂── LocalAgent ◂── HTTPServer, DNSServer
public final class Agent: Sendable {
  struct State {
    var configuration: RuntimeConfiguration
    var http: HTTPServer.Listening?
    /// Tells the servers where this agent is.
    var coordinates: Task<Void, Never>?
    /// What sends metrics, once it runs.
    var metrics: MetricsDriver?
    /// Clients that wait until the agent has left; nil once there is nothing to wait for.
    var leavers: [EventLoopPromise<Void>]? = []
    /// What runs commands of others, where that is allowed.
    var remoteExecutor: RemoteExecutor?
  }

  /// What asked the agent to end.
  enum Ending: Sendable, Equatable {
    /// Leave the cluster first.
    case leave
    /// Stop at once; the others will see a failed member.
    case shutdown
  }

  /// Changes when the servers give the agent other settings.
  let loader: Mutex<ConfigurationLoader>
  /// What the servers gave the agent to start with; nil unless it asks for that.
  let automatic: AutoConfiguration?
  let state: Mutex<State>
  let nodeID: String
  let logger: Logger
  let group: MultiThreadedEventLoopGroup
  let cluster: ClusterConnections
  let server: ServerNode?
  let backend: any Backend
  /// Who is in the pools.
  let members: MemberTable
  let pools: GossipPools
  /// What servers answered before, for clients and DNS.
  let cache: AgentCache
  /// The certificates of services.
  let leaves: LeafCertificates
  let local: LocalAgent
  /// Turns tokens into rights; nil without access control.
  let access: (any AgentAccess)?
  let tokenStore: AgentTokenStore
  let credentials: AgentCredentials
  let dns: DNSServer?
  let watches = AgentWatches(logger: LogOutput.logger("agent.watches"))
  let keyrings: KeyringStore
  let security: TransportSecurity
  let sinks: [any AdjustableLogSink]
  let endings: AsyncStream<Ending>
  let end: AsyncStream<Ending>.Continuation
  private let api: Mutex<HTTPServer?>

  var configuration: RuntimeConfiguration { state.withLock { $0.configuration } }

  /// Makes all parts; nothing listens or runs checks yet.
  ///
  /// - Throws: `TLSError` for certificates that cannot be used, `AgentError` for a data directory or identity.
  init(
    _ given: RuntimeConfiguration, loader: ConfigurationLoader, automatic: AutoConfiguration?,
    sinks: [any AdjustableLogSink]
  ) throws {
    self.loader = Mutex(loader)
    self.automatic = automatic
    self.sinks = sinks
    logger = LogOutput.logger("agent")
    security = try TransportSecurity(AgentTLSSettings(given))
    (endings, end) = AsyncStream.makeStream(of: Ending.self)
    let dataDirectory = try DataDirectory.prepare(given)
    tokenStore = AgentTokenStore(given, dataDirectory: dataDirectory)
    var configuration = given
    try tokenStore.load(into: &configuration.acl.tokens)
    state = Mutex(State(configuration: configuration))
    nodeID = try NodeIdentity.load(configured: configuration.nodeID, dataDirectory: dataDirectory)
    keyrings = try KeyringStore(configuration, dataDirectory: dataDirectory)
    group = MultiThreadedEventLoopGroup(numberOfThreads: System.coreCount)
    let loop = group.next()
    members = MemberTable(datacenter: configuration.datacenter)
    let usesTLS = security.usesTLSForRPC
    members.put(ClusterMember(configuration, nodeID: nodeID, usesTLS: usesTLS))
    if configuration.isServer {
      members.put(ClusterMember(wan: configuration, nodeID: nodeID, usesTLS: usesTLS), in: .wan)
    }
    let credentials = AgentCredentials(configuration.acl.tokens)
    self.credentials = credentials
    cluster = try ClusterConnections(
      configuration, nodeID: nodeID, members: members, security: security, dataDirectory: dataDirectory,
      keyrings: keyrings, automatic: automatic, credentials: credentials, group: group)
    server = cluster.backend.server
    backend = cluster.backend
    cache = AgentCache(backend: backend, views: cluster.views)
    cache.setFetchRate(configuration.cache.entryFetchRate, burst: configuration.cache.entryFetchMaxBurst)
    leaves = LeafCertificates(backend: backend, on: loop, logger: LogOutput.logger("agent.leaf-certs"))
    if let server {
      access = server.tokens
    } else {
      let servers = cluster.backend
      access = RemoteTokenResolver.Settings(configuration).map { RemoteTokenResolver($0, backend: servers, on: loop) }
    }
    access?.setRecoveryToken(Secret(configuration.acl.tokens.agentRecovery))
    local = LocalAgent(
      LocalAgentSettings(configuration, nodeID: nodeID, dataDirectory: dataDirectory), backend: backend, on: loop,
      logger: LogOutput.logger("agent.local"),
      checks: { [group, security] aliases in
        CheckEnvironment(configuration, security: security, aliases: aliases, group: group)
      })
    pools = GossipPools(
      GossipSetup(
        configuration: configuration, nodeID: nodeID, usesTLS: usesTLS, keyrings: keyrings, dataDirectory: dataDirectory
      ),
      members: members, events: local.events, nameLost: { [end] in end.yield(.shutdown) })
    dns = try DNSServer.make(
      configuration, backend: backend, cache: cache, credentials: credentials, group: group)
    api = Mutex(nil)
  }

  var httpServer: HTTPServer? { api.withLock { $0 } }

  // MARK: Life

  /// Loads what is registered, opens all sockets and begins to synchronise.
  func start() async throws {
    let configuration = configuration
    try await load(configuration)
    try await cluster.start()
    try await pools.start(on: group)
    cluster.backend.gossip.set(pools)
    cluster.form(configuration, on: group.next())
    cluster.balance(on: group.next())
    server?.observeLeadership { [pools] in pools.announceLeader() }
    if let sender = coordinateSender(configuration) { state.withLock { $0.coordinates = sender } }
    try await dns?.start()
    var settings = HTTPSettings(configuration)
    settings.defaultToken = { [credentials] in credentials.user }
    let http = HTTPServer(
      api: API(
        backend: backend, resolver: requestRights(configuration), control: self, local: local,
        settings: settings, logger: LogOutput.logger("agent.http"), cache: cache, leaves: leaves),
      group: group)
    for port in configuration.portsWithoutCertificate(security) {
      logger.warning("connections will be refused: there is no certificate", metadata: ["port": "\(port)"])
    }
    let listening = try await http.start(configuration.httpListeners(security))
    api.withLock { $0 = http }
    state.withLock { $0.http = listening }
    local.start()
    cluster.observeServers { [local] in local.serversAvailable() }
    followRoots(configuration)
    try watches.follow(configuration)
    try startRemoteExec()
    automatic?.observe { [weak self] in self?.automaticSettingsChanged() }
    logger.info(
      "started", metadata: ["http": "\(configuration.addresses.http.map(\.description).joined(separator: ","))"])
  }

  /// Turns the tokens of requests into rights.
  private func requestRights(_ configuration: RuntimeConfiguration) -> any AuthorizerResolver {
    if let access = server?.access { return access }
    guard let access else { return OpenResolver() }
    return configuration.acl.dryRun ? DryRun.resolver(access, logger: LogOutput.logger("agent")) : access
  }

  /// Keeps the mesh's roots at hand on agents that need them anyway.
  private func followRoots(_ configuration: RuntimeConfiguration) {
    let isCertified = configuration.autoEncrypt.tls || configuration.autoConfig.enabled
    guard configuration.connect.enabled, configuration.isServer || isCertified else { return }
    cluster.observeServers { [cache, credentials, loop = group.next()] in
      var options = QueryOptions()
      options.token = credentials.agent
      cache.query(ConnectCARoots(), options, on: loop) { _ in }
    }
  }

  private func coordinateSender(_ configuration: RuntimeConfiguration) -> Task<Void, Never>? {
    guard !configuration.disableCoordinates, let pool = pools.lan else { return nil }
    let sender = CoordinateSender(
      nodeName: configuration.nodeName, pool: pool, backend: backend, datacenter: configuration.datacenter,
      token: { [credentials] in credentials.agent })
    return Task { [loop = group.next()] in await sender.run(on: loop) }
  }

  /// Stops everything in the reverse order. What was acknowledged is on disk when this returns.
  func stop() async {
    await watches.stop()
    await state.withLock { $0.remoteExecutor }?.stop()
    let (http, listening) = (api.withLock { $0 }, state.withLock { $0.http })
    if let http, let listening { await http.stop(listening) }
    await dns?.stop()
    cache.shutdown()
    leaves.shutdown()
    state.withLock { $0.coordinates }?.cancel()
    await pools.stop()
    await cluster.stop()
    let local = local
    let server = server
    await Self.offLoops {
      local.stop()
      server?.shutdown()
    }
    try? await group.shutdownGracefully()
  }

  /// Runs work that blocks away from the event loops and waits for it.
  static func offLoops(_ work: @escaping @Sendable () -> Void) async {
    await withCheckedContinuation { continuation in
      onOwnThread {
        work()
        continuation.resume()
      }
    }
  }

  static func onOwnThread(_ work: @escaping @Sendable () -> Void) {
    NIOThreadPool.singleton.submit { _ in work() }
  }
}
