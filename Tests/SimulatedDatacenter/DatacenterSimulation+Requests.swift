import Model
import NIOCore

@testable import Consensus
@testable import Server
@testable import Simulation
@testable import State

// What clients ask, and how their requests get there.
extension DatacenterSimulation {
  func later(_ delay: UInt64, _ action: @escaping () -> Void) {
    scheduled += 1
    let at = clock.now + delay
    let position = agenda.firstIndex { $0.at > at } ?? agenda.endIndex
    agenda.insert((at, scheduled, action), at: position)
  }

  /// A client has done one thing; it does the next in a moment.
  func goOn(_ client: any SimulatedClient) {
    guard !isLoadOver || client is WatchingClient else { return }
    later(UInt64.random(in: plan.pause, using: &random)) { client.turn(self) }
  }

  /// A confirmed read.
  func read(_ key: String, _ done: @escaping (Outcome<Row<KVEntry>?>) -> Void) {
    send(done) { [self] server, answer in
      let store = server.machine.store
      if plan.lie == .unconfirmedReads { return answer(.success(KVGet(key: key).evaluate(store.current).value)) }
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
        // The simulated world has no identity providers.
        case .later: answer(.failure(.invalid("nobody outside the cluster can be asked here")))
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

  /// A query that waits until a key changes, at any server, without asking whether it leads.
  ///
  /// - Parameters:
  ///   - index: of the answer before, 0 for the first.
  ///   - seen: the ModifyIndex in that answer; nil for an absent key.
  func follow(
    _ key: String, from index: UInt64, seen: UInt64?, _ done: @escaping (Outcome<Answer<Row<KVEntry>?>>) -> Void
  ) {
    let isDeaf = plan.lie == .deafQueries && Int.random(in: 0..<4, using: &random) == 0
    // In the end at one that is a member: others have nothing to tell any more.
    let servers = isLoadOver && !members.isEmpty ? members : cluster.running
    send(to: servers, patience: 10_000_000_000, done) { server, answer in
      server.machine.follow(key, from: index, seen: seen, isDeaf: isDeaf, answer: answer)
    }
  }

  /// The owner of a session knows that it lives for this long at least.
  func renewed(_ session: String, askedAt: UInt64) {
    let ttl = UInt64(LockClient.timeToLive.nanoseconds)
    oversight.renewed(session, askedAt: askedAt, ttl: plan.lie == .shortSessions ? 10 * ttl : ttl)
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
    let now = node.now
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
    let leaders = cluster.leaders
    let candidates = leaders.isEmpty || Int.random(in: 0..<12, using: &random) == 0 ? cluster.servers : leaders
    send(to: candidates, patience: 1_000_000_000, done, work)
  }

  /// - Parameter patience: nanoseconds after which the client takes it that no answer comes.
  private func send<Value: Sendable>(
    to candidates: [Server], patience: UInt64, _ done: @escaping (Outcome<Value>) -> Void,
    _ work: @escaping (Server, @escaping @Sendable (Result<Value, ServerError>) -> Void) -> Void
  ) {
    let ticket = Ticket()
    let conclude: (Outcome<Value>) -> Void = { [self] outcome in
      if ticket.isOver { return }
      ticket.isOver = true
      openCount -= 1
      if case .answered = outcome { answered += 1 }
      if case .silence = outcome { silent += 1 }
      done(outcome)
    }
    nonisolated(unsafe) let finish = conclude  // A simulation has one thread.
    openCount += 1
    guard let server = candidates.randomElement(using: &random) else { return later(1_000_000) { conclude(.refused) } }
    later(patience) { conclude(.silence) }
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
}
