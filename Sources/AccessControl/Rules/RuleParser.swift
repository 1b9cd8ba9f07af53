import HCL
import Model

/// Takes the rules out of the tree of a document.
struct RuleParser {
  /// A policy of more bytes or rules is refused.
  static let sizeLimit = 512 * 1024
  static let ruleLimit = 16_384
  private static let depthLimit = 32

  private(set) var rules: [Rule] = []
  private(set) var warnings: [String] = []
  /// Lines of the text around the one that is read, where rules are wrapped.
  private var lineOffset = 0

  mutating func parse(_ text: String) throws(RuleError) {
    guard let document = try document(text) else { return }
    if let inner = Self.wrappedRules(document) {
      lineOffset = inner.line
      guard let wrapped = try self.document(inner.text) else { return }
      return try read(wrapped)
    }
    try read(document)
  }

  /// Nil for JSON that ends too early: the reference takes that for a document without rules.
  private mutating func document(_ text: String) throws(RuleError) -> HCLObject? {
    do throws(HCLError) {
      return try HCL.parse(text, limits: HCL.Limits(size: Self.sizeLimit, depth: Self.depthLimit))
    } catch {
      if error.language == .json, error.reason == .unexpectedEnd {
        warnings.append("the JSON text ends too early and grants nothing")
        return nil
      }
      throw .syntax(HCLError(error.reason, at: place(error.position), language: error.language))
    }
  }

  private func place(_ position: HCLPosition) -> HCLPosition {
    HCLPosition(line: position.line + lineOffset, column: position.column)
  }

  /// The text in `Rules`, where a document has that beside a name and no rules of its own.
  private static func wrappedRules(_ document: HCLObject) -> (text: String, line: Int)? {
    guard let entry = document.entries.last(where: { $0.key.lowercased() == "rules" }), entry.labels.isEmpty,
      case .string(let text) = entry.value.kind, !document.entries.contains(where: { kind(of: $0.key) != nil })
    else { return nil }
    return (text, entry.value.position.line)
  }

  private enum Kind {
    case scalar(RuleResource)
    case named(RuleResource, isPrefix: Bool)
  }

  private static let kinds: [String: Kind] = {
    var kinds: [String: Kind] = [:]
    for resource in RuleResource.scalars { kinds[resource.rawValue] = .scalar(resource) }
    for resource in RuleResource.named {
      kinds[resource.rawValue] = .named(resource, isPrefix: false)
      kinds[resource.rawValue + "_prefix"] = .named(resource, isPrefix: true)
    }
    return kinds
  }()

  private static func kind(of key: String) -> Kind? { kinds[key.lowercased()] }

  private mutating func read(_ document: HCLObject) throws(RuleError) {
    var seen: Set<String> = []
    for entry in document.entries {
      let key = entry.key.lowercased()
      switch Self.kinds[key] {
      case .scalar(let resource):
        guard seen.insert(key).inserted else { throw .repeated(name: entry.key, place(entry.position)) }
        try readScalar(resource, entry)
      case .named(let resource, let isPrefix):
        try readNamed(resource, isPrefix: isPrefix, key, entry)
      case nil: warnings.append("At \(place(entry.position)): \"\(entry.key)\" is no resource and grants nothing")
      }
    }
  }

  private mutating func readScalar(_ resource: RuleResource, _ entry: HCLEntry) throws(RuleError) {
    let word = try word(entry.value, of: entry.key, expected: "one of \"read\", \"write\", \"deny\"")
    if word.isEmpty { return }
    guard let level = AccessLevel(word: word), level != .list else {
      throw .scalarLevel(resource: resource.rawValue, found: word)
    }
    var rule = Rule(resource, level)
    rule.position = place(entry.position)
    try add(rule)
  }

  // MARK: rules with names

  private mutating func readNamed(
    _ resource: RuleResource, isPrefix: Bool, _ kind: String, _ entry: HCLEntry
  ) throws(RuleError) {
    if let name = entry.labels.first {
      // Further labels would be blocks within blocks, which no rule has.
      guard entry.labels.count == 1 else {
        throw .wrongKind(
          name: entry.key, expected: "one name", found: "\(entry.labels.count)", place(entry.position))
      }
      return try readBodies(resource, isPrefix: isPrefix, kind, name, entry.value, entry.position)
    }
    switch entry.value.kind {
    case .object(let members): try readMembers(resource, isPrefix: isPrefix, kind, members)
    case .list(let values):
      for value in values {
        guard case .object(let members) = value.kind else { throw notBlock(entry.key, value) }
        try readMembers(resource, isPrefix: isPrefix, kind, members)
      }
    case .null: break
    default: throw notBlock(entry.key, entry.value)
    }
  }

  private mutating func readMembers(
    _ resource: RuleResource, isPrefix: Bool, _ kind: String, _ members: HCLObject
  ) throws(RuleError) {
    for member in members.entries {
      switch member.value.kind {
      case .object, .list:
        try readBodies(resource, isPrefix: isPrefix, kind, member.key, member.value, member.position)
      default:
        warnings.append("At \(place(member.position)): a \(kind) rule without a name grants nothing")
      }
    }
  }

  private mutating func readBodies(
    _ resource: RuleResource, isPrefix: Bool, _ kind: String, _ name: String, _ value: HCLValue,
    _ position: HCLPosition
  ) throws(RuleError) {
    switch value.kind {
    case .object(let body): try readBody(resource, isPrefix: isPrefix, kind, name, body, position)
    case .list(let bodies):
      for value in bodies {
        guard case .object(let body) = value.kind else { throw notBlock(kind, value) }
        try readBody(resource, isPrefix: isPrefix, kind, name, body, position)
      }
    default: throw notBlock(kind, value)
    }
  }

  private mutating func readBody(
    _ resource: RuleResource, isPrefix: Bool, _ kind: String, _ name: String, _ body: HCLObject,
    _ position: HCLPosition
  ) throws(RuleError) {
    var policy = ""
    var intentions = ""
    var seen: Set<String> = []
    for entry in body.entries {
      let key = entry.key.lowercased()
      guard key == "policy" || (key == "intentions" && resource == .service) else { continue }
      guard seen.insert(key).inserted else { throw .repeated(name: entry.key, place(entry.position)) }
      let word = try word(entry.value, of: entry.key, expected: "a word")
      if key == "policy" { policy = word } else { intentions = word }
    }
    guard let level = AccessLevel(word: policy), level != .list || resource == .key else {
      throw .level(kind: kind, name: name, found: policy, place(position))
    }
    var rule = Rule(resource, level)
    rule.isPrefix = isPrefix
    rule.name = name
    rule.position = place(position)
    if !intentions.isEmpty {
      guard let level = AccessLevel(word: intentions), level != .list else {
        throw .intentions(kind: kind, name: name, found: intentions, place(position))
      }
      rule.intentions = level
    }
    if name.isEmpty, !isPrefix {
      warnings.append(
        "At \(rule.position): \(kind) \"\" matches nothing; \(kind)_prefix \"\" would match every name")
    }
    try add(rule)
  }

  private mutating func add(_ rule: Rule) throws(RuleError) {
    guard rules.count < Self.ruleLimit else { throw .tooManyRules(limit: Self.ruleLimit) }
    rules.append(rule)
  }

  // MARK: values

  /// A text, or a number or truth value as it was written.
  private func word(_ value: HCLValue, of name: String, expected: String) throws(RuleError) -> String {
    switch value.kind {
    case .string(let text): return text
    case .int(let number): return String(number)
    case .double(let number): return "\(number)"
    case .bool(let flag): return String(flag)
    case .null: return ""
    case .list, .object: throw .wrongKind(name: name, expected: expected, found: "a block", place(value.position))
    }
  }

  private func notBlock(_ name: String, _ value: HCLValue) -> RuleError {
    .wrongKind(
      name: name, expected: "a block with a name, as in \(name) \"web\" { policy = \"read\" }", found: "a value",
      place(value.position))
  }
}
