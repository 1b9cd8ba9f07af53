/// Builds the tree of an HCL document from its tokens (recursive descent, bounded by the depth limit).
struct HCLParser {
  private var scanner: HCLScanner
  private var token: HCLScanner.Token = .end
  private var position = HCLPosition.start
  private let depthLimit: Int
  private var depth = 0

  init(_ bytes: [UInt8], depthLimit: Int) {
    scanner = HCLScanner(bytes)
    self.depthLimit = depthLimit
  }

  mutating func document() throws(HCLError) -> HCLObject {
    try step()
    var entries: [HCLEntry] = []
    while token != .end { entries.append(try entry()) }
    return HCLObject(entries: entries)
  }

  private mutating func step() throws(HCLError) {
    (token, position) = try scanner.next()
  }

  private func failure(_ reason: HCLError.Reason) -> HCLError { HCLError(reason, at: position, language: .hcl) }

  /// `key = value`, `key { … }`, `key "label" … { … }`.
  private mutating func entry() throws(HCLError) -> HCLEntry {
    let start = position
    guard let key = word(token) else { throw failure(.expectedKey(found: token.name)) }
    try step()
    var labels: [String] = []
    // Each label is an object of its own.
    while let label = word(token) {
      try descend()
      labels.append(label)
      try step()
    }
    defer { depth -= labels.count }
    switch token {
    case .assign:
      guard labels.isEmpty else { throw failure(.assignmentAfterLabels(key: key)) }
      try step()
      return HCLEntry(key: key, value: try value(), position: start)
    case .leftBrace:
      return HCLEntry(key: key, labels: labels, value: try value(), position: start)
    case .end where depth > 0:
      throw failure(.unclosedObject(found: token.name))
    default:
      throw failure(.expectedAssignmentOrBlock(key: key, found: token.name))
    }
  }

  /// Keys and labels are words or strings; `true` and `false` are ordinary words there.
  private func word(_ token: HCLScanner.Token) -> String? {
    switch token {
    case .identifier(let text), .string(let text): text
    case .bool(let value): String(value)
    default: nil
    }
  }

  private mutating func value() throws(HCLError) -> HCLValue {
    let start = position
    let kind: HCLValue.Kind
    switch token {
    case .bool(let value): kind = .bool(value)
    case .int(let value): kind = .int(value)
    case .double(let value): kind = .double(value)
    case .string(let value): kind = .string(value)
    case .leftBrace: return HCLValue(.object(try object()), at: start)
    case .leftBracket: return HCLValue(.list(try list()), at: start)
    case .end where depth > 0: throw failure(.unclosedObject(found: token.name))
    default: throw failure(.expectedValue(found: token.name))
    }
    try step()
    return HCLValue(kind, at: start)
  }

  /// Entries between braces; a comma may follow each.
  private mutating func object() throws(HCLError) -> HCLObject {
    let start = position
    try descend()
    try step()
    var entries: [HCLEntry] = []
    while token != .rightBrace {
      guard token != .end else { throw failure(.unclosedObject(found: token.name)) }
      entries.append(try entry())
      if token == .comma { try step() }
    }
    depth -= 1
    try step()
    return HCLObject(entries: entries, position: start)
  }

  /// Values between brackets, separated by commas; one may follow the last.
  private mutating func list() throws(HCLError) -> [HCLValue] {
    try descend()
    try step()
    var values: [HCLValue] = []
    while token != .rightBracket {
      guard token != .end else { throw failure(.expectedCommaOrListEnd(found: token.name)) }
      values.append(try value())
      if token == .comma {
        try step()
      } else if token != .rightBracket {
        throw failure(.expectedCommaOrListEnd(found: token.name))
      }
    }
    depth -= 1
    try step()
    return values
  }

  private mutating func descend() throws(HCLError) {
    depth += 1
    guard depth <= depthLimit else { throw failure(.tooDeep(limit: depthLimit)) }
  }
}
