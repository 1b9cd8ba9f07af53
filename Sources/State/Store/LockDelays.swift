import Model

/// Until when keys must not be locked. Times are monotonic nanoseconds.
struct LockDelays: Sendable {
  private var ends: [String: UInt64] = [:]
  /// At this many entries the expired ones are dropped; twice what then remains is the next time.
  private var cleaningCount = 64

  mutating func start(_ key: String, duration: GoDuration, now: UInt64) {
    guard duration.nanoseconds > 0 else { return }
    if ends.count >= cleaningCount {
      ends = ends.filter { $0.value > now }
      cleaningCount = max(64, ends.count * 2)
    }
    ends[key] = now &+ UInt64(duration.nanoseconds)
  }

  func isActive(_ key: String, now: UInt64) -> Bool { ends[key].map { $0 > now } ?? false }
}
