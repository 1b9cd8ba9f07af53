import Model
import NIOCore

@testable import Consensus
@testable import Server
@testable import Simulation
@testable import State

/// A datacenter's servers and its clients in virtual time: consensus, log and snapshots on simulated disks, the state store,
/// sessions and blocking queries, while machines crash, stop, lose power and each other. At every step: no contradiction in
/// consensus, no query that sleeps through a change, no session that ends too early. At the end: everything that clients saw can
/// be explained, everybody agrees, and what has to happen happens.
final class DatacenterSimulation: @unchecked Sendable {
  // Sendable: a simulation has one thread.

  struct Plan {
    var steps = 4000
    var founders = 3
    var spares = 0
    /// What the disks do besides losing unsynchronised writes.
    var disks = SimulatedDisk.Faults()
    /// Runs for this long instead of a number of steps: nanoseconds.
    var duration: UInt64?
    /// How long clients wait between two requests: nanoseconds.
    var pause: ClosedRange<UInt64> = 500_000...8_000_000
    /// Of the timers of consensus.
    var raftMultiplier = 1
    /// Whether agents find each other by gossip and the leader does something about it; if so, agents without a server.
    var agents: Int?
    /// What the checkers have to notice.
    var lie: Lie?
  }

  enum Lie: CaseIterable {
    /// Reads are answered with what any server knows, as if that were confirmed.
    case unconfirmedReads
    /// Blocking queries sleep through changes.
    case deafQueries
    /// Sessions do not live as long as their owners are told.
    case shortSessions
    /// While one server is gone, the leader takes out another one.
    case carelessRemovals
    /// What a leader would write about members is lost.
    case forgottenMembers
  }

  typealias Server = SimulatedServer<SimulatedNode>

  let clock = VirtualClock()
  let oversight = Oversight()
  let plan: Plan
  let registers = RegisterBook(count: 4)
  let locks = LockBook()
  private(set) var clients: [any SimulatedClient] = []
  private(set) var watchers: [WatchingClient] = []
  var wallClocks: [SimulatedWallClock] = []
  var pool: SimulatedPool?
  let judge = ElectorateJudge()
  /// Agents without a server, and until when those of them that are stopped do nothing.
  let agents: [String]
  var pausedAgents: [String: UInt64] = [:]
  var cluster: SimulatedCluster<SimulatedNode>
  var agenda: [(at: UInt64, number: Int, action: () -> Void)] = []
  var scheduled = 0
  /// What servers have answered and nobody has carried away yet.
  var answers: [() -> Void] = []
  var sessionCount: UInt64 = 0
  var isLoadOver = false
  /// Requests of which nobody has written down yet what became of them.
  var openCount = 0
  var answered = 0
  var silent = 0

  init(seed: UInt64, plan: Plan) {
    self.plan = plan
    agents = (0..<(plan.agents ?? 0)).map { "c\($0)" }
    var layout = SimulatedCluster<SimulatedNode>.Layout()
    layout.founders = plan.founders
    layout.spares = plan.spares
    layout.faults = plan.disks
    layout.settings = .scaled(multiplier: plan.raftMultiplier)
    let hasPool = plan.agents != nil
    if hasPool { layout.address = SimulatedPool.serverAddress }
    let (clock, oversight) = (clock, oversight)
    clock.set(1_000_000_000)
    cluster = SimulatedCluster(seed: seed, layout: layout, checker: oversight.checker) {
      let number = Int($0.dropFirst()) ?? 0
      return SimulatedNode(
        $0, member: hasPool ? SimulatedPool.member($0, number: number) : nil, clock: clock, local: $1,
        oversight: oversight)
    }
    wallClocks = cluster.servers.map { _ in SimulatedWallClock(clock) }
    for number in 0..<4 { clients.append(RegisterClient(number: number, book: registers)) }
    for number in 4..<6 { clients.append(LockClient(number: number, book: locks)) }
    watchers = [
      WatchingClient(number: 6, key: "register/0"), WatchingClient(number: 7, key: "register/1"),
      WatchingClient(number: 8, key: LockBook.counter),
    ]
    clients += watchers as [any SimulatedClient]
    if hasPool {
      pool = SimulatedPool(servers: cluster.servers.map(\.id), clients: agents, carriage: self, seed: seed ^ 0x5e4f)
    }
  }

  var random: SeededRandom {
    get { cluster.random }
    set { cluster.random = newValue }
  }

  /// Equal for runs that went the same way.
  var fingerprint: [UInt64] { cluster.fingerprint + [UInt64(answered), UInt64(silent)] }

  func report(_ error: String) { oversight.checker.report(error) }

  // MARK: The run

  func run() throws {
    cluster.network.conditions = anyConditions()
    for position in cluster.servers.indices { try start(position) }
    for client in clients { goOn(client) }
    for agent in agents { startAgent(agent) }
    if let duration = plan.duration {
      var next = clock.now
      while clock.now < duration {
        try step()
        guard clock.now >= next else { continue }
        next = clock.now + UInt64.random(in: 300...5000, using: &random) * 1_000_000
        try disturbAgents()
      }
    } else {
      while cluster.step < plan.steps {
        try step()
        if Int.random(in: 0..<90, using: &random) == 0 { try disturb() }
      }
    }
    try mend()
    if pool != nil {
      try checkMembers()
      try mend()
    }
    try checkClients()
  }

  func step() throws {
    try cluster.advance(until: agenda.first.map { MonotonicInstant(nanoseconds: $0.at) })
    let isLater = clock.now != cluster.now.nanoseconds
    clock.set(cluster.now.nanoseconds)
    takeAnswers()
    endAgents()
    while let next = agenda.first, next.at <= clock.now {
      agenda.removeFirst()
      next.action()
    }
    for server in cluster.servers where server.isRunning && server.pausedUntil <= cluster.now {
      if isLater { server.machine.advance() }
      server.machine.checkWatches()
      changeMembers(server)
      guard !server.machine.proposals.isEmpty else { continue }
      for proposal in server.machine.takeProposals() {
        server.propose([proposal.command], now: cluster.now, completion: proposal.completion)
      }
      cluster.route(server)
    }
  }

  /// Does what a server wants changed about who takes part in consensus.
  private func changeMembers(_ server: Server) {
    guard let consensus = server.machine.consensus else { return }
    if plan.lie == .carelessRemovals, server.machine.leadership.isLeading, Int.random(in: 0..<50, using: &random) == 0,
      let id = judge.indispensable(consensus.currentStatus, ownID: server.id, lease: server.settings.leaderLeaseTimeout)
    {
      consensus.change(.removeServer(id: id)) { _ in }
    }
    let requests = consensus.takeRequests()
    guard !requests.isEmpty else { return }
    for request in requests {
      if let objection = judge.objection(
        to: request.change, by: consensus.currentStatus, ownID: server.id, lease: server.settings.leaderLeaseTimeout)
      {
        report(objection)
      }
      let isAnswered: @Sendable (Result<Applied, RaftError>) -> Void = { [judge, id = server.id] result in
        judge.settled(request.change, by: id)
        request.completion(result)
      }
      server.handle(.change(request.change, expectedIndex: nil, completion: isAnswered), now: cluster.now)
    }
    cluster.route(server)
  }

  private func takeAnswers() {
    while !answers.isEmpty {
      let carried = answers
      answers = []
      for answer in carried { answer() }
    }
  }

  func start(_ position: Int) throws {
    let server = cluster.servers[position]
    let wallClock = wallClocks[position]
    server.wallClock = { wallClock.now }
    try cluster.start(position)
    guard server.isRunning else { return }
    for place in 0..<4 { server.machine.watch("register/\(place)") }
    server.machine.watch(LockBook.counter)
    judge.returned(server.id)
    guard pool != nil, let replica = server.replica else { return }
    server.machine.start(SimulatedConsensus(replica, id: server.id), isForgetful: plan.lie == .forgottenMembers)
    pool?.start(server.id, table: server.machine.members)
  }
}
