/// Address templates: `{{ GetPrivateInterfaces | include "network" "10.0.0.0/8" | attr "address" }}`.
///
/// A template stands for an address or several, separated by spaces; text outside `{{ … }}` stays. The functions are
/// those that go-sockaddr documents.
public struct AddressTemplate: Sendable {
  /// Why a template has no result.
  public enum Failure: Error, Sendable, Equatable, CustomStringConvertible {
    case syntax(String)
    case unknownFunction(String)
    case arguments(function: String, String)

    public var description: String {
      switch self {
      case .syntax(let reason): "invalid address template: \(reason)"
      case .unknownFunction(let name): "invalid address template: function \"\(name)\" not defined"
      case .arguments(let function, let reason): "invalid address template: \(function): \(reason)"
      }
    }
  }

  let interfaces: [NetworkInterface]

  /// - Parameter interfaces: the host's, in the order of the system.
  public init(interfaces: [NetworkInterface]) { self.interfaces = interfaces }

  /// The text with all templates replaced.
  public func resolve(_ text: String) throws(Failure) -> String {
    var result = ""
    var rest = text[...]
    while let open = Self.range(of: "{{", in: rest) {
      result += rest[..<open.lowerBound]
      guard let close = Self.range(of: "}}", in: rest[open.upperBound...]) else { throw .syntax("missing }}") }
      result += try evaluate(rest[open.upperBound..<close.lowerBound])
      rest = rest[close.upperBound...]
    }
    result += rest
    return Self.trimmed(result)
  }

  private func evaluate(_ pipeline: Substring) throws(Failure) -> String {
    var value: Value?
    for stage in try Self.stages(pipeline) {
      value = try call(stage.function, stage.arguments, on: value)
    }
    switch value {
    case .text(let text): return text
    case .interfaces(let list): return list.map(\.address.description).joined(separator: " ")
    case nil: throw .syntax("empty template")
    }
  }

  /// What a stage of a pipeline gives to the next one.
  enum Value {
    case text(String)
    case interfaces([NetworkInterface])
  }

  struct Stage {
    var function: String
    var arguments: [String]
  }

  /// Cuts a pipeline at `|` into functions with their arguments: words, numbers and quoted texts.
  static func stages(_ pipeline: Substring) throws(Failure) -> [Stage] {
    var stages: [[String]] = [[]]
    var rest = pipeline
    if rest.hasPrefix("-") { rest.removeFirst() }
    if rest.hasSuffix("-") { rest.removeLast() }
    while let first = rest.first {
      switch first {
      case "|":
        stages.append([])
        rest.removeFirst()
      case "\"", "`":
        stages[stages.count - 1].append(try quoted(&rest))
      case _ where first.isWhitespace:
        rest.removeFirst()
      default:
        let word = rest.prefix { !$0.isWhitespace && $0 != "|" && $0 != "\"" && $0 != "`" }
        stages[stages.count - 1].append(String(word))
        rest = rest.dropFirst(word.count)
      }
    }
    var result: [Stage] = []
    for stage in stages {
      guard let function = stage.first else { throw .syntax("missing function") }
      result.append(Stage(function: function, arguments: Array(stage.dropFirst())))
    }
    return result
  }

  private static func quoted(_ rest: inout Substring) throws(Failure) -> String {
    let quote = rest.removeFirst()
    var text = ""
    while let character = rest.popFirst() {
      if character == quote { return text }
      if character == "\\", quote == "\"", let escaped = rest.popFirst() {
        if escaped != "\"", escaped != "\\" { text.append("\\") }
        text.append(escaped)
      } else {
        text.append(character)
      }
    }
    throw .syntax("unterminated text")
  }

  private static func range(of pair: String, in text: Substring) -> Range<Substring.Index>? {
    var index = text.startIndex
    while index < text.endIndex {
      if text[index...].hasPrefix(pair) { return index..<text.index(index, offsetBy: pair.count) }
      index = text.index(after: index)
    }
    return nil
  }

  static func trimmed(_ text: String) -> String {
    var slice = text[...]
    while slice.first?.isWhitespace == true { slice.removeFirst() }
    while slice.last?.isWhitespace == true { slice.removeLast() }
    return String(slice)
  }
}
