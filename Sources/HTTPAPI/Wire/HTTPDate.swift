import Glibc

/// The value of the `Date` header (RFC 9110 section 5.6.7), computed once per second.
struct HTTPDate {
  private var second: Int = -1
  private(set) var text: [UInt8] = []

  /// The text for now.
  mutating func refresh() {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME_COARSE, &now)
    if now.tv_sec != second {
      second = now.tv_sec
      text = Self.format(unixSeconds: now.tv_sec)
    }
  }

  private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// `Sun, 06 Nov 1994 08:49:37 GMT`
  static func format(unixSeconds: Int) -> [UInt8] {
    var moment = time_t(unixSeconds)
    var parts = tm()
    gmtime_r(&moment, &parts)
    func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
    let day = days[Int(parts.tm_wday) % 7]
    let month = months[Int(parts.tm_mon) % 12]
    let date = "\(two(parts.tm_mday)) \(month) \(1900 + parts.tm_year)"
    return Array("\(day), \(date) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) GMT".utf8)
  }
}
