import Model
import Synchronization

/// # State
///
/// The replicated state: tables over persistent radix trees (`Radix`, `Tables`), changed by one writer in transactions
/// (`Store`, `Operations`) that commands of the log drive (`Commands`), read without locks in immutable versions
/// (`Queries`), waited for (`Watches`), and written to and read from snapshots (`Snapshot`). The room owns what a command
/// does and which index an answer has. It must not know the log, other servers, requests, permissions or clocks.

/// The current version of the state and the way to the next.
public final class StateStore: Sendable {
  /// Only for waiting: versions are made under `writer` and shown under `shown`.
  private let writer = Mutex<Void>(())
  private let shown: Mutex<StateSnapshot>
  private let hub: WatchHub
  private let lockDelays = Mutex(LockDelays())

  public init() {
    let empty = StateSnapshot()
    shown = Mutex(empty)
    hub = WatchHub(empty)
  }

  /// The newest published version.
  public var current: StateSnapshot { shown.withLock { $0 } }

  // MARK: Writing

  /// Applies commands of the log in order, publishes the outcome as one version and wakes those who wait for what changed.
  ///
  /// - Parameter now: monotonic, in nanoseconds; lock delays start at it.
  /// - Returns: the result of each command. One that fails has no effect, the others have theirs.
  @discardableResult
  public func apply(_ entries: some Sequence<(index: UInt64, command: Command)>, now: UInt64) -> [CommandResult] {
    write(now: now) { transaction in
      entries.map { transaction.apply($0.command, index: $0.index) }
    }
  }

  /// Applies one command.
  @discardableResult
  public func apply(index: UInt64, _ command: Command, now: UInt64) -> CommandResult {
    write(now: now) { $0.apply(command, index: index) }
  }

  /// Runs operations in one transaction and publishes their outcome. If `body` throws, nothing of it happened.
  public func write<Result, Failure: Error>(
    now: UInt64, _ body: (WriteTransaction) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let outcome = writer.withLock { _ in
      do throws(Failure) {
        let transaction = WriteTransaction(current)
        let result = try body(transaction)
        return Swift.Result<(Result, [Watch]), Failure>.success((result, publish(transaction, now: now)))
      } catch {
        return .failure(error)
      }
    }
    let (result, woken) = try outcome.get()
    for watch in woken { watch.wake() }
    return result
  }

  private func publish(_ transaction: WriteTransaction, now: UInt64) -> [Watch] {
    if !transaction.lockDelays.isEmpty {
      lockDelays.withLock { delays in
        for (key, duration) in transaction.lockDelays { delays.start(key, duration: duration, now: now) }
      }
    }
    return publish(transaction.finish(), transaction.changes)
  }

  private func publish(_ version: StateSnapshot, _ changes: [Change]) -> [Watch] {
    hub.publish(version, changes) { shown.withLock { $0 = version } }
  }

  /// Replaces the whole state, as restoring a snapshot does, and wakes everybody.
  public func replace(with restored: RestoredState) {
    let woken = writer.withLock { _ in publish(restored.version, [.everything]) }
    lockDelays.withLock { $0 = LockDelays() }
    for watch in woken { watch.wake() }
  }

  // MARK: Waiting

  /// Waits for a change of any of these parts.
  ///
  /// - Parameters:
  ///   - points: what a query returned as its `watch`.
  ///   - seen: the version that the query looked at.
  ///   - wake: called once, outside of all locks, on the writer's thread. It must not block.
  /// - Returns: nil if something may have changed after `seen`: the query has to look again. `wake` is not called then.
  public func register(
    _ points: [WatchPoint], seen: StateSnapshot, _ wake: @escaping @Sendable () -> Void
  ) -> Watch? {
    hub.register(points, seen: seen, wake)
  }

  /// How many watches wait.
  public var watchCount: Int { hub.count }

  // MARK: Lock delays

  /// Whether nobody may lock `key` yet, because the session of its last holder was invalidated a moment ago. Known only to
  /// this process, which must be the leader's: the log does not depend on clocks.
  public func isLockDelayed(_ key: String, now: UInt64) -> Bool {
    lockDelays.withLock { $0.isActive(key, now: now) }
  }
}
