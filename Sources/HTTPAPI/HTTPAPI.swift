import AccessControl
import LocalAgent
import Logging
import NIOPosix
import Server

/// # HTTPAPI
///
/// The HTTP face of an agent: it reads requests, finds their route, asks once for their authorisation, calls the servers
/// (`Backend`), the agent's own services and checks (`LocalAgent`) or the agent itself (`AgentControl`), and writes the
/// answer. It owns connections, the conventions of the API (parameters, headers, errors) and the shapes that only the API
/// has (`Views/`). It must not know how state is stored, how servers agree, or where configuration comes from.
///
///     socket ── Connection ── RequestParser ── Router ── Gate ── endpoint ── Backend / LocalAgent / AgentControl
///                   └────────── ResponseHead + JSONWriter ◂── Exchange ◂──────┘
///
/// A request is answered on the event loop that received it: no task, no actor, no intermediate objects. A blocking query
/// keeps its `Exchange` and nothing else.
public final class API: Sendable {
  public let backend: any Backend
  public let resolver: any AuthorizerResolver
  /// The agent itself: identity, members, lifecycle.
  public let control: any AgentControl
  /// The agent's own services and checks.
  public let local: LocalAgent
  public let settings: HTTPSettings
  let logger: Logger
  /// What the servers answered before, for clients that ask for it.
  public let cache: AgentCache
  /// The certificates of the agent's services.
  let leaves: LeafCertificates
  /// What would have been refused, where refusals are only noted.
  let dryRun: DryRunLedger?
  /// Finds the route of a request that somebody asks about.
  let router = Router(Endpoints.all)
  /// Whether every token may do everything: lists then need no filtering.
  let isOpen: Bool

  /// - Parameters:
  ///   - cache: shared with the agent's other faces; nil makes one.
  ///   - leaves: the same.
  public init(
    backend: any Backend, resolver: any AuthorizerResolver, control: any AgentControl, local: LocalAgent,
    settings: HTTPSettings, logger: Logger, cache: AgentCache? = nil, leaves: LeafCertificates? = nil
  ) {
    self.backend = backend
    self.cache = cache ?? AgentCache(backend: backend)
    self.leaves =
      leaves ?? LeafCertificates(backend: backend, on: MultiThreadedEventLoopGroup.singleton.any(), logger: logger)
    self.resolver = resolver
    self.control = control
    self.local = local
    self.settings = settings
    self.logger = logger
    isOpen = resolver is OpenResolver
    dryRun = (resolver as? DryRunResolver)?.ledger
  }
}
