/// A clock that orders what different nodes say (Lamport 1978).
struct LamportClock: Sendable, Equatable {
  /// The time that the next message of ours gets. Everything seen so far has an earlier one.
  private(set) var time: UInt64 = 1

  /// Takes the time for a message of ours.
  mutating func tick() -> UInt64 {
    defer { time &+= 1 }
    return time
  }

  /// Takes note of somebody's time.
  mutating func witness(_ other: UInt64) {
    if other >= time, other < .max { time = other + 1 }
  }
}
