import Synchronization

@testable import Consensus
@testable import Simulation

/// One server whose disk and power fail at any moment. What it acknowledged must be there after every restart, in order,
/// and nothing else than what was proposed.
struct SingleServerSimulation {
  struct Plan {
    var steps = 120
    var faults = SimulatedDisk.Faults()
  }

  private let seed: UInt64
  private let plan: Plan
  private var random: SeededRandom
  private let disk: SimulatedDisk
  private let server: SimulatedServer<RecordingMachine>
  private var now = MonotonicInstant(nanoseconds: 1_000_000_000)
  private var step = 0
  private var nextCommand: UInt64 = 0
  /// Everything that may be in the log, in order.
  private var accepted: [[UInt8]] = []
  private(set) var crashCount = 0
  private(set) var failureCount = 0

  final class Ledger: Sendable {
    struct State: Sendable {
      /// How many commands of the present history were acknowledged or found after a restart.
      var count = 0
      /// Grows when the history is replaced; answers to proposals of an earlier one do not count.
      var epoch = 0
      var errors: [String] = []
    }
    let state = Mutex(State())
  }

  private let ledger = Ledger()
  /// An operator's restore that was neither acknowledged nor refused before a crash: both outcomes are right.
  private var pendingRestore: [[UInt8]]?

  init(seed: UInt64, plan: Plan) {
    self.seed = seed
    self.plan = plan
    random = SeededRandom(seed: seed)
    disk = SimulatedDisk(seed: seed ^ 0xd15c, faults: plan.faults)
    server = SimulatedServer(
      id: "a", disk: disk, settings: RaftSettings(),
      snapshots: SnapshotPolicy(
        threshold: 40, interval: .seconds(2), trailingEntries: 10, logBytesMax: 96 << 10),
      makeMachine: { RecordingMachine() })
  }

  /// Equal for runs that went the same way.
  var fingerprint: [UInt64] {
    var random = self.random
    return [random.next(), disk.fingerprint, UInt64(accepted.count)]
  }

  private func violation(_ what: String) -> Violation { Violation(seed: seed, step: step, what: what) }

  mutating func run() throws {
    try restart()
    while step < plan.steps {
      step += 1
      now = now + UInt64.random(in: 0...200_000_000, using: &random)
      switch Int.random(in: 0..<100, using: &random) {
      case 0..<62: propose()
      case 62..<68: server.handle(.snapshot(completion: { _ in }), now: now)
      case 68..<70: restore()
      case 70..<78: disk.planCrash(afterOperations: Int.random(in: 0..<40, using: &random))
      case 78..<80:
        settle()
        server.closeInOrder()
        try afterDeath(powerLost: Bool.random(using: &random))
      case 80..<84: try afterDeath(powerLost: Bool.random(using: &random))
      default: break
      }
      act(Int.random(in: 0..<30, using: &random))
      if let error = ledger.state.withLock({ $0.errors.first }) { throw violation(error) }
      // A server that failed is restarted by its supervisor.
      if server.replica?.failure != nil || disk.isCrashed {
        act(100)
        try afterDeath(powerLost: disk.isCrashed || Bool.random(using: &random))
      }
    }
    disk.setFaults(quiet)
    try afterDeath(powerLost: true)
    settle()
  }

  private var quiet: SimulatedDisk.Faults {
    var faults = SimulatedDisk.Faults()
    faults.lies = plan.faults.lies
    return faults
  }

  private mutating func act(_ count: Int) {
    for _ in 0..<count where !server.act(now: now, random: &random) { break }
    _ = server.takeOutputs()
  }

  private mutating func propose() {
    guard let replica = server.replica, replica.failure == nil, replica.core.proposalObstacle == nil else { return }
    let count = Int.random(in: 0..<10, using: &random) == 0 ? Int.random(in: 1...40, using: &random) : 1
    var commands: [[UInt8]] = []
    for _ in 0..<count {
      nextCommand += 1
      let length = [0, 10, 200, 700, 3000, 9000].randomElement(using: &random) ?? 0
      var bytes: [UInt8] = []
      bytes.appendLittleEndian(nextCommand)
      // Some values look like log records that were copied from elsewhere.
      if length == 700 {
        LogRecord.append(
          to: &bytes, origin: 0, batch: 0, nonce: 0, salt: 0, kind: 0, index: 7, term: 1, data: [1, 2, 3])
      }
      for position in 0..<Int.random(in: 0...length, using: &random) {
        bytes.append(UInt8(truncatingIfNeeded: position))
      }
      commands.append(bytes)
    }
    let epoch = ledger.state.withLock { $0.epoch }
    for command in commands {
      accepted.append(command)
      let number = accepted.count
      server.propose([command], now: now) { [ledger] result in
        guard case .success(let applied) = result else { return }
        ledger.state.withLock { state in
          guard state.epoch == epoch else { return }
          if applied.result as? Int != number {
            state.errors.append("command \(number) was answered as number \(applied.result)")
          }
          state.count = max(state.count, number)
        }
      }
    }
  }

  private mutating func restore() {
    guard let replica = server.replica, replica.failure == nil, replica.core.proposalObstacle == nil,
      replica.core.mayChangeConfiguration
    else { return }
    var history = [[UInt8]](accepted.suffix(3))
    nextCommand += 1
    var bytes: [UInt8] = []
    bytes.appendLittleEndian(nextCommand)
    history.append(bytes)
    pendingRestore = history
    let content = RecordingMachine.encode(history)
    let outcome = Outcome()
    server.handle(
      .restore(BytesContent(content), size: Int64(content.count), prepared: nil) { result in
        outcome.state.withLock { $0 = result.map { _ in () } }
      }, now: now)
    // Nothing else is proposed meanwhile, so the outcome is clear before the next step, unless there is a crash.
    for _ in 0..<2000 where server.replica?.failure == nil && !disk.isCrashed {
      if outcome.state.withLock({ $0 != nil }) { break }
      if !server.act(now: now, random: &random) { now = now + 10_000_000 }
    }
    switch outcome.state.withLock({ $0 }) {
    case .success?:
      accepted = history
      ledger.state.withLock { state in
        state.epoch += 1
        state.count = history.count
      }
      pendingRestore = nil
    case .failure(.restoreFailed)?, .failure(.leadershipLost)?: pendingRestore = nil
    case .failure?, nil: break
    }
  }

  private final class Outcome: Sendable {
    let state = Mutex<Result<Void, RaftError>?>(nil)
  }

  // MARK: Death and return

  private mutating func afterDeath(powerLost: Bool) throws {
    failureCount += disk.failureCount
    server.stop()
    crashCount += 1
    if powerLost { disk.losePower() } else { disk.killProcess() }
    // Every other time it dies again while it is coming back.
    if Int.random(in: 0..<3, using: &random) == 0 {
      disk.planCrash(afterOperations: Int.random(in: 0..<60, using: &random))
    }
    try restart()
  }

  private mutating func restart() throws {
    for attempt in 0..<200 {
      if attempt == 20 { disk.setFaults(quiet) }
      do throws(RaftError) {
        try server.start(
          bootstrap: RaftConfiguration(servers: [RaftServer(id: "a", address: "a:8300")]), now: now,
          seed: random.next())
        settle()
      } catch {
        // Crashes and reported failures excuse a failed start; damage never does.
        guard disk.isCrashed || error.isFailureOfDisk else {
          throw violation("does not start: \(error)")
        }
      }
      if let replica = server.replica, replica.failure == nil, !disk.isCrashed { return try check() }
      server.stop()
      if disk.isCrashed || Bool.random(using: &random) { disk.losePower() } else { disk.killProcess() }
    }
    throw violation("does not come back")
  }

  /// Until nothing is left to do. A full disk or a failed sync may end it early.
  private mutating func settle() {
    for _ in 0..<20_000 {
      if server.replica?.failure != nil || disk.isCrashed { return }
      if !server.act(now: now, random: &random) { return }
    }
  }

  /// Compares what is there with what was promised.
  private mutating func check() throws {
    let found = server.machine.commands
    let count = ledger.state.withLock { $0.count }
    if let restored = pendingRestore, found.count >= restored.count, Array(found.prefix(restored.count)) == restored {
      accepted = found
    } else {
      guard found.count >= count else {
        throw violation("\(count) commands were acknowledged, \(found.count) are there")
      }
      guard found.count <= accepted.count, found[...] == accepted[..<found.count] else {
        throw violation("the log is not a prefix of what was proposed")
      }
      accepted = found
    }
    pendingRestore = nil
    ledger.state.withLock { state in
      state.epoch += 1
      state.count = found.count
    }
    guard server.replica?.core.isLeader == true else { throw violation("does not lead after a restart") }
  }

  // MARK: Damage

  /// Damages a batch that is not the last and expects the next start to refuse.
  mutating func runDamage() throws -> Bool {
    try restart()
    for _ in 0..<Int.random(in: 5...60, using: &random) {
      propose()
      settle()
    }
    server.stop()
    disk.losePower()
    let damaged = pickDamage()
    guard let damaged else { return false }
    disk.flip(bit: Int.random(in: 0..<8, using: &random), at: damaged.offset, of: damaged.path)
    do throws(RaftError) {
      try server.start(bootstrap: nil, now: now, seed: 1)
    } catch {
      guard case .storage(let storage) = error else { throw violation("refused for a strange reason: \(error)") }
      switch storage {
      case .corrupt(let file, _, _), .gap(let file, _, _):
        guard file == damaged.path || file.hasPrefix("/data/raft/log/") else {
          throw violation("blames \(file) instead of \(damaged.path)")
        }
        return true
      default: throw violation("refused for a strange reason: \(error)")
      }
    }
    throw violation("started in spite of damage at \(damaged.offset) of \(damaged.path)")
  }

  /// A byte of a record whose batch is followed by another.
  private mutating func pickDamage() -> (path: String, offset: Int)? {
    let names = (try? disk.list("/data/raft/log")) ?? []
    var records: [(path: String, range: Range<Int>)] = []
    for name in names.sorted() {
      let path = "/data/raft/log/" + name
      guard let content = disk.content(of: path), name != LogSegment.temporaryName else { continue }
      content.withUnsafeBytes { bytes in
        guard let header = try? LogSegment.Header(decoding: bytes, file: path) else { return }
        _ = try? LogRecovery.scan(bytes, salt: header.salt) { record throws(StorageError) in
          // Padding carries nothing; only bytes of the record count.
          records.append((path, record.offset..<record.offset + record.length))
        }
      }
    }
    // The largest batch has 40 entries and what begins a segment: leave as many alone.
    let candidates = records.dropLast(42)
    guard let victim = candidates.randomElement(using: &random) else { return nil }
    return (victim.path, Int.random(in: victim.range, using: &random))
  }
}
