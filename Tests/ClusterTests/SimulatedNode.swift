import Logging
import Model
import NIOCore
import NIOEmbedded
import Synchronization

@testable import Consensus
@testable import Server
@testable import Simulation
@testable import State

/// The one clock of a simulation, in nanoseconds.
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
  private(set) var lastIndex: LogIndex = 0
  /// What the duties want logged.
  private(set) var proposals: [Proposal] = []
  private let applier: CommandApplier
  private let clock: VirtualClock
  private let oversight: Oversight
  private var watches: [String: PendingWatch] = [:]
  /// The state has changed since the watches were looked at.
  private var hasChanged = true

  /// A blocking query that waits.
  private struct PendingWatch {
    /// The ModifyIndex that it has seen; nil for an absent key.
    var seen: UInt64?
    var query: BlockingQuery<KVGet>
  }

  init(_ id: ServerID, clock: VirtualClock, oversight: Oversight) {
    self.id = id
    self.clock = clock
    self.oversight = oversight
    store = StateStore { clock.now }
    let log = LeaderProposals(logger: Self.quiet)
    let settings = ServerNode.Settings(
      datacenter: "dc1", member: ClusterMember(name: id, address: "127.0.0.1", port: 8301, tags: [:]),
      logger: Self.quiet)
    let duties = LeaderDuties(settings: settings, store: store, proposals: log, loop: loop) { clock.now }
    self.duties = duties
    applier = CommandApplier(store: store, stop: { fatalError($0) }) { batch in
      oversight.ended(batch.destroyedSessions, at: clock.now)
      duties.applied(batch)
    }
    // The clock of the loop is that of the simulation.
    loop.advanceTime(to: .uptimeNanoseconds(clock.now))
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
      leadership.gained()
    case .lost:
      leadership.lost()
      duties.follow()
    }
  }

  // MARK: Driving

  /// Lets time pass on the loop.
  func advance() { loop.advanceTime(to: .uptimeNanoseconds(clock.now)) }

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
  }
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
