import Model

/// One flag of `consul agent`.
///
/// The list of all of them (`AgentFlag.all`) is what a command line is read by and what its usage text is made of.
public struct AgentFlag: Sendable {
  /// What stands behind the flag.
  public enum Kind: Sendable, Equatable {
    /// Nothing, or `=true` or `=false`.
    case bool
    case int
    case string
    /// A text that may be given several times; the values form a list.
    case strings
    /// `key:value`, may be given several times.
    case pairs
  }

  /// What the flag sets.
  public enum Target: Sendable, Equatable {
    /// An option of the table.
    case setting(String)
    case configFile, configDirectory, configFormat, fragment, development
  }

  /// Without the hyphen.
  public let name: String
  public let kind: Kind
  public let target: Target
  /// For the usage text.
  public let meaning: String

  /// How the usage text names the value; nil for flags without one.
  public var valueName: String? {
    switch (kind, target) {
    case (.bool, _): nil
    case (.pairs, _): "key:value"
    case (_, .configFormat): "string"
    default: "value"
    }
  }

  /// The flag of that name.
  public static func named(_ name: String) -> AgentFlag? { byName[name] }

  private static let byName = Dictionary(all.map { ($0.name, $0) }) { first, _ in first }

  init(_ name: String, _ kind: Kind, _ path: String, _ meaning: String) {
    self.init(name, kind, target: .setting(path), meaning)
  }

  init(_ name: String, _ kind: Kind, target: Target, _ meaning: String) {
    self.name = name
    self.kind = kind
    self.target = target
    self.meaning = meaning
  }
}
