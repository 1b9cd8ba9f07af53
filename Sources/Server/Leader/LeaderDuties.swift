import Consensus
import Logging
import Model
import NIOCore
import State
import Synchronization

/// What a server does while it leads: puts itself into the catalog, ends sessions that are not renewed, forgets tombstones.
final class LeaderDuties: Sendable {
  private struct State {
    var isLeading = false
    var tombstones = TombstoneExpiry()
    var tombstoneTask: Scheduled<Void>?
  }

  let sessions: SessionTimers
  let coordinates: CoordinateUpdates
  private let accessControl: AccessControlDuties
  private let settings: ServerNode.Settings
  private let store: StateStore
  private let loop: any EventLoop
  private let proposer = Proposer()
  private let state = Mutex(State())

  init(settings: ServerNode.Settings, store: StateStore, loop: any EventLoop) {
    self.settings = settings
    self.store = store
    self.loop = loop
    sessions = SessionTimers(loop: loop) { [proposer] id in
      proposer.propose(SessionDestroy.command(id: id, datacenter: settings.datacenter))
    }
    coordinates = CoordinateUpdates(settings.coordinates, loop: loop) { [proposer] in proposer.propose($0) }
    accessControl = AccessControlDuties(settings.accessControl, store: store, loop: loop) { [proposer] in
      proposer.propose($0)
    }
  }

  /// Tells where commands go: consensus, which needs this object before it exists itself.
  func start(_ propose: @escaping @Sendable (Command, @escaping ProposalCompletion) -> Void) {
    proposer.set { [logger = settings.logger] command in
      propose(command) { result in
        if case .failure(let error) = result, error != .shutDown {
          logger.warning("a leader's command failed", metadata: ["error": "\(error)"])
        }
      }
    }
  }

  /// This server leads and has applied all that its predecessors committed.
  func lead() {
    let snapshot = store.current
    state.withLock { $0.isLeading = true }
    takeUp(snapshot)
    settings.logger.info("cluster leadership acquired")
  }

  func follow() {
    let wasLeading = state.withLock {
      let was = $0.isLeading
      $0.isLeading = false
      $0.tombstones.removeAll()
      $0.tombstoneTask?.cancel()
      $0.tombstoneTask = nil
      return was
    }
    sessions.follow()
    coordinates.clear()
    accessControl.follow()
    if wasLeading { settings.logger.info("cluster leadership lost") }
  }

  /// The whole state was replaced by another: what was known of the one before does not count any more.
  func stateReplaced() {
    let isLeading = state.withLock {
      $0.tombstones.removeAll()
      return $0.isLeading
    }
    guard isLeading else { return }
    sessions.follow()
    takeUp(store.current)
    settings.logger.info("the state was replaced by that of a snapshot")
  }

  private func takeUp(_ snapshot: StateSnapshot) {
    accessControl.lead()
    if snapshot.autopilotConfiguration == nil {
      proposer.propose(
        AutopilotSetConfiguration.command(settings.autopilot, expectedIndex: nil, datacenter: settings.datacenter))
    }
    proposer.propose(settings.registration.command(datacenter: settings.datacenter, state: snapshot))
    sessions.lead(snapshot.sessions().value)
    noteDeletion(index: snapshot.tombstoneIndex)
  }

  /// Called after each batch, on the thread that applies.
  func applied(_ batch: AppliedBatch) {
    guard state.withLock({ $0.isLeading }) else { return }
    for id in batch.destroyedSessions { sessions.disarm(id) }
    if !batch.createdSessions.isEmpty {
      let snapshot = store.current
      for id in batch.createdSessions {
        if let session = snapshot.session(id).value { sessions.arm(session) }
      }
    }
    if batch.changedTokens { accessControl.tokensChanged() }
    guard batch.deletionIndex > 0 else { return }
    let newest = store.current.tombstoneIndex
    if newest >= batch.deletionIndex { noteDeletion(index: newest) }
  }

  private func noteDeletion(index: UInt64) {
    guard index > 0 else { return }
    state.withLock {
      $0.tombstones.noteDeletion(index: index, now: MonotonicClock.now())
      scheduleTombstones(&$0)
    }
  }

  private func scheduleTombstones(_ state: inout State) {
    guard state.tombstoneTask == nil, let deadline = state.tombstones.nextDeadline else { return }
    let now = MonotonicClock.now()
    let delay = Int64(clamping: deadline > now ? deadline - now : 0)
    state.tombstoneTask = loop.scheduleTask(in: .nanoseconds(delay)) { [weak self] in self?.reapTombstones() }
  }

  private func reapTombstones() {
    let index = state.withLock {
      $0.tombstoneTask = nil
      let index = $0.tombstones.expired(now: MonotonicClock.now())
      scheduleTombstones(&$0)
      return $0.isLeading ? index : nil
    }
    guard let index else { return }
    var request = TombstoneRequest()
    request.datacenter = settings.datacenter
    request.op = "reap"
    request.reapIndex = index
    proposer.propose(.tombstone(request))
  }
}

/// Hands commands on to whoever is set; what comes before waits.
private final class Proposer: Sendable {
  private struct State {
    var target: (@Sendable (Command) -> Void)?
    var waiting: [Command] = []
  }
  private let state = Mutex(State())

  func set(_ propose: @escaping @Sendable (Command) -> Void) {
    let waiting = state.withLock { state in
      state.target = propose
      defer { state.waiting = [] }
      return state.waiting
    }
    for command in waiting { propose(command) }
  }

  func propose(_ command: Command) {
    let target = state.withLock {
      if $0.target == nil { $0.waiting.append(command) }
      return $0.target
    }
    target?(command)
  }
}
