import HCL

/// Why a configuration cannot be used. The texts are those that users of the reference know.
public enum ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The text of a source is not HCL or JSON.
  case syntax(source: String, HCLError)
  /// A source is fine as a text but not as a configuration: what `unknownKeys` or `wrongTypes` say.
  indirect case source(String, ConfigurationError)
  case unknownKeys([String])
  case wrongTypes([String])
  /// Values that mean nothing: a message for each.
  case invalidValues([String])
  /// Values that do not go together, or that are missing.
  case invalid(String)
  case cannotRead(path: String, reason: String)
  case unknownExtension(path: String)
  case unknownFormat

  public var description: String {
    switch self {
    case .syntax(let source, let error): "failed to parse \(source): \(error)"
    case .source(let source, let error): "failed to parse \(source): \(error)"
    case .unknownKeys(let keys): Self.list(keys.map { "invalid config key \($0)" })
    case .wrongTypes(let messages):
      "\(messages.count) error(s) decoding:\n\n" + messages.map { "* \($0)" }.joined(separator: "\n")
    case .invalidValues(let messages): Self.list(messages)
    case .invalid(let message): message
    case .cannotRead(let path, let reason): "config: Open failed on \(path). \(reason)"
    case .unknownExtension(let path):
      "file \(path) has unknown extension; must be .hcl or .json, or config format must be set"
    case .unknownFormat: "-config-format must be either 'hcl' or 'json"
    }
  }

  private static func list(_ messages: [String]) -> String {
    let head = messages.count == 1 ? "1 error occurred:" : "\(messages.count) errors occurred:"
    return head + "\n" + messages.map { "\t* \($0)\n" }.joined() + "\n"
  }
}
