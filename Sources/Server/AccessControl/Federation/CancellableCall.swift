import Synchronization

/// A call with a completion, for a task that may be cancelled: then it ends at once.
final class CancellableCall<Value: Sendable>: Sendable {
  typealias Completion = @Sendable (Result<Value, ServerError>) -> Void

  private struct State {
    var continuation: CheckedContinuation<Result<Value, ServerError>, Never>?
    var pending: (any PendingQuery)?
    var isOver = false
  }

  private let state = Mutex(State())

  func result(_ start: (@escaping Completion) -> (any PendingQuery)?) async throws(ServerError) -> Value {
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { state in
          if !state.isOver { state.continuation = continuation }
          return state.isOver
        }
        if isOver { return continuation.resume(returning: .failure(.shuttingDown)) }
        let pending = start { self.finish($0) }
        let isUnwanted = state.withLock { state in
          if !state.isOver { state.pending = pending }
          return state.isOver
        }
        if isUnwanted { pending?.cancel() }
      }
    } onCancel: {
      finish(.failure(.shuttingDown))
    }
    return try result.get()
  }

  private func finish(_ result: Result<Value, ServerError>) {
    let (continuation, pending) = state.withLock { state in
      defer { state = State(isOver: true) }
      return (state.continuation, state.pending)
    }
    continuation?.resume(returning: result)
    // Only a call that was given up still waits; for others this does nothing.
    pending?.cancel()
  }
}
