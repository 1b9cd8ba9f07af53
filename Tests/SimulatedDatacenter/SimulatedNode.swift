import Logging
import Model
import NIOCore
import NIOEmbedded
import Synchronization

@testable import Consensus
@testable import Server
@testable import Simulation
@testable import State

/// True time, in nanoseconds: what clients and judges go by.
final class VirtualClock: Sendable {
  private let time = Atomic<UInt64>(0)
  var now: UInt64 { time.load(ordering: .relaxed) }
  func set(_ now: UInt64) { time.store(now, ordering: .relaxed) }
}

/// What one life of a simulated server is made of beside its replica: the production state store, command applier, duties of a
/// leader and blocking queries, on an event loop in virtual time.
final class SimulatedNode: SimulatedMachine, @unchecked Sendable {
  // Sendable: a simulation has one thread.

  struct Proposal {
    var command: [UInt8]
    var completion: ProposalCompletion
  }

  let id: ServerID
  let store: StateStore
  let loop = EmbeddedEventLoop()
  let leadership = Leadership()
  let duties: LeaderDuties
  /// What this server's agent knows of the others; nil without a pool.
  let members: MemberTable?
  private let memberDuties: MemberDuties?
  private(set) var consensus: SimulatedConsensus?
  private(set) var lastIndex: LogIndex = 0
  /// What the duties want logged.
  private(set) var proposals: [Proposal] = []
  private let applier: CommandApplier
  private let clock: VirtualClock
  private let local: ServerClock
  private let oversight: Oversight
  private var watches: [String: PendingWatch] = [:]
  /// Blocking queries of clients, by number.
  private var followers: [Int: Follower] = [:]
  private var followerCount = 0
  /// The state has changed since the watches were looked at.
  private var hasChanged = true

  /// A blocking query that waits.
  private struct PendingWatch {
    /// The ModifyIndex that it has seen; nil for an absent key.
    var seen: UInt64?
    var query: BlockingQuery<KVGet>
  }

  /// A client's query that waits, and what the client has seen so far, here or elsewhere.
  private struct Follower {
    var key: String
    var index: UInt64
    var seen: UInt64?
    var query: BlockingQuery<KVGet>
  }

  /// - Parameter member: this server as a member of a pool; nil where there is none.
  init(_ id: ServerID, member: ClusterMember?, clock: VirtualClock, local: ServerClock, oversight: Oversight) {
    self.id = id
    self.clock = clock
    self.local = local
    self.oversight = oversight
    let now: @Sendable () -> UInt64 = { local.now(clock) }
    store = StateStore(now: now)
    let log = LeaderProposals(logger: Self.quiet)
    let settings = ServerNode.Settings(
      datacenter: "dc1", member: member ?? ClusterMember(name: id, address: "127.0.0.1", port: 8301, tags: [:]),
      logger: Self.quiet)
    let duties = LeaderDuties(settings: settings, store: store, proposals: log, loop: loop, now: now)
    self.duties = duties
    members = member.map { _ in MemberTable(datacenter: "dc1") }
    if let member, let members {
      members.put(member)
      memberDuties = MemberDuties(
        settings: settings, store: store, members: members, loop: loop,
        now: { Timestamp(unixNanoseconds: Int64(clamping: now())) }, propose: { log.propose($0) })
    } else {
      memberDuties = nil
    }
    applier = CommandApplier(store: store, stop: { fatalError($0) }) { batch in
      oversight.ended(batch.destroyedSessions, at: clock.now)
      duties.applied(batch)
    }
    // The clock of the loop is that of the simulation.
    loop.advanceTime(to: .uptimeNanoseconds(now()))
    log.start { [weak self] command, completion in
      self?.proposals.append(Proposal(command: command, completion: completion))
    }
  }

  private static let quiet = Logger(label: "simulation", factory: { _ in SwiftLogNoOpLogHandler() })

  // MARK: The state machine

  func apply(_ entries: ArraySlice<LogEntry>, results: inout [any Sendable]) {
    for entry in entries { oversight.checker.applies(entry) }
    applier.apply(entries, results: &results)
    lastIndex = entries.last?.index ?? lastIndex
    hasChanged = true
  }

  func snapshot() throws -> any StateSnapshotWriter { try applier.snapshot() }

  func restore(from reader: any SnapshotReader, prepared: (any PreparedState)?) throws {
    try applier.restore(from: reader, prepared: prepared)
    lastIndex = reader.metadata.index
    hasChanged = true
    if store.current.bytes != oversight.state(at: lastIndex) {
      oversight.checker.report("\(id): the snapshot at \(lastIndex) is not what was decided")
    }
  }

  func leadershipChanged(_ change: LeadershipChange) {
    switch change {
    case .gained:
      duties.lead()
      memberDuties?.lead()
      leadership.gained()
    case .lost:
      leadership.lost()
      memberDuties?.follow()
      duties.follow()
    }
  }

  // MARK: Driving

  /// What the clock of this server shows.
  var now: UInt64 { local.now(clock) }

  /// Lets time pass on the loop.
  func advance() { loop.advanceTime(to: .uptimeNanoseconds(now)) }

  /// From now on a leader cares for the members.
  ///
  /// - Parameter isForgetful: It does not.
  func start(_ consensus: SimulatedConsensus, isForgetful: Bool) {
    self.consensus = consensus
    if !isForgetful { memberDuties?.start(consensus) }
  }

  func takeProposals() -> [Proposal] {
    defer { proposals = [] }
    return proposals
  }

  // MARK: Watches

  /// Watches a key for as long as this server lives.
  ///
  /// - Parameters:
  ///   - index: of the answer before.
  ///   - seen: the ModifyIndex in that answer; nil for an absent key.
  func watch(_ key: String, from index: UInt64 = 1, seen: UInt64? = nil) {
    let query = BlockingQuery(KVGet(key: key), store: store, minIndex: index, on: loop) { [weak self] result in
      guard let self, case .success(let answer) = result else { return }
      watches[key] = nil
      oversight.watchesAnswered += 1
      // Not from within the answer: the state may change again before anybody looks.
      loop.execute { self.watch(key, from: answer.index, seen: answer.value?.value.modifyIndex) }
    }
    watches[key] = PendingWatch(seen: seen, query: query)
    query.start(timeout: .hours(24))
  }

  /// Waits for a change of a key on behalf of a client.
  ///
  /// - Parameters:
  ///   - index: of the answer that the client had before, from whichever server.
  ///   - seen: the ModifyIndex in that answer; nil for an absent key.
  ///   - isDeaf: The query is not told what the client has, but more: it sleeps through changes.
  func follow(
    _ key: String, from index: UInt64, seen: UInt64?, isDeaf: Bool = false,
    answer: @escaping @Sendable (Result<Answer<Row<KVEntry>?>, ServerError>) -> Void
  ) {
    followerCount += 1
    let number = followerCount
    let query = BlockingQuery(KVGet(key: key), store: store, minIndex: isDeaf ? .max : index, on: loop) {
      [weak self] result in
      self?.followers[number] = nil
      self?.oversight.watchesAnswered += 1
      answer(result)
    }
    followers[number] = Follower(key: key, index: index, seen: seen, query: query)
    query.start(timeout: .seconds(8))
  }

  /// Every query that waits has seen the newest value of its key. (What others do to the table wakes nobody who waits for a
  /// key that is not there.)
  func checkWatches() {
    guard hasChanged else { return }
    hasChanged = false
    loop.run()
    let state = store.current
    for (key, watch) in watches {
      let now = state.kvEntry(key).value?.value.modifyIndex
      if now != watch.seen {
        oversight.checker.report(
          "\(id): a query sleeps that has seen \(key) at \(watch.seen ?? 0), which is at \(now ?? 0)")
      }
    }
    for follower in followers.values {
      let now = state.kvEntry(follower.key).value?.value.modifyIndex
      // This server may be behind the one that the client asked before.
      let isNews = now.map { $0 > follower.index } ?? (lastIndex >= follower.index)
      if now != follower.seen, isNews {
        oversight.checker.report(
          "\(id): a client sleeps that has seen \(follower.key) at \(follower.seen ?? 0) and waits from "
            + "\(follower.index), but it is at \(now ?? 0)")
      }
    }
  }
}

extension ServerClock {
  func now(_ clock: VirtualClock) -> UInt64 { local(MonotonicInstant(nanoseconds: clock.now)).nanoseconds }
}

extension StateSnapshot {
  /// The whole state, encoded.
  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    try? write { bytes += $0 }
    return bytes
  }
}

/// What is known of the whole datacenter, whichever servers live.
final class Oversight: @unchecked Sendable {
  // Sendable: a simulation has one thread.

  let checker = SafetyChecker()
  var watchesAnswered = 0
  private(set) var expiredCount = 0
  /// When each session was last known to be renewed, by asking, and for how long that holds.
  private var sessions: [String: (renewed: UInt64, ttl: UInt64)] = [:]
  private var abandoned: Set<String> = []
  private var known: Set<String> = []

  func renewed(_ session: String, askedAt: UInt64, ttl: UInt64) {
    sessions[session] = (max(askedAt, sessions[session]?.renewed ?? 0), ttl)
  }

  /// Its owner asked to end it.
  func abandoned(_ session: String) { abandoned.insert(session) }

  /// Sessions that a server found ended. The first to see it is the judge of time.
  func ended(_ ids: [String], at now: UInt64) {
    for id in ids where known.insert(id).inserted {
      guard !abandoned.contains(id), let session = sessions[id] else { continue }
      expiredCount += 1
      if now < session.renewed &+ session.ttl {
        checker.report("session \(id) ended \((now - session.renewed) / 1_000_000) ms after it was renewed")
      }
    }
  }

  /// The state that all decided commands up to an index make, encoded.
  func state(at index: LogIndex) -> [UInt8] {
    let store = StateStore { 0 }
    let decided = checker.state.withLock { $0.decided }
    for position in stride(from: 1, through: index, by: 1) {
      guard let entry = decided[position], entry.kind == .command, let command = try? Command(decoding: entry.data)
      else { continue }
      store.apply(index: position, command)
    }
    return store.current.bytes
  }
}
