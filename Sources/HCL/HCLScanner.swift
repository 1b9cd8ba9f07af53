/// Cuts an HCL document into tokens. Comments and white space vanish here.
struct HCLScanner {
  enum Token: Equatable {
    case identifier(String)
    case string(String)
    case int(Int64)
    case double(Double)
    case bool(Bool)
    case leftBrace, rightBrace, leftBracket, rightBracket
    case comma, assign
    case end

    /// How error messages name the token.
    var name: String {
      switch self {
      case .identifier: "IDENT"
      case .string: "STRING"
      case .int: "NUMBER"
      case .double: "FLOAT"
      case .bool: "BOOL"
      case .leftBrace: "LBRACE"
      case .rightBrace: "RBRACE"
      case .leftBracket: "LBRACK"
      case .rightBracket: "RBRACK"
      case .comma: "COMMA"
      case .assign: "ASSIGN"
      case .end: "EOF"
      }
    }
  }

  let bytes: [UInt8]
  var index: Int
  var position = HCLPosition.start

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    index = HCL.byteOrderMarkLength(bytes)
  }

  /// The byte at the current place, nil at the end.
  var current: UInt8? { index < bytes.count ? bytes[index] : nil }

  func byte(ahead distance: Int) -> UInt8? {
    let place = index &+ distance
    return place < bytes.count ? bytes[place] : nil
  }

  /// Steps over one byte and keeps the position; bytes that continue a character do not count as a column.
  mutating func advance() {
    guard let byte = current else { return }
    index += 1
    if byte == UInt8(ascii: "\n") {
      position.line += 1
      position.column = 1
    } else if byte & 0xC0 != 0x80 {
      position.column += 1
    }
  }

  mutating func advance(_ count: Int) {
    for _ in 0..<count { advance() }
  }

  func failure(_ reason: HCLError.Reason, at place: HCLPosition? = nil) -> HCLError {
    HCLError(reason, at: place ?? position, language: .hcl)
  }

  /// The next token and where it starts. The end of the text is reported one column behind it, as the reference does.
  mutating func next() throws(HCLError) -> (token: Token, position: HCLPosition) {
    try skipSpaceAndComments()
    let start = position
    guard let byte = current else {
      return (.end, HCLPosition(line: start.line, column: start.column + 1))
    }
    if let punctuation = Self.punctuation(byte) {
      advance()
      return (punctuation, start)
    }
    switch byte {
    case UInt8(ascii: "\""): return (.string(try quotedString()), start)
    case UInt8(ascii: "<"): return (.string(try heredoc()), start)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return (try number(), start)
    case 0: throw failure(.nullCharacter)
    default: return (try word(), start)
    }
  }

  private static func punctuation(_ byte: UInt8) -> Token? {
    switch byte {
    case UInt8(ascii: "{"): .leftBrace
    case UInt8(ascii: "}"): .rightBrace
    case UInt8(ascii: "["): .leftBracket
    case UInt8(ascii: "]"): .rightBracket
    case UInt8(ascii: ","): .comma
    case UInt8(ascii: "="): .assign
    default: nil
    }
  }

  private mutating func skipSpaceAndComments() throws(HCLError) {
    while let byte = current {
      if byte.isWhitespace {
        advance()
      } else if byte == UInt8(ascii: "#") || (byte == UInt8(ascii: "/") && self.byte(ahead: 1) == byte) {
        while let other = current, other != UInt8(ascii: "\n") { advance() }
      } else if byte == UInt8(ascii: "/"), self.byte(ahead: 1) == UInt8(ascii: "*") {
        try skipBlockComment()
      } else {
        return
      }
    }
  }

  private mutating func skipBlockComment() throws(HCLError) {
    let start = position
    advance(2)
    while let byte = current {
      if byte == UInt8(ascii: "*"), self.byte(ahead: 1) == UInt8(ascii: "/") {
        advance(2)
        return
      }
      advance()
    }
    throw failure(.unterminatedComment, at: start)
  }

  /// A bare word: a key, `true` or `false`. Letters outside ASCII are letters, too.
  private mutating func word() throws(HCLError) -> Token {
    let start = index
    let place = position
    guard let first = current, Self.isLetter(first) else {
      throw failure(.illegalCharacter(characterAtCurrent()))
    }
    while let byte = current, Self.isLetter(byte) || Self.continuesWord(byte) { advance() }
    let text = try decoded(start..<index, at: place)
    switch text {
    case "true": return .bool(true)
    case "false": return .bool(false)
    default: return .identifier(text)
    }
  }

  static func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
      || byte == UInt8(ascii: "_") || byte >= 0x80
  }

  private static func continuesWord(_ byte: UInt8) -> Bool {
    byte.isDecimalDigit || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
  }

  /// The text of a range of the document, refused if it is not UTF-8.
  func decoded(_ range: Range<Int>, at place: HCLPosition) throws(HCLError) -> String {
    guard let text = String(validating: bytes[range], as: UTF8.self) else {
      throw failure(.invalidEncoding, at: place)
    }
    return text
  }

  /// The character at the current place in quotes, for error messages.
  private func characterAtCurrent() -> String {
    guard let byte = current else { return "EOF" }
    if (0x21...0x7E).contains(byte) { return "'\(Character(UnicodeScalar(byte)))'" }
    return "0x" + String(byte, radix: 16)
  }
}
