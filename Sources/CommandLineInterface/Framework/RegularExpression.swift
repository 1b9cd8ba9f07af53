/// A regular expression that a user gave. Agents evaluate theirs themselves; here it is only checked, or matched against
/// short words.
struct RegularExpression {
  private let regex: Regex<AnyRegexOutput>

  /// - Throws: `CommandFailure` whose text starts with `prefix`.
  init(_ pattern: String, complaint prefix: String) throws(CommandFailure) {
    do {
      regex = try Regex(pattern)
    } catch {
      throw CommandFailure("\(prefix): error parsing regexp: \(Self.reason(pattern))")
    }
  }

  /// Whether the expression matches some part of the text.
  func matches(_ text: String) -> Bool {
    (try? regex.firstMatch(in: text)) != nil
  }

  /// What is wrong with a pattern: a bracket without its counterpart, or something else.
  private static func reason(_ pattern: String) -> String {
    var groups = 0
    var openClass: String.Index?
    var index = pattern.startIndex
    while index < pattern.endIndex {
      switch pattern[index] {
      case "\\": index = pattern.index(after: index)
      case "[" where openClass == nil: openClass = index
      case "]": openClass = nil
      case "(" where openClass == nil: groups += 1
      case ")" where openClass == nil: groups -= 1
      default: break
      }
      guard groups >= 0 else { return "unexpected ): `\(pattern)`" }
      guard index < pattern.endIndex else { return "trailing backslash at end of expression: ``" }
      index = pattern.index(after: index)
    }
    if let openClass { return "missing closing ]: `\(pattern[openClass...])`" }
    if groups > 0 { return "missing closing ): `\(pattern)`" }
    return "invalid expression: `\(pattern)`"
  }
}
