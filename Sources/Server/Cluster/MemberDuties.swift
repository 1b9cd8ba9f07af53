import Consensus
import Logging
import Model
import NIOCore
import State
import Synchronization

/// What a leader does about the agents of the datacenter: writes into the catalog what gossip tells of them, and keeps
/// consensus among the servers that are there.
///
/// Everything is compared with what should be and repeated until it is, so nothing has to be remembered when a command or a
/// leadership is lost.
final class MemberDuties: Sendable {
  /// How often everything is compared, for what events did not bring about.
  static let period = TimeAmount.seconds(60)
  /// How often the health of the servers is judged, and acted upon.
  static let healthPeriod = TimeAmount.seconds(2)
  static let removalPeriod: UInt64 = 5

  private struct State {
    var isLeading = false
    var raft: (any ConsensusMembership)?
    var watchingSince = Timestamp()
    var tasks: [RepeatedTask] = []
    var autopilot = AutopilotState()
    var healthRounds: UInt64 = 0
    /// Changes of consensus under way, so that none is asked for twice.
    var changing: Set<ServerID> = []
  }

  private let settings: ServerNode.Settings
  private let store: StateStore
  private let members: MemberTable
  private let loop: any EventLoop
  private let propose: @Sendable (Command) -> Void
  private let now: @Sendable () -> Timestamp
  private let state = Mutex(State())

  /// - Parameter now: a clock that nobody sets, since servers are judged by how long they have been well.
  init(
    settings: ServerNode.Settings, store: StateStore, members: MemberTable, loop: any EventLoop,
    now: @escaping @Sendable () -> Timestamp = SteadyTime.now, propose: @escaping @Sendable (Command) -> Void
  ) {
    self.settings = settings
    self.store = store
    self.members = members
    self.loop = loop
    self.now = now
    self.propose = propose
    members.observe { [weak self] change in
      guard let self else { return }
      loop.execute { self.noticed(change) }
    }
  }

  /// Tells which consensus this is about, which is made after this object.
  func start(_ raft: any ConsensusMembership) {
    let isLeading = state.withLock {
      $0.raft = raft
      return $0.isLeading
    }
    if isLeading { loop.execute { self.reconcileAll() } }
  }

  func lead() {
    let now = now()
    state.withLock { state in
      guard !state.isLeading else { return }
      state.isLeading = true
      state.watchingSince = now
      state.autopilot = AutopilotState()
      state.tasks = [
        loop.scheduleRepeatedTask(initialDelay: Self.period, delay: Self.period) { [weak self] _ in
          self?.reconcileAll()
        },
        loop.scheduleRepeatedTask(initialDelay: Self.healthPeriod, delay: Self.healthPeriod) { [weak self] _ in
          self?.judgeHealth()
        },
      ]
    }
    loop.execute { self.reconcileAll() }
  }

  func follow() {
    let tasks = state.withLock { state in
      state.isLeading = false
      state.changing = []
      defer { state.tasks = [] }
      return state.tasks
    }
    for task in tasks { task.cancel() }
  }

  private var isLeading: Bool { state.withLock { $0.isLeading && $0.raft != nil } }

  private var reconciliation: MemberReconciliation {
    MemberReconciliation(datacenter: settings.datacenter, ownName: settings.member.name)
  }

  // MARK: members

  private func noticed(_ change: MemberChange) {
    guard isLeading else { return }
    switch change {
    case .changed(let member): reconcile(member, store.current)
    case .forgotten(let member):
      if let command = reconciliation.forgotten(member, in: store.current) { propose(command) }
      if let server = ServerMember(member) { remove(departed: server) }
    }
  }

  /// Compares everything.
  func reconcileAll() {
    guard isLeading else { return }
    let snapshot = store.current
    let members = members.members()
    for member in members { reconcile(member, snapshot) }
    // Before gossip has told anything, everybody would be a stranger.
    guard members.contains(where: { $0.name.isSameName(as: settings.member.name) }) else { return }
    for command in reconciliation.strangers(among: members, in: snapshot) { propose(command) }
  }

  private func reconcile(_ member: ClusterMember, _ snapshot: StateSnapshot) {
    if let command = reconciliation.command(for: member, in: snapshot) { propose(command) }
    guard let server = ServerMember(member), server.datacenter == settings.datacenter else { return }
    switch member.status {
    case .alive: apply(electorate?.changes(for: server, among: members.servers) ?? [], to: server.id)
    case .left: remove(departed: server)
    case .none, .leaving, .failed: break
    }
  }

  private func remove(departed server: ServerMember) {
    apply(electorate?.changes(afterLeaving: server) ?? [], to: server.id)
  }

  // MARK: consensus

  private var electorate: Electorate? {
    state.withLock { $0.raft }.map {
      Electorate(ownID: $0.ownID, configuration: $0.latestConfiguration)
    }
  }

  /// Makes changes one after another; those that fail are tried again when everything is compared the next time.
  private func apply(_ changes: [ConfigurationChange], to id: ServerID) {
    guard !changes.isEmpty, let raft = state.withLock({ $0.raft }),
      state.withLock({ $0.changing.insert(id).inserted })
    else { return }
    for (place, change) in changes.enumerated() {
      let isLast = place == changes.count - 1
      raft.change(change) { [self] result in
        if case .failure(let error) = result {
          settings.logger.warning("consensus was not changed", metadata: ["server": "\(id)", "error": "\(error)"])
        }
        if isLast { state.withLock { _ = $0.changing.remove(id) } }
      }
    }
  }

  // MARK: autopilot

  /// The health of the servers as of now. What does not change keeps its time.
  func currentHealth() -> AutopilotState {
    guard let raft = state.withLock({ $0.raft }) else { return AutopilotState() }
    let status = raft.currentStatus
    let known = Dictionary(
      members.members().map { ($0.nodeID, $0) }, uniquingKeysWith: { first, _ in first })
    let observations = status.latestConfiguration.servers.map { server in
      ServerObservation(server, status, ownID: raft.ownID, member: known[server.id])
    }
    let configuration = store.current.autopilotConfiguration?.value ?? AutopilotConfiguration()
    return state.withLock { state in
      state.autopilot = state.autopilot.next(
        observations, leader: status.leader?.id ?? "", configuration: configuration, now: now())
      return state.autopilot
    }
  }

  private func judgeHealth() {
    guard isLeading else { return }
    let health = currentHealth()
    let (since, round) = state.withLock { state in
      state.healthRounds &+= 1
      return (state.watchingSince, state.healthRounds)
    }
    let decisions = AutopilotDecisions(
      configuration: store.current.autopilotConfiguration?.value ?? AutopilotConfiguration(), watchingSince: since)
    let replicas = Set(members.servers.filter(\.isReadReplica).map(\.id))
    for id in decisions.promotions(health, replicas: replicas, now: now()) {
      guard let server = health.servers.first(where: { $0.observation.id == id }) else { continue }
      settings.logger.info("promoting a server to voter", metadata: ["server": "\(id)"])
      apply([.addVoter(id: id, address: server.observation.address)], to: id)
    }
    guard round % Self.removalPeriod == 0 else { return }
    for id in decisions.removals(health) {
      settings.logger.info("removing a dead server", metadata: ["server": "\(id)"])
      apply([.removeServer(id: id)], to: id)
      if let member = members.members().first(where: { $0.nodeID == id }) { members.forceLeave(member.name) }
    }
  }
}

extension ServerObservation {
  init(_ server: RaftServer, _ status: RaftStatus, ownID: ServerID, member: ClusterMember?) {
    self.init(id: server.id, address: server.address)
    isVoter = server.suffrage == .voter
    if server.id == ownID {
      lastContact = .zero
      lastTerm = status.lastLogTerm
      lastIndex = status.lastLogIndex
    } else if let peer = status.peers.first(where: { $0.id == server.id }) {
      lastContact = GoDuration(peer.lastContact)
      lastTerm = peer.matchTerm
      lastIndex = peer.matchIndex
    }
    guard let member else { return }
    name = member.name
    nodeStatus = member.status.rawValue
    version = ServerMember(member)?.version ?? ""
    meta = ["consul-version": version]
  }
}
