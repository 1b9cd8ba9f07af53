import Consensus
import Logging
import Model
import NIOCore
import State
import Synchronization

/// What a server does about the state while it leads: ends sessions that are not renewed, collects coordinates, forgets
/// tombstones. What it does about the agents is in `MemberDuties`.
final class LeaderDuties: Sendable {
  private struct State {
    var isLeading = false
    var tombstones = TombstoneExpiry()
    var tombstoneTask: Scheduled<Void>?
  }

  let sessions: SessionTimers
  let coordinates: CoordinateUpdates
  /// Nil without a service mesh.
  let authority: AuthorityDuties?
  let accessControl: AccessControlDuties
  private let gateways: GatewayDuties
  /// Nil in the primary datacenter.
  private let entries: ConfigEntryReplicator?
  private let settings: ServerNode.Settings
  private let store: StateStore
  private let loop: any EventLoop
  private let proposals: LeaderProposals
  private let now: @Sendable () -> UInt64
  private let state = Mutex(State())

  /// - Parameter now: the clock of `loop`, in nanoseconds.
  init(
    settings: ServerNode.Settings, store: StateStore, secondary: Secondary? = nil, proposals: LeaderProposals,
    loop: any EventLoop,
    now: @escaping @Sendable () -> UInt64 = MonotonicClock.now
  ) {
    self.settings = settings
    self.store = store
    self.proposals = proposals
    self.loop = loop
    self.now = now
    sessions = SessionTimers(loop: loop, now: now) { [proposals] id, completion in
      proposals.propose(SessionDestroy.command(id: id, datacenter: settings.datacenter)) {
        if case .success = $0 { completion(true) } else { completion(false) }
      }
    }
    coordinates = CoordinateUpdates(settings.coordinates, loop: loop) { [proposals] in proposals.propose($0) }
    let replicator = secondary.map {
      Replicator($0, store: store, loop: loop, logger: settings.logger) { [proposals] in proposals.propose($0, $1) }
    }
    accessControl = AccessControlDuties(
      settings.accessControl, replicator: replicator, store: store, loop: loop
    ) { [proposals] in proposals.propose($0) }
    entries = secondary.map {
      ConfigEntryReplicator(
        $0, datacenter: settings.datacenter, needsToken: settings.accessControl?.fallback == .deny, store: store,
        loop: loop, logger: settings.logger
      ) { [proposals] in proposals.propose($0, $1) }
    }
    gateways = GatewayDuties(datacenter: settings.datacenter, store: store, loop: loop) { [proposals] in
      proposals.propose($0)
    }
    authority = settings.authority.map {
      AuthorityDuties($0, datacenter: settings.datacenter, store: store, loop: loop, logger: settings.logger) {
        [proposals] in proposals.propose($0, $1)
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
    authority?.follow()
    gateways.follow()
    entries?.follow()
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
      proposals.propose(
        AutopilotSetConfiguration.command(settings.autopilot, expectedIndex: nil, datacenter: settings.datacenter))
    }
    for entry in settings.initialConfigEntries where snapshot.configEntry(entry.kind, entry.name).value == nil {
      var request = ConfigEntryRequest(.upsertIfUnchanged, entry)
      request.datacenter = settings.datacenter
      proposals.propose(.configEntry(request))
    }
    authority?.lead()
    gateways.lead()
    entries?.lead()
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
    if batch.changedEntries { gateways.entriesChanged() }
    guard batch.deletionIndex > 0 else { return }
    let newest = store.current.tombstoneIndex
    if newest >= batch.deletionIndex { noteDeletion(index: newest) }
  }

  private func noteDeletion(index: UInt64) {
    guard index > 0 else { return }
    state.withLock {
      $0.tombstones.noteDeletion(index: index, now: now())
      scheduleTombstones(&$0)
    }
  }

  private func scheduleTombstones(_ state: inout State) {
    guard state.tombstoneTask == nil, let deadline = state.tombstones.nextDeadline else { return }
    let now = now()
    let delay = Int64(clamping: deadline > now ? deadline - now : 0)
    state.tombstoneTask = loop.scheduleTask(in: .nanoseconds(delay)) { [weak self] in self?.reapTombstones() }
  }

  private func reapTombstones() {
    let index = state.withLock {
      $0.tombstoneTask = nil
      let index = $0.tombstones.expired(now: now())
      scheduleTombstones(&$0)
      return $0.isLeading ? index : nil
    }
    guard let index else { return }
    var request = TombstoneRequest()
    request.datacenter = settings.datacenter
    request.op = "reap"
    request.reapIndex = index
    proposals.propose(.tombstone(request))
  }
}
