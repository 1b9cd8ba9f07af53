#if canImport(Glibc)
  import Glibc
#endif

/// The time of day.
enum WallClock {
  /// Since 1970.
  static var seconds: Int64 { nanoseconds / 1_000_000_000 }

  static var nanoseconds: Int64 {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Int64(now.tv_sec) &* 1_000_000_000 &+ Int64(now.tv_nsec)
  }

  static func sleepToNextSecond() {
    var pause = timespec(tv_sec: 0, tv_nsec: Int(1_000_000_000 - nanoseconds % 1_000_000_000))
    var rest = timespec()
    while nanosleep(&pause, &rest) != 0, errno == EINTR { pause = rest }
  }

  /// `2026-01-02 03:04:05 +0000 UTC`
  static func text(_ seconds: Int64) -> String {
    var time = time_t(seconds)
    var parts = tm()
    gmtime_r(&time, &parts)
    func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
    return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday)) "
      + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) +0000 UTC"
  }
}
