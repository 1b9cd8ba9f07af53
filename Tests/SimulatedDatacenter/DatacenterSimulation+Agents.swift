import Model

@testable import Consensus
@testable import Server
@testable import Simulation
@testable import State

// The agents of the datacenter, with and without a server: they come, crash and leave, and the leader keeps the catalog and
// consensus in line with who is there.
extension DatacenterSimulation: GossipCarriage {
  var now: UInt64 { clock.now }

  func datagram(from: String, to: String) -> [UInt64] { cluster.network.datagram(from: from, to: to) }

  func reaches(from: String, to: String) -> Bool { !cluster.network.isCut(from: from, to: to) }

  func pause(of id: String) -> UInt64? {
    let until = cluster.servers.first { $0.id == id }?.pausedUntil.nanoseconds ?? pausedAgents[id] ?? 0
    return until > clock.now ? until : nil
  }

  func anySeed() -> UInt64 { random.next() }

  // MARK: What happens to them

  func disturbAgents() throws {
    let agent = agents.randomElement(using: &random)
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<40: try disturb()
    case 40..<50:
      // For good, until somebody starts it again.
      if let server = cluster.running.randomElement(using: &random) { cluster.kill(server) }
    case 50..<56: leaveOne()
    case 56..<68: if let agent { pool?.stop(agent) }
    case 68..<80: if let agent, pool?.host(agent)?.isUp == false { startAgent(agent) }
    case 80..<90: if let agent { leave(agent) }
    default:
      if let agent { pausedAgents[agent] = clock.now + UInt64.random(in: 1...20, using: &random) * 1_000_000_000 }
    }
  }

  func startAgent(_ id: String) {
    pausedAgents[id] = nil
    pool?.start(id, table: nil)
  }

  /// An agent without a server leaves and ends.
  func leave(_ agent: String) {
    pool?.leave(agent) { [self] in pool?.stop(agent) }
  }

  /// A server leaves as an operator does it, when nothing else is wrong: it hands over, tells the others, and ends.
  private func leaveOne() {
    guard cluster.servers.allSatisfy({ $0.isRunning }), judge.departing.isEmpty,
      let server = cluster.servers.randomElement(using: &random)
    else { return }
    judge.departing.insert(server.id)
    let life = server.life
    if server.replica?.core.isLeader == true {
      server.handle(.transferLeadership(to: nil, completion: { _ in }), now: cluster.now)
      cluster.route(server)
    }
    later(1_000_000_000) { [self] in
      guard server.isRunning, server.life == life else { return }
      pool?.leave(server.id) { [self] in
        later(5_000_000_000) { if server.life == life, server.isRunning { server.closeInOrder() } }
      }
    }
  }

  /// Ends the agents of servers that ended.
  func endAgents() {
    guard let pool else { return }
    for server in cluster.servers where !server.isRunning { pool.stop(server.id) }
  }

  // MARK: What has to hold in the end

  /// Everybody is there: each server votes, and the catalog shows all. Then a minority dies, an agent crashes, another one
  /// leaves: the dead servers are taken out, the catalog shows who is there. Then all return.
  func checkMembers() throws {
    for agent in agents { startAgent(agent) }
    let servers = Set(cluster.servers.map(\.id))
    try wait("all servers vote and the catalog shows all agents") { self.agrees(servers: servers, critical: []) }

    let count = Int.random(in: 1...max(1, (servers.count - 1) / 2), using: &random)
    let dead = Set(cluster.servers.map(\.id).shuffled(using: &random).prefix(count))
    for server in cluster.servers where dead.contains(server.id) { cluster.kill(server) }
    let crashed = agents.first.map { [$0] } ?? []
    for agent in crashed { pool?.stop(agent) }
    if let leaving = agents.dropFirst().first { leave(leaving) }
    try wait("dead servers are taken out and the catalog shows who is left", dead: dead) {
      self.agrees(servers: servers.subtracting(dead), critical: Set(crashed))
    }

    for agent in agents where pool?.host(agent)?.isUp == false { startAgent(agent) }
    try wait("servers that return vote again") { self.agrees(servers: servers, critical: []) }
  }

  /// - Parameter dead: Servers that stay down; others that end, having been told to leave, are started again.
  private func wait(_ what: String, dead: Set<ServerID> = [], until isDone: () -> Bool) throws {
    let deadline = clock.now + 600_000_000_000
    let stepsMax = cluster.step + 3_000_000
    while !isDone() {
      guard clock.now < deadline, cluster.step < stepsMax else {
        throw cluster.violation("it never came to this: \(what)\n\(membership)\n\(cluster.summary)")
      }
      for (position, server) in cluster.servers.enumerated() where !server.isRunning && !dead.contains(server.id) {
        try start(position)
      }
      // What is compared changes slowly.
      for _ in 0..<200 { try step() }
    }
  }

  private func agrees(servers: Set<ServerID>, critical: Set<String>) -> Bool {
    guard let pool, let leader = cluster.leaders.first, leader.machine.leadership.isLeading,
      let configuration = leader.replica?.core.membership.latest
    else { return false }
    let votes = configuration.servers.count == servers.count && servers.allSatisfy { configuration.isVoter($0) }
    let alive = servers.union(agents.filter { pool.host($0)?.isUp == true })
    var expected = Dictionary(uniqueKeysWithValues: alive.map { ($0, CheckStatus.passing.rawValue) })
    for name in critical { expected[name] = CheckStatus.critical.rawValue }
    let state = leader.machine.store.current
    let isServed = servers.allSatisfy { name in
      state.nodeServices(name).value?.services.contains { $0.value.id == "consul" } == true
    }
    return votes && isServed && Self.catalog(state) == expected
      && alive.allSatisfy { one in
        alive.allSatisfy { pool.host(one)?.status(of: $0) == .alive }
      }
  }

  /// Nodes that are members, with the status of their check.
  private static func catalog(_ state: StateSnapshot) -> [String: String] {
    var nodes: [String: String] = [:]
    for row in state.checks(state: "any").value where row.value.checkID == CheckID.serfHealth {
      nodes[row.value.node] = row.value.status
    }
    return nodes
  }

  private var membership: String {
    let catalog = cluster.leaders.first.map { Self.catalog($0.machine.store.current) } ?? [:]
    let views = pool?.hosts.map { host in
      let seen = pool?.hosts.map { "\($0.id) \(host.status(of: $0.id)?.description ?? "unknown")" } ?? []
      return "\(host.id)\(host.isUp ? "" : " (down)"): \(seen.joined(separator: ", "))"
    }
    return "catalog: \(catalog.sorted { $0.key < $1.key })\n" + (views ?? []).joined(separator: "\n")
  }
}
