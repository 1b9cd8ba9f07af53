import Model
import Synchronization

/// A read that another one may take the place of, because its answer did not do.
final class ReplaceableQuery: PendingQuery {
  private struct State {
    var current: (any PendingQuery)?
    var isReplaced = false
    var isCancelled = false
  }

  private let state = Mutex(State())

  /// The first read may have been answered, and replaced, before it is known here.
  func begin(with query: (any PendingQuery)?) {
    let isUnwanted = state.withLock { state in
      if !state.isReplaced { state.current = query }
      return state.isCancelled
    }
    if isUnwanted { query?.cancel() }
  }

  func replace(by query: (any PendingQuery)?) {
    let isUnwanted = state.withLock { state in
      state.isReplaced = true
      state.current = query
      return state.isCancelled
    }
    if isUnwanted { query?.cancel() }
  }

  func cancel() {
    let current = state.withLock { state in
      state.isCancelled = true
      defer { state.current = nil }
      return state.current
    }
    current?.cancel()
  }
}

extension Answer {
  /// Whether the server that answered has not heard from the leader for longer.
  func isOlder(than limit: GoDuration) -> Bool {
    let (nanoseconds, overflow) = lastContactMilliseconds.multipliedReportingOverflow(by: 1_000_000)
    return overflow || nanoseconds > UInt64(clamping: limit.nanoseconds)
  }
}
