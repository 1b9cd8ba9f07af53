/// Numbers, quoted strings and heredocs.
extension HCLScanner {
  // MARK: Numbers

  /// `12`, `-3`, `0x1F`, `017` (octal), `1.5`, `2e-3`.
  mutating func number() throws(HCLError) -> Token {
    let start = index
    let place = position
    while let byte = current, Self.belongsToNumber(byte, after: index > start ? bytes[index - 1] : nil) { advance() }
    let text = try decoded(start..<index, at: place)
    if let value = Self.integer(text) { return .int(value) }
    if let value = Self.decimal(text) { return .double(value) }
    throw failure(.malformedNumber(text), at: place)
  }

  private static func belongsToNumber(_ byte: UInt8, after previous: UInt8?) -> Bool {
    if byte.isDecimalDigit || byte == UInt8(ascii: ".") || isLetter(byte) { return true }
    guard byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") else { return false }
    return previous == nil || previous == UInt8(ascii: "e") || previous == UInt8(ascii: "E")
  }

  static func integer(_ text: String) -> Int64? {
    let negative = text.hasPrefix("-")
    let digits = negative ? text.dropFirst() : text[...]
    let magnitude: UInt64?
    if digits.hasPrefix("0x") || digits.hasPrefix("0X") {
      magnitude = unsigned(digits.dropFirst(2), radix: 16)
    } else if digits.hasPrefix("0"), digits.count > 1 {
      magnitude = unsigned(digits.dropFirst(), radix: 8)
    } else {
      magnitude = unsigned(digits, radix: 10)
    }
    guard let magnitude else { return nil }
    if negative { return magnitude <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil }
    return Int64(exactly: magnitude)
  }

  private static func unsigned(_ digits: Substring, radix: Int) -> UInt64? {
    digits.first == "+" ? nil : UInt64(digits, radix: radix)
  }

  /// A decimal fraction or exponent; whole numbers that do not fit 64 bits are not silently made imprecise.
  static func decimal(_ text: String) -> Double? {
    guard text.utf8.contains(where: { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "e") || $0 == UInt8(ascii: "E") }),
      text.utf8.allSatisfy({ $0.isDecimalDigit || ".eE+-".utf8.contains($0) }),
      let value = Double(text), value.isFinite
    else { return nil }
    return value
  }

  // MARK: Quoted strings

  /// A string in double quotes. `${ … }` is kept as it stands, with quotes and newlines inside.
  mutating func quotedString() throws(HCLError) -> String {
    advance()
    var content: [UInt8] = []
    while let byte = current {
      switch byte {
      case UInt8(ascii: "\""):
        advance()
        guard let text = String(validating: content, as: UTF8.self) else { throw failure(.invalidEncoding) }
        return text
      case UInt8(ascii: "\n"):
        throw failure(.unterminatedString)
      case UInt8(ascii: "\\"):
        try escape(into: &content)
      case UInt8(ascii: "$") where self.byte(ahead: 1) == UInt8(ascii: "{"):
        try interpolation(into: &content)
      default:
        content.append(byte)
        advance()
      }
    }
    throw failure(.unterminatedString)
  }

  /// Copies `${ … }` up to the brace that closes it.
  private mutating func interpolation(into content: inout [UInt8]) throws(HCLError) {
    var open = 0
    while let byte = current {
      content.append(byte)
      advance()
      if byte == UInt8(ascii: "{") {
        open += 1
      } else if byte == UInt8(ascii: "}") {
        open -= 1
        if open == 0 { return }
      }
    }
    throw failure(.unterminatedString)
  }

  private mutating func escape(into content: inout [UInt8]) throws(HCLError) {
    let place = position
    advance()
    guard let byte = current else { throw failure(.unterminatedString) }
    advance()
    switch byte {
    case UInt8(ascii: "n"): content.append(0x0A)
    case UInt8(ascii: "t"): content.append(0x09)
    case UInt8(ascii: "r"): content.append(0x0D)
    case UInt8(ascii: "a"): content.append(0x07)
    case UInt8(ascii: "b"): content.append(0x08)
    case UInt8(ascii: "f"): content.append(0x0C)
    case UInt8(ascii: "v"): content.append(0x0B)
    case UInt8(ascii: "\\"), UInt8(ascii: "\""): content.append(byte)
    case UInt8(ascii: "u"): try unicodeEscape(digits: 4, at: place, into: &content)
    case UInt8(ascii: "U"): try unicodeEscape(digits: 8, at: place, into: &content)
    case UInt8(ascii: "x"): content.append(try byteEscape(digits: 2, radix: 16, first: nil, at: place))
    case UInt8(ascii: "0")...UInt8(ascii: "7"):
      content.append(try byteEscape(digits: 3, radix: 8, first: byte, at: place))
    default:
      throw failure(.malformedEscape("\\" + String(decoding: [byte], as: UTF8.self)), at: place)
    }
  }

  /// `\u1234` and `\U0001F600`: a Unicode scalar.
  private mutating func unicodeEscape(
    digits: Int, at place: HCLPosition, into content: inout [UInt8]
  ) throws(HCLError) {
    var value: UInt32 = 0
    for _ in 0..<digits {
      guard let digit = current?.hexadecimalDigit else {
        throw failure(.malformedEscape("(expected \(digits) hexadecimal digits)"), at: place)
      }
      value = value << 4 | digit
      advance()
    }
    guard let scalar = UnicodeScalar(value) else {
      throw failure(.malformedEscape("(not a Unicode character)"), at: place)
    }
    content.append(contentsOf: String(scalar).utf8)
  }

  /// `\x41` and `\101`: a single byte.
  private mutating func byteEscape(
    digits: Int, radix: UInt32, first: UInt8?, at place: HCLPosition
  ) throws(HCLError) -> UInt8 {
    var value = first?.hexadecimalDigit ?? 0
    for _ in 0..<(first == nil ? digits : digits - 1) {
      guard let digit = current?.hexadecimalDigit, digit < radix else {
        throw failure(.malformedEscape("(expected \(digits) digits of base \(radix))"), at: place)
      }
      value = value * radix + digit
      advance()
    }
    guard let byte = UInt8(exactly: value) else {
      throw failure(.malformedEscape("(larger than a byte)"), at: place)
    }
    return byte
  }

  // MARK: Heredocs

  /// `<<EOF` … `EOF`, and `<<-EOF`, which takes the indentation of the closing line off every line.
  mutating func heredoc() throws(HCLError) -> String {
    let place = position
    advance()
    guard current == UInt8(ascii: "<") else { throw failure(.illegalCharacter("'<'"), at: place) }
    advance()
    let indented = current == UInt8(ascii: "-")
    if indented { advance() }
    let marker = try heredocMarker(at: place)
    var lines: [ArraySlice<UInt8>] = []
    while index < bytes.count {
      let line = takeLine()
      if line.drop(while: \.isWhitespace).elementsEqual(marker) {
        let indentation = indented ? line.prefix(while: \.isWhitespace) : line.prefix(0)
        return try Self.joined(lines, without: indentation, failure: failure(.invalidEncoding, at: place))
      }
      lines.append(line)
    }
    let name = String(decoding: marker, as: UTF8.self)
    throw failure(.unterminatedHeredoc(marker: name), at: place)
  }

  private mutating func heredocMarker(at place: HCLPosition) throws(HCLError) -> ArraySlice<UInt8> {
    let marker = takeLine()
    guard let first = marker.first, Self.isLetter(first) || first.isDecimalDigit,
      marker.allSatisfy({ Self.isLetter($0) || $0.isDecimalDigit || $0 == UInt8(ascii: "-") })
    else { throw failure(.malformedHeredoc, at: place) }
    return marker
  }

  /// The rest of the line, without its end (`\n` or `\r\n`), which is stepped over.
  private mutating func takeLine() -> ArraySlice<UInt8> {
    let start = index
    while let byte = current, byte != UInt8(ascii: "\n") { advance() }
    var line = bytes[start..<index]
    advance()
    if line.last == UInt8(ascii: "\r") { line.removeLast() }
    return line
  }

  /// The indentation goes only if every line has it, as in the reference.
  private static func joined(
    _ lines: [ArraySlice<UInt8>], without indentation: ArraySlice<UInt8>, failure: HCLError
  ) throws(HCLError) -> String {
    let strip = lines.allSatisfy { $0.starts(with: indentation) } ? indentation.count : 0
    var content: [UInt8] = []
    for line in lines {
      content.append(contentsOf: line.dropFirst(strip))
      content.append(UInt8(ascii: "\n"))
    }
    guard let text = String(validating: content, as: UTF8.self) else { throw failure }
    return text
  }
}
