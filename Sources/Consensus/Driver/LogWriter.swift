/// The thread that writes the log while the consensus thread goes on taking proposals and talking to other servers. What
/// is submitted during one write becomes the next, so the disk never waits for another thread.
///
/// On a slow disk that alone would split the clients into two halves that take turns: while one half is being written, the
/// other waits for the whole of it, then for its own. So after a long write the next one gives those who were just
/// answered a small fraction of that time to come back, and goes on at once when they have.
final class LogWriter: Sendable {
  private struct State {
    var queue = LogQueue()
    var isBusy = false
    var isStopping = false
    /// Until then the next write waits for `expectedCount` entries.
    var gatherUntil: MonotonicInstant?
    var expectedCount = 0
  }

  /// A write that took at least this many nanoseconds is followed by a pause of at most this fraction of it.
  private static let longWrite: UInt64 = 1_000_000
  private static let gatherFraction: UInt64 = 6

  private let state = Monitor(State())
  private let log: any LogStorage
  private let limits: RaftLimits
  private let report: @Sendable (LogBatch, Result<Void, StorageError>) -> Void

  init(
    log: any LogStorage, limits: RaftLimits,
    report: @escaping @Sendable (LogBatch, Result<Void, StorageError>) -> Void
  ) {
    self.log = log
    self.limits = limits
    self.report = report
  }

  static func write(_ batch: LogBatch, to log: any LogStorage) -> Result<Void, StorageError> {
    Result { () throws(StorageError) in try log.write(batch) }
  }

  func runLoop() {
    while let batch = next() {
      let start = SystemClock.now()
      let result = Self.write(batch, to: log)
      let end = SystemClock.now()
      state.withLock { state in
        let took = end.since(start)
        state.gatherUntil = took < Self.longWrite ? nil : end + took / Self.gatherFraction
        state.expectedCount = batch.entryCount + state.queue.entryCount
      }
      report(batch, result)
    }
  }

  /// Waits for something to write; nil at the end.
  private func next() -> LogBatch? {
    // First for anything at all, then, as long as that makes sense, for the rest.
    let deadline = state.waitUntil { state -> MonotonicInstant?? in
      state.isBusy = false
      return state.isStopping || !state.queue.isEmpty ? .some(state.gatherUntil) : nil
    }
    while true {
      let batch = state.wait(until: deadline) { state -> LogBatch?? in
        if state.isStopping { return .some(nil) }
        if let gatherUntil = state.gatherUntil, state.queue.entryCount < state.expectedCount,
          SystemClock.now() < gatherUntil
        {
          return nil
        }
        state.isBusy = true
        return .some(state.queue.takeBatch(limits))
      }
      if let batch { return batch }
    }
  }

  /// Everything that was submitted has been written and reported.
  var isIdle: Bool { state.withLock { !$0.isBusy && $0.queue.isEmpty } }

  /// Only ever called by the consensus thread. What is written together is reported together.
  /// - Returns: whether the writer was idle.
  func submit(_ batch: LogBatch) -> Bool {
    var wasIdle = false
    state.withLockNotifying { state in
      wasIdle = !state.isBusy && state.queue.isEmpty
      for operation in batch.operations { state.queue.append(operation) }
      return !state.isBusy
    }
    return wasIdle
  }

  /// Ends the thread after the write that is under way; what waits is not written.
  func stop() {
    state.withLockNotifying { state in
      state.isStopping = true
      return true
    }
  }
}
