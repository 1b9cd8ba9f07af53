import Logging
import Synchronization

@testable import Consensus

/// A state machine of a simulated server: also told when that one begins or ends to lead.
protocol SimulatedMachine: StateMachine {
  func leadershipChanged(_ change: LeadershipChange)
}

/// One server of a simulation: the production replica on a simulated disk, driven step by step.
final class SimulatedServer<Machine: SimulatedMachine> {
  let id: ServerID
  let address: ServerAddress
  let disk: SimulatedDisk
  let settings: RaftSettings
  let snapshots: SnapshotPolicy
  /// Number of starts: answers to an earlier life reach nobody.
  private(set) var life = 0
  private(set) var machine: Machine
  private let makeMachine: (ServerClock) -> Machine
  /// The clock of this life.
  private(set) var clock = ServerClock()
  private(set) var replica: Replica?
  private var storage: RaftStorage?
  private var progress = ApplyProgress()
  private var worker: ApplyWorker?
  /// What helpers have to say, and work that nobody has done yet.
  private var posted = Mailbox()
  private var applyWork: [ApplyWork] = []
  private var jobs: [@Sendable () -> Void] = []
  private let observed = Observed()
  /// Until then its process does not run, or its disk does not write: it is busy elsewhere.
  var pausedUntil = MonotonicInstant(nanoseconds: 0)
  var diskBusyUntil = MonotonicInstant(nanoseconds: 0)
  /// What its wall clock shows: nothing may depend on it.
  var wallClock: @Sendable () -> WallTime = { .unset }

  private final class Mailbox: Sendable {
    let inputs = Mutex<[ReplicaInput]>([])
  }

  private final class Observed: Sendable {
    let changes = Mutex<[LeadershipChange]>([])
  }

  private static var quiet: Logger { Logger(label: "simulation", factory: { _ in SwiftLogNoOpLogHandler() }) }

  init(
    id: ServerID, address: ServerAddress, disk: SimulatedDisk, settings: RaftSettings, snapshots: SnapshotPolicy,
    makeMachine: @escaping (ServerClock) -> Machine
  ) {
    self.makeMachine = makeMachine
    machine = makeMachine(clock)
    self.id = id
    self.address = address
    self.disk = disk
    self.settings = settings
    self.snapshots = snapshots
  }

  var isRunning: Bool { replica != nil }

  /// Starts, or starts again after a crash.
  func start(
    bootstrap: RaftConfiguration?, now: MonotonicInstant, seed: UInt64, clock: ServerClock = ServerClock(),
    segmentBytes: Int = 24 << 10
  ) throws(RaftError) {
    life += 1
    self.clock = clock
    machine = makeMachine(clock)
    pausedUntil = now
    diskBusyUntil = now
    progress = ApplyProgress()
    posted = Mailbox()
    applyWork = []
    jobs = []
    let storage: RaftStorage
    do {
      storage = try RaftStorage.open(
        dataDirectory: "/data", disk: disk,
        log: FileLog.Options(firstSegmentBytes: 8 << 10, segmentBytes: segmentBytes, seed: seed) { $0() })
    } catch {
      throw .storage(error)
    }
    self.storage = storage
    worker = ApplyWorker(
      machine: machine, progress: progress,
      observeLeadership: { [observed, machine] change in
        observed.changes.withLock { $0.append(change) }
        machine.leadershipChanged(change)
      })
    let options = RaftOptions(
      id: id, address: address, settings: settings, snapshots: snapshots, bootstrap: bootstrap,
      logger: Self.quiet, wallClock: wallClock, seed: seed)
    replica = try Replica(
      options: options, storage: storage, machine: machine, progress: progress, now: clock.local(now),
      post: { [posted] input in posted.inputs.withLock { $0.append(input) } })
  }

  /// The process is gone; what it had on disk is for the caller to decide.
  func stop() {
    replica = nil
    storage = nil
  }

  func closeInOrder() {
    storage?.close()
    stop()
  }

  func handle(_ input: ReplicaInput, now: MonotonicInstant) { replica?.handle(input, now: clock.local(now)) }

  func propose(_ commands: [[UInt8]], now: MonotonicInstant, completion: @escaping ProposalCompletion) {
    let proposals = commands.map { Proposal(kind: .command, data: $0, extensions: [], completion: completion) }
    replica?.handle(proposals: proposals[...], now: clock.local(now))
  }

  /// When there may be something to do that is not there yet; nil if that does not depend on time.
  var nextDeadline: MonotonicInstant? {
    guard let replica else { return nil }
    var next = replica.nextDeadline.map { clock.instant(of: $0) }
    if replica.hasLogWork { next = next.map { min($0, diskBusyUntil) } ?? diskBusyUntil }
    return next.map { max($0, pausedUntil) }
  }

  func takeOutputs() -> [ReplicaOutput] { replica?.takeOutputs() ?? [] }

  private func collect() {
    guard let replica else { return }
    applyWork += replica.takeApplyWork()
    jobs += replica.takeJobs()
  }

  /// Does one thing of what there is to do, chosen at random.
  /// - Returns: false if there is nothing.
  func act(now: MonotonicInstant, random: inout SeededRandom) -> Bool {
    guard let replica else { return false }
    collect()
    let local = clock.local(now)
    let inputs = posted.inputs.withLock { $0 }
    var choices: [Int] = []
    if !inputs.isEmpty { choices.append(0) }
    if !applyWork.isEmpty { choices.append(1) }
    if !jobs.isEmpty { choices.append(2) }
    if replica.hasLogWork, diskBusyUntil <= now { choices.append(3) }
    if let deadline = replica.nextDeadline, deadline <= local { choices.append(4) }
    guard let choice = choices.randomElement(using: &random) else { return false }
    switch choice {
    case 0:
      posted.inputs.withLock { _ = $0.removeFirst() }
      replica.handle(inputs[0], now: local)
    case 1: worker?.run(applyWork.removeFirst())
    case 2: jobs.remove(at: Int.random(in: 0..<jobs.count, using: &random))()
    case 3:
      guard let batch = replica.takeLogBatch(), let storage else { return true }
      replica.handle(.logWritten(batch, LogWriter.write(batch, to: storage.log)), now: local)
    default: replica.tick(now: local)
    }
    collect()
    if progress.isAwaited.exchange(false, ordering: .sequentiallyConsistent) {
      replica.handle(.applied, now: local)
      collect()
    }
    return true
  }

  func takeLeadershipChanges() -> [LeadershipChange] {
    observed.changes.withLock { changes in
      defer { changes = [] }
      return changes
    }
  }
}
