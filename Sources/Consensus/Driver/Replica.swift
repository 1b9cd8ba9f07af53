import Logging
import Synchronization

/// One server, steppable: connects the algorithm with storage and collects what others have to do.
///
/// It has no threads and reads no clock. Whoever drives it passes inputs to `handle`, then takes away and carries out
/// `takeOutputs`, `takeApplyWork`, `takeJobs` and `takeLogBatch` — production does so on threads, the simulation in any
/// order it likes.
final class Replica: @unchecked Sendable {
  // Confined: exactly one thread uses a replica (the consensus thread; before it starts, the one that created it).

  private(set) var core: RaftCore
  let storage: RaftStorage
  let options: RaftOptions
  let progress: ApplyProgress
  /// Hands results of helpers back to whoever drives the replica. Called from any thread.
  let post: @Sendable (ReplicaInput) -> Void
  private(set) var now: MonotonicInstant
  /// Set once: nothing is acknowledged any more.
  private(set) var failure: RaftError?

  var cache = EntryCache()
  var logQueue = LogQueue()
  private var outputs: [ReplicaOutput] = []
  private var applyWork: [ApplyWork] = []
  private var jobs: [@Sendable () -> Void] = []

  /// Last entry that was handed to the state machine's side.
  var handedIndex: LogIndex
  /// The noop after which gained leadership is reported.
  var leadershipNotice: (index: LogIndex, term: Term)?
  var reportedLeader = false

  // Clients that wait
  /// Of the entries that are about to be appended.
  var completionsOfProposal: [ProposalCompletion?] = []
  /// Why the algorithm did not accept the present event.
  var refusal: RaftError?
  var waitingChanges: [(ConfigurationChange, LogIndex?, ProposalCompletion)] = []
  var nextVerification: UInt64 = 0
  var verifications: [UInt64: @Sendable (Result<Void, RaftError>) -> Void] = [:]
  /// Confirmed, but the state machine has to reach the index first.
  var confirmed: [(index: LogIndex, completion: @Sendable (Result<Void, RaftError>) -> Void)] = []
  var transferCompletion: (@Sendable (Result<Void, RaftError>) -> Void)?

  // Snapshots, see Replica+Snapshots.swift
  var latestSnapshot: SnapshotMetadata?
  var snapshotCheckAt: MonotonicInstant
  var snapshotRandom: SeededRandom
  var isSnapshotting = false
  var snapshotWaiters: [@Sendable (Result<any SnapshotReader, RaftError>) -> Void] = []
  var snapshotQueue: [@Sendable (Result<any SnapshotReader, RaftError>) -> Void] = []
  var incomingContent: [UInt64: any SnapshotContent] = [:]
  /// Stored content that becomes the newest snapshot if the algorithm adopts it, and whether it did.
  var adoptedSink: (any SnapshotSink)?
  var adopted: SnapshotPosition?
  var restore: OperatorRestore?

  /// Opens everything, restores the state machine from the newest snapshot and leaves the rest to be applied once it is
  /// known to be committed.
  init(
    options: RaftOptions, storage: RaftStorage, machine: any StateMachine, progress: ApplyProgress,
    now: MonotonicInstant, post: @escaping @Sendable (ReplicaInput) -> Void
  ) throws(RaftError) {
    self.options = options
    self.storage = storage
    self.progress = progress
    self.post = post
    self.now = now
    let recovery: Recovery
    do {
      recovery = try Recovery(storage, bootstrap: options.bootstrap)
      if let snapshot = recovery.snapshot {
        let reader = try storage.snapshots.open(snapshot)
        do { try machine.restore(from: reader, prepared: nil) } catch { throw RaftError.stateMachine("\(error)") }
        progress.index.store(snapshot.index, ordering: .releasing)
        progress.term.store(snapshot.term, ordering: .releasing)
      }
    } catch let error as StorageError {
      throw .storage(error)
    } catch let error as RaftError {
      throw error
    } catch {
      throw .stateMachine("\(error)")
    }
    for warning in recovery.warnings {
      options.logger.error("skipping a damaged snapshot", metadata: ["error": "\(warning)"])
    }
    latestSnapshot = recovery.snapshot
    handedIndex = recovery.snapshot?.index ?? 0
    snapshotRandom = SeededRandom(seed: options.seed ^ 0x5eed)
    snapshotCheckAt = now + snapshotRandom.timeout(options.snapshots.interval.clampedNanoseconds)
    core = RaftCore(
      id: options.id, address: options.address, settings: options.settings, restored: recovery.restored,
      seed: options.seed, now: now)
  }

  // MARK: Driving

  /// When `tick` is due.
  var nextDeadline: MonotonicInstant? {
    guard failure == nil else { return nil }
    return core.nextDeadline.map { min($0, snapshotCheckAt) } ?? snapshotCheckAt
  }

  func tick(now: MonotonicInstant) {
    guard failure == nil else { return }
    self.now = max(now, self.now)
    if let deadline = core.nextDeadline, deadline <= self.now { step(.tick) }
    checkSnapshotPolicy()
    settle()
  }

  func handle(_ input: ReplicaInput, now: MonotonicInstant) {
    self.now = max(now, self.now)
    guard failure == nil else { return refuse(input) }
    switch input {
    case .seed(let configuration, let completion): seed(configuration, completion)
    case .propose(let proposal): propose([proposal])
    case .change(let change, let expected, let completion):
      waitingChanges.append((change, expected, completion))
    case .verifyLeader(let completion): verifyLeader(completion)
    case .transferLeadership(let target, let completion): transferLeadership(to: target, completion)
    case .snapshot(let completion): requestSnapshot(completion)
    case .restore(let content, let size, let prepared, let completion):
      beginRestore(OperatorRestore(content: content, size: size, prepared: prepared, completion: completion))
    case .request(let request, let from, let token, let content):
      if let content { incomingContent[token] = content }
      step(.request(request, from: from, token: token))
      if content != nil { incomingContent[token] = nil }
    case .response(let result, let from, let context): step(.response(result, from: from, context))
    case .connectionLost(let peer): step(.connectionLost(peer))
    case .logWritten(let batch, let result): logWritten(batch, result)
    case .applied: break
    case .snapshotCaptured(let writer, let index, let term): snapshotCaptured(writer, index: index, term: term)
    case .snapshotWritten(let result): snapshotWritten(result)
    case .snapshotReceived(let token, let request, let result): snapshotReceived(token: token, request, result)
    case .snapshotInstalled(let token, let result): snapshotInstalled(token: token, result)
    case .restoreReceived(let result): restoreReceived(result)
    case .restoreApplied(let result): restoreApplied(result)
    }
    settle()
  }

  /// Proposals that arrived together become one append.
  func handle(proposals: ArraySlice<Proposal>, now: MonotonicInstant) {
    self.now = max(now, self.now)
    guard failure == nil else {
      for proposal in proposals { refuse(.propose(proposal)) }
      return
    }
    propose(proposals)
    settle()
  }

  func takeOutputs() -> [ReplicaOutput] { take(&outputs) }
  func takeApplyWork() -> [ApplyWork] { take(&applyWork) }
  func takeJobs() -> [@Sendable () -> Void] { take(&jobs) }

  private func take<T>(_ list: inout [T]) -> [T] {
    guard !list.isEmpty else { return [] }
    defer { list = [] }
    return list
  }

  var hasLogWork: Bool { failure == nil && !logQueue.isEmpty }

  /// What to write next, up to the limits of one batch. Its outcome comes back as `logWritten`.
  func takeLogBatch() -> LogBatch? { hasLogWork ? logQueue.takeBatch(options.limits) : nil }

  // MARK: Helpers of the other files

  func emit(_ output: ReplicaOutput) { outputs.append(output) }
  func emit(_ work: ApplyWork) { applyWork.append(work) }
  func emit(job: @escaping @Sendable () -> Void) { jobs.append(job) }

  /// Lets the algorithm take one step.
  /// - Returns: why the event was refused, if it was.
  @discardableResult
  func step(_ event: RaftEvent) -> RaftError? {
    refusal = nil
    for effect in core.step(event, now: now) {
      perform(effect)
      if failure != nil { return failure }
    }
    return refusal
  }

  /// What may have become possible by the step before.
  private func settle() {
    guard failure == nil else { return }
    while core.isLeader, !waitingChanges.isEmpty, core.proposalObstacle != nil || core.mayChangeConfiguration {
      let (change, expected, completion) = waitingChanges.removeFirst()
      let event = RaftEvent.changeConfiguration(change, expectedIndex: expected, appendedAt: options.wallClock())
      if let error = step(event) {
        emit(.fail([completion], error))
      } else {
        cache.setCompletion(completion, at: core.log.lastIndex)
      }
      if failure != nil { return }
    }
    if !core.isLeader, !waitingChanges.isEmpty {
      emit(.fail(waitingChanges.map { $0.2 }, .notLeader(leader: core.leader)))
      waitingChanges = []
    }
    handOver()
    advanceRestore()
  }

  /// Ends this server: what is on disk is not known any more.
  func fail(_ error: RaftError) {
    guard failure == nil else { return }
    if error != .shutDown { options.logger.critical("raft stopped", metadata: ["error": "\(error)"]) }
    failure = error
    outputs = []
    abandon(error)
  }

  /// Answers everybody who still waits.
  func abandon(_ error: RaftError) {
    logQueue = LogQueue()
    let completions = cache.takeCompletions(after: handedIndex) + waitingChanges.map { $0.2 }
    waitingChanges = []
    let waiting = verifications.values + confirmed.map { $0.completion } + [transferCompletion].compactMap { $0 }
    verifications = [:]
    confirmed = []
    transferCompletion = nil
    let snapshots = snapshotWaiters + snapshotQueue
    snapshotWaiters = []
    snapshotQueue = []
    emit(.fail(completions + [restore?.completion].compactMap { $0 }, error))
    restore = nil
    emit(
      .call {
        for completion in waiting { completion(.failure(error)) }
        for completion in snapshots { completion(.failure(error)) }
      })
    if reportedLeader {
      reportedLeader = false
      emit(.leadership(.lost(term: core.term)))
    }
  }
}
