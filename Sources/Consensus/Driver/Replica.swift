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
  /// Operations that wait to be written; those before `logHead` have been taken.
  private var logQueue: [LogBatch.Operation] = []
  private var logHead = 0
  private var outputs: [ReplicaOutput] = []
  private var applyWork: [ApplyWork] = []
  private var jobs: [@Sendable () -> Void] = []

  /// Last entry that was handed to the state machine's side.
  private(set) var handedIndex: LogIndex
  /// The noop after which gained leadership is reported.
  private var leadershipNotice: (index: LogIndex, term: Term)?
  private var reportedLeader = false
  private var completionsOfProposal: [ProposalCompletion?] = []
  private var refusal: RaftError?
  private var waitingChanges: [(ConfigurationChange, LogIndex?, ProposalCompletion)] = []
  private var nextVerification: UInt64 = 0
  private var verifications: [UInt64: @Sendable (Result<Void, RaftError>) -> Void] = [:]
  /// Confirmed, but the state machine has to reach the index first.
  private var confirmed: [(index: LogIndex, completion: @Sendable (Result<Void, RaftError>) -> Void)] = []
  private var transferCompletion: (@Sendable (Result<Void, RaftError>) -> Void)?

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
        do { try machine.restore(from: reader) } catch { throw RaftError.stateMachine("\(error)") }
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
    case .propose(let proposal): propose([proposal])
    case .change(let change, let expected, let completion):
      waitingChanges.append((change, expected, completion))
    case .verifyLeader(let completion): verifyLeader(completion)
    case .transferLeadership(let target, let completion): transferLeadership(to: target, completion)
    case .snapshot(let completion): requestSnapshot(completion)
    case .restore(let content, let size, let completion): beginRestore(content, size: size, completion)
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

  var hasLogWork: Bool { failure == nil && logHead < logQueue.count }

  /// What to write next, up to the limits of one batch. Its outcome comes back as `logWritten`.
  func takeLogBatch() -> LogBatch? {
    guard hasLogWork else { return nil }
    var batch = LogBatch()
    while logHead < logQueue.count {
      if case .append(let entries) = logQueue[logHead] {
        let room = roomInBatch(batch, for: entries)
        if room == 0 { break }
        batch.add(.append(entries.prefix(room)))
        if room < entries.count {
          logQueue[logHead] = .append(entries.dropFirst(room))
          break
        }
      } else {
        batch.add(logQueue[logHead])
      }
      logHead += 1
    }
    if logHead == logQueue.count {
      logQueue.removeAll(keepingCapacity: logQueue.count <= 256)
      logHead = 0
    }
    return batch
  }

  /// How many of `entries` the batch can take; at least one if it is empty.
  private func roomInBatch(_ batch: LogBatch, for entries: ArraySlice<LogEntry>) -> Int {
    var count = 0
    var bytes = batch.bytes
    for entry in entries {
      bytes += entry.cost
      let isFirst = batch.entryCount + count == 0
      guard
        isFirst || (batch.entryCount + count < options.limits.batchEntriesMax && bytes <= options.limits.batchBytesMax)
      else { break }
      count += 1
    }
    return count
  }

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
    logQueue = []
    logHead = 0
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

  private func refuse(_ input: ReplicaInput) {
    let error = failure ?? .shutDown
    switch input {
    case .propose(let proposal): emit(.fail([proposal.completion], error))
    case .change(_, _, let completion), .restore(_, _, let completion): emit(.fail([completion], error))
    case .verifyLeader(let completion), .transferLeadership(_, let completion):
      emit(.call { completion(.failure(error)) })
    case .snapshot(let completion): emit(.call { completion(.failure(error)) })
    default: break
    }
  }

  // MARK: Clients

  private func propose(_ proposals: ArraySlice<Proposal>) {
    let appendedAt = options.wallClock()
    var entries: [LogEntry] = []
    entries.reserveCapacity(proposals.count)
    completionsOfProposal.reserveCapacity(proposals.count)
    for proposal in proposals {
      let bytes = proposal.data.count + proposal.extensions.count
      guard bytes <= options.limits.entryBytesMax else {
        emit(.fail([proposal.completion], .entryTooLarge(bytes: bytes, limit: options.limits.entryBytesMax)))
        continue
      }
      entries.append(
        LogEntry(
          index: 0, term: 0, kind: proposal.kind, data: proposal.data, extensions: proposal.extensions,
          appendedAt: appendedAt))
      completionsOfProposal.append(proposal.completion)
    }
    guard !entries.isEmpty else { return }
    if let error = step(.propose(entries)) {
      emit(.fail(completionsOfProposal.compactMap { $0 }, error))
      completionsOfProposal = []
    }
  }

  private func verifyLeader(_ completion: @escaping @Sendable (Result<Void, RaftError>) -> Void) {
    nextVerification += 1
    verifications[nextVerification] = completion
    step(.verifyLeader(id: nextVerification))
  }

  private func transferLeadership(
    to target: ServerID?, _ completion: @escaping @Sendable (Result<Void, RaftError>) -> Void
  ) {
    let before = transferCompletion
    transferCompletion = completion
    if let error = step(.transferLeadership(to: target)) {
      transferCompletion = before
      emit(.call { completion(.failure(error)) })
    }
  }

  // MARK: Effects

  private func perform(_ effect: RaftEffect) {
    switch effect {
    case .persist(let state):
      do { try storage.term.store(state) } catch { fail(.storage(error)) }
    case .append(let entries):
      cache.append(entries, completions: completionsOfProposal)
      completionsOfProposal = []
      logQueue.append(.append(entries[...]))
    case .truncate(let index):
      cache.truncate(from: index)
      logQueue.append(.truncate(from: index, previousTerm: core.log.term(at: index - 1) ?? 0))
    case .reset(let next):
      cache.removeAll()
      handedIndex = next - 1
      logQueue.append(.reset(next: next, previousTerm: core.log.baseTerm))
    case .compact(let through): logQueue.append(.compact(through: through))
    case .send(let request): send(request)
    case .reply(let token, let response): emit(.reply(token: token, response))
    case .adoptSnapshot(let index, let term): adoptSnapshot(index: index, term: term)
    case .receiveSnapshot(let request, let token): receiveSnapshot(request, token: token)
    case .commit, .leaderChanged, .membershipChanged: break
    case .becameLeader(let term):
      options.logger.info("entering leader state", metadata: ["term": "\(term)"])
      leadershipNotice = (core.log.lastIndex, term)
    case .lostLeadership(let term): lostLeadership(term: term)
    case .verified(let ids):
      let index = max(core.commitIndex, core.leadership?.termStart ?? 0)
      for id in ids {
        if let completion = verifications.removeValue(forKey: id) { confirmed.append((index, completion)) }
      }
    case .verificationFailed(let ids):
      let error = RaftError.notLeader(leader: core.leader)
      let failed = ids.compactMap { verifications.removeValue(forKey: $0) }
      emit(.call { for completion in failed { completion(.failure(error)) } })
    case .transferFinished(let result):
      if let completion = transferCompletion { emit(.call { completion(result) }) }
      transferCompletion = nil
    case .snapshotNeeded: snapshotNeeded()
    case .restoreReserved: break
    case .refused(let error): refusal = error
    }
  }

  private func lostLeadership(term: Term) {
    options.logger.info("entering follower state", metadata: ["term": "\(term)"])
    emit(.fail(cache.takeCompletions(after: core.commitIndex), .leadershipLost))
    let error = RaftError.leadershipLost
    let waiting = confirmed.map { $0.completion }
    confirmed = []
    if !waiting.isEmpty { emit(.call { for completion in waiting { completion(.failure(error)) } }) }
    leadershipNotice = nil
    if reportedLeader {
      reportedLeader = false
      emit(.leadership(.lost(term: term)))
    }
    leadershipLostDuringRestore()
  }

  private func send(_ request: OutgoingRequest) {
    let message: RaftRequest
    switch request.body {
    case .heartbeat: message = .appendEntries(AppendEntriesRequest(term: request.term))
    case .append(let previousTerm, let first, let last, let commit):
      do throws(StorageError) {
        let entries = last < first ? [] : try load(first: first, last: last)
        message = .appendEntries(
          AppendEntriesRequest(
            term: request.term, previousIndex: first - 1, previousTerm: previousTerm, entries: entries,
            leaderCommitIndex: commit))
      } catch {
        return fail(.storage(error))
      }
    case .vote(let vote): message = .requestVote(vote)
    case .preVote(let vote): message = .requestPreVote(vote)
    case .timeoutNow: message = .timeoutNow
    case .snapshot: return sendSnapshot(request)
    }
    emit(.request(message, to: request.to, request.context))
  }

  /// Entries from memory as far as they are there, else from storage.
  private func load(first: LogIndex, last: LogIndex) throws(StorageError) -> [LogEntry] {
    var entries: [LogEntry] = []
    entries.reserveCapacity(Int(last - first) + 1)
    var next = first
    while next <= last {
      let cached = cache.entries(first: next, last: last)
      if cached.isEmpty {
        let end = min(last, cache.firstIndex.map { $0 > next ? $0 - 1 : last } ?? last)
        entries += try storage.log.entries(first: next, last: end, bytesMax: .max)
      } else {
        entries += cached
      }
      guard let reached = entries.last?.index, reached >= next else { throw .missing(path: "log entry \(next)") }
      next = reached + 1
    }
    return entries
  }

  private func logWritten(_ batch: LogBatch, _ result: Result<Void, StorageError>) {
    switch result {
    case .failure(let error): fail(.storage(error))
    case .success:
      if let last = batch.lastAppended { step(.logDurable(index: last.index, term: last.term)) }
      checkLogSize()
    }
  }

  // MARK: Towards the state machine

  /// Hands committed entries over, as many as the state machine's side may hold.
  private func handOver() {
    while handedIndex < core.commitIndex, failure == nil, mayHandOver() {
      var last = core.commitIndex
      if let notice = leadershipNotice, notice.index > handedIndex { last = min(last, notice.index) }
      var (entries, completions) = cache.take(first: handedIndex + 1, last: last)
      if entries.isEmpty {
        if let first = cache.firstIndex, first > handedIndex + 1 { last = min(last, first - 1) }
        do throws(StorageError) {
          entries = try storage.log.entries(first: handedIndex + 1, last: last, bytesMax: 1 << 20)[...]
          completions = []
        } catch {
          return fail(.storage(error))
        }
      }
      guard let reached = entries.last?.index else { return fail(.storage(.missing(path: "log entry \(last)"))) }
      progress.pendingBytes.add(entries.reduce(0) { $0 + $1.cost }, ordering: .acquiringAndReleasing)
      handedIndex = reached
      emit(.entries(entries, completions: completions))
      if let notice = leadershipNotice, notice.index == reached {
        leadershipNotice = nil
        reportedLeader = true
        emit(.leadership(.gained(term: notice.term)))
      }
    }
    releaseConfirmed()
    let keep = core.membership.latest.servers.count > 1 ? options.limits.cacheBytesMax : 0
    cache.trim(through: min(handedIndex, core.log.durableIndex), bytesMax: keep)
  }

  /// Whether the state machine's side can take more; if not, it will report when it can.
  private func mayHandOver() -> Bool {
    if progress.pendingBytes.load(ordering: .acquiring) < options.limits.applyBytesMax { return true }
    progress.isAwaited.store(true, ordering: .sequentiallyConsistent)
    // Look again: the other side may have finished before it could see the request.
    return progress.pendingBytes.load(ordering: .sequentiallyConsistent) < options.limits.applyBytesMax
  }

  private func releaseConfirmed() {
    guard !confirmed.isEmpty else { return }
    let ready = confirmed.filter { $0.index <= handedIndex }.map { $0.completion }
    guard !ready.isEmpty else { return }
    confirmed.removeAll { $0.index <= handedIndex }
    emit(.call { for completion in ready { completion(.success(())) } })
  }

  // MARK: Status

  /// This server alone decides, and everything before its term has been handed to the state machine.
  var isUncontestedLeader: Bool { failure == nil && reportedLeader && core.isOnlyVoter && core.isLeader }

  func status(isShutDown: Bool) -> RaftStatus {
    let applied = progress.index.load(ordering: .acquiring)
    let state: RaftStatus.State =
      if isShutDown || failure != nil {
        .shutdown
      } else {
        switch core.role {
        case .follower: .follower
        case .candidate: .candidate
        case .leader: .leader
        }
      }
    let contact: Duration? =
      core.isLeader ? .zero : core.lastContact.map { .nanoseconds(Int64(clamping: now.since($0))) }
    return RaftStatus(
      state: state, term: core.term, leader: core.leader, lastLogIndex: core.log.lastIndex,
      lastLogTerm: core.log.lastTerm, commitIndex: core.commitIndex, appliedIndex: applied,
      pendingApplyCount: core.commitIndex > applied ? core.commitIndex - applied : 0,
      lastSnapshotIndex: core.log.snapshotIndex, lastSnapshotTerm: core.log.snapshotTerm,
      latestConfiguration: core.membership.latest, latestConfigurationIndex: core.membership.latestIndex,
      peerCount: core.membership.latest.servers.reduce(0) {
        $0 + ($1.suffrage == .voter && $1.id != options.id ? 1 : 0)
      },
      lastContact: contact, failure: failure)
  }
}
