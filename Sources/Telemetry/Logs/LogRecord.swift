import Logging
import Model

#if canImport(Glibc)
  import Glibc
#endif

extension LogLevel {
  init(_ level: Logger.Level) {
    switch level {
    case .trace: self = .trace
    case .debug: self = .debug
    case .info, .notice: self = .info
    case .warning: self = .warn
    case .error, .critical: self = .error
    }
  }

  /// The level in brackets, padded so that the texts behind it line up.
  var label: String {
    switch self {
    case .trace: "[TRACE]"
    case .debug: "[DEBUG]"
    case .info: "[INFO] "
    case .warn: "[WARN] "
    case .error: "[ERROR]"
    }
  }

  var jsonName: String { self == .error ? "error" : "\(self)" }
}

extension Logger.Level {
  init(_ level: LogLevel) {
    self =
      switch level {
      case .trace: .trace
      case .debug: .debug
      case .info: .info
      case .warn: .warning
      case .error: .error
      }
  }
}

/// One thing that happened.
public struct LogRecord: Sendable {
  public var level: LogLevel
  /// Which part of the agent speaks, such as `agent.dns`.
  public var name: String
  public var message: String
  public var fields: [(key: String, value: String)]
  /// Nanoseconds since the Unix epoch.
  public var time: Int64

  /// `2026-01-02T15:04:05.678Z [INFO]  agent: Joined: count=3`
  public var line: String {
    var text = "\(Self.timeText(time)) \(level.label) \(name): \(message)"
    if !fields.isEmpty {
      text += text.hasSuffix(":") ? "" : ":"
      for (key, value) in fields { text += " \(key)=\(Self.quotedIfNeeded(value))" }
    }
    return text
  }

  /// The same as a JSON object on one line.
  public var json: String {
    var text = "{\"@level\":\"\(level.jsonName)\",\"@message\":\(Self.quoted(message))"
    text += ",\"@module\":\(Self.quoted(name)),\"@timestamp\":\"\(Self.timeText(time, digits: 6))\""
    for (key, value) in fields { text += ",\(Self.quoted(key)):\(Self.quoted(value))" }
    return text + "}"
  }

  private static func quotedIfNeeded(_ value: String) -> String {
    value.contains(where: { $0 == " " || $0 == "\"" || $0 == "=" || $0.isNewline }) || value.isEmpty
      ? quoted(value) : value
  }

  private static func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      case "\u{0}"..<"\u{20}":
        let digits = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }

  private static func timeText(_ nanoseconds: Int64, digits: Int = 3) -> String {
    var seconds = time_t(nanoseconds / 1_000_000_000)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    func padded(_ value: some BinaryInteger, _ width: Int) -> String {
      let text = String(value)
      return String(repeating: "0", count: max(0, width - text.count)) + text
    }
    var scale: Int64 = 1
    for _ in digits..<9 { scale *= 10 }
    let date = "\(padded(parts.tm_year + 1900, 4))-\(padded(parts.tm_mon + 1, 2))-\(padded(parts.tm_mday, 2))"
    let clock = "\(padded(parts.tm_hour, 2)):\(padded(parts.tm_min, 2)):\(padded(parts.tm_sec, 2))"
    return "\(date)T\(clock).\(padded(nanoseconds % 1_000_000_000 / scale, digits))Z"
  }
}
