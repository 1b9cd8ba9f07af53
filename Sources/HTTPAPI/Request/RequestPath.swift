/// What a path needs before it can be routed, found in one pass over its bytes.
struct PathShape: Equatable {
  /// Escapes or bytes outside ASCII.
  var needsDecoding = false
  /// `//`, `/./` or `/../` somewhere.
  var needsCleaning = false
  /// A `%` without two hexadecimal digits.
  var isMalformed = false

  init(_ path: UnsafeRawBufferPointer) {
    var index = 0
    while index < path.count {
      switch path[index] {
      case UInt8(ascii: "%"):
        needsDecoding = true
        if index + 2 >= path.count || hexDigitValue(path[index + 1]) == nil || hexDigitValue(path[index + 2]) == nil {
          isMalformed = true
        }
      case UInt8(ascii: "/"):
        if Self.isDirtySegment(path, after: index) { needsCleaning = true }
      case 0x80...: needsDecoding = true
      default: break
      }
      index &+= 1
    }
  }

  /// Whether the segment after the slash at `index` is empty (but not the last), `.` or `..`.
  private static func isDirtySegment(_ path: UnsafeRawBufferPointer, after index: Int) -> Bool {
    let slash = UInt8(ascii: "/")
    let dot = UInt8(ascii: ".")
    guard index + 1 < path.count else { return false }
    if path[index + 1] == slash { return true }
    guard path[index + 1] == dot else { return false }
    if index + 2 == path.count || path[index + 2] == slash { return true }
    return path[index + 2] == dot && (index + 3 == path.count || path[index + 3] == slash)
  }
}

enum RequestPath {
  /// The path without empty, `.` and `..` segments; a slash at the end stays.
  static func clean(_ path: String) -> String {
    var kept: [Substring] = []
    for segment in path.split(separator: "/", omittingEmptySubsequences: true) {
      switch segment {
      case ".": continue
      case "..": _ = kept.popLast()
      default: kept.append(segment)
      }
    }
    let cleaned = "/" + kept.joined(separator: "/")
    return path.hasSuffix("/") && !kept.isEmpty ? cleaned + "/" : cleaned
  }

  /// Whether a decoded path has only characters that leave ink, and spaces: others confuse logs and terminals.
  static func isPrintable(_ path: String) -> Bool {
    path.unicodeScalars.allSatisfy { scalar in
      if scalar.isASCII { return scalar.value >= 0x20 && scalar.value != 0x7F }
      switch scalar.properties.generalCategory {
      case .control, .format, .surrogate, .privateUse, .unassigned, .spaceSeparator, .lineSeparator,
        .paragraphSeparator:
        return false
      default: return true
      }
    }
  }
}
