/// The thread that writes the log while the consensus thread goes on talking to other servers. Takes one batch at a time;
/// what is proposed meanwhile becomes the next.
final class LogWriter: Sendable {
  private enum State {
    case idle
    case waiting(LogBatch)
    case busy
    case stopping
  }

  private let state = Monitor(State.idle)
  private let log: any LogStorage
  private let report: @Sendable (LogBatch, Result<Void, StorageError>) -> Void

  init(log: any LogStorage, report: @escaping @Sendable (LogBatch, Result<Void, StorageError>) -> Void) {
    self.log = log
    self.report = report
  }

  static func write(_ batch: LogBatch, to log: any LogStorage) -> Result<Void, StorageError> {
    Result { () throws(StorageError) in try log.write(batch) }
  }

  func runLoop() {
    while true {
      let batch = state.waitUntil { state -> LogBatch?? in
        switch state {
        case .waiting(let batch):
          state = .busy
          return .some(batch)
        case .stopping: return .some(nil)
        case .idle, .busy: return nil
        }
      }
      guard let batch else { return }
      let result = Self.write(batch, to: log)
      state.withLock { state in
        if case .busy = state { state = .idle }
      }
      report(batch, result)
    }
  }

  /// The caller waits for the report of one batch before it submits the next.
  func submit(_ batch: LogBatch) {
    state.withLockNotifying { state in
      guard case .idle = state else { return false }
      state = .waiting(batch)
      return true
    }
  }

  func stop() {
    state.withLockNotifying { state in
      state = .stopping
      return true
    }
  }
}
