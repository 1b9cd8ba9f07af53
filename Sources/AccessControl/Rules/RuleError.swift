import HCL

/// Why rules were refused. Every text says where.
public enum RuleError: Error, Equatable, CustomStringConvertible {
  case syntax(HCLError)
  /// A setting that may stand once stands there again.
  case repeated(name: String, HCLPosition)
  /// A value of the wrong kind, such as a block where a word belongs.
  case wrongKind(name: String, expected: String, found: String, HCLPosition)
  /// A word that is no level of a resource without names.
  case scalarLevel(resource: String, found: String)
  /// A word that is no level of a named rule; `kind` is `key_prefix` and the like.
  case level(kind: String, name: String, found: String, HCLPosition)
  case intentions(kind: String, name: String, found: String, HCLPosition)
  case tooManyRules(limit: Int)

  public var description: String {
    switch self {
    case .syntax(let error): "Failed to parse ACL rules: \(error)"
    case .repeated(let name, let position):
      "Failed to parse ACL rules: The argument \"\(name)\" at \(position) was already set. "
        + "Each argument can only be defined once"
    case .wrongKind(let name, let expected, let found, let position):
      "Failed to parse ACL rules: At \(position): \(name): expected \(expected), found \(found)"
    case .scalarLevel(let resource, let found): "Invalid \(resource) policy: \"\(found)\""
    case .level(let kind, let name, let found, let position):
      "Invalid \(kind) policy at \(position), of \"\(name)\": \"\(found)\" is none of "
        + (kind.hasPrefix("key") ? "read, list, write, deny" : "read, write, deny")
    case .intentions(let kind, let name, let found, let position):
      "Invalid \(kind) intentions policy at \(position), of \"\(name)\": \"\(found)\" is none of read, write, deny"
    case .tooManyRules(let limit): "Failed to parse ACL rules: more than \(limit) rules"
    }
  }
}
