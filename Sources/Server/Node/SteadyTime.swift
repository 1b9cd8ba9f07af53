import Model

/// The time of day as it was at one moment, and from then on steady: whoever sets the machine's clock neither delays nor
/// hastens what is counted in it.
struct SteadyTime: Sendable {
  /// Since this process began to ask.
  static let process = SteadyTime(began: WallClock.now(), at: MonotonicClock.now())

  let began: Timestamp
  /// What the monotonic clock showed then, in nanoseconds.
  let origin: UInt64

  init(began: Timestamp, at origin: UInt64) {
    self.began = began
    self.origin = origin
  }

  /// - Parameter monotonic: nanoseconds.
  func time(_ monotonic: UInt64) -> Timestamp {
    let elapsed = monotonic > origin ? monotonic - origin : 0
    let fraction = UInt64(clamping: began.nanoseconds) + elapsed % 1_000_000_000
    return Timestamp(
      seconds: began.seconds &+ Int64(elapsed / 1_000_000_000) &+ Int64(fraction / 1_000_000_000),
      nanoseconds: Int32(fraction % 1_000_000_000))
  }

  @Sendable static func now() -> Timestamp { process.time(MonotonicClock.now()) }
}
