#if canImport(Glibc)
  import Glibc
#endif

/// Writes JSON text into memory of its own, the way Go's encoder does: no white space, `<`, `>` and `&` escaped, map keys
/// in byte order (which is the callers' part).
///
/// A comma is written before a member or element when the text so far does not end with an opening bracket or a colon, so
/// callers never count.
public struct JSONWriter: ~Copyable {
  @usableFromInline var base: UnsafeMutablePointer<UInt8>
  @usableFromInline var count = 0
  @usableFromInline var capacity: Int

  public init(capacity: Int = 512) {
    self.capacity = max(capacity, 64)
    base = .allocate(capacity: self.capacity)
  }

  deinit { base.deallocate() }

  /// The bytes written so far, valid until the next write.
  @inlinable
  public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

  public var isEmpty: Bool { count == 0 }

  /// Starts again with an empty text and keeps the memory.
  public mutating func clear() { count = 0 }

  public func finish() -> [UInt8] { Array(bytes) }

  // MARK: structure

  public mutating func beginObject() {
    separate()
    append(UInt8(ascii: "{"))
  }
  public mutating func endObject() { append(UInt8(ascii: "}")) }
  public mutating func beginArray() {
    separate()
    append(UInt8(ascii: "["))
  }
  public mutating func endArray() { append(UInt8(ascii: "]")) }

  /// `,"name":`
  public mutating func member(_ name: String) {
    separate()
    key(name)
  }

  @inline(__always)
  mutating func member(encodedKey: UnsafeRawBufferPointer) {
    separate()
    append(encodedKey)
  }

  mutating func key(_ name: String) {
    quoted(name)
    append(UInt8(ascii: ":"))
  }

  public mutating func array<S: Sequence>(_ elements: S, _ body: (inout JSONWriter, S.Element) -> Void) {
    beginArray()
    for element in elements { body(&self, element) }
    endArray()
  }

  // MARK: values

  public mutating func null() {
    separate()
    append("null")
  }

  public mutating func bool(_ value: Bool) {
    separate()
    append(value ? "true" : "false")
  }

  public mutating func integer<T: FixedWidthInteger>(_ value: T) {
    separate()
    digits(value)
  }

  /// As Go writes floating-point numbers: the shortest text, with an exponent below 1e-6 and from 1e21.
  public mutating func double(_ value: Double) {
    separate()
    append(contentsOf: goText(value))
  }

  public mutating func string(_ text: String) {
    separate()
    quoted(text)
  }

  /// The members or elements of JSON text that is already written.
  public mutating func json(_ text: UnsafeRawBufferPointer) {
    separate()
    append(text)
  }

  public mutating func newline() { append(UInt8(ascii: "\n")) }

  /// Bytes as a base64 string.
  public mutating func base64(_ bytes: UnsafeRawBufferPointer) {
    separate()
    reserve((bytes.count + 2) / 3 * 4 + 2)
    append(UInt8(ascii: "\""))
    count += Base64.encode(bytes, into: base + count)
    append(UInt8(ascii: "\""))
  }

  // MARK: text

  @inline(__always)
  private mutating func separate() {
    guard count > 0 else { return }
    switch base[count - 1] {
    case UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: ":"), UInt8(ascii: ","), UInt8(ascii: "\n"): return
    default: append(UInt8(ascii: ","))
    }
  }

  private mutating func quoted(_ text: String) {
    // Native strings lend their bytes; a copy to take them from would be retained.
    if text.utf8.withContiguousStorageIfAvailable({ quoted($0) }) == nil {
      var text = text
      text.withUTF8 { quoted($0) }
    }
  }

  private mutating func quoted(_ utf8: UnsafeBufferPointer<UInt8>) {
    reserve(utf8.count &+ 2)
    append(UInt8(ascii: "\""))
    var index = 0
    while index < utf8.count {
      let plain = copyPlain(utf8, from: index)
      index &+= plain
      if index == utf8.count { break }
      if utf8[index] == 0xE2, !isLineSeparator(utf8, index) {
        append(utf8[index])
        index &+= 1
      } else {
        index &+= escape(utf8, index)
      }
      reserve(utf8.count &- index &+ 1)
    }
    append(UInt8(ascii: "\""))
  }

  /// Copies bytes that stand for themselves and returns their number. There is room for the whole text.
  @inline(__always)
  private mutating func copyPlain(_ utf8: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    var index = start
    let target = base + count
    while index < utf8.count, JSONEscapes.isPlain(utf8[index]) {
      target[index &- start] = utf8[index]
      index &+= 1
    }
    count &+= index &- start
    return index &- start
  }

  /// U+2028 and U+2029, which JavaScript does not accept in strings.
  private func isLineSeparator(_ utf8: UnsafeBufferPointer<UInt8>, _ index: Int) -> Bool {
    index + 2 < utf8.count && utf8[index + 1] == 0x80 && (utf8[index + 2] == 0xA8 || utf8[index + 2] == 0xA9)
  }

  /// Writes the escape of the character at `index` and returns how many bytes of input it stands for.
  private mutating func escape(_ utf8: UnsafeBufferPointer<UInt8>, _ index: Int) -> Int {
    let byte = utf8[index]
    switch byte {
    case UInt8(ascii: "\""): append("\\\"")
    case UInt8(ascii: "\\"): append("\\\\")
    case 0x0A: append("\\n")
    case 0x0D: append("\\r")
    case 0x09: append("\\t")
    case 0x08: append("\\b")
    case 0x0C: append("\\f")
    case 0xE2:
      append(utf8[index + 2] == 0xA8 ? "\\u2028" : "\\u2029")
      return 3
    default:
      append("\\u00")
      append(hexDigit(byte >> 4))
      append(hexDigit(byte & 15))
    }
    return 1
  }

  private mutating func digits<T: FixedWidthInteger>(_ value: T) {
    if value == 0 { return append(UInt8(ascii: "0")) }
    reserve(24)
    if value < 0 { append(UInt8(ascii: "-")) }
    var rest = UInt64(value.magnitude)
    let start = count
    while rest > 0 {
      base[count] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
      count &+= 1
      rest /= 10
    }
    var low = start
    var high = count &- 1
    while low < high {
      swap(&base[low], &base[high])
      low &+= 1
      high &-= 1
    }
  }

  // MARK: memory

  @inline(__always)
  private mutating func reserve(_ extra: Int) {
    if count &+ extra > capacity { grow(extra) }
  }

  @inline(never)
  private mutating func grow(_ extra: Int) {
    capacity = max(capacity * 2, count + extra)
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    larger.update(from: base, count: count)
    base.deallocate()
    base = larger
  }

  @inline(__always)
  private mutating func append(_ byte: UInt8) {
    reserve(1)
    base[count] = byte
    count &+= 1
  }

  @inline(__always)
  private mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress, bytes.count > 0 else { return }
    reserve(bytes.count)
    memcpy(base + count, start, bytes.count)
    count &+= bytes.count
  }

  @inline(__always)
  private mutating func append(_ text: StaticString) {
    append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  private mutating func append(contentsOf text: String) {
    var text = text
    text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
  }
}

enum JSONEscapes {
  /// One bit for each byte below 128 that stands for itself inside a JSON string: all but control characters, `"`, `\`, and
  /// what HTML gives a meaning (`<`, `>`, `&`), as Go's encoder has it.
  private static let plain: (UInt64, UInt64) = (
    ~(0xFFFF_FFFF | 1 << 0x22 | 1 << 0x26 | 1 << 0x3C | 1 << 0x3E), ~(1 << (0x5C - 64))
  )

  /// Which bytes stand for themselves. 0xE2 does not: it may begin a line separator.
  @inline(__always)
  static func isPlain(_ byte: UInt8) -> Bool {
    if byte >= 0x80 { return byte != 0xE2 }
    let word = byte < 64 ? plain.0 : plain.1
    return word &>> UInt64(byte & 63) & 1 == 1
  }
}

func hexDigit(_ nibble: UInt8) -> UInt8 {
  nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
}

/// A number as Go's JSON encoder writes it.
func goText(_ value: Double) -> String {
  if value.rounded() == value, abs(value) < 1e15 { return String(Int64(value)) }
  let magnitude = abs(value)
  let text = "\(value)"
  let usesExponent = magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21)
  guard let mark = text.firstIndex(where: { $0 == "e" || $0 == "E" }) else { return text }
  let exponent = Int(text[text.index(after: mark)...]) ?? 0
  let mantissa = text[..<mark].hasSuffix(".0") ? text[..<mark].dropLast(2) : text[..<mark]
  if usesExponent {
    return "\(mantissa)e\(exponent < 0 ? "-" : "+")\(abs(exponent) < 10 ? "0" : "")\(abs(exponent))"
  }
  return plainDecimal(String(mantissa), exponent)
}

/// `mantissa` × 10^`exponent` without an exponent.
private func plainDecimal(_ mantissa: String, _ exponent: Int) -> String {
  let negative = mantissa.hasPrefix("-")
  let parts = mantissa.drop { $0 == "-" }.split(separator: ".", omittingEmptySubsequences: false)
  let whole = String(parts[0])
  let fraction = parts.count > 1 ? String(parts[1]) : ""
  let digits = whole + fraction
  let point = whole.count + exponent
  let text: String
  if point <= 0 {
    text = "0." + String(repeating: "0", count: -point) + digits
  } else if point >= digits.count {
    text = digits + String(repeating: "0", count: point - digits.count)
  } else {
    text = digits.prefix(point) + "." + digits.dropFirst(point)
  }
  return negative ? "-" + text : text
}

/// Compact JSON text laid out with line breaks, four spaces a level, and a line break at the end, as `?pretty` answers.
public func prettyJSON(_ compact: UnsafeRawBufferPointer, indent: String = "    ") -> [UInt8] {
  var out: [UInt8] = []
  out.reserveCapacity(compact.count * 2)
  var depth = 0
  var inString = false
  var escaped = false
  let pad = Array(indent.utf8)
  func breakLine() {
    out.append(0x0A)
    for _ in 0..<depth { out.append(contentsOf: pad) }
  }
  for (index, byte) in compact.enumerated() {
    if inString {
      out.append(byte)
      if escaped {
        escaped = false
      } else if byte == UInt8(ascii: "\\") {
        escaped = true
      } else if byte == UInt8(ascii: "\"") {
        inString = false
      }
      continue
    }
    switch byte {
    case UInt8(ascii: "\""):
      inString = true
      out.append(byte)
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      out.append(byte)
      let closing = byte + 2
      if index + 1 < compact.count, compact[index + 1] == closing { continue }
      depth += 1
      breakLine()
    case UInt8(ascii: "}"), UInt8(ascii: "]"):
      if index > 0, compact[index - 1] == byte - 2 {
        out.append(byte)
        continue
      }
      depth -= 1
      breakLine()
      out.append(byte)
    case UInt8(ascii: ","):
      out.append(byte)
      breakLine()
    case UInt8(ascii: ":"): out.append(contentsOf: [byte, 0x20])
    default: out.append(byte)
    }
  }
  return out
}
