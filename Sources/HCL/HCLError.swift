/// Why a document could not be parsed, and where.
public struct HCLError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Language: Sendable, Equatable { case hcl, json }

  public enum Reason: Sendable, Equatable {
    case tooLarge(limit: Int)
    case tooDeep(limit: Int)
    case invalidEncoding
    case nullCharacter
    case illegalCharacter(String)
    case unterminatedString
    case unterminatedComment
    case unterminatedHeredoc(marker: String)
    case malformedHeredoc
    case malformedEscape(String)
    case malformedNumber(String)
    case expectedKey(found: String)
    case expectedAssignmentOrBlock(key: String, found: String)
    case assignmentAfterLabels(key: String)
    case expectedValue(found: String)
    case expectedCommaOrListEnd(found: String)
    case unclosedObject(found: String)
    /// A JSON document that stops early.
    case unexpectedEnd
    /// A JSON character that does not fit: the character and what the parser was doing.
    case unexpectedCharacter(String, context: String)
    /// A JSON document whose top is not an object.
    case notAnObject(found: String)
  }

  public let reason: Reason
  public let position: HCLPosition
  public let language: Language

  public init(_ reason: Reason, at position: HCLPosition, language: Language) {
    self.reason = reason
    self.position = position
    self.language = language
  }

  /// HCL errors start with the place; JSON errors keep to the texts that users of the reference know.
  public var description: String {
    switch language {
    case .hcl: "At \(position): \(text)"
    case .json: text
    }
  }

  private var text: String {
    switch reason {
    case .tooLarge(let limit): "document is larger than \(limit) bytes"
    case .tooDeep(let limit): "objects and lists are nested deeper than \(limit) levels"
    case .invalidEncoding: "illegal UTF-8 encoding"
    case .nullCharacter: "unexpected null character (0x00)"
    case .illegalCharacter(let character): "illegal character \(character)"
    case .unterminatedString: "literal not terminated"
    case .unterminatedComment: "comment not terminated"
    case .unterminatedHeredoc(let marker): "heredoc not terminated, expected a line with only \(marker)"
    case .malformedHeredoc: "heredoc marker must be a word followed by the end of the line"
    case .malformedEscape(let text): "illegal char escape \(text)"
    case .malformedNumber(let text): "illegal number \(text)"
    case .expectedKey(let found): "expected a key, got: \(found)"
    case .expectedAssignmentOrBlock(let key, let found):
      "key '\(key)' expected start of object ('{') or assignment ('='), got: \(found)"
    case .assignmentAfterLabels(let key): "nested object expected: LBRACE got: ASSIGN after the labels of '\(key)'"
    case .expectedValue(let found): "expected a value, got: \(found)"
    case .expectedCommaOrListEnd(let found): "error parsing list, expected comma or list end, got: \(found)"
    case .unclosedObject(let found): "object expected closing RBRACE got: \(found)"
    case .unexpectedEnd: "unexpected end of JSON input"
    case .unexpectedCharacter(let character, let context): "invalid character \(character) \(context)"
    case .notAnObject(let found): "cannot read a configuration from \(found), expected an object"
    }
  }
}
