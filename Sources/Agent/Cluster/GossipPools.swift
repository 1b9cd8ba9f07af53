import AgentConfiguration
import Gossip
import LocalAgent
import Logging
import Model
import NIOCore
import Server
import Synchronization
import Telemetry
import Wire

/// The pools that an agent belongs to: that of its datacenter, and for servers that of all datacenters. What gossip tells goes
/// into the table of members, user events to the local agent.
final class GossipPools: Sendable {
  private struct Running {
    var lan: GossipPool
    var wan: GossipPool?
    var tasks: [Task<Void, Never>] = []
  }

  private let setup: GossipSetup
  let members: MemberTable
  private let events: UserEvents
  private let nameLost: @Sendable () -> Void
  private let running = Mutex<Running?>(nil)
  private let logger = LogOutput.logger("agent.gossip")

  /// - Parameter nameLost: Called when the others hold another node for the owner of this agent's name.
  init(_ setup: GossipSetup, members: MemberTable, events: UserEvents, nameLost: @escaping @Sendable () -> Void) {
    self.setup = setup
    self.members = members
    self.events = events
    self.nameLost = nameLost
  }

  private var configuration: RuntimeConfiguration { setup.configuration }
  var datacenter: String { configuration.datacenter }

  var lan: GossipPool? { running.withLock { $0?.lan } }
  var wan: GossipPool? { running.withLock { $0?.wan } }

  // MARK: Life

  /// Opens the ports and begins to look for others.
  ///
  /// - Throws: `AgentError.listen` for ports that cannot be had.
  func start(on group: any EventLoopGroup) async throws(AgentError) {
    let lan = try await open(try setup.lan(), .lan, group)
    var wan: GossipPool?
    if let options = try setup.wan() {
      do throws(AgentError) {
        wan = try await open(options, .wan, group)
      } catch {
        await lan.stop()
        throw error
      }
    }
    events.setCarrier(GossipCarrier(lan))
    running.withLock { [wan] in $0 = Running(lan: lan, wan: wan) }
    members.setForceLeave { [lan, wan, configuration] name in
      lan.forceLeave(name)
      wan?.forceLeave("\(name).\(configuration.datacenter)")
    }
    var tasks = [
      Task { [join = configuration.join] in
        await JoinLoop(pool: lan, addresses: join.lan, interval: join.lanInterval, attempts: join.lanMaxAttempts).run()
      }
    ]
    if let wan {
      tasks.append(
        Task { [join = configuration.join] in
          await JoinLoop(pool: wan, addresses: join.wan, interval: join.wanInterval, attempts: join.wanMaxAttempts)
            .run()
        })
      tasks.append(Task { await self.flood(wan) })
      tasks.append(Task { await self.measureDistances() })
    }
    running.withLock { [tasks] in $0?.tasks = tasks }
  }

  private func open(
    _ options: GossipPool.Options, _ pool: MemberTable.Pool, _ group: any EventLoopGroup
  ) async throws(AgentError) -> GossipPool {
    do throws(GossipError) {
      return try await GossipPool.start(options, group: group, logger: logger) { [members, events, nameLost] event in
        Self.take(event, of: pool, members, events, nameLost: nameLost)
      }
    } catch {
      throw .listen(what: pool == .lan ? "LAN gossip" : "WAN gossip", address: "\(options.bind)", reason: "\(error)")
    }
  }

  private static func take(
    _ event: GossipEvent, of pool: MemberTable.Pool, _ members: MemberTable, _ events: UserEvents,
    nameLost: @Sendable () -> Void
  ) {
    switch event {
    case .joined(let member), .left(let member), .failed(let member), .updated(let member),
      .statusChanged(let member):
      members.put(ClusterMember(member), in: pool)
    case .reaped(let member): members.forget(ClusterMember(member), in: pool)
    case .userEvent(let event):
      if pool == .lan {
        events.receive(name: event.name, payload: event.payload, lamportTime: event.lamportTime)
      }
    case .query: break
    case .nameLost:
      LogOutput.logger("agent.gossip").critical("another agent bears this node's name, this one leaves the field")
      nameLost()
    }
  }

  /// Tells the others that this agent leaves, and waits until that has got around.
  func leave() async {
    async let wide: Void = leave(wan)
    await leave(lan)
    await wide
  }

  /// Whoever is alone has nobody to tell.
  private func leave(_ pool: GossipPool?) async {
    guard let pool, pool.members.count(where: { $0.status == .alive }) > 1 else { return }
    await pool.leave()
  }

  func stop() async {
    guard
      let was = running.withLock({ running in
        defer { running = nil }
        return running
      })
    else { return }
    for task in was.tasks { task.cancel() }
    await was.wan?.stop()
    await was.lan.stop()
  }

  // MARK: Operators

  /// - Throws: `AgentError.configuration` with what went wrong, if nobody at the address answered.
  func join(_ address: String, wan isWAN: Bool) async throws(AgentError) {
    guard let pool = isWAN ? wan : lan else {
      throw .configuration(
        configuration.isServer ? "WAN gossip is not enabled" : "Must be a server to join WAN cluster")
    }
    let result = await pool.join([address], ignoresOldEvents: true)
    guard result.joinedCount == 0 else { return }
    let reasons = result.failures.map { "\t* \($0)\n" }.joined()
    throw .configuration("\(result.failures.count) error occurred:\n\(reasons)\n")
  }

  /// - Throws: `AgentError.configuration` for names that nobody bears.
  func forceLeave(_ name: String, wan isWAN: Bool, prune: Bool) throws(AgentError) {
    let known = members.member(named: name, in: isWAN ? .wan : .lan)
    guard let known else { throw .configuration("agent: No node found with name '\(name)'") }
    (isWAN ? wan : lan)?.forceLeave(known.name, prune: prune)
    // A server has another name in the other pool.
    if !isWAN { wan?.forceLeave("\(known.name).\(configuration.datacenter)", prune: prune) }
  }

  /// Tells all agents who leads.
  func announceLeader() {
    guard let lan else { return }
    do throws(GossipError) {
      try lan.fire("consul:new-leader", payload: Array(configuration.nodeName.utf8))
    } catch {
      logger.warning("the new leader was not announced", metadata: ["error": "\(error)"])
    }
  }

  // MARK: Servers of this datacenter in the WAN pool

  private static let floodInterval = Duration.seconds(60)

  /// Brings all servers of the datacenter into the WAN pool, so that it is enough to join one of them.
  private func flood(_ wan: GossipPool) async {
    let (changes, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    members.observe { change in
      if case .changed(let member) = change, member.status == .alive, ServerMember(member) != nil { signal.yield() }
    }
    let clock = Task {
      while !Task.isCancelled {
        signal.yield()
        try? await Task.sleep(for: Self.floodInterval)
      }
    }
    defer { clock.cancel() }
    for await _ in changes {
      if Task.isCancelled { return }
      let missing = missingInWAN
      if !missing.isEmpty { _ = await wan.join(missing, ignoresOldEvents: true) }
    }
  }

  private var missingInWAN: [String] {
    let known = Set(members.members(of: .wan).filter { $0.status == .alive }.map { $0.name.folded })
    return members.servers.compactMap { server in
      let name = "\(server.name).\(configuration.datacenter)"
      guard server.status == .alive, !known.contains(name.folded), let member = members.member(named: server.name)
      else { return nil }
      let port = server.wanPort ?? configuration.ports.serfWAN
      let host = member.address.contains(":") ? "[\(member.address)]" : member.address
      return "\(name)/\(host):\(port)"
    }
  }
}

/// User events over gossip.
struct GossipCarrier: UserEventCarrier {
  let pool: GossipPool

  init(_ pool: GossipPool) { self.pool = pool }

  func send(name: String, payload: [UInt8]) throws(UserEventError) {
    let time = pool.statistics.eventTime
    if let problem = SerfEventSize.problem(name: name, payload: payload, lamportTime: time) { throw .notSent(problem) }
    do throws(GossipError) {
      try pool.fire(name, payload: payload)
    } catch {
      throw .notSent("\(error)")
    }
  }
}

/// Joins a pool at start, again and again until somebody answers.
struct JoinLoop: Sendable {
  let pool: GossipPool
  let addresses: [String]
  let interval: GoDuration
  /// 0: without end.
  let attempts: Int

  func run() async {
    guard !addresses.isEmpty else { return }
    let logger = LogOutput.logger("agent.join")
    var attempt = 0
    while !Task.isCancelled {
      let result = await pool.join(addresses, ignoresOldEvents: true)
      if result.joinedCount > 0 {
        return logger.info("joined the cluster", metadata: ["agents": "\(result.joinedCount)"])
      }
      attempt += 1
      let reasons = result.failures.map(\.description).joined(separator: "; ")
      if attempts > 0, attempt >= attempts {
        return logger.error(
          "gave up joining the cluster", metadata: ["attempts": "\(attempt)", "errors": "\(reasons)"])
      }
      logger.warning("nobody answered, trying again", metadata: ["retry": "\(interval)", "errors": "\(reasons)"])
      try? await Task.sleep(for: .nanoseconds(max(interval.nanoseconds, 1_000_000)))
    }
  }
}
