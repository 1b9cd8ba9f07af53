/// The segment that is being made ready in the background: at most one.
final class SegmentPreparation: Sendable {
  private enum State {
    case idle
    case running
    case ready(Result<Segment, StorageError>)
  }

  private let state = Monitor(State.idle)

  /// - Returns: false if a preparation is already under way or waiting to be taken.
  func begin() -> Bool {
    state.withLock { state in
      guard case .idle = state else { return false }
      state = .running
      return true
    }
  }

  func finish(_ result: Result<Segment, StorageError>) {
    state.withLockAndNotify { $0 = .ready(result) }
  }

  /// The prepared segment, waiting for one that is under way; nil if there is none.
  func take() -> Result<Segment, StorageError>? {
    state.waitUntil { state -> Result<Segment, StorageError>?? in
      switch state {
      case .idle: return .some(nil)
      case .running: return nil
      case .ready(let result):
        state = .idle
        return .some(result)
      }
    }
  }
}
