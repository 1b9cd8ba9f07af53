/// The thread that writes the log while the consensus thread goes on taking proposals and talking to other servers. What
/// is submitted during one write becomes the next, so the disk never waits for another thread.
final class LogWriter: Sendable {
  private struct State {
    var queue = LogQueue()
    var isBusy = false
    var isStopping = false
  }

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
    while true {
      let batch = state.waitUntil { state -> LogBatch?? in
        state.isBusy = false
        if state.isStopping { return .some(nil) }
        guard !state.queue.isEmpty else { return nil }
        state.isBusy = true
        return .some(state.queue.takeBatch(limits))
      }
      guard let batch else { return }
      report(batch, Self.write(batch, to: log))
    }
  }

  /// Everything that was submitted has been written and reported.
  var isIdle: Bool { state.withLock { !$0.isBusy && $0.queue.isEmpty } }

  /// Only ever called by the consensus thread. What is written together is reported together.
  func submit(_ batch: LogBatch) {
    state.withLockNotifying { state in
      let wasIdle = !state.isBusy && state.queue.isEmpty
      for operation in batch.operations { state.queue.append(operation) }
      return wasIdle
    }
  }

  /// Ends the thread after the write that is under way; what waits is not written.
  func stop() {
    state.withLockNotifying { state in
      state.isStopping = true
      return true
    }
  }
}
