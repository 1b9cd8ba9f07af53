import Synchronization
import Telemetry

/// Which answers the agent's memory holds for clients that ask for `?cached`.
///
/// The state of a server is in memory and always current, so nothing has to be kept here but the fact that somebody asked
/// before: from the second time on, the answer counts as remembered, and its age is nothing.
final class CacheLedger: Sendable {
  enum State: Sendable { case hit, miss }

  /// Questions that are remembered. Beyond, the ledger starts anew: clients then see one more miss.
  private static let limit = 4096
  /// Parameters that do not change what is asked.
  private static let ignored: Set<String> = [
    "cached", "index", "wait", "stale", "consistent", "leader", "max_stale", "pretty", "token", "hash",
  ]

  private static let count = MetricsRegistry.shared.gauge("cache.entries_count")
  private static let fetches = MetricsRegistry.shared.counter(
    "cache.fetch_success", [MetricLabel("result_not_modified", "false")])

  private let asked = Mutex<Set<String>>([])

  func state(of request: borrowing Request) -> State {
    var question = request.path
    for pair in request.query.pairs.filter({ !Self.ignored.contains($0.name) }).sorted(by: { $0 < $1 }) {
      question += "\u{0}\(pair.name)=\(pair.value)"
    }
    return asked.withLock { asked in
      if asked.count >= Self.limit { asked.removeAll() }
      let isNew = asked.insert(question).inserted
      Self.count.set(Double(asked.count))
      if isNew { Self.fetches.increment() }
      return isNew ? .miss : .hit
    }
  }
}
