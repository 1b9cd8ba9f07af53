import Model
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// Hands lines to the system's log.
public final class SyslogSink: AdjustableLogSink {
  /// Numbers of RFC 5424 section 6.2.1, times eight.
  private static let facilities: [String: Int32] = [
    "KERN": 0, "USER": 1, "MAIL": 2, "DAEMON": 3, "AUTH": 4, "SYSLOG": 5, "LPR": 6, "NEWS": 7, "UUCP": 8, "CRON": 9,
    "AUTHPRIV": 10, "FTP": 11, "LOCAL0": 16, "LOCAL1": 17, "LOCAL2": 18, "LOCAL3": 19, "LOCAL4": 20, "LOCAL5": 21,
    "LOCAL6": 22, "LOCAL7": 23,
  ]

  private let facility: Int32
  private let json: Bool
  private let current: Mutex<LogLevel>

  /// Nil for an unknown facility.
  public init?(facility: String, level: LogLevel, json: Bool) {
    guard let number = Self.facilities[facility.uppercased()] else { return nil }
    self.facility = number << 3
    self.json = json
    current = Mutex(level)
  }

  public var level: LogLevel {
    get { current.withLock { $0 } }
    set { current.withLock { $0 = newValue } }
  }

  public func write(_ record: LogRecord) {
    let severity: Int32 =
      switch record.level {
      case .trace, .debug: 7
      case .info: 6
      case .warn: 4
      case .error: 3
      }
    let line = json ? record.json : record.line
    line.withCString { text in
      withVaList([text]) { vsyslog(facility | severity, "%s", $0) }
    }
  }
}
