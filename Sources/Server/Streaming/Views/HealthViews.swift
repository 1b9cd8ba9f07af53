import Model
import NIOCore
import State
import Synchronization

/// The health of services as an agent without a server follows it: one stream of events per service, from one of the servers,
/// instead of a query per client that waits (`use_streaming_backend`).
///
///     readers ── HealthViews ── FollowedService ──Subscribe──▶ a server
///
/// A service is followed from the first question about it until nobody has asked for a while.
public final class HealthViews: Sendable {
  /// Which stream an answer comes from. Servers leave out what a token may not see, so that every token has its own.
  struct Key: Hashable, Sendable {
    let service: String
    let connect: Bool
    let datacenter: String
    let token: String
  }

  public struct Settings: Sendable {
    /// How long a service is followed that nobody asks for.
    public var idleTime = TimeAmount.minutes(20)
    /// How long a first answer may take.
    public var answerTimeout = TimeAmount.seconds(60)
    /// How long a server is not asked again that has no streams.
    public var refusalTime = TimeAmount.minutes(1)
    /// The pause before a stream that failed is asked for again; it doubles with every failure.
    public var firstPause = TimeAmount.milliseconds(200)
    public var longestPause = TimeAmount.seconds(60)

    public init() {}
  }

  private struct State {
    var services: [Key: FollowedService] = [:]
    /// Until when streams are not tried: the servers have none.
    var refusedUntil: NIODeadline?
    var isOver = false
  }

  let settings: Settings
  let servers: ServerList
  let connections: StreamConnections
  private let datacenter: String
  private let group: any EventLoopGroup
  private let state = Mutex(State())

  /// - Parameters:
  ///   - datacenter: the agent's own.
  ///   - servers: those that are asked.
  public init(
    datacenter: String, servers: ServerList, connections: StreamConnections, group: any EventLoopGroup,
    settings: Settings = Settings()
  ) {
    self.datacenter = datacenter
    self.servers = servers
    self.connections = connections
    self.group = group
    self.settings = settings
  }

  /// How many services are followed.
  public var count: Int { state.withLock { $0.services.count } }

  /// Whether a stream answers such a query. Distances are known to servers only.
  func answers(_ query: HealthServiceNodes) -> Bool {
    guard query.selection.near.isEmpty, !query.service.isEmpty else { return false }
    return state.withLock { state in
      guard let until = state.refusedUntil else { return !state.isOver }
      if until > .now() { return false }
      state.refusedUntil = nil
      return !state.isOver
    }
  }

  /// Answers from what the stream of the service has told.
  ///
  /// - Parameter otherwise: asks the servers in the other way; for when it turns out that they have no streams.
  func read(
    _ query: HealthServiceNodes, _ options: QueryOptions, on loop: any EventLoop,
    otherwise: @escaping @Sendable () -> (any PendingQuery)?,
    _ completion: @escaping @Sendable (Result<CachedAnswer<[ServiceInstance]>, ServerError>) -> Void
  ) -> (any PendingQuery)? {
    let key = Key(
      service: query.service.folded, connect: query.connect,
      datacenter: options.datacenter.isEmpty ? datacenter : options.datacenter, token: options.token)
    let service = followed(key)
    if let view = service.found(after: options.minIndex) {
      completion(.success(query.answer(view)))
      return nil
    }
    let reader = ViewReader(query, after: options.minIndex, on: loop, otherwise: otherwise, completion)
    reader.start(service, atMost: options.minIndex > 0 ? BlockingTime.timeout(options.maxTime) : settings.answerTimeout)
    return reader
  }

  private func followed(_ key: Key) -> FollowedService {
    state.withLock { state in
      if let known = state.services[key] { return known }
      let new = FollowedService(key, self, on: group.next())
      state.services[key] = new
      return new
    }
  }

  /// Nobody asks for it any more.
  func forget(_ service: FollowedService) {
    state.withLock { state in
      if state.services[service.key] === service { state.services[service.key] = nil }
    }
  }

  /// The servers have no streams, or have none for what was asked.
  func refused() {
    state.withLock { $0.refusedUntil = .now() + settings.refusalTime }
  }

  /// Ends all streams.
  public func shutdown() {
    let all = state.withLock { state in
      state.isOver = true
      defer { state.services = [:] }
      return state.services.values
    }
    for service in all { service.end() }
    connections.shutdown()
  }
}

extension HealthServiceNodes {
  public func read(
    _ views: HealthViews, _ options: QueryOptions, on loop: any EventLoop,
    otherwise: @escaping @Sendable () -> (any PendingQuery)?,
    _ completion: @escaping @Sendable (Result<CachedAnswer<[ServiceInstance]>, ServerError>) -> Void
  ) -> StreamedRead? {
    guard views.answers(self) else { return nil }
    return StreamedRead(pending: views.read(self, options, on: loop, otherwise: otherwise, completion))
  }

  /// What the query is answered with by a view. Whatever selects instances does so here.
  fileprivate func select(_ instances: [ServiceInstance]) -> [ServiceInstance] {
    var found = instances
    if !connect, !tags.isEmpty {
      found = found.filter { instance in
        tags.allSatisfy { tag in instance.service.value.tags.contains { $0.isSameName(as: tag) } }
      }
    }
    if !selection.nodeMeta.isEmpty {
      found = found.filter { $0.node.value.meta.contains(all: selection.nodeMeta) }
    }
    return health.apply(to: found)
  }

  func answer(_ found: FoundView) -> CachedAnswer<[ServiceInstance]> {
    var answer = Answer(value: select(found.instances), index: found.index)
    answer.isStreamed = true
    answer.isFiltered = found.isFiltered
    return CachedAnswer(answer: answer, age: found.age)
  }
}

/// What there was to show.
struct FoundView: Sendable {
  var instances: [ServiceInstance]
  var index: UInt64
  var isFiltered = false
  /// For how many seconds the servers may know better; nil for what had to be waited for.
  var age: UInt64?
}

extension FoundView {
  init(_ view: HealthView, age: UInt64? = nil) {
    self.init(instances: view.instances, index: view.index, isFiltered: view.isFiltered, age: age)
  }
}

/// Somebody who waits for the next version of a view.
final class ViewReader: PendingQuery, Sendable {
  private struct State {
    var completion: (@Sendable (Result<CachedAnswer<[ServiceInstance]>, ServerError>) -> Void)?
    var deadline: Scheduled<Void>?
    weak var service: FollowedService?
    /// What answers instead.
    var other: (any PendingQuery)?
    var isCancelled = false
  }

  let loop: any EventLoop
  let minIndex: UInt64
  private let query: HealthServiceNodes
  private let otherwise: @Sendable () -> (any PendingQuery)?
  private let state: Mutex<State>

  init(
    _ query: HealthServiceNodes, after minIndex: UInt64, on loop: any EventLoop,
    otherwise: @escaping @Sendable () -> (any PendingQuery)?,
    _ completion: @escaping @Sendable (Result<CachedAnswer<[ServiceInstance]>, ServerError>) -> Void
  ) {
    self.query = query
    self.minIndex = minIndex
    self.loop = loop
    self.otherwise = otherwise
    state = Mutex(State(completion: completion))
  }

  func start(_ service: FollowedService, atMost limit: TimeAmount) {
    state.withLock { $0.service = service }
    let deadline = loop.scheduleTask(in: limit) { [weak self, weak service] in
      guard let self, let service else { return }
      service.forget(self)
      // A first answer that never came is an error; one that is not new is what there is.
      finish(service.found(after: 0).map { .success($0) } ?? .failure(.rejected("rpc error making call: timeout")))
    }
    let isOver = state.withLock { state in
      if state.completion != nil { state.deadline = deadline }
      return state.completion == nil
    }
    if isOver { deadline.cancel() }
    service.wait(self)
  }

  /// To be called on `loop`.
  func finish(_ result: Result<FoundView, ServerError>) {
    take()?(result.map { query.answer($0) })
  }

  /// Asks in the other way. To be called on `loop`.
  func goElsewhere() {
    guard take() != nil else { return }
    let other = otherwise()
    let isCancelled = state.withLock { state in
      state.other = other
      return state.isCancelled
    }
    if isCancelled { other?.cancel() }
  }

  private func take() -> (@Sendable (Result<CachedAnswer<[ServiceInstance]>, ServerError>) -> Void)? {
    let (completion, deadline) = state.withLock { state in
      defer { (state.completion, state.deadline) = (nil, nil) }
      return (state.completion, state.deadline)
    }
    deadline?.cancel()
    return completion
  }

  func cancel() {
    _ = take()
    let (service, other) = state.withLock { state in
      state.isCancelled = true
      return (state.service, state.other)
    }
    service?.forget(self)
    other?.cancel()
  }
}
