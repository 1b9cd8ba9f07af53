extension String {
  /// The text in double quotes, as Go's `%q` prints it: what cannot be printed is escaped.
  public var goQuoted: String {
    var quoted = "\""
    for scalar in unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\u{07}": quoted += "\\a"
      case "\u{08}": quoted += "\\b"
      case "\u{0C}": quoted += "\\f"
      case "\n": quoted += "\\n"
      case "\r": quoted += "\\r"
      case "\t": quoted += "\\t"
      case "\u{0B}": quoted += "\\v"
      default:
        if scalar.isPrintable { quoted.unicodeScalars.append(scalar) } else { quoted += scalar.goEscape }
      }
    }
    return quoted + "\""
  }
}

extension Unicode.Scalar {
  fileprivate var isPrintable: Bool {
    if value < 0x80 { return value >= 0x20 && value != 0x7F }
    return switch properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator, .spaceSeparator:
      false
    default: true
    }
  }

  fileprivate var goEscape: String {
    func digits(_ count: Int) -> String {
      let text = String(value, radix: 16)
      return String(repeating: "0", count: max(count - text.utf8.count, 0)) + text
    }
    if value < 0x80 { return "\\x" + digits(2) }
    return value < 0x10000 ? "\\u" + digits(4) : "\\U" + digits(8)
  }
}
