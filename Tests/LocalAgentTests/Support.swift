import Checks
import Logging
import Model
import NIOCore
import NIOPosix
import Server
import State
import Synchronization

@testable import LocalAgent

/// A generator whose sequence follows from its seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

extension Record {
  /// The record that a call of the agent's registration endpoints describes.
  init(definition json: String) throws {
    self = try Self(json: Array(json.utf8), DecodingContext(.configuration, refusesUnknown: true))
  }
}

extension NodeService {
  static func make(_ id: String, name: String? = nil, port: Int = 80, tags: [String] = []) -> NodeService {
    var service = NodeService()
    service.id = id
    service.service = name ?? id
    service.port = port
    service.tags = tags
    service.weights = Weights()
    return service
  }
}

extension HealthCheck {
  static func make(_ id: String, of service: String = "", status: CheckStatus = .passing) -> HealthCheck {
    var check = HealthCheck()
    check.node = "n1"
    check.checkID = id
    check.name = id
    check.status = status.rawValue
    check.serviceID = service
    return check
  }
}

/// The rows of one node, as a server would keep them.
struct CatalogModel: Equatable {
  var view = CatalogView()

  mutating func apply(_ write: SyncWrite.Request) -> ServerError? {
    switch write {
    case .register(let request): return register(request)
    case .deregister(let request):
      deregister(request)
      return nil
    }
  }

  private mutating func register(_ request: RegisterRequest) -> ServerError? {
    if view.node == nil || !request.skipNodeUpdate {
      var node = Node()
      node.id = request.id
      node.node = request.node
      node.address = request.address
      node.taggedAddresses = request.taggedAddresses
      node.meta = request.nodeMeta
      node.locality = request.locality
      view.node = node
    }
    if var service = request.service {
      if service.connect.value.native {
        service.taggedAddresses["consul-virtual"] = ServiceAddress(address: "240.0.0.1", port: service.port)
      }
      view.services.removeAll { $0.id == service.id }
      view.services.append(service)
    }
    for var check in request.checks {
      if !check.serviceID.isEmpty {
        guard let service = view.services.first(where: { $0.id == check.serviceID }) else {
          return .rejected("Missing service registration")
        }
        check.serviceName = service.service
        check.serviceTags = service.tags
      }
      view.checks.removeAll { $0.checkID == check.checkID }
      view.checks.append(check)
    }
    return nil
  }

  private mutating func deregister(_ request: DeregisterRequest) {
    if !request.serviceID.isEmpty {
      view.services.removeAll { $0.id == request.serviceID }
      view.checks.removeAll { $0.serviceID == request.serviceID }
    } else if !request.checkID.isEmpty {
      view.checks.removeAll { $0.checkID == request.checkID }
    } else {
      view = CatalogView()
    }
  }
}

/// A catalog in memory that can fail, and lets tests wait for what they expect.
final class FakeCatalog: CatalogAccess {
  private struct State {
    var model = CatalogModel()
    var failure: ServerError?
    var writes: [SyncWrite.Request] = []
    var tokens: [String] = []
    var views = 0
    var waiting: [(condition: @Sendable (CatalogView, Int) -> Bool, resume: CheckedContinuation<Void, Never>)] = []
  }

  private let state = Mutex(State())

  var catalog: CatalogView { state.withLock { $0.model.view } }
  var writes: [SyncWrite.Request] { state.withLock { $0.writes } }
  var tokens: [String] { state.withLock { $0.tokens } }

  func fail(with error: ServerError?) { state.withLock { $0.failure = error } }
  func edit(_ body: @Sendable (inout CatalogView) -> Void) { state.withLock { body(&$0.model.view) } }

  /// Returns once the condition holds; it gets the rows and how often they were read.
  func until(_ condition: @escaping @Sendable (CatalogView, _ views: Int) -> Bool) async {
    await withCheckedContinuation { resume in
      let holds = state.withLock { state in
        if condition(state.model.view, state.views) { return true }
        state.waiting.append((condition, resume))
        return false
      }
      if holds { resume.resume() }
    }
  }

  private func wakeWaiting() {
    let woken = state.withLock { state in
      let woken = state.waiting.filter { $0.condition(state.model.view, state.views) }
      state.waiting.removeAll { $0.condition(state.model.view, state.views) }
      return woken
    }
    for waiting in woken { waiting.resume.resume() }
  }

  func view(
    node: String, token: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<CatalogView, ServerError>) -> Void
  ) {
    let result = state.withLock { state -> Result<CatalogView, ServerError> in
      state.views += 1
      return state.failure.map { .failure($0) } ?? .success(state.model.view)
    }
    completion(result)
    wakeWaiting()
  }

  func register(
    _ request: RegisterRequest, token: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Bool, ServerError>) -> Void
  ) { completion(write(.register(request), token)) }

  func deregister(
    _ request: DeregisterRequest, token: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Bool, ServerError>) -> Void
  ) { completion(write(.deregister(request), token)) }

  private func write(_ request: SyncWrite.Request, _ token: String) -> Result<Bool, ServerError> {
    defer { wakeWaiting() }
    return state.withLock { state in
      if let failure = state.failure { return .failure(failure) }
      state.writes.append(request)
      state.tokens.append(token)
      return state.model.apply(request).map { .failure($0) } ?? .success(true)
    }
  }
}

/// A local agent without servers, over a catalog in memory.
struct TestAgent {
  let agent: LocalAgent
  let catalog = FakeCatalog()
  static let loop = MultiThreadedEventLoopGroup.singleton.next()

  init(
    directory: String? = nil, backend: any Backend = NoServers(datacenter: "dc1"),
    _ adjust: (inout LocalAgentSettings) -> Void = { _ in }
  ) {
    var node = OwnNode(name: "n1", address: "127.0.0.1")
    node.id = "fe117506-e3d5-4c25-3047-c60e7594821a"
    var settings = LocalAgentSettings(node: node)
    settings.dataDirectory = directory
    adjust(&settings)
    agent = LocalAgent(
      settings, backend: backend, catalog: catalog, on: Self.loop,
      logger: Logger(label: "test") { _ in SilentLog() }
    ) { aliases in
      var environment = CheckEnvironment(
        eventLoopGroup: MultiThreadedEventLoopGroup.singleton, nodeName: "n1", aliases: aliases,
        logger: Logger(label: "test") { _ in SilentLog() })
      // Checks of tests run when they are asked to, not by chance.
      environment.stagger = { _ in .zero }
      return environment
    }
  }

  func register(_ json: String, token: String = "", replacesChecks: Bool = false) async throws {
    let registration = try agent.registration(ServiceDefinition(definition: json))
    try await wait {
      agent.register(registration, token: token, replacesChecks: replacesChecks, on: Self.loop, $0)
    }
  }

  func registerCheck(_ json: String) async throws {
    let registration = try agent.registration(CheckDefinition(definition: json))
    try await wait { agent.register(registration, token: "", on: Self.loop, $0) }
  }

  func deregister(_ id: String) async throws { try await wait { agent.deregisterService(id, on: Self.loop, $0) } }
  func deregisterCheck(_ id: String) async throws { try await wait { agent.deregisterCheck(id, on: Self.loop, $0) } }

  func wait(_ operation: (@escaping @Sendable (Result<Void, LocalAgentError>) -> Void) -> Void) async throws {
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
      operation { continuation.resume(with: $0.mapError { $0 as any Error }) }
    }
  }

  func status(_ checkID: String) -> String? { agent.check(checkID)?.status }
}

/// Keeps tests quiet.
struct SilentLog: LogHandler {
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.critical
  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }
  func log(event: LogEvent) {}
}
