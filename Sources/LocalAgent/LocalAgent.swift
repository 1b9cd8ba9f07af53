import Checks
import Dispatch
import Logging
import Model
import NIOCore
import Server
import Synchronization

/// # LocalAgent
///
/// What one agent knows of its own services and checks, and how the catalog is made to agree with it.
///
///     definitions ── Registration ──▶ LocalState ──▶ what the API shows
///     (files, API,                     ▲      │
///      Persistence)      check results ┘      └─ Sync ──▶ catalog, through `Backend`
///
/// `State`, `Registration` and `SyncSchedule` are values without I/O; this class and its drivers connect them to timers,
/// check runners, files and servers. The room must not know requests, the rights of tokens, or who asks.
///
/// Reads and results of checks take one short lock and no turn through another thread. Changes of registrations are carried
/// out one after the other; with a data directory they wait for the disk on a queue of their own.
public final class LocalAgent: Sendable {
  struct Core: Sendable {
    var state: LocalState
    var runners: [String: any RunningCheck] = [:]
    var tokens: AgentTokens
    var aliases: [AliasFollower] = []
    var waiters: [String: [HashWaiter]] = [:]
    /// The one timer for outputs and removals that are due.
    var deadline: (at: UInt64, task: Scheduled<Void>)?
    var isStopped = false
  }

  /// A writer of the data directory with its queue.
  struct Disk: Sendable {
    let store: RegistrationStore
    let states: StateWriter
    let queue: DispatchQueue
  }

  let settings: LocalAgentSettings
  let logger: Logger
  let loop: any EventLoop
  let core: Mutex<Core>
  /// Held by whoever changes registrations.
  let operations = Mutex(())
  let disk: Disk?
  let backend: any Backend
  /// The user events that reached this agent.
  public let events: UserEvents
  private let parts: Mutex<Parts>

  /// What refers back to this object and is therefore made last.
  private struct Parts: Sendable {
    var checks: CheckEnvironment?
    var antiEntropy: AntiEntropy?
  }

  /// - Parameters:
  ///   - loop: runs timers and synchronisation.
  ///   - checks: makes what all checks share, given where aliases find the health they follow.
  public convenience init(
    _ settings: LocalAgentSettings, backend: any Backend, on loop: any EventLoop, logger: Logger,
    checks: (any AliasSource) -> CheckEnvironment
  ) {
    self.init(
      settings, backend: backend, catalog: BackendCatalog(backend: backend), on: loop, logger: logger, checks: checks)
  }

  init(
    _ settings: LocalAgentSettings, backend: any Backend, catalog: any CatalogAccess, on loop: any EventLoop,
    logger: Logger, checks: (any AliasSource) -> CheckEnvironment
  ) {
    self.settings = settings
    self.backend = backend
    self.loop = loop
    self.logger = logger
    core = Mutex(Core(state: LocalState(node: settings.node), tokens: settings.tokens))
    disk = settings.dataDirectory.map { directory in
      let store = RegistrationStore(directory: directory, logger: logger)
      let queue = DispatchQueue(label: "local-agent-disk")
      return Disk(store: store, states: StateWriter(store, on: queue), queue: queue)
    }
    parts = Mutex(Parts())
    events = UserEvents(logger: logger)
    let environment = checks(self)
    let antiEntropy = AntiEntropy(
      catalog, host: self, on: loop, logger: logger, clusterSize: settings.clusterSize)
    parts.withLock { $0 = Parts(checks: environment, antiEntropy: antiEntropy) }
    events.setAudience { [weak self] in self?.eventAudience ?? UserEventAudience() }
  }

  var checkEnvironment: CheckEnvironment? { parts.withLock { $0.checks } }
  private var antiEntropy: AntiEntropy? { parts.withLock { $0.antiEntropy } }

  // MARK: Life

  /// Begins to synchronise. Call it after `load`.
  public func start() { antiEntropy?.signal(.started) }

  /// Tells that the servers have a leader, or a new one.
  public func serversAvailable() { antiEntropy?.signal(.serversAvailable) }

  /// Nothing is sent between the two; calls are counted.
  public func pauseSync() { antiEntropy?.signal(.paused) }
  public func resumeSync() { antiEntropy?.signal(.resumed) }

  /// Stops checks and synchronisation and waits until what must survive is on the disk. What the agent registered stays in
  /// the catalog; a leaving node is removed by the servers. Not to be called on an event loop.
  public func stop() {
    antiEntropy?.signal(.stopped)
    let (runners, waiters) = core.withLock { core in
      core.isStopped = true
      core.deadline?.task.cancel()
      core.deadline = nil
      core.aliases = []
      defer {
        core.runners = [:]
        core.waiters = [:]
      }
      return (Array(core.runners.values), core.waiters.values.flatMap { $0 })
    }
    for runner in runners { runner.stop() }
    for waiter in waiters { waiter.cancel() }
    disk?.states.flush()
    parts.withLock { $0 = Parts() }
  }

  public var syncCounters: SyncCounters { antiEntropy?.counters ?? SyncCounters() }

  /// Exchanges the tokens that the agent uses of its own accord.
  public func setTokens(_ tokens: AgentTokens) {
    core.withLock { $0.tokens = tokens }
    // Whatever was refused before may be allowed now.
    antiEntropy?.signal(.serversAvailable)
  }

  /// Exchanges what the catalog should know of the node. It gets there with the next comparison.
  public func setNode(_ node: OwnNode) { core.withLock { $0.state.node = node } }

  // MARK: The one way to change the state

  static var now: UInt64 { NIODeadline.now().uptimeNanoseconds }

  /// Changes the state and lets everyone know who follows it: aliases, waiting clients, the catalog, the deadline timer.
  @discardableResult
  func change<R: Sendable>(_ body: (inout Core) throws(LocalAgentError) -> R) throws(LocalAgentError) -> R {
    var notices: [@Sendable () -> Void] = []
    var needsSync = false
    let result: Result<R, LocalAgentError> = core.withLock { core in
      let result: Result<R, LocalAgentError>
      do throws(LocalAgentError) {
        result = .success(try body(&core))
      } catch {
        result = .failure(error)
      }
      let changes = core.state.takeChanges()
      needsSync = changes.needsSync
      guard !changes.services.isEmpty else { return result }
      notices = core.aliasNotices(changes.services) + core.waiterNotices(changes.services)
      return result
    }
    for notice in notices { notice() }
    if needsSync { antiEntropy?.signal(.changed) }
    return try result.get()
  }

  // MARK: Deadlines

  /// Nanoseconds until a removal is tried again that the disk refused.
  private static let reapRetry: UInt64 = 60_000_000_000

  /// Makes sure that the timer fires no later than `time`.
  func wake(by time: UInt64) {
    let old = core.withLock { core -> Scheduled<Void>? in
      guard !core.isStopped else { return nil }
      if let deadline = core.deadline, deadline.at <= time { return nil }
      let old = core.deadline?.task
      let task = loop.scheduleTask(deadline: .uptimeNanoseconds(time)) { [weak self] in
        guard let self else { return }
        deadlinePassed()
      }
      core.deadline = (time, task)
      return old
    }
    old?.cancel()
  }

  private func deadlinePassed() {
    let now = Self.now
    let minimum = settings.criticalServiceMinimum
    let reaped = core.withLock { core in
      core.deadline = nil
      return core.state.servicesToReap(now: now, minimum: minimum)
    }
    changeState { $0.releaseOutputs(now: now) }
    for id in reaped { reap(id) }
    // Services that are on their way out must not keep the timer busy.
    let next = core.withLock { core in
      core.state.nextDeadline(minimum: minimum, after: now)
    }
    if let next { wake(by: next) }
  }

  private func reap(_ id: String) {
    logger.info("a check of the service has been critical for too long, it is removed", metadata: ["service": "\(id)"])
    deregisterService(id, on: loop) { [weak self] result in
      guard case .failure(let error) = result, let self else { return }
      logger.error("cannot remove a critical service", metadata: ["service": "\(id)", "error": "\(error)"])
      wake(by: Self.now &+ Self.reapRetry)
    }
  }

  // MARK: Operations

  /// Carries out a change of registrations after those before it, and completes on `loop`: before this call returns if
  /// nothing has to reach the disk and the caller is on `loop`.
  func perform(
    on loop: any EventLoop, _ completion: @escaping @Sendable (Result<Void, LocalAgentError>) -> Void,
    _ work: @escaping @Sendable () throws(LocalAgentError) -> Void
  ) {
    let run: @Sendable () -> Result<Void, LocalAgentError> = { [self] in
      operations.withLock { _ in
        do throws(LocalAgentError) {
          return .success(try work())
        } catch {
          return .failure(error)
        }
      }
    }
    if let disk {
      disk.queue.async {
        let result = run()
        loop.execute { completion(result) }
      }
    } else {
      let result = run()
      if loop.inEventLoop { completion(result) } else { loop.execute { completion(result) } }
    }
  }
}

extension LocalAgent: SyncHost {
  var node: OwnNode { core.withLock { $0.state.node } }
  var tokens: AgentTokens { core.withLock { $0.tokens } }
  var pendingActions: [SyncAction] { core.withLock { $0.state.pendingActions() } }
  var hasNativeNews: Bool { core.withLock { $0.state.hasNativeNews } }

  func changeState(_ body: (inout LocalState) -> Void) {
    try? change { (core) throws(LocalAgentError) in body(&core.state) }
  }

  func write(for action: SyncAction) -> SyncWrite? {
    core.withLock { $0.state.write(for: action, tokens: $0.tokens) }
  }
}
