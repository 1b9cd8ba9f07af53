/// Reads filter text. A recursive descent that, like a parsing expression grammar, tries alternatives in order and remembers
/// what it expected at the farthest place it reached: that list is the error that users of the reference know.
///
///     Or       <- And (_ "or" _ Or)?            And   <- Not (_ "and" _ And)?
///     Not      <- "not" _ Not / Paren           Paren <- "(" _? Or _? ")" / Match
///     Match    <- Selector Operator Value / Selector _ "is" _ ("not" _)? "empty" / Value _ ("not" _)? "in" _ Selector
///     Selector <- Identifier ("." Identifier / "[" _? String _? "]")*
///     Value    <- Selector / Number / String
struct FilterParser {
  static let lengthLimit = 64 * 1024
  static let depthLimit = 256

  private let text: [UInt8]
  private var place = 0
  private var farthest = 0
  private var expected: Set<String> = []
  /// Errors with a text of their own; they take precedence over "no match found".
  private var complaints: [String] = []
  private var depth = 0

  private init(_ text: String) { self.text = Array(text.utf8) }

  static func parse(_ text: String) throws(FilterError) -> FilterExpression {
    guard text.utf8.count <= lengthLimit else { throw .tooLong(limit: lengthLimit) }
    var parser = FilterParser(text)
    parser.skipSpace()
    let expression = parser.or()
    if let expression, parser.complaints.isEmpty {
      parser.skipSpace()
      if parser.place == parser.text.count { return expression }
      parser.expect("EOF")
    }
    throw .syntax(parser.failure)
  }

  // MARK: expressions

  private mutating func or() -> FilterExpression? {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.depthLimit else {
      complain("expression", "too deeply nested")
      return nil
    }
    guard let left = and() else { return nil }
    let mark = place
    if space(), word("or"), space(), let right = or() { return .or(left, right) }
    place = mark
    return left
  }

  private mutating func and() -> FilterExpression? {
    guard let left = not() else { return nil }
    let mark = place
    if space(), word("and"), space(), let right = and() { return .and(left, right) }
    place = mark
    return left
  }

  private mutating func not() -> FilterExpression? {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.depthLimit else { return nil }
    let mark = place
    if word("not"), space(), let inner = not() {
      if case .not(let twice) = inner { return twice }
      return .not(inner)
    }
    place = mark
    return parenthesised()
  }

  private mutating func parenthesised() -> FilterExpression? {
    let mark = place
    guard word("(") else { return match() }
    skipSpace()
    guard let inner = or() else {
      place = mark
      return nil
    }
    skipSpace()
    if word(")") { return inner }
    complain("grouping", "Unmatched parentheses")
    place = mark
    return nil
  }

  // MARK: matches

  private mutating func match() -> FilterExpression? {
    let mark = place
    if let selector = selector() {
      if let found = comparison(of: selector) { return found }
    }
    place = mark
    guard let value = value() else { return nil }
    let behind = place
    for negated in [false, true] {
      place = behind
      guard space() else { continue }
      if negated { guard word("not"), space() else { continue } }
      guard word("in"), space() else { continue }
      if let selector = selector() {
        return .match(selector: selector, negated ? .notContains : .contains, value: value)
      }
      complain("match", "Invalid selector")
      break
    }
    place = mark
    return nil
  }

  /// What may follow a selector.
  private mutating func comparison(of selector: [String]) -> FilterExpression? {
    let mark = place
    for (symbol, comparison) in [("==", FilterOperator.equal), ("!=", .notEqual)] {
      place = mark
      skipSpace()
      guard word(symbol) else { continue }
      skipSpace()
      guard let value = value() else { return nil }
      return .match(selector: selector, comparison, value: value)
    }
    for (words, comparison) in Self.wordOperators {
      place = mark
      guard words.allSatisfy({ name in space() && word(name) }) else { continue }
      if comparison == .isEmpty || comparison == .isNotEmpty {
        return .match(selector: selector, comparison, value: "")
      }
      guard space(), let value = value() else { return nil }
      return .match(selector: selector, comparison, value: value)
    }
    return nil
  }

  private static let wordOperators: [([String], FilterOperator)] = [
    (["contains"], .contains), (["not", "contains"], .notContains), (["matches"], .matches),
    (["not", "matches"], .notMatches), (["is", "empty"], .isEmpty), (["is", "not", "empty"], .isNotEmpty),
  ]

  private mutating func selector() -> [String]? {
    guard let first = identifier() else { return nil }
    var path = [first]
    while true {
      if word(".") {
        guard let next = identifier() else { return nil }
        path.append(next)
      } else if word("[") {
        guard let key = index() else { return nil }
        path.append(key)
      } else {
        return path
      }
    }
  }

  private mutating func index() -> String? {
    skipSpace()
    guard let key = string() else {
      complain("index", "Invalid index")
      return nil
    }
    skipSpace()
    if word("]") { return key }
    complain("index", "Unclosed index expression")
    return nil
  }

  private mutating func identifier() -> String? {
    guard let first = peek, first.isLetter else {
      expect("[a-zA-Z]")
      return nil
    }
    let start = place
    place += 1
    while let byte = peek, byte.isLetter || byte.isDigit || byte == UInt8(ascii: "_") { place += 1 }
    expect("[a-zA-Z0-9_]")
    return String(decoding: text[start..<place], as: UTF8.self)
  }

  // MARK: values

  private mutating func value() -> String? {
    let mark = place
    if let path = selector() { return path.joined(separator: ".") }
    place = mark
    return number() ?? string()
  }

  private mutating func number() -> String? {
    let start = place
    _ = word("-")
    if !word("0") {
      guard let byte = peek, byte.isDigit else {
        expect("[1-9]")
        place = start
        return nil
      }
      while let byte = peek, byte.isDigit { place += 1 }
    }
    if peek == UInt8(ascii: "."), place + 1 < text.count, text[place + 1].isDigit {
      place += 1
      while let byte = peek, byte.isDigit { place += 1 }
    }
    guard let next = peek, !next.isSpace, next != UInt8(ascii: ")") else {
      return String(decoding: text[start..<place], as: UTF8.self)
    }
    complain("number", "Invalid number literal")
    return nil
  }

  private mutating func string() -> String? {
    let start = place
    for quote in [UInt8(ascii: "`"), UInt8(ascii: "\"")] {
      guard word(quote == UInt8(ascii: "`") ? "`" : "\"") else { continue }
      guard let end = text[place...].firstIndex(of: quote) else {
        place = text.count
        complain("string", "Unterminated string literal")
        return nil
      }
      let content = text[place..<end]
      place = end + 1
      if quote == UInt8(ascii: "`") { return String(decoding: content, as: UTF8.self) }
      if let unquoted = Self.unquoted(content) { return unquoted }
      complain("string", "invalid syntax", at: start)
      return ""
    }
    return nil
  }

  /// Go's escapes inside double quotes, or nil where one is malformed.
  private static func unquoted(_ content: ArraySlice<UInt8>) -> String? {
    var out: [UInt8] = []
    var rest = content
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "\\") else {
        if byte == 0x0A { return nil }
        out.append(byte)
        continue
      }
      guard let escape = rest.popFirst() else { return nil }
      switch escape {
      case UInt8(ascii: "n"): out.append(0x0A)
      case UInt8(ascii: "t"): out.append(0x09)
      case UInt8(ascii: "r"): out.append(0x0D)
      case UInt8(ascii: "a"): out.append(0x07)
      case UInt8(ascii: "b"): out.append(0x08)
      case UInt8(ascii: "f"): out.append(0x0C)
      case UInt8(ascii: "v"): out.append(0x0B)
      case UInt8(ascii: "\\"): out.append(escape)
      case UInt8(ascii: "x"), UInt8(ascii: "u"), UInt8(ascii: "U"):
        let count = escape == UInt8(ascii: "x") ? 2 : escape == UInt8(ascii: "u") ? 4 : 8
        let digits = rest.prefix(count)
        guard digits.count == count, let code = UInt32(String(decoding: digits, as: UTF8.self), radix: 16) else {
          return nil
        }
        rest = rest.dropFirst(count)
        if count == 2 {
          out.append(UInt8(truncatingIfNeeded: code))
        } else {
          guard let scalar = UnicodeScalar(code) else { return nil }
          out.append(contentsOf: String(Character(scalar)).utf8)
        }
      default: return nil
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  // MARK: characters

  private var peek: UInt8? { place < text.count ? text[place] : nil }

  private mutating func word(_ word: String) -> Bool {
    let bytes = Array(word.utf8)
    if text[place...].starts(with: bytes) {
      place += bytes.count
      return true
    }
    expect(word == "\"" ? "\"\\\"\"" : "\"\(word)\"")
    return false
  }

  /// One or more spaces.
  private mutating func space() -> Bool {
    let start = place
    skipSpace()
    return place > start
  }

  private mutating func skipSpace() {
    while let byte = peek, byte.isSpace { place += 1 }
    expect("[ \\t\\r\\n]")
  }

  // MARK: errors

  private mutating func expect(_ what: String) {
    if place > farthest {
      farthest = place
      expected = []
    }
    if place == farthest { expected.insert(what) }
  }

  private mutating func complain(_ rule: String, _ text: String, at offset: Int? = nil) {
    let complaint = "\(position(offset ?? place)): rule \"\(rule)\": \(text)"
    if !complaints.contains(complaint) { complaints.append(complaint) }
  }

  /// `line:column (offset)`, columns counted in characters.
  private func position(_ offset: Int) -> String {
    let before = text[..<offset]
    let line = before.lazy.filter { $0 == 0x0A }.count + 1
    let start = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
    let column = String(decoding: text[start..<offset], as: UTF8.self).unicodeScalars.count + 1
    return "\(line):\(column) (\(offset))"
  }

  private var failure: String {
    if !complaints.isEmpty { return complaints.joined(separator: "\n") }
    var names = expected.subtracting(["EOF"]).sorted(by: bytewiseLess)
    if expected.contains("EOF") { names.append("EOF") }
    let last = names.popLast() ?? "EOF"
    let list = names.isEmpty ? last : names.joined(separator: ", ") + " or " + last
    return "\(position(farthest)): no match found, expected: \(list)"
  }
}

extension UInt8 {
  var isLetter: Bool { (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self) }
  var isDigit: Bool { (0x30...0x39).contains(self) }
  var isSpace: Bool { self == 0x20 || self == 0x09 || self == 0x0A || self == 0x0D }
}
