/// A domain name in the form it has on the wire: labels, each preceded by its length, without the closing zero byte.
/// Spelling is kept; `==` distinguishes case, ``isEqual(to:)`` does not (RFC 4343).
public struct DNSName: Hashable, Sendable {
  /// Longest label in bytes (RFC 1035, section 2.3.4).
  public static let labelLimit = 63
  /// Longest name in bytes, with length bytes and the closing zero.
  public static let byteLimit = 255
  public static let root = DNSName(uncheckedWire: [])

  /// Length-prefixed labels without the closing zero byte.
  public private(set) var wire: [UInt8]

  init(uncheckedWire wire: [UInt8]) {
    self.wire = wire
  }

  public var isRoot: Bool { wire.isEmpty }

  /// The ranges of the labels' bytes in ``wire``, leftmost first.
  public var labels: [Range<Int>] {
    var ranges: [Range<Int>] = []
    ranges.reserveCapacity(8)
    var offset = 0
    while offset < wire.count {
      let start = offset + 1
      let end = start + Int(wire[offset])
      ranges.append(start..<end)
      offset = end
    }
    return ranges
  }

  /// Puts a label before the others.
  /// - Returns: nil if the label is empty or too long, or the name would be.
  public func prefixed(by label: some Collection<UInt8>) -> DNSName? {
    let length = label.count
    guard (1...Self.labelLimit).contains(length), wire.count + length + 2 <= Self.byteLimit else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(wire.count + length + 1)
    bytes.append(UInt8(length))
    bytes.append(contentsOf: label)
    bytes.append(contentsOf: wire)
    return DNSName(uncheckedWire: bytes)
  }

  /// Puts the labels of another name before the own ones.
  /// - Returns: nil if the whole would be too long.
  public func prefixed(by name: DNSName) -> DNSName? {
    guard wire.count + name.wire.count + 1 <= Self.byteLimit else { return nil }
    return DNSName(uncheckedWire: name.wire + wire)
  }

  /// The same name with ASCII capitals made small.
  public var lowercased: DNSName {
    DNSName(uncheckedWire: wire.map(Self.lowercase))
  }

  /// Equality without regard to ASCII case.
  public func isEqual(to other: DNSName) -> Bool {
    wire.count == other.wire.count && zip(wire, other.wire).allSatisfy { Self.lowercase($0) == Self.lowercase($1) }
  }

  /// Whether this is `ancestor` or below it, without regard to case.
  public func isWithin(_ ancestor: DNSName) -> Bool {
    let start = wire.count - ancestor.wire.count
    guard start >= 0 else { return false }
    var offset = 0
    while offset < start { offset += 1 + Int(wire[offset]) }
    guard offset == start else { return false }
    for index in 0..<ancestor.wire.count
    where Self.lowercase(wire[start + index]) != Self.lowercase(ancestor.wire[index]) {
      return false
    }
    return true
  }

  /// A capital ASCII letter made small. Length bytes are never capitals: they end at 63, "A" is 65.
  @inline(__always)
  static func lowercase(_ byte: UInt8) -> UInt8 {
    byte &- 65 < 26 ? byte | 0x20 : byte
  }
}

extension DNSName: CustomStringConvertible {
  /// Reads presentation format: dots part labels, `\.` and `\DDD` stand for bytes (RFC 1035, section 5.1). A closing
  /// dot is optional.
  /// - Throws: `DNSMessageError.invalidText` for empty or too long labels and names, and for bad escapes.
  public init(_ text: String) throws(DNSMessageError) {
    guard text != "." && !text.isEmpty else {
      self = .root
      return
    }
    var wire: [UInt8] = []
    wire.reserveCapacity(text.utf8.count + 1)
    var lengthIndex = 0
    wire.append(0)
    var bytes = text.utf8.makeIterator()
    var next = bytes.next()
    while let byte = next {
      next = bytes.next()
      switch byte {
      case UInt8(ascii: "."):
        let length = wire.count - lengthIndex - 1
        guard (1...Self.labelLimit).contains(length) else { throw .invalidText(text) }
        wire[lengthIndex] = UInt8(length)
        lengthIndex = wire.count
        wire.append(0)
      case UInt8(ascii: "\\"):
        guard let first = next else { throw .invalidText(text) }
        next = bytes.next()
        guard Self.isDigit(first) else {
          wire.append(first)
          continue
        }
        guard let second = next, let third = bytes.next(), Self.isDigit(second), Self.isDigit(third) else {
          throw .invalidText(text)
        }
        next = bytes.next()
        let code = Int(first - 48) * 100 + Int(second - 48) * 10 + Int(third - 48)
        guard let byte = UInt8(exactly: code) else { throw .invalidText(text) }
        wire.append(byte)
      default:
        wire.append(byte)
      }
    }
    let length = wire.count - lengthIndex - 1
    if length == 0 {
      wire.removeLast()
    } else {
      guard length <= Self.labelLimit else { throw .invalidText(text) }
      wire[lengthIndex] = UInt8(length)
    }
    guard wire.count < Self.byteLimit else { throw .invalidText(text) }
    self.init(uncheckedWire: wire)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

  /// Presentation format with a closing dot; bytes that are no printable ASCII appear as `\DDD`.
  public var description: String {
    guard !isRoot else { return "." }
    var text = ""
    for label in labels {
      for byte in wire[label] {
        switch byte {
        case UInt8(ascii: "."), UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: ";"), UInt8(ascii: "("),
          UInt8(ascii: ")"), UInt8(ascii: "@"), UInt8(ascii: "$"):
          text += "\\"
          text.unicodeScalars.append(Unicode.Scalar(byte))
        case 0x21...0x7E:
          text.unicodeScalars.append(Unicode.Scalar(byte))
        default:
          let digits = String(byte)
          text += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
        }
      }
      text += "."
    }
    return text
  }
}

extension DNSName {
  /// A name of labels that are known to be valid: literals in code.
  public init(uncheckedLabels labels: StaticString...) {
    var wire: [UInt8] = []
    for label in labels {
      label.withUTF8Buffer { bytes in
        precondition((1...Self.labelLimit).contains(bytes.count))
        wire.append(UInt8(bytes.count))
        wire.append(contentsOf: bytes)
      }
    }
    precondition(wire.count < Self.byteLimit)
    self.init(uncheckedWire: wire)
  }

  /// Whether text, taken as labels parted by dots (no escapes), can stand before `suffix` in a name.
  public static func canHold(labels text: String, before suffix: DNSName) -> Bool {
    let total = text.utf8.count
    guard total > 0, total + 1 + suffix.wire.count < byteLimit else { return false }
    var length = 0
    for byte in text.utf8 {
      if byte == UInt8(ascii: ".") {
        guard length > 0 else { return false }
        length = 0
      } else {
        length += 1
        guard length <= labelLimit else { return false }
      }
    }
    return length > 0
  }
}
