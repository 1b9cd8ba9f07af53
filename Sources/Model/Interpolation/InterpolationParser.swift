/// Reads the syntax of `Interpolation`: recursive descent with one function per form and a table of precedence.
struct InterpolationParser {
  static let lengthLimit = 64 << 10
  static let depthLimit = 64

  typealias Expression = Interpolation.Expression
  typealias Problem = Interpolation.Problem
  typealias Place = Interpolation.Place

  private let text: [UnicodeScalar]
  private var offset = 0
  private var line = 1
  private var column = 1
  private var depth = 0

  init(_ text: String) { self.text = Array(text.unicodeScalars) }

  // MARK: Characters

  private var peek: UnicodeScalar? { offset < text.count ? text[offset] : nil }
  private var place: Place { Place(line: line, column: column) }

  private mutating func advance() {
    if peek == "\n" {
      line += 1
      column = 1
    } else {
      column += 1
    }
    offset += 1
  }

  private func starts(with prefix: String) -> Bool {
    let scalars = Array(prefix.unicodeScalars)
    return offset + scalars.count <= text.count && text[offset..<offset + scalars.count].elementsEqual(scalars)
  }

  private mutating func take(_ prefix: String) -> Bool {
    guard starts(with: prefix) else { return false }
    for _ in prefix.unicodeScalars { advance() }
    return true
  }

  private mutating func skipBlanks() {
    while let scalar = peek, [" ", "\t", "\n", "\r"].contains(scalar) { advance() }
  }

  private func syntax(_ reason: String) -> Problem { place.problem(reason, isSyntax: true) }

  private func expected(_ what: String) -> Problem {
    let found = peek.map { "\"\($0)\"" } ?? "end of string"
    return syntax("expected \(what) but found \(found)")
  }

  // MARK: Text

  mutating func interpolation() throws(Problem) -> Interpolation {
    guard text.count <= Self.lengthLimit else { throw syntax("text is too long") }
    return try parts(isQuoted: false)
  }

  /// Text and expressions up to the end or, in a literal, the closing quote.
  private mutating func parts(isQuoted: Bool) throws(Problem) -> Interpolation {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.depthLimit else { throw syntax("expression nests too deeply") }
    var parts: [Interpolation.Part] = []
    var literal = String.UnicodeScalarView()
    while let scalar = peek {
      if isQuoted, scalar == "\"" { break }
      if take("$${") {
        literal.append(contentsOf: "${".unicodeScalars)
      } else if take("${") {
        if !literal.isEmpty { parts.append(.text(String(literal))) }
        literal = String.UnicodeScalarView()
        parts.append(.expression(try expressionInBraces()))
      } else if isQuoted, scalar == "\\" {
        advance()
        literal.append(try escaped())
      } else {
        literal.append(scalar)
        advance()
      }
    }
    if !literal.isEmpty || parts.isEmpty { parts.append(.text(String(literal))) }
    return Interpolation(parts: parts)
  }

  private mutating func escaped() throws(Problem) -> UnicodeScalar {
    guard let scalar = peek else { throw expected("an escaped character") }
    advance()
    switch scalar {
    case "n": return "\n"
    case "t": return "\t"
    default: return scalar
    }
  }

  private mutating func expressionInBraces() throws(Problem) -> Expression {
    let result = try expression()
    skipBlanks()
    guard take("}") else { throw expected("\"}\"") }
    return result
  }

  // MARK: Expressions

  private static let levels: [[Interpolation.Operator]] = [
    [.or], [.and], [.equal, .notEqual], [.lessOrEqual, .greaterOrEqual, .less, .greater], [.plus, .minus],
    [.times, .divided, .modulo],
  ]

  private mutating func expression() throws(Problem) -> Expression {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.depthLimit else { throw syntax("expression nests too deeply") }
    skipBlanks()
    let start = place
    let condition = try binary(0)
    skipBlanks()
    guard take("?") else { return condition }
    let yes = try expression()
    skipBlanks()
    guard take(":") else { throw expected("\":\"") }
    return .choice(condition, yes, try expression(), start)
  }

  private mutating func binary(_ level: Int) throws(Problem) -> Expression {
    guard level < Self.levels.count else { return try unary() }
    skipBlanks()
    let start = place
    var left = try binary(level + 1)
    while true {
      skipBlanks()
      guard let op = Self.levels[level].first(where: { starts(with: $0.rawValue) }) else { return left }
      _ = take(op.rawValue)
      left = .binary(op, left, try binary(level + 1), start)
    }
  }

  private mutating func unary() throws(Problem) -> Expression {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.depthLimit else { throw syntax("expression nests too deeply") }
    skipBlanks()
    let start = place
    if take("-") { return .opposite(try unary(), start) }
    if !starts(with: "!="), take("!") { return .negation(try unary(), start) }
    return try primary()
  }

  private mutating func primary() throws(Problem) -> Expression {
    guard let scalar = peek else { throw expected("expression") }
    if take("(") {
      let inner = try expression()
      skipBlanks()
      guard take(")") else { throw expected("\")\"") }
      return inner
    }
    if take("\"") {
      let inner = try parts(isQuoted: true)
      guard take("\"") else { throw expected("\"\\\"\"") }
      return .text(inner)
    }
    if ("0"..."9").contains(scalar) { return try number() }
    guard Self.isNameStart(scalar) else { throw expected("expression") }
    return try name()
  }

  private mutating func number() throws(Problem) -> Expression {
    let start = place
    let digits = word { ("0"..."9").contains($0) || $0 == "." }
    if let value = Int(digits) { return .value(.int(value)) }
    guard let value = Double(digits), value.isFinite else {
      throw start.problem("invalid number \"\(digits)\"", isSyntax: true)
    }
    return .value(.double(value))
  }

  private mutating func name() throws(Problem) -> Expression {
    let start = place
    let name = word { Self.isNameStart($0) || ("0"..."9").contains($0) || [".", "-", "*"].contains($0) }
    switch name {
    case "true": return .value(.bool(true))
    case "false": return .value(.bool(false))
    default: break
    }
    skipBlanks()
    guard take("(") else { return .variable(name, start) }
    return .call(name, try arguments(), start)
  }

  private mutating func arguments() throws(Problem) -> [Expression] {
    var arguments: [Expression] = []
    skipBlanks()
    if take(")") { return arguments }
    while true {
      arguments.append(try expression())
      skipBlanks()
      if take(")") { return arguments }
      guard take(",") else { throw expected("\")\"") }
    }
  }

  private mutating func word(_ belongs: (UnicodeScalar) -> Bool) -> String {
    var word = String.UnicodeScalarView()
    while let scalar = peek, belongs(scalar) {
      word.append(scalar)
      advance()
    }
    return String(word)
  }

  private static func isNameStart(_ scalar: UnicodeScalar) -> Bool {
    scalar == "_" || scalar.properties.isAlphabetic
  }
}
