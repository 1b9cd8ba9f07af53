import Synchronization

/// Counts the connections of each client address and says when one has too many.
final class ConnectionLimiter: Sendable {
  private struct State {
    var limit: Int
    var counts: [String: Int] = [:]
  }

  private let state: Mutex<State>

  /// - Parameter limit: connections per address; 0 means any number.
  init(limit: Int) { state = Mutex(State(limit: limit)) }

  /// For reloads of the configuration. Connections above a lower limit stay.
  func setLimit(_ limit: Int) { state.withLock { $0.limit = limit } }

  /// Whether one more connection of that address may stay. If so, `release` has to follow.
  func admit(_ address: String) -> Bool {
    state.withLock { state in
      let count = state.counts[address, default: 0]
      if state.limit > 0, count >= state.limit { return false }
      state.counts[address] = count + 1
      return true
    }
  }

  func release(_ address: String) {
    state.withLock { state in
      guard let count = state.counts[address] else { return }
      state.counts[address] = count > 1 ? count - 1 : nil
    }
  }
}
