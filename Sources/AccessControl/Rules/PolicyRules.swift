import HCL

/// One rule of a policy.
public struct Rule: Sendable, Equatable {
  public var resource: RuleResource
  /// Whether it holds for every name that begins with `name`.
  public var isPrefix = false
  /// "" for resources without names.
  public var name = ""
  public var level: AccessLevel
  /// Of rules about services: what they say of intentions; nil leaves it to `level`.
  public var intentions: AccessLevel?
  /// Where it stands in the text.
  public var position = HCLPosition.start

  public init(_ resource: RuleResource, _ level: AccessLevel) {
    self.resource = resource
    self.level = level
  }
}

/// What the text of a policy says.
public struct PolicyRules: Sendable, Equatable {
  public var rules: [Rule] = []
  /// What was accepted although it grants nothing, in words.
  public var warnings: [String] = []

  public init() {}

  /// Reads the rules of a policy, in HCL or JSON.
  ///
  /// A text in the wrapped form (`Name = "…"`, `Rules = <<EOF … EOF`) means the rules inside.
  public init(_ text: String) throws(RuleError) {
    var parser = RuleParser()
    try parser.parse(text)
    rules = parser.rules
    warnings = parser.warnings
  }
}
