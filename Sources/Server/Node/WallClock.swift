import Consensus
import Model

/// The time of day, for what operators see and what ends at a time.
public enum WallClock {
  @Sendable public static func now() -> Timestamp {
    let time = SystemClock.wallTime()
    return Timestamp(unixSeconds: time.seconds, nanoseconds: Int32(clamping: time.nanoseconds))
  }
}
