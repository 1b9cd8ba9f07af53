import Synchronization

@testable import Consensus

/// What a machine takes for the time of day: anything, and somebody sets it now and then.
final class SimulatedWallClock: Sendable {
  private let clock: VirtualClock
  private let offset = Mutex<Int64>(0)

  init(_ clock: VirtualClock) { self.clock = clock }

  /// - Parameter seconds: since 1970.
  func set(_ seconds: Int64) { offset.withLock { $0 = seconds - Int64(clock.now / 1_000_000_000) } }

  var now: WallTime {
    WallTime(
      seconds: offset.withLock { $0 } + Int64(clock.now / 1_000_000_000), nanoseconds: UInt32(clock.now % 1_000_000_000)
    )
  }
}
