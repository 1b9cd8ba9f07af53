import AccessControl
import Consensus
import Model
import NIOCore
import State
import Synchronization
import Telemetry

extension ServerNode: Backend {
  public var datacenter: String { settings.datacenter }
  public var datacenters: [String] { [settings.datacenter] }
  public var leaderAddress: String { raft.leader?.address ?? "" }
  public var peerAddresses: [String] { raft.configuration.servers.servers.map(\.address) }

  @discardableResult
  public func query<Query: ReadQuery>(
    _ query: Query, _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Answer<Query.Reply>, ServerError>) -> Void
  ) -> PendingQuery? {
    guard isLocal(options.datacenter) else {
      completion(.failure(.noPathToDatacenter(options.datacenter)))
      return nil
    }
    if Query.needsMesh, settings.authority == nil {
      completion(.failure(.meshDisabled))
      return nil
    }
    if !query.isOpen, isForeign(options.token) {
      let handle = DeferredQuery()
      find(options.token, on: loop) { [self] in
        handle.begin { admitted(query, options, on: loop, completion) }
      }
      return handle
    }
    return admitted(query, options, on: loop, completion)
  }

  /// Whether the primary datacenter has to be asked first what a token may do.
  private func isForeign(_ token: String) -> Bool { foreignTokens.map { !$0.knows(token) } ?? false }

  private func find(_ token: String, on loop: any EventLoop, _ done: @escaping @Sendable () -> Void) {
    guard let foreignTokens else { return done() }
    foreignTokens.find(token) { loop.execute(done) }
  }

  /// Goes on as soon as it is known what the token may do: at once, but for tokens that only the primary datacenter has.
  func whenKnown(_ token: String, on loop: any EventLoop, _ done: @escaping @Sendable () -> Void) {
    if isForeign(token) { find(token, on: loop, done) } else { done() }
  }

  private func admitted<Query: ReadQuery>(
    _ query: Query, _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Answer<Query.Reply>, ServerError>) -> Void
  ) -> PendingQuery? {
    if Query.needsLocalTokens, let secondary, !secondary.allowsLocalTokens {
      completion(.failure(Secondary.needsTokenReplication))
      return nil
    }
    guard limiter.admits(.read, Query.method) else {
      completion(.failure(.rateLimited(elsewhere: true)))
      return nil
    }
    ServerMetrics.query.increment()
    let query = query.informed(by: facts)
    switch options.consistency {
    case .stale: return read(query, options, on: loop, completion)
    case .leaseBased, .consistent:
      // A new leader knows what was acknowledged before it only when an entry of its own term is applied (the paper, 8).
      guard isLeader else {
        completion(.failure(.noLeader))
        return nil
      }
      if options.consistency == .consistent { return readVerified(query, options, on: loop, completion) }
      return read(query, options, on: loop, completion)
    }
  }

  private var facts: ServerFacts {
    ServerFacts(datacenter: settings.datacenter, allowsByDefault: settings.allowsIntentionsByDefault)
  }

  private func isLocal(_ datacenter: String) -> Bool { datacenter.isEmpty || datacenter == settings.datacenter }

  private func read<Query: ReadQuery>(
    _ query: Query, _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Answer<Query.Reply>, ServerError>) -> Void
  ) -> PendingQuery? {
    let access = query.isOpen ? nil : requestAccess(options.token)
    if options.minIndex == 0 {
      do throws(ServerError) {
        let found = try query.answer(store.current, for: try access?.reader())
        query.count(found.result.value)
        completion(.success(stamped(Answer(found))))
      } catch {
        completion(.failure(error))
      }
      return nil
    }
    let completion: @Sendable (Result<Answer<Query.Reply>, ServerError>) -> Void = { [self] result in
      completion(isLeader ? result : result.map { stamped($0) })
    }
    let blocking = BlockingQuery(
      query, store: store, minIndex: options.minIndex, access: access, on: loop, completion: completion)
    let timeout = BlockingTime.timeout(options.maxTime)
    if loop.inEventLoop { blocking.start(timeout: timeout) } else { loop.execute { blocking.start(timeout: timeout) } }
    return blocking
  }

  /// What the token of a request may do; nil without access control.
  func requestAccess(_ token: String) -> RequestAccess? {
    guard let tokens, let access else { return nil }
    return RequestAccess(token, access, listsKeysByPolicy: tokens.settings.listsKeysByPolicy)
  }

  /// The answer with what this server knows of the leader.
  private func stamped<Reply>(_ answer: Answer<Reply>) -> Answer<Reply> {
    if isLeader || !answer.knownLeader { return answer }
    let status = raft.currentStatus
    var answer = answer
    answer.knownLeader = status.leader != nil
    answer.lastContactMilliseconds = status.lastContact.map { UInt64(clamping: $0.milliseconds) } ?? 0
    return answer
  }

  /// Whether this server has ever heard from a leader: until then what it knows may be of any age.
  var hasHeardFromLeader: Bool {
    if heard.value { return true }
    guard isLeader || raft.currentStatus.leader != nil else { return false }
    heard.set(true)
    return true
  }

  /// Linearizable: a quorum confirms that this server still leads before the state is read (the paper, section 8).
  private func readVerified<Query: ReadQuery>(
    _ query: Query, _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Answer<Query.Reply>, ServerError>) -> Void
  ) -> PendingQuery? {
    let handle = DeferredQuery()
    let start = MetricClock.now
    ServerMetrics.verifyLeader.increment()
    raft.verifyLeader { result in
      ServerMetrics.consistentRead.record(since: start)
      loop.execute {
        if case .failure(let error) = result { return completion(.failure(ServerError(error))) }
        handle.begin { self.read(query, options, on: loop, completion) }
      }
    }
    return handle
  }

  public func write<Request: WriteRequest>(
    _ request: Request, datacenter: String, token: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Request.Reply, ServerError>) -> Void
  ) {
    guard isLocal(datacenter) else { return completion(.failure(.noPathToDatacenter(datacenter))) }
    guard isLeader else { return completion(.failure(.noLeader)) }
    guard limiter.admits(.write, Request.method) else {
      return completion(.failure(.rateLimited(elsewhere: false)))
    }
    whenKnown(token, on: loop) { [self] in
      let start = MetricClock.now
      do throws(ServerError) {
        carryOut(Request.self, try request.prepare(writeContext(token: token)), since: start, on: loop, completion)
      } catch {
        completion(.failure(error))
      }
    }
  }

  private func carryOut<Request: WriteRequest>(
    _ type: Request.Type, _ prepared: PreparedWrite<Request.Reply>, since start: UInt64,
    on loop: any EventLoop, _ completion: @escaping @Sendable (Result<Request.Reply, ServerError>) -> Void
  ) {
    switch prepared {
    case .immediate(let reply):
      Request.duration?.record(since: start)
      completion(.success(reply))
    case .command(let command, let reply):
      ServerMetrics.apply.increment()
      raft.propose(command.encode()) { result in
        Request.duration?.record(since: start)
        let answer = Self.answer(result, reply)
        loop.execute { completion(answer) }
      }
    case .later(let begin):
      begin { [self] result in
        loop.execute {
          switch result {
          case .success(let prepared): self.carryOut(type, prepared, since: start, on: loop, completion)
          case .failure(let error): completion(.failure(error))
          }
        }
      }
    }
  }

  private static func answer<Reply>(
    _ result: Result<Applied, RaftError>, _ reply: (CommandResult) throws(ServerError) -> Reply
  ) -> Result<Reply, ServerError> {
    switch result {
    case .failure(let error): return .failure(ServerError(error))
    case .success(let applied):
      do throws(ServerError) {
        return .success(try reply(applied.result as? CommandResult ?? .done))
      } catch {
        return .failure(error)
      }
    }
  }

  private func writeContext(token: String) -> WriteContext {
    var context = WriteContext(
      state: store.current, datacenter: settings.datacenter, sessionTTLMinimum: settings.sessionTTLMinimum,
      isLockDelayed: { [store] in store.isLockDelayed($0, now: MonotonicClock.now()) },
      renewSession: { [leader] in leader.sessions.arm($0) },
      updateCoordinate: { [leader] in leader.coordinates.add($0) })
    context.access = requestAccess(token)
    if let tokens {
      context.minimumTokenTTL = tokens.settings.minimumTokenTTL
      context.dataDirectory = tokens.settings.dataDirectory
      context.logins = logins
    }
    if let secondary {
      context.primaryDatacenter = secondary.primary.name
      context.allowsLocalTokens = secondary.allowsLocalTokens
    }
    context.current = { [store] in store.current }
    context.now = WallClock.now()
    context.authority = leader.authority
    context.hasMesh = leader.authority != nil
    context.autoConfiguration = settings.autoConfiguration
    return context
  }
}

extension Answer {
  init(_ found: LimitedResult<Reply>) {
    self.init(value: found.result.value, index: found.tellsOrigin ? max(found.result.index, 1) : 1)
    isFiltered = found.isFiltered
    knownLeader = found.tellsOrigin
  }
}

extension Duration {
  fileprivate var milliseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds.multipliedReportingOverflow(by: 1000).partialValue &+ attoseconds / 1_000_000_000_000_000
  }
}

extension ServerError {
  init(_ error: RaftError) {
    switch error {
    // What is refused before it is in the log may be tried elsewhere; `leadershipLost` says that it may be in the log.
    case .notLeader, .leadershipTransferInProgress: self = .noLeader
    case .shutDown: self = .shuttingDown
    case .storage(let problem): self = .storage(problem.description)
    default: self = .rejected(error.description)
    }
  }
}

/// A query that begins to wait only after leadership was verified.
private final class DeferredQuery: PendingQuery {
  private enum State {
    case verifying
    case waiting(any PendingQuery)
    case cancelled
  }
  private let state = Mutex(State.verifying)

  /// Runs `start` unless the reader has gone away.
  func begin(_ start: () -> (any PendingQuery)?) {
    if case .cancelled = state.withLock({ $0 }) { return }
    guard let inner = start() else { return }
    let isCancelled = state.withLock {
      if case .cancelled = $0 { return true }
      $0 = .waiting(inner)
      return false
    }
    if isCancelled { inner.cancel() }
  }

  func cancel() {
    let before = state.withLock {
      let before = $0
      $0 = .cancelled
      return before
    }
    if case .waiting(let inner) = before { inner.cancel() }
  }
}
