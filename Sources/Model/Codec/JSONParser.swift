/// Why a text is not JSON.
public enum JSONError: Error, Equatable, CustomStringConvertible {
  case unexpectedEnd
  /// A character that cannot stand there. `context` says where, in the words of Go's decoder.
  case invalidCharacter(UInt8, context: String, offset: Int)
  case tooDeep(limit: Int)
  /// Larger than any number of 64 bits with a fraction.
  case outOfRange(number: String)
  case trailingData(offset: Int)

  public var description: String {
    switch self {
    case .unexpectedEnd: "unexpected end of JSON input"
    case .invalidCharacter(let byte, let context, _): "invalid character \(Self.quoted(byte)) \(context)"
    case .tooDeep(let limit): "exceeded max depth (\(limit))"
    case .outOfRange(let number): "json: cannot unmarshal number \(number) into Go value of type float64"
    case .trailingData: "invalid data after top-level value"
    }
  }

  private static func quoted(_ byte: UInt8) -> String {
    switch byte {
    case UInt8(ascii: "'"): return "'\\''"
    case UInt8(ascii: "\""): return "'\"'"
    case 0x0A: return "'\\n'"
    case 0x0D: return "'\\r'"
    case 0x09: return "'\\t'"
    case 0x20..<0x7F: return "'\(Character(UnicodeScalar(byte)))'"
    default: return "'\\x\(String(byte, radix: 16).leftPadded(to: 2))'"
    }
  }
}

extension String {
  func leftPadded(to width: Int, with pad: Character = "0") -> String {
    count >= width ? self : String(repeating: pad, count: width - count) + self
  }
}

/// Reads one JSON text (RFC 8259) into a `Dynamic`. Depth is limited; size is the caller's part.
struct JSONParser {
  static let depthLimit = 512

  private let text: UnsafeRawBufferPointer
  private var index = 0
  private var depth = 0

  init(_ text: UnsafeRawBufferPointer) { self.text = text }

  /// Reads the value that fills the text.
  mutating func document() throws(JSONError) -> Dynamic {
    let result = try value()
    skipSpace()
    if index < text.count {
      throw .invalidCharacter(text[index], context: "after top-level value", offset: index)
    }
    return result
  }

  /// Reads the first value and ignores what follows, as a stream decoder does.
  mutating func first() throws(JSONError) -> Dynamic { try value() }

  private mutating func value() throws(JSONError) -> Dynamic {
    skipSpace()
    guard index < text.count else { throw .unexpectedEnd }
    switch text[index] {
    case UInt8(ascii: "{"): return try nested(Self.object)
    case UInt8(ascii: "["): return try nested(Self.array)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try literal("true", .bool(true))
    case UInt8(ascii: "f"): return try literal("false", .bool(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw unexpected("looking for beginning of value")
    }
  }

  private func unexpected(_ context: String) -> JSONError {
    index < text.count ? .invalidCharacter(text[index], context: context, offset: index) : .unexpectedEnd
  }

  private mutating func nested(
    _ read: (inout JSONParser) throws(JSONError) -> Dynamic
  ) throws(JSONError) -> Dynamic {
    depth += 1
    guard depth <= Self.depthLimit else { throw .tooDeep(limit: Self.depthLimit) }
    defer { depth -= 1 }
    return try read(&self)
  }

  private static func object(_ parser: inout JSONParser) throws(JSONError) -> Dynamic {
    parser.index += 1
    var members = DynamicObject()
    parser.skipSpace()
    if parser.take(UInt8(ascii: "}")) { return .object(members) }
    while true {
      parser.skipSpace()
      guard parser.peek == UInt8(ascii: "\"") else {
        throw parser.unexpected("looking for beginning of object key string")
      }
      let key = try parser.string()
      parser.skipSpace()
      guard parser.take(UInt8(ascii: ":")) else { throw parser.unexpected("after object key") }
      members.append(key, try parser.value())
      parser.skipSpace()
      if parser.take(UInt8(ascii: ",")) { continue }
      if parser.take(UInt8(ascii: "}")) { return .object(members) }
      throw parser.unexpected("after object key:value pair")
    }
  }

  private static func array(_ parser: inout JSONParser) throws(JSONError) -> Dynamic {
    parser.index += 1
    var elements: [Dynamic] = []
    parser.skipSpace()
    if parser.take(UInt8(ascii: "]")) { return .array(elements) }
    while true {
      elements.append(try parser.value())
      parser.skipSpace()
      if parser.take(UInt8(ascii: ",")) { continue }
      if parser.take(UInt8(ascii: "]")) { return .array(elements) }
      throw parser.unexpected("after array element")
    }
  }

  private var peek: UInt8? { index < text.count ? text[index] : nil }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard peek == byte else { return false }
    index += 1
    return true
  }

  private mutating func skipSpace() {
    while index < text.count {
      switch text[index] {
      case 0x20, 0x0A, 0x0D, 0x09: index += 1
      default: return
      }
    }
  }

  private mutating func literal(_ word: StaticString, _ value: Dynamic) throws(JSONError) -> Dynamic {
    for offset in 0..<word.utf8CodeUnitCount {
      guard peek == word.utf8Start[offset] else {
        throw unexpected(
          "in literal \(word) (expecting '\(Character(UnicodeScalar(word.utf8Start[offset])))')")
      }
      index += 1
    }
    return value
  }

  private mutating func number() throws(JSONError) -> Dynamic {
    let start = index
    var isInteger = true
    _ = take(UInt8(ascii: "-"))
    if take(UInt8(ascii: "0")) {
    } else if !digits() {
      throw unexpected("in numeric literal")
    }
    if take(UInt8(ascii: ".")) {
      isInteger = false
      guard digits() else { throw unexpected("after decimal point in numeric literal") }
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      isInteger = false
      _ = take(UInt8(ascii: "+")) || take(UInt8(ascii: "-"))
      guard digits() else { throw unexpected("in exponent of numeric literal") }
    }
    let digits = String(decoding: text[start..<index], as: UTF8.self)
    if isInteger {
      if let int = Int64(digits) { return .int(int) }
      if let uint = UInt64(digits) { return .uint(uint) }
    }
    guard let value = Double(digits), value.isFinite else { throw .outOfRange(number: String(digits)) }
    return .double(value)
  }

  private mutating func digits() -> Bool {
    let start = index
    while let byte = peek, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { index += 1 }
    return index > start
  }

  private mutating func string() throws(JSONError) -> String {
    index += 1
    let start = index
    while index < text.count {
      let byte = text[index]
      if byte == UInt8(ascii: "\"") {
        defer { index += 1 }
        return String(decoding: text[start..<index], as: UTF8.self)
      }
      if byte == UInt8(ascii: "\\") { return try escapedString(from: start) }
      if byte < 0x20 { throw unexpected("in string literal") }
      index += 1
    }
    throw .unexpectedEnd
  }

  private mutating func escapedString(from start: Int) throws(JSONError) -> String {
    var bytes = Array(text[start..<index])
    while index < text.count {
      let byte = text[index]
      index += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: bytes, as: UTF8.self)
      case UInt8(ascii: "\\"): try escape(&bytes)
      case 0..<0x20:
        index -= 1
        throw unexpected("in string literal")
      default: bytes.append(byte)
      }
    }
    throw .unexpectedEnd
  }

  private mutating func escape(_ bytes: inout [UInt8]) throws(JSONError) {
    guard let byte = peek else { throw .unexpectedEnd }
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(byte)
    case UInt8(ascii: "n"): bytes.append(0x0A)
    case UInt8(ascii: "r"): bytes.append(0x0D)
    case UInt8(ascii: "t"): bytes.append(0x09)
    case UInt8(ascii: "b"): bytes.append(0x08)
    case UInt8(ascii: "f"): bytes.append(0x0C)
    case UInt8(ascii: "u"):
      index += 1
      let scalar = try unicodeEscape()
      bytes.append(contentsOf: Array(String(Character(scalar)).utf8))
      return
    default: throw unexpected("in string escape code")
    }
    index += 1
  }

  /// The digits after `\u`; a surrogate pair is one scalar, a lone surrogate the replacement character.
  private mutating func unicodeEscape() throws(JSONError) -> UnicodeScalar {
    let first = try hex4()
    if first >= 0xD800, first < 0xDC00 {
      let mark = index
      if take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) {
        let second = try hex4()
        if second >= 0xDC00, second < 0xE000 {
          return UnicodeScalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) ?? "\u{FFFD}"
        }
      }
      index = mark
    }
    return UnicodeScalar(first) ?? "\u{FFFD}"
  }

  private mutating func hex4() throws(JSONError) -> UInt32 {
    var result: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = peek else { throw .unexpectedEnd }
      guard let digit = hexValue(byte) else { throw unexpected("in \\u hexadecimal character escape") }
      result = result << 4 | UInt32(digit)
      index += 1
    }
    return result
  }
}

func hexValue(_ byte: UInt8) -> UInt8? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
  default: nil
  }
}
