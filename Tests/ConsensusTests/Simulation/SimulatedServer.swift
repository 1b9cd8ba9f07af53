import Logging
import Synchronization

@testable import Consensus

/// One server of a simulation: the production replica on a simulated disk, driven step by step.
final class SimulatedServer {
  let id: ServerID
  let disk: SimulatedDisk
  let settings: RaftSettings
  let snapshots: SnapshotPolicy
  /// Number of starts: answers to an earlier life reach nobody.
  private(set) var life = 0
  private(set) var machine = RecordingMachine()
  private let observer: (any MachineObserver)?
  private(set) var replica: Replica?
  private var storage: RaftStorage?
  private var progress = ApplyProgress()
  private var worker: ApplyWorker?
  /// What helpers have to say, and work that nobody has done yet.
  private var posted = Mailbox()
  private var applyWork: [ApplyWork] = []
  private var jobs: [@Sendable () -> Void] = []
  private let observed = Observed()

  private final class Mailbox: Sendable {
    let inputs = Mutex<[ReplicaInput]>([])
  }

  private final class Observed: Sendable {
    let changes = Mutex<[LeadershipChange]>([])
  }

  private static let quiet: Logger = {
    var logger = Logger(label: "simulation", factory: { _ in SwiftLogNoOpLogHandler() })
    logger.logLevel = .critical
    return logger
  }()

  init(
    id: ServerID, disk: SimulatedDisk, settings: RaftSettings, snapshots: SnapshotPolicy,
    observer: (any MachineObserver)? = nil
  ) {
    self.observer = observer
    self.id = id
    self.disk = disk
    self.settings = settings
    self.snapshots = snapshots
  }

  var isRunning: Bool { replica != nil }

  /// Starts, or starts again after a crash.
  func start(
    bootstrap: RaftConfiguration?, now: MonotonicInstant, seed: UInt64,
    segmentBytes: Int = 24 << 10
  ) throws(RaftError) {
    life += 1
    machine = RecordingMachine(observer: observer)
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
      observeLeadership: { [observed] change in observed.changes.withLock { $0.append(change) } })
    let options = RaftOptions(
      id: id, address: id + ":8300", settings: settings, snapshots: snapshots, bootstrap: bootstrap,
      logger: Self.quiet, wallClock: { .unset }, seed: seed)
    replica = try Replica(
      options: options, storage: storage, machine: machine, progress: progress, now: now,
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

  func handle(_ input: ReplicaInput, now: MonotonicInstant) { replica?.handle(input, now: now) }

  func propose(_ commands: [[UInt8]], now: MonotonicInstant, completion: @escaping ProposalCompletion) {
    let proposals = commands.map { Proposal(kind: .command, data: $0, extensions: [], completion: completion) }
    replica?.handle(proposals: proposals[...], now: now)
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
    let inputs = posted.inputs.withLock { $0 }
    var choices: [Int] = []
    if !inputs.isEmpty { choices.append(0) }
    if !applyWork.isEmpty { choices.append(1) }
    if !jobs.isEmpty { choices.append(2) }
    if replica.hasLogWork { choices.append(3) }
    if let deadline = replica.nextDeadline, deadline <= now { choices.append(4) }
    guard let choice = choices.randomElement(using: &random) else { return false }
    switch choice {
    case 0:
      posted.inputs.withLock { _ = $0.removeFirst() }
      replica.handle(inputs[0], now: now)
    case 1: worker?.run(applyWork.removeFirst())
    case 2: jobs.remove(at: Int.random(in: 0..<jobs.count, using: &random))()
    case 3:
      guard let batch = replica.takeLogBatch(), let storage else { return true }
      replica.handle(.logWritten(batch, LogWriter.write(batch, to: storage.log)), now: now)
    default: replica.tick(now: now)
    }
    collect()
    if progress.isAwaited.exchange(false, ordering: .sequentiallyConsistent) {
      replica.handle(.applied, now: now)
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
