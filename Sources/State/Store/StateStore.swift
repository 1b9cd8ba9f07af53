import Glibc
import Model
import Synchronization

/// # State
///
/// The replicated state: tables over persistent radix trees (`Radix`, `Tables`), changed by one writer in transactions
/// (`Store`, `Operations`) that commands of the log drive (`Commands`), read without locks in immutable versions
/// (`Queries`), waited for (`Watches`), and written to and read from snapshots (`Snapshot`). The room owns what a command
/// does and which index an answer has. It must not know the log, other servers, requests or permissions.

/// The current version of the state and the way to the next.
public final class StateStore: Sendable {
  /// Only for waiting: versions are made under `writer` and shown under `shown`.
  private let writer = Mutex<Void>(())
  private let shown: Mutex<StateSnapshot>
  private let hub: WatchHub
  private let lockDelays = Mutex(LockDelays())
  private let now: @Sendable () -> UInt64

  /// - Parameter now: monotonic, in nanoseconds. Asked when a lock delay starts.
  public init(now: @escaping @Sendable () -> UInt64 = StateStore.monotonicNow) {
    self.now = now
    let empty = StateSnapshot()
    shown = Mutex(empty)
    hub = WatchHub(empty)
  }

  /// The newest published version.
  public var current: StateSnapshot { shown.withLock { $0 } }

  // MARK: Writing

  /// Applies one command of the log. One that fails changes nothing.
  @discardableResult
  public func apply(index: UInt64, _ command: Command) -> CommandResult {
    write { $0.apply(command, index: index) }
  }

  /// Runs operations in one transaction, publishes their outcome as one version and wakes those who wait for what changed. If
  /// `body` throws, nothing of it happened. A batch of log entries costs least as one transaction.
  public func write<Result, Failure: Error>(
    _ body: (inout StateTransaction) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let outcome = writer.withLock { _ in
      do throws(Failure) {
        var transaction = StateTransaction(current)
        let result = try body(&transaction)
        return Swift.Result<(Result, [Watch]), Failure>.success((result, publish(&transaction)))
      } catch {
        return .failure(error)
      }
    }
    let (result, woken) = try outcome.get()
    for watch in woken { watch.wake(false) }
    return result
  }

  private func publish(_ transaction: inout StateTransaction) -> [Watch] {
    if !transaction.lockDelays.isEmpty {
      let now = now()
      lockDelays.withLock { delays in
        for (key, duration) in transaction.lockDelays { delays.start(key, duration: duration, now: now) }
      }
    }
    let changes = transaction.changes
    return publish(transaction.snapshot(), changes)
  }

  private func publish(_ version: StateSnapshot, _ changes: [Change]) -> [Watch] {
    hub.publish(version, changes) { shown.withLock { $0 = version } }
  }

  /// Replaces the whole state, as restoring a snapshot does, and wakes everybody.
  public func replace(with restored: RestoredState) {
    let woken = writer.withLock { _ in
      let version = StateSnapshot(
        tables: restored.tables, appliedIndex: restored.lastIndex, generation: current.generation &+ 1)
      return publish(version, [.everything])
    }
    lockDelays.withLock { $0 = LockDelays() }
    for watch in woken { watch.wake(true) }
  }

  // MARK: Waiting

  /// Waits for a change of any of these parts.
  ///
  /// - Parameters:
  ///   - points: what a query returned as its `watch`.
  ///   - seen: the version that the query looked at.
  ///   - wake: called once, outside of all locks, on the writer's thread; it must not block. It is told whether the whole
  ///     state was replaced (restored), so that indexes may have gone back.
  /// - Returns: nil if something may have changed after `seen`: the query has to look again. `wake` is not called then.
  public func register(
    _ points: [WatchPoint], seen: StateSnapshot, _ wake: @escaping @Sendable (Bool) -> Void
  ) -> Watch? {
    hub.register(points, seen: seen, wake)
  }

  /// Stops waiting. A wake that is under way may still arrive.
  public func cancel(_ watch: Watch) { hub.cancel(watch) }

  /// How many watches wait.
  public var watchCount: Int { hub.count }

  // MARK: Lock delays

  /// Whether nobody may lock `key` yet, because the session of its last holder was invalidated a moment ago. Known only to
  /// this process, which must be the leader's: the log does not depend on clocks.
  public func isLockDelayed(_ key: String, now: UInt64) -> Bool {
    lockDelays.withLock { $0.isActive(key, now: now) }
  }

  public func isLockDelayed(_ key: String) -> Bool { isLockDelayed(key, now: now()) }

  /// The monotonic clock of the system, in nanoseconds.
  @Sendable public static func monotonicNow() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(clamping: time.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: time.tv_nsec)
  }
}
