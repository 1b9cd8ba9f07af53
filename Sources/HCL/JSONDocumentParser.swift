/// Parses JSON (RFC 8259) into the tree of HCL, with positions. Error texts are those of the reference's JSON reader.
struct JSONDocumentParser {
  private let bytes: [UInt8]
  private var index: Int
  private var position = HCLPosition.start
  private let depthLimit: Int
  private var depth = 0

  init(_ bytes: [UInt8], depthLimit: Int) {
    self.bytes = bytes
    self.depthLimit = depthLimit
    index = HCL.byteOrderMarkLength(bytes)
  }

  mutating func document() throws(HCLError) -> HCLObject {
    skipSpace()
    let top = try value()
    skipSpace()
    guard current == nil else { throw unexpected("after top-level value") }
    switch top.kind {
    case .object(let object): return object
    case .null: return HCLObject(entries: [], position: top.position)
    default: throw HCLError(.notAnObject(found: Self.kindName(top.kind)), at: top.position, language: .json)
    }
  }

  private static func kindName(_ kind: HCLValue.Kind) -> String {
    switch kind {
    case .null: "null"
    case .bool: "a boolean"
    case .int, .double: "a number"
    case .string: "a string"
    case .list: "a list"
    case .object: "an object"
    }
  }

  // MARK: Characters

  private var current: UInt8? { index < bytes.count ? bytes[index] : nil }

  private mutating func advance() {
    guard let byte = current else { return }
    index += 1
    if byte == UInt8(ascii: "\n") {
      position.line += 1
      position.column = 1
    } else if byte & 0xC0 != 0x80 {
      position.column += 1
    }
  }

  private mutating func skipSpace() {
    while let byte = current, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { advance() }
  }

  /// The error for the current character, or for the missing one.
  private func unexpected(_ context: String) -> HCLError {
    guard let byte = current else { return HCLError(.unexpectedEnd, at: position, language: .json) }
    return HCLError(.unexpectedCharacter(Self.quoted(byte), context: context), at: position, language: .json)
  }

  private static func quoted(_ byte: UInt8) -> String {
    switch byte {
    case UInt8(ascii: "'"): return #"'\''"#
    case UInt8(ascii: "\""): return #"'"'"#
    case UInt8(ascii: "\\"): return #"'\\'"#
    case UInt8(ascii: "\n"): return #"'\n'"#
    case UInt8(ascii: "\t"): return #"'\t'"#
    case UInt8(ascii: "\r"): return #"'\r'"#
    case 0x20...0x7E: return "'\(Character(UnicodeScalar(byte)))'"
    default:
      if byte >= 0xA1, byte != 0xAD { return "'\(Character(UnicodeScalar(byte)))'" }
      let digits = String(byte, radix: 16)
      return #"'\x"# + (digits.count == 1 ? "0" : "") + digits + "'"
    }
  }

  // MARK: Values

  private mutating func value() throws(HCLError) -> HCLValue {
    let start = position
    guard let byte = current else { throw unexpected("looking for beginning of value") }
    switch byte {
    case UInt8(ascii: "{"): return HCLValue(.object(try object()), at: start)
    case UInt8(ascii: "["): return HCLValue(.list(try list()), at: start)
    case UInt8(ascii: "\""): return HCLValue(.string(try string()), at: start)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return HCLValue(try number(), at: start)
    case UInt8(ascii: "t"): return HCLValue(try literal("true", .bool(true)), at: start)
    case UInt8(ascii: "f"): return HCLValue(try literal("false", .bool(false)), at: start)
    case UInt8(ascii: "n"): return HCLValue(try literal("null", .null), at: start)
    default: throw unexpected("looking for beginning of value")
    }
  }

  private mutating func literal(_ text: String, _ kind: HCLValue.Kind) throws(HCLError) -> HCLValue.Kind {
    for expected in text.utf8 {
      guard current == expected else {
        throw unexpected("in literal \(text) (expecting \(Self.quoted(expected)))")
      }
      advance()
    }
    return kind
  }

  private mutating func object() throws(HCLError) -> HCLObject {
    let start = position
    try descend()
    advance()
    skipSpace()
    var entries: [HCLEntry] = []
    while current != UInt8(ascii: "}") || !entries.isEmpty {
      let place = position
      guard current == UInt8(ascii: "\"") else { throw unexpected("looking for beginning of object key string") }
      let key = try string()
      skipSpace()
      guard current == UInt8(ascii: ":") else { throw unexpected("after object key") }
      advance()
      skipSpace()
      entries.append(HCLEntry(key: key, value: try value(), position: place))
      skipSpace()
      if current == UInt8(ascii: "}") { break }
      guard current == UInt8(ascii: ",") else { throw unexpected("after object key:value pair") }
      advance()
      skipSpace()
    }
    advance()
    depth -= 1
    return HCLObject(entries: Self.lastOfEachKey(entries), position: start)
  }

  /// Of members with the same name, the last one counts (RFC 8259, section 4 leaves it open; all known readers do so).
  private static func lastOfEachKey(_ entries: [HCLEntry]) -> [HCLEntry] {
    var seen: Set<String> = []
    let kept = entries.reversed().filter { seen.insert($0.key).inserted }
    return kept.count == entries.count ? entries : kept.reversed()
  }

  private mutating func list() throws(HCLError) -> [HCLValue] {
    try descend()
    advance()
    skipSpace()
    var values: [HCLValue] = []
    while current != UInt8(ascii: "]") || !values.isEmpty {
      values.append(try value())
      skipSpace()
      if current == UInt8(ascii: "]") { break }
      guard current == UInt8(ascii: ",") else { throw unexpected("after array element") }
      advance()
      skipSpace()
    }
    advance()
    depth -= 1
    return values
  }

  private mutating func descend() throws(HCLError) {
    depth += 1
    guard depth <= depthLimit else {
      throw HCLError(.tooDeep(limit: depthLimit), at: position, language: .json)
    }
  }

  // MARK: Numbers

  private mutating func number() throws(HCLError) -> HCLValue.Kind {
    let start = index
    let place = position
    var whole = true
    if current == UInt8(ascii: "-") { advance() }
    if current == UInt8(ascii: "0") {
      advance()
    } else {
      try digits("in numeric literal")
    }
    if current == UInt8(ascii: ".") {
      whole = false
      advance()
      try digits("after decimal point in numeric literal")
    }
    if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
      whole = false
      advance()
      if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { advance() }
      try digits("in exponent of numeric literal")
    }
    let text = String(decoding: bytes[start..<index], as: UTF8.self)
    if whole, let value = Int64(text) { return .int(value) }
    guard let value = Double(text), value.isFinite else {
      throw HCLError(.malformedNumber(text), at: place, language: .json)
    }
    return .double(value)
  }

  private mutating func digits(_ context: String) throws(HCLError) {
    guard current?.isDecimalDigit == true else { throw unexpected(context) }
    while current?.isDecimalDigit == true { advance() }
  }

  // MARK: Strings

  private mutating func string() throws(HCLError) -> String {
    let place = position
    advance()
    var content: [UInt8] = []
    while let byte = current {
      switch byte {
      case UInt8(ascii: "\""):
        advance()
        guard let text = String(validating: content, as: UTF8.self) else {
          throw HCLError(.invalidEncoding, at: place, language: .json)
        }
        return text
      case UInt8(ascii: "\\"):
        advance()
        try escape(into: &content)
      case 0..<0x20:
        throw unexpected("in string literal")
      default:
        content.append(byte)
        advance()
      }
    }
    throw unexpected("in string literal")
  }

  private mutating func escape(into content: inout [UInt8]) throws(HCLError) {
    switch current {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(bytes[index])
    case UInt8(ascii: "b"): content.append(0x08)
    case UInt8(ascii: "f"): content.append(0x0C)
    case UInt8(ascii: "n"): content.append(0x0A)
    case UInt8(ascii: "r"): content.append(0x0D)
    case UInt8(ascii: "t"): content.append(0x09)
    case UInt8(ascii: "u"):
      advance()
      content.append(contentsOf: String(try scalar()).utf8)
      return
    default: throw unexpected("in string escape code")
    }
    advance()
  }

  /// `\uD83D\uDE00` is one character; half a pair becomes U+FFFD.
  private mutating func scalar() throws(HCLError) -> UnicodeScalar {
    let replacement: UnicodeScalar = "\u{FFFD}"
    let first = try fourHexadecimalDigits()
    guard (0xD800...0xDBFF).contains(first) else { return UnicodeScalar(first) ?? replacement }
    guard current == UInt8(ascii: "\\"), index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "u") else {
      return replacement
    }
    let rewind = (index, position)
    advance()
    advance()
    let second = try fourHexadecimalDigits()
    guard (0xDC00...0xDFFF).contains(second) else {
      (index, position) = rewind
      return replacement
    }
    return UnicodeScalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)) ?? replacement
  }

  private mutating func fourHexadecimalDigits() throws(HCLError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = current?.hexadecimalDigit else { throw unexpected("in \\u hexadecimal character escape") }
      value = value << 4 | digit
      advance()
    }
    return value
  }
}
