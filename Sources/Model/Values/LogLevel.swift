/// The levels of the log, least important first, with the names that `log_level` takes.
public enum LogLevel: Int, Sendable, CaseIterable, Comparable {
  case trace, debug, info, warn, error

  /// Reads a level without regard to case; `ERR` is `ERROR`.
  public init?(_ name: String) {
    switch name.uppercased() {
    case "TRACE": self = .trace
    case "DEBUG": self = .debug
    case "INFO": self = .info
    case "WARN": self = .warn
    case "ERR", "ERROR": self = .error
    default: return nil
    }
  }

  public static func < (a: LogLevel, b: LogLevel) -> Bool { a.rawValue < b.rawValue }
}
