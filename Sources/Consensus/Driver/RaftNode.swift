import Logging
import Synchronization

/// A running server: a replica with its threads.
///
///     callers ──inbox──► raft ──► raft-apply   state machine, completions
///                         │
///                         └────► raft-log      writes, while there is something else to do meanwhile
///
/// A server that is alone with a few clients writes the log on the consensus thread itself, and applies there too: a write
/// costs one wake-up and one sync. As soon as many writes overlap, the log has its own thread: what arrives
/// during a sync forms the next batch, which begins when the sync ends, while the one before is applied and answered.
///
/// All methods may be called from any thread and return at once. Completions are called from the room's threads: they
/// must not block.
public final class RaftNode: Sendable {
  struct Inbox {
    var proposals: [Proposal] = []
    var inputs: [ReplicaInput] = []
    /// The consensus thread sleeps and has to be woken.
    var isWaiting = false
    var isClosed = false

    var isEmpty: Bool { proposals.isEmpty && inputs.isEmpty }
  }

  struct Replies {
    var next: UInt64 = 0
    var waiting: [UInt64: @Sendable (RaftResponse) -> Void] = [:]
  }

  public let options: RaftOptions
  let storage: RaftStorage
  let transport: (any RaftTransport)?
  let inbox: Monitor<Inbox>
  let replies = Mutex(Replies())
  let status: Mutex<RaftStatus>
  let progress = ApplyProgress()
  let executor: ApplyExecutor
  let writer: LogWriter
  /// See `Replica.uncontestedFrom`; the highest number if other servers have a say.
  let uncontestedFrom = Atomic<LogIndex>(.max)
  private let observers: Mutex<[@Sendable (LeadershipChange) -> Void]>
  let failureObservers = Mutex<[@Sendable (RaftError) -> Void]>([])
  let leaderObservers = Mutex<[@Sendable (RaftServer?) -> Void]>([])
  let threads: Mutex<[RaftThread]>

  /// Opens the stores, restores the state machine and starts.
  ///
  /// - Parameters:
  ///   - transport: nil for a server that never has peers.
  ///   - observeLeadership: see `observeLeadership(_:)`; an observer given here misses nothing.
  /// - Throws: `storage` if what was stored cannot be used; nothing is changed then.
  public init(
    options: RaftOptions, storage: RaftStorage, machine: any StateMachine, transport: (any RaftTransport)? = nil,
    observeLeadership: (@Sendable (LeadershipChange) -> Void)? = nil
  ) throws(RaftError) {
    self.options = options
    self.storage = storage
    self.transport = transport
    let inbox = Monitor(Inbox())
    self.inbox = inbox
    observers = Mutex([observeLeadership].compactMap { $0 })
    threads = Mutex([])
    let post: @Sendable (ReplicaInput) -> Void = { Self.post($0, to: inbox) }
    let replica = try Replica(
      options: options, storage: storage, machine: machine, progress: progress, now: SystemClock.now(), post: post)
    status = Mutex(replica.status(isShutDown: false))
    let relay = LeadershipRelay()
    executor = ApplyExecutor(
      worker: ApplyWorker(machine: machine, progress: progress, observeLeadership: { relay.report($0) }),
      reportProgress: { post(.applied) })
    writer = LogWriter(log: storage.log, limits: options.limits) { batch, result in post(.logWritten(batch, result)) }
    relay.connect(self)
    try start(replica)
    transport?.start(Receiver(node: self))
  }

  private func start(_ replica: Replica) throws(RaftError) {
    guard let apply = RaftThread.start(name: "raft-apply", { [executor] in executor.runLoop() }) else {
      storage.close()
      throw .noThread
    }
    guard let consensus = RaftThread.start(name: "raft", { self.runLoop(replica) }) else {
      executor.stop()
      apply.join()
      storage.close()
      throw .noThread
    }
    threads.withLock { $0 += [apply, consensus] }
  }

  static func post(_ input: ReplicaInput, to inbox: Monitor<Inbox>) {
    inbox.withLockNotifying { inbox in
      inbox.inputs.append(input)
      return inbox.isWaiting
    }
  }

  // MARK: Clients

  /// Begins a new cluster with these servers. Every one of them may do so, with the same configuration.
  ///
  /// Completes with `alreadyBootstrapped` if this server knows of any cluster, itself or from others.
  public func bootstrap(
    _ configuration: RaftConfiguration, completion: @escaping @Sendable (Result<Void, RaftError>) -> Void
  ) {
    if !submit(.seed(configuration, completion: completion)) { completion(.failure(.shutDown)) }
  }

  /// Adds a command to the log. The completion gets its index and the state machine's result, or why it failed. After
  /// `leadershipLost`, `shutDown` or `storage` the command may still turn out to be part of the log.
  public func propose(
    _ command: [UInt8], extensions: [UInt8] = [], completion: @escaping @Sendable (Result<Applied, RaftError>) -> Void
  ) {
    submit(Proposal(kind: .command, data: command, extensions: extensions, completion: completion))
  }

  /// Completes once everything that was committed before has been applied.
  public func barrier(completion: @escaping @Sendable (Result<Applied, RaftError>) -> Void) {
    submit(Proposal(kind: .barrier, data: [], extensions: [], completion: completion))
  }

  private func submit(_ proposal: Proposal) {
    var isClosed = false
    inbox.withLockNotifying { inbox in
      isClosed = inbox.isClosed
      guard !isClosed else { return false }
      inbox.proposals.append(proposal)
      return inbox.isWaiting
    }
    if isClosed { proposal.completion(.failure(.shutDown)) }
  }

  /// - Returns: false if this server has been shut down.
  func submit(_ input: ReplicaInput) -> Bool {
    var isClosed = false
    inbox.withLockNotifying { inbox in
      isClosed = inbox.isClosed
      guard !isClosed else { return false }
      inbox.inputs.append(input)
      return inbox.isWaiting
    }
    return !isClosed
  }

  /// Confirms that this server is the leader at some moment between call and completion, and that everything committed
  /// before has been applied: a read afterwards is linearizable. Alone, it completes before the call returns.
  public func verifyLeader(completion: @escaping @Sendable (Result<Void, RaftError>) -> Void) {
    if progress.index.load(ordering: .acquiring) >= uncontestedFrom.load(ordering: .acquiring) {
      return completion(.success(()))
    }
    if !submit(.verifyLeader(completion: completion)) { completion(.failure(.shutDown)) }
  }

  /// Changes the membership. Changes wait for each other.
  /// - Parameter expectedIndex: refuse if the latest configuration is not the one of this index; nil or 0: any.
  public func change(
    _ change: ConfigurationChange, expectedIndex: LogIndex? = nil,
    completion: @escaping @Sendable (Result<Applied, RaftError>) -> Void
  ) {
    if !submit(.change(change, expectedIndex: expectedIndex, completion: completion)) {
      completion(.failure(.shutDown))
    }
  }

  /// Hands leadership to a voter, by default to the one that is furthest along.
  public func transferLeadership(
    to target: ServerID? = nil, completion: @escaping @Sendable (Result<Void, RaftError>) -> Void
  ) {
    if !submit(.transferLeadership(to: target, completion: completion)) { completion(.failure(.shutDown)) }
  }

  /// Takes a snapshot of everything applied so far and gives its content.
  public func snapshot(completion: @escaping @Sendable (Result<any SnapshotReader, RaftError>) -> Void) {
    if !submit(.snapshot(completion: completion)) { completion(.failure(.shutDown)) }
  }

  /// Replaces the state of the whole cluster by `content` (leader only). Completes when the new state is in force.
  /// - Parameters:
  ///   - size: number of bytes of `content`.
  ///   - prepared: handed to the state machine with the stored content.
  public func restore(
    _ content: any SnapshotContent, size: Int64, prepared: (any PreparedState)? = nil,
    completion: @escaping @Sendable (Result<Applied, RaftError>) -> Void
  ) {
    if !submit(.restore(content, size: size, prepared: prepared, completion: completion)) {
      completion(.failure(.shutDown))
    }
  }

  /// Reports gained and lost leadership from now on, in order with applied entries, never two at a time.
  public func observeLeadership(_ observer: @escaping @Sendable (LeadershipChange) -> Void) {
    observers.withLock { $0.append(observer) }
  }

  /// Reports the error that ended this server, if storage fails. Nothing is acknowledged after it.
  public func observeFailure(_ observer: @escaping @Sendable (RaftError) -> Void) {
    failureObservers.withLock { $0.append(observer) }
  }

  /// Reports who leads from now on, as far as this server knows; nil while it does not.
  public func observeLeader(_ observer: @escaping @Sendable (RaftServer?) -> Void) {
    leaderObservers.withLock { $0.append(observer) }
  }

  fileprivate func report(_ change: LeadershipChange) {
    let observers = observers.withLock { $0 }
    for observer in observers { observer(change) }
  }

  // MARK: Reading

  public var currentStatus: RaftStatus {
    var status = status.withLock { $0 }
    status.appliedIndex = progress.index.load(ordering: .acquiring)
    status.pendingApplyCount = status.commitIndex > status.appliedIndex ? status.commitIndex - status.appliedIndex : 0
    return status
  }

  public var isLeader: Bool { status.withLock { $0.state == .leader } }
  /// The leader as far as this server knows.
  public var leader: RaftServer? { status.withLock { $0.leader } }
  public var term: Term { status.withLock { $0.term } }
  public var lastIndex: LogIndex { status.withLock { $0.lastLogIndex } }
  public var commitIndex: LogIndex { status.withLock { $0.commitIndex } }
  public var appliedIndex: LogIndex { progress.index.load(ordering: .acquiring) }
  public var configuration: (servers: RaftConfiguration, index: LogIndex) {
    status.withLock { ($0.latestConfiguration, $0.latestConfigurationIndex) }
  }

  // MARK: End

  /// Stops everything: whoever still waits gets `shutDown`, the log is closed. Returns when all threads have ended; must
  /// not be called from a completion. Calling it again does nothing.
  public func shutdown() {
    let wasClosed = inbox.withLockAndNotify { inbox in
      defer { inbox.isClosed = true }
      return inbox.isClosed
    }
    guard !wasClosed else { return }
    transport?.stop()
    let joined = threads.withLock { threads in
      defer { threads = [] }
      return threads
    }
    for thread in joined where !thread.isCurrent { thread.join() }
    // The writer thread may have been started after the list was taken.
    for thread in threads.withLock({ $0 }) where !thread.isCurrent { thread.join() }
    storage.close()
    status.withLock { $0.state = .shutdown }
    uncontestedFrom.store(.max, ordering: .releasing)
  }
}

/// Connects the apply side, which exists first, with the node's observers.
private final class LeadershipRelay: Sendable {
  private let node = Mutex<WeakNode>(WeakNode())

  private struct WeakNode { weak var node: RaftNode? }

  func connect(_ node: RaftNode) { self.node.withLock { $0.node = node } }

  func report(_ change: LeadershipChange) { node.withLock { $0.node }?.report(change) }
}
