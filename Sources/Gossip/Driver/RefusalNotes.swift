import Logging

/// Says what was refused and why, without letting whoever sends it fill the log: a burst of lines, then one now and then with
/// the number of those that had none.
struct RefusalNotes {
  private static let burst = 10.0
  /// Lines per second in the long run.
  private static let rate = 0.2

  private var tokens = burst
  private var last: GossipInstant?
  /// Refusals since the last line that had none of their own.
  private var silent = 0

  /// - Returns: how many others had no line since the last; nil if there is none for this one either.
  mutating func take(_ now: GossipInstant) -> Int? {
    if let last {
      let seconds = Double(now.nanoseconds &- last.nanoseconds) / 1e9
      tokens = min(Self.burst, tokens + max(seconds, 0) * Self.rate)
    }
    last = now
    guard tokens >= 1 else {
      silent += 1
      return nil
    }
    tokens -= 1
    defer { silent = 0 }
    return silent
  }
}
