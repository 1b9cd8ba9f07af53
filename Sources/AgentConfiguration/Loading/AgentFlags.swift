import HCL
import Model

/// The flags of a `consul agent` command line: plain values, before anything is read.
public struct AgentFlags: Sendable, Equatable {
  /// Files and directories of `-config-file` and `-config-dir`, in the order of the command line.
  public var configPaths: [String] = []
  /// Set: all files have this format.
  public var configFormat: String?
  /// Fragments of `-hcl`, in order.
  public var fragments: [String] = []
  public var isDevelopment = false
  /// Values of options that flags set.
  public var values = SettingValues()

  public init() {}

  /// Why a flag cannot be taken.
  public enum Failure: Error, Sendable, Equatable, CustomStringConvertible {
    case notDefined(name: String)
    case needsValue(name: String)
    case invalidValue(name: String, value: String, reason: String)

    public var description: String {
      switch self {
      case .notDefined(let name): "flag provided but not defined: -\(name)"
      case .needsValue(let name): "flag needs an argument: -\(name)"
      case .invalidValue(let name, let value, let reason): "invalid value \"\(value)\" for flag -\(name): \(reason)"
      }
    }
  }

  /// Takes a whole command line: `-name value`, `-name=value`, `--name=value`; `--` ends the flags.
  ///
  /// - Returns: the arguments that are no flags.
  public mutating func parse(_ arguments: [String]) throws(Failure) -> [String] {
    var index = 0
    while index < arguments.count {
      let argument = arguments[index]
      guard argument.hasPrefix("-"), argument.count > 1 else { return Array(arguments[index...]) }
      index += 1
      if argument == "--" { break }
      let text = argument.drop { $0 == "-" }
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard let name = parts.first, let flag = AgentFlag.named(name) else {
        throw .notDefined(name: parts.first ?? argument)
      }
      if parts.count == 2 {
        try set(flag, parts[1])
      } else if flag.kind == .bool {
        try set(flag, "true")
      } else {
        guard index < arguments.count else { throw .needsValue(name: name) }
        try set(flag, arguments[index])
        index += 1
      }
    }
    return index < arguments.count ? Array(arguments[index...]) : []
  }

  /// Takes one flag with its value; `true` for a boolean flag that stands alone.
  public mutating func set(_ flag: AgentFlag, _ text: String) throws(Failure) {
    switch flag.target {
    case .configFile, .configDirectory: configPaths.append(text)
    case .configFormat: configFormat = text
    case .fragment: fragments.append(text)
    case .development: isDevelopment = try Self.bool(flag, text)
    case .setting(let path): try set(flag, text, at: path)
    }
  }

  private mutating func set(_ flag: AgentFlag, _ text: String, at path: String) throws(Failure) {
    var one = SettingValues()
    switch flag.kind {
    case .bool: one[path] = .bool(try Self.bool(flag, text))
    case .int: one[path] = .int(try Self.int(flag, text))
    case .string: one[path] = .string(text)
    case .strings: one[path] = .array([.string(text)])
    case .pairs:
      let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      one[path] = .object(DynamicObject([(parts[0], .string(parts.count > 1 ? parts[1] : ""))]))
    }
    values.merge(one)
  }

  private static func bool(_ flag: AgentFlag, _ text: String) throws(Failure) -> Bool {
    switch text {
    case "1", "t", "T", "true", "TRUE", "True": return true
    case "0", "f", "F", "false", "FALSE", "False": return false
    default:
      let reason = "strconv.ParseBool: parsing \"\(text)\": invalid syntax"
      throw .invalidValue(name: flag.name, value: text, reason: reason)
    }
  }

  private static func int(_ flag: AgentFlag, _ text: String) throws(Failure) -> Int64 {
    if let value = HCL.integer(text) { return value }
    let reason = "strconv.ParseInt: parsing \"\(text)\": invalid syntax"
    throw .invalidValue(name: flag.name, value: text, reason: reason)
  }
}
