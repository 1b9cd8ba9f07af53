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
    /// Answers reads with what any server knows, as if that were confirmed: what the checker has to notice.
    var lies = false
  }

  typealias Server = SimulatedServer<SimulatedNode>

  let clock = VirtualClock()
  let oversight = Oversight()
  private let plan: Plan
  private let registers = RegisterBook(count: 4)
  private let locks = LockBook()
  private var clients: [any SimulatedClient] = []
  private var cluster: SimulatedCluster<SimulatedNode>
  private var agenda: [(at: UInt64, number: Int, action: () -> Void)] = []
  private var scheduled = 0
  /// What servers have answered and nobody has carried away yet.
  private var answers: [() -> Void] = []
  private var sessionCount: UInt64 = 0
  private var isLoadOver = false
  private(set) var answered = 0
  private(set) var silent = 0

  init(seed: UInt64, plan: Plan) {
    self.plan = plan
    var layout = SimulatedCluster<SimulatedNode>.Layout()
    layout.founders = plan.founders
    layout.spares = plan.spares
    layout.faults = plan.disks
    let (clock, oversight) = (clock, oversight)
    clock.set(1_000_000_000)
    cluster = SimulatedCluster(seed: seed, layout: layout, checker: oversight.checker) {
      SimulatedNode($0, clock: clock, oversight: oversight)
    }
    for number in 0..<4 { clients.append(RegisterClient(number: number, book: registers)) }
    for number in 4..<6 { clients.append(LockClient(number: number, book: locks)) }
  }

  var random: SeededRandom {
    get { cluster.random }
    set { cluster.random = newValue }
  }

  /// Equal for runs that went the same way.
  var fingerprint: [UInt64] { cluster.fingerprint + [UInt64(answered), UInt64(silent)] }
  var countCount: Int { locks.counts.count }
  var snapshotsInstalled: Int { cluster.snapshotsInstalled }

  func report(_ error: String) { oversight.checker.report(error) }

  // MARK: The run

  func run() throws {
    cluster.network.conditions = anyConditions()
    for position in cluster.servers.indices { try start(position) }
    for client in clients { goOn(client) }
    while cluster.step < plan.steps {
      try step()
      if Int.random(in: 0..<90, using: &random) == 0 { try disturb() }
    }
    try mend()
    try checkClients()
  }

  private func step() throws {
    try cluster.advance(until: agenda.first.map { MonotonicInstant(nanoseconds: $0.at) })
    let isLater = clock.now != cluster.now.nanoseconds
    clock.set(cluster.now.nanoseconds)
    takeAnswers()
    while let next = agenda.first, next.at <= clock.now {
      agenda.removeFirst()
      next.action()
    }
    for server in cluster.running where server.pausedUntil <= cluster.now {
      if isLater { server.machine.advance() }
      server.machine.checkWatches()
      guard !server.machine.proposals.isEmpty else { continue }
      for proposal in server.machine.takeProposals() {
        server.propose([proposal.command], now: cluster.now, completion: proposal.completion)
      }
      cluster.route(server)
    }
  }

  private func takeAnswers() {
    while !answers.isEmpty {
      let carried = answers
      answers = []
      for answer in carried { answer() }
    }
  }

  private func start(_ position: Int) throws {
    let server = cluster.servers[position]
    let base = Int64.random(in: 0...4_000_000_000, using: &random)
    // Its wall clock is set anew with each life, to anything.
    server.wallClock = { WallTime(seconds: base, nanoseconds: 0) }
    try cluster.start(position)
    guard server.isRunning else { return }
    for place in 0..<4 { server.machine.watch("register/\(place)") }
    server.machine.watch(LockBook.counter)
  }

  private func anyConditions() -> SimulatedNetwork.Conditions {
    SimulatedNetwork.Conditions(
      loss: [0, 0, 20, 100].randomElement(using: &random) ?? 0,
      duplication: [0, 50].randomElement(using: &random) ?? 0,
      delayMax: [1_000_000, 5_000_000, 20_000_000, 150_000_000].randomElement(using: &random) ?? 1_000_000)
  }

  private func disturb() throws {
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<14: cluster.crash()
    case 14..<40:
      if let position = cluster.servers.indices.filter({ !cluster.servers[$0].isRunning }).randomElement(using: &random)
      {
        try start(position)
      }
    case 40..<46: cluster.partition()
    case 46..<52:
      // One direction only.
      let pair = cluster.servers.map(\.id).shuffled(using: &random).prefix(2)
      cluster.network.oneWay.insert(Array(pair))
    case 52..<66:
      cluster.network.cut = []
      cluster.network.oneWay = []
    case 66..<70: cluster.network.conditions = anyConditions()
    case 70..<74: cluster.transfer { _ in }
    case 74..<80: cluster.takeSnapshot()
    case 80..<86:
      // The process stops, or its machine does; its clock jumps when it goes on.
      let pause = UInt64.random(in: 50_000_000...5_000_000_000, using: &random)
      cluster.running.randomElement(using: &random)?.pausedUntil = cluster.now + pause
    case 86..<92:
      let busy = UInt64.random(in: 20_000_000...1_500_000_000, using: &random)
      cluster.running.randomElement(using: &random)?.diskBusyUntil = cluster.now + busy
    default: if plan.spares > 0 { cluster.changeMembership { _ in } }
    }
  }

  // MARK: Requests of clients

  func later(_ delay: UInt64, _ action: @escaping () -> Void) {
    scheduled += 1
    let at = clock.now + delay
    let position = agenda.firstIndex { $0.at > at } ?? agenda.endIndex
    agenda.insert((at, scheduled, action), at: position)
  }

  /// A client has done one thing; it does the next in a moment.
  func goOn(_ client: any SimulatedClient) {
    guard !isLoadOver else { return }
    later(UInt64.random(in: 500_000...8_000_000, using: &random)) { client.turn(self) }
  }

  /// A confirmed read.
  func read(_ key: String, _ done: @escaping (Outcome<Row<KVEntry>?>) -> Void) {
    send(done) { [self] server, answer in
      let store = server.machine.store
      if plan.lies { return answer(.success(KVGet(key: key).evaluate(store.current).value)) }
      guard server.machine.leadership.isLeading else { return answer(.failure(.noLeader)) }
      server.handle(
        .verifyLeader { result in
          switch result {
          case .success: answer(.success(KVGet(key: key).evaluate(store.current).value))
          case .failure(let error): answer(.failure(ServerError(error)))
          }
        }, now: cluster.now)
    }
  }

  func write<Request: WriteRequest>(
    _ request: Request, isFromNewestLeader: Bool = false, _ done: @escaping (Outcome<Request.Reply>) -> Void
  ) {
    send(done) { [self] server, answer in
      guard server.machine.leadership.isLeading, !isFromNewestLeader || isNewestLeader(server) else {
        return answer(.failure(.noLeader))
      }
      do throws(ServerError) {
        switch try request.prepare(context(of: server.machine)) {
        case .immediate(let reply): answer(.success(reply))
        case .command(let command, let reply): log(command, at: server, reply, answer)
        }
      } catch {
        answer(.failure(error))
      }
    }
  }

  /// Like a `SessionCreate`, but with an id that follows from the seed.
  func createSession(ttl: GoDuration, behavior: String, _ done: @escaping (Outcome<String>) -> Void) {
    sessionCount += 1
    let count = String(sessionCount, radix: 16)
    let id = "00000000-0000-0000-0000-" + String(repeating: "0", count: 12 - count.count) + count
    var session = Session()
    session.node = "n"
    session.ttl = ttl.description
    session.behavior = behavior
    // What a node is for: to have sessions.
    var registration = RegisterRequest()
    registration.node = "n"
    registration.address = "10.0.0.1"
    send(done) { [self] server, answer in
      guard server.machine.leadership.isLeading else { return answer(.failure(.noLeader)) }
      if server.machine.store.current.node(named: "n") == nil {
        server.propose([Command.register(registration).encode()], now: cluster.now) { _ in }
      }
      do throws(ServerError) {
        guard
          case .command(.session(var request), let reply) = try SessionCreate(session).prepare(
            context(of: server.machine))
        else { return answer(.failure(.rejected("a session is not created by a command"))) }
        request.session.id = id
        log(
          .session(request), at: server,
          { (result) throws(ServerError) in
            _ = try reply(result)
            return id
          }, answer)
      } catch {
        answer(.failure(error))
      }
    }
  }

  private func isNewestLeader(_ server: Server) -> Bool {
    let term = server.replica?.core.term ?? 0
    return cluster.leaders.allSatisfy { ($0.replica?.core.term ?? 0) <= term }
  }

  private func log<Reply: Sendable>(
    _ command: Command, at server: Server, _ reply: @escaping @Sendable (CommandResult) throws(ServerError) -> Reply,
    _ answer: @escaping @Sendable (Result<Reply, ServerError>) -> Void
  ) {
    server.propose([command.encode()], now: cluster.now) { result in
      switch result {
      case .failure(let error): answer(.failure(ServerError(error)))
      case .success(let applied):
        do throws(ServerError) {
          answer(.success(try reply(applied.result as? CommandResult ?? .done)))
        } catch {
          answer(.failure(error))
        }
      }
    }
  }

  private func context(of node: SimulatedNode) -> WriteContext {
    let now = clock.now
    return WriteContext(
      state: node.store.current, datacenter: "dc1", sessionTTLMinimum: .seconds(1),
      isLockDelayed: { node.store.isLockDelayed($0, now: now) }, renewSession: { node.duties.sessions.arm($0) })
  }

  /// What has become of one request.
  private final class Ticket: @unchecked Sendable {
    var isOver = false
  }

  /// Carries a request to the server that leads, as far as anybody knows, and the answer back; both may be lost.
  private func send<Value: Sendable>(
    _ done: @escaping (Outcome<Value>) -> Void,
    _ work: @escaping (Server, @escaping @Sendable (Result<Value, ServerError>) -> Void) -> Void
  ) {
    let ticket = Ticket()
    let conclude: (Outcome<Value>) -> Void = { [self] outcome in
      if ticket.isOver { return }
      ticket.isOver = true
      if case .answered = outcome { answered += 1 }
      if case .silence = outcome { silent += 1 }
      done(outcome)
    }
    nonisolated(unsafe) let finish = conclude  // A simulation has one thread.
    let leaders = cluster.leaders
    let candidates = leaders.isEmpty || Int.random(in: 0..<12, using: &random) == 0 ? cluster.servers : leaders
    guard let server = candidates.randomElement(using: &random) else { return }
    later(Self.patience) { conclude(.silence) }
    if isLost { return }
    later(anyDelay) { [self] in
      guard server.isRunning else { return conclude(.refused) }
      arrive(at: server, ticket) { [self] in
        work(server) { [self] result in
          // Often from within a step of the cluster; what follows has to wait for the end of that.
          answers.append { [self] in
            if isLost { return }
            later(anyDelay) {
              switch result {
              case .success(let value): finish(.answered(value))
              case .failure(.noLeader): finish(.refused)
              case .failure: finish(.silence)
              }
            }
          }
        }
        cluster.route(server)
      }
    }
  }

  /// A server that does not run takes requests when it goes on.
  private func arrive(at server: Server, _ ticket: Ticket, _ body: @escaping () -> Void) {
    guard server.isRunning else { return }
    if server.pausedUntil > cluster.now {
      let life = server.life
      return later(server.pausedUntil.since(cluster.now)) { [self] in
        if server.life == life { arrive(at: server, ticket, body) }
      }
    }
    body()
  }

  private var isLost: Bool { Int.random(in: 0..<1000, using: &random) < cluster.network.conditions.loss / 4 }
  private var anyDelay: UInt64 { UInt64.random(in: 100_000...cluster.network.conditions.delayMax, using: &random) }

  // MARK: The end

  /// Nanoseconds after which a client counts a request as unanswered.
  private static let patience: UInt64 = 1_000_000_000

  /// With everything working again and clients gone: all servers agree about one state, and no session is left.
  private func mend() throws {
    isLoadOver = true
    // Until then what becomes of the last requests is not in the books.
    let booked = clock.now + Self.patience
    cluster.mend()
    let deadline = cluster.now + 120_000_000_000
    let stepsMax = cluster.step + 500_000
    let marker = Marker()
    var nextTry: UInt64 = 0
    while cluster.now < deadline {
      if cluster.step > stepsMax { throw cluster.violation("busy without getting anywhere: \(cluster.summary)") }
      try step()
      for position in cluster.servers.indices where !cluster.servers[position].isRunning { try start(position) }
      if marker.index == nil, clock.now >= nextTry {
        nextTry = clock.now + 100_000_000
        var entry = KVEntry()
        entry.key = "marker"
        write(KVApply(.set, entry)) { outcome in if case .answered(true) = outcome { marker.index = 1 } }
      }
      if marker.index != nil, clock.now > booked, isSettled { return try checkAgreement() }
    }
    throw cluster.violation("not settled two minutes after everything was mended: \(cluster.summary)")
  }

  private final class Marker { var index: LogIndex? }

  private var members: [Server] {
    guard let leader = cluster.leaders.first, let core = leader.replica?.core else { return [] }
    let ids = core.membership.latest.servers.map(\.id)
    return cluster.servers.filter { ids.contains($0.id) }
  }

  /// Everybody has everything, and sessions that nobody renews are over.
  private var isSettled: Bool {
    guard let leader = cluster.leaders.first, leader.machine.leadership.isLeading else { return false }
    return leader.machine.store.current.sessions().value.isEmpty
      && members.allSatisfy { $0.machine.lastIndex == leader.replica?.core.log.lastIndex }
  }

  private func checkAgreement() throws {
    let index = members.first?.machine.lastIndex ?? 0
    let expected = oversight.state(at: index)
    for server in members where server.machine.store.current.bytes != expected {
      throw cluster.violation("\(server.id) has another state at \(index) than the decided commands make")
    }
    let entry = members.first?.machine.store.current.kvEntry(LockBook.lock).value
    if let entry, !entry.value.session.isEmpty { throw cluster.violation("the lock outlived its session") }
  }

  private func checkClients() throws {
    guard let state = members.first?.machine.store.current else { return }
    for register in registers.registers {
      let last = state.kvEntry(register.key).value.map { RegisterClient.number($0.value) } ?? 0
      let now = clock.now
      let final = RegisterOperation(client: -1, kind: .read, invoked: now, returned: now, result: last)
      let history = register.operations + [final]
      guard LinearizabilityChecker.isLinearizable(history) else {
        let told = history.sorted { $0.invoked < $1.invoked }.map(\.description).joined(separator: "\n")
        throw cluster.violation("the history of \(register.key) is not linearizable:\n\(told)")
      }
    }
    let counter = state.kvEntry(LockBook.counter).value.map { RegisterClient.number($0.value) } ?? 0
    if let contradiction = locks.contradiction(counter: counter) { throw cluster.violation(contradiction) }
  }
}
