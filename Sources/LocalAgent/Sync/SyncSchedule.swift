import Glibc

/// When the catalog is compared as a whole, and when single changes are sent. A value: time is passed in as monotonic
/// nanoseconds, chance as a function.
///
///     started, servers up, timer ──▶ whole comparison ──ok──▶ next one an interval later
///                                         │ failed ─────────▶ again after the retry time
///     something changed ────────────▶ changes only (once a whole comparison succeeded)
struct SyncSchedule: Sendable {
  /// Between whole comparisons in a cluster of up to `clusterUnit` nodes, in nanoseconds.
  static let interval: UInt64 = 60_000_000_000
  static let retryInterval: UInt64 = 15_000_000_000
  /// Within this time the agents of a cluster come back to servers that were away.
  static let serversUpSpread: UInt64 = 3_000_000_000
  /// Beyond this size the times grow by one step with every doubling.
  static let clusterUnit = 128

  enum Event: Sendable, Equatable {
    case started
    /// A leader is there, or a new one.
    case serversAvailable
    case changed
    case timer
    /// Pauses are counted.
    case paused, resumed
    case finished(success: Bool)
    case stopped
  }

  enum Effect: Sendable, Equatable {
    case compareAll(periodic: Bool)
    case sendChanges
    /// Replaces the earlier timer.
    case wake(at: UInt64)
  }

  private enum Activity { case idle, comparing, sending }

  private var activity = Activity.idle
  private var pauses = 0
  private var isStarted = false
  private var hasCompared = false
  private var lastFailed = false
  private var wantsComparison = false
  private var comparisonIsPeriodic = false
  private var wantsSending = false
  private var due: UInt64?

  /// - Parameters:
  ///   - random: a number below its argument.
  mutating func step(
    _ event: Event, now: UInt64, clusterSize: Int, random: (UInt64) -> UInt64
  ) -> [Effect] {
    let scale = Self.scale(clusterSize: clusterSize)
    switch event {
    case .started:
      isStarted = true
      wantsComparison = true
    case .serversAvailable: serversAvailable(now: now, scale: scale, random: random)
    case .changed: wantsSending = true
    case .timer:
      if let due, due <= now {
        self.due = nil
        wantsComparison = true
        comparisonIsPeriodic = !lastFailed
      }
    case .paused: pauses += 1
    case .resumed: pauses = max(0, pauses - 1)
    case .finished(let success): finished(success: success, now: now, scale: scale, random: random)
    case .stopped: isStarted = false
    }
    return next() + (isStarted ? due.map { [.wake(at: $0)] } ?? [] : [])
  }

  private mutating func serversAvailable(now: UInt64, scale: UInt64, random: (UInt64) -> UInt64) {
    if !hasCompared {
      wantsComparison = true
    } else {
      let soon = now &+ random(Self.serversUpSpread &* scale)
      due = min(due ?? soon, soon)
    }
  }

  private mutating func finished(success: Bool, now: UInt64, scale: UInt64, random: (UInt64) -> UInt64) {
    let wasComparison = activity == .comparing
    activity = .idle
    lastFailed = !success
    if !success {
      let retry = Self.retryInterval &* scale
      let again = now &+ retry &+ random(retry)
      // Not later than what news of a leader asked for meanwhile.
      due = min(due ?? again, again)
    } else if wasComparison {
      let interval = Self.interval &* scale
      // The first interval is longer by chance, which spreads the agents that started together for good.
      due = now &+ interval &+ (hasCompared ? 0 : random(interval))
      hasCompared = true
    }
  }

  private mutating func next() -> [Effect] {
    guard isStarted, pauses == 0, activity == .idle else { return [] }
    if wantsComparison {
      let periodic = comparisonIsPeriodic
      activity = .comparing
      (wantsComparison, comparisonIsPeriodic, wantsSending) = (false, false, false)
      due = nil
      return [.compareAll(periodic: periodic)]
    }
    if wantsSending, hasCompared {
      activity = .sending
      wantsSending = false
      return [.sendChanges]
    }
    return []
  }

  /// By how much the times grow: 1 for up to 128 nodes, 2 for up to 256, 3 for up to 512 …
  static func scale(clusterSize: Int) -> UInt64 {
    guard clusterSize > clusterUnit else { return 1 }
    return UInt64(log2(Double(clusterSize) / Double(clusterUnit)).rounded(.up)) + 1
  }
}
