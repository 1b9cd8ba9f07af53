import Synchronization

/// Counts the connections of each client address, so that one client cannot take them all.
final class ConnectionLimit: Sendable {
  private let perClient: Mutex<(limit: Int, counts: [String: Int])>

  /// - Parameter limit: 0 is no limit.
  init(_ limit: Int) { perClient = Mutex((limit, [:])) }

  /// For reloads of the configuration; connections that exist stay.
  func set(_ limit: Int) { perClient.withLock { $0.limit = limit } }

  /// Whether one more connection is within the limit; it counts until `leave`.
  func enter(_ client: String) -> Bool {
    perClient.withLock { state in
      let count = state.counts[client] ?? 0
      guard state.limit <= 0 || count < state.limit else { return false }
      state.counts[client] = count + 1
      return true
    }
  }

  func leave(_ client: String) {
    perClient.withLock { state in
      let left = (state.counts[client] ?? 1) - 1
      state.counts[client] = left > 0 ? left : nil
    }
  }
}
