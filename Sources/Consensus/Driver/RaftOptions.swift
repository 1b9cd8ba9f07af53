import Logging

/// How one server runs.
public struct RaftOptions: Sendable {
  public var id: ServerID
  public var address: ServerAddress
  public var settings: RaftSettings
  public var snapshots: SnapshotPolicy
  public var limits: RaftLimits
  /// First configuration, written if there is no state at all. Nil: wait to be contacted by a leader.
  public var bootstrap: RaftConfiguration?
  public var logger: Logger
  /// Wall clock for `AppendedAt`.
  public var wallClock: @Sendable () -> WallTime
  /// Seed of election timeouts.
  public var seed: UInt64

  public init(
    id: ServerID, address: ServerAddress, settings: RaftSettings = RaftSettings(),
    snapshots: SnapshotPolicy = SnapshotPolicy(), limits: RaftLimits = RaftLimits(),
    bootstrap: RaftConfiguration? = nil, logger: Logger = Logger(label: "raft"),
    wallClock: @escaping @Sendable () -> WallTime = SystemClock.wallTime,
    seed: UInt64 = UInt64.random(in: 0...UInt64.max)
  ) {
    self.id = id
    self.address = address
    self.settings = settings
    self.snapshots = snapshots
    self.limits = limits
    self.bootstrap = bootstrap
    self.logger = logger
    self.wallClock = wallClock
    self.seed = seed
  }
}

/// When snapshots are taken, and what is kept of the log after one.
public struct SnapshotPolicy: Sendable, Equatable {
  /// Applied entries since the last snapshot that make a new one worthwhile. Higher: less work; lower: shorter replay.
  public var threshold: UInt64
  /// How often (1 … 2 times this) the threshold is looked at.
  public var interval: Duration
  /// Entries that stay in the log for followers that are a little behind.
  public var trailingEntries: UInt64
  /// Bytes of log that bring the next snapshot forward; half of this at most stays after one.
  public var logBytesMax: Int
  /// False: the log is shortened without storing a snapshot. For logs that do not outlive the process; a follower that
  /// needs a snapshot has one made for it.
  public var storesSnapshots: Bool

  public init(
    threshold: UInt64 = 16384, interval: Duration = .seconds(30), trailingEntries: UInt64 = 10240,
    logBytesMax: Int = 1 << 30, storesSnapshots: Bool = true
  ) {
    self.threshold = threshold
    self.interval = interval
    self.trailingEntries = trailingEntries
    self.logBytesMax = logBytesMax
    self.storesSnapshots = storesSnapshots
  }

  /// For `agent -dev`: nothing is kept on disk and little in memory.
  public static let inMemory = SnapshotPolicy(logBytesMax: 8 << 20, storesSnapshots: false)
}

/// Bounds on what is held in memory or written at once.
public struct RaftLimits: Sendable, Equatable {
  /// Entries and bytes in one write to the log.
  public var batchEntriesMax: Int
  public var batchBytesMax: Int
  /// Bytes of a single entry.
  public var entryBytesMax: Int
  /// Bytes of committed entries that may wait for the state machine; more are read from the log when it has time.
  public var applyBytesMax: Int
  /// Bytes of recent entries kept in memory for followers.
  public var cacheBytesMax: Int

  public init(
    batchEntriesMax: Int = 1024, batchBytesMax: Int = 4 << 20, entryBytesMax: Int = 256 << 20,
    applyBytesMax: Int = 32 << 20, cacheBytesMax: Int = 2 << 20
  ) {
    self.batchEntriesMax = batchEntriesMax
    self.batchBytesMax = batchBytesMax
    self.entryBytesMax = entryBytesMax
    self.applyBytesMax = applyBytesMax
    self.cacheBytesMax = cacheBytesMax
  }
}
