/// An IPv4 or IPv6 address as A and AAAA records carry it.
public enum DNSAddress: Hashable, Sendable {
  /// Network byte order read as one number: 192.0.2.1 is 0xC000_0201.
  case v4(UInt32)
  /// The upper and lower eight bytes, read alike.
  case v6(UInt64, UInt64)

  /// Reads `192.0.2.1` or `2001:db8::1` (also with a trailing IPv4 part). Zones (`%eth0`), ports and brackets are
  /// refused, as are leading zeros in IPv4 parts. An IPv4-mapped address (`::ffff:192.0.2.1`) is the IPv4 address.
  public init?(_ text: String) {
    var copy = text
    let parsed = copy.withUTF8 { bytes -> DNSAddress? in
      guard (2...45).contains(bytes.count) else { return nil }
      if bytes.contains(UInt8(ascii: ":")) {
        return Self.parseV6(bytes[...])
      }
      return Self.parseV4(bytes[...]).map(DNSAddress.v4)
    }
    guard let parsed else { return nil }
    self = parsed
  }

  private static func parseV4(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> UInt32? {
    var address: UInt32 = 0
    var part: UInt32 = 0
    var digits = 0
    var dots = 0
    for byte in bytes {
      if byte == UInt8(ascii: ".") {
        guard digits > 0, dots < 3 else { return nil }
        address = address << 8 | part
        dots += 1
        part = 0
        digits = 0
      } else {
        let digit = byte &- UInt8(ascii: "0")
        guard digit < 10, digits == 0 || part != 0 else { return nil }
        part = part * 10 + UInt32(digit)
        digits += 1
        guard part <= 255 else { return nil }
      }
    }
    return dots == 3 && digits > 0 ? address << 8 | part : nil
  }

  private static func parseV6(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> DNSAddress? {
    var groups: [UInt16] = []
    groups.reserveCapacity(8)
    var gap: Int?
    var rest = bytes
    if rest.starts(with: [UInt8(ascii: ":"), UInt8(ascii: ":")]) {
      gap = 0
      rest = rest.dropFirst(2)
    }
    while !rest.isEmpty {
      let end = rest.firstIndex(of: UInt8(ascii: ":")) ?? rest.endIndex
      let field = rest[rest.startIndex..<end]
      if end == rest.endIndex, field.contains(UInt8(ascii: ".")) {
        guard let v4 = parseV4(field) else { return nil }
        groups.append(UInt16(v4 >> 16))
        groups.append(UInt16(truncatingIfNeeded: v4))
        rest = rest[rest.endIndex...]
        break
      }
      guard (1...4).contains(field.count), let group = hexadecimal(field), groups.count < 8 else { return nil }
      groups.append(UInt16(truncatingIfNeeded: group))
      rest = rest[end...]
      guard !rest.isEmpty else { break }
      rest = rest.dropFirst()
      guard let next = rest.first else { return nil }
      if next == UInt8(ascii: ":") {
        guard gap == nil else { return nil }
        gap = groups.count
        rest = rest.dropFirst()
      }
    }
    if let gap {
      guard groups.count < 8 else { return nil }
      groups.insert(contentsOf: Array(repeating: 0, count: 8 - groups.count), at: gap)
    }
    guard groups.count == 8 else { return nil }
    let halves = [groups[0..<4], groups[4..<8]].map { $0.reduce(UInt64(0)) { $0 << 16 | UInt64($1) } }
    if halves[0] == 0, halves[1] >> 32 == 0xFFFF {
      return .v4(UInt32(truncatingIfNeeded: halves[1]))
    }
    return .v6(halves[0], halves[1])
  }

  private static func hexadecimal(_ digits: some Sequence<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    for byte in digits {
      guard let digit = hexadecimalValue(byte) else { return nil }
      value = value << 4 | UInt64(digit)
    }
    return value
  }

  static func hexadecimalValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  /// Reads the label that ``hexadecimalLabel(into:)`` writes: 8 digits for IPv4, 32 for IPv6.
  public init?(hexadecimalLabel label: some Collection<UInt8>) {
    switch label.count {
    case 8:
      guard let value = Self.hexadecimal(label) else { return nil }
      self = .v4(UInt32(truncatingIfNeeded: value))
    case 32:
      guard let upper = Self.hexadecimal(label.prefix(16)), let lower = Self.hexadecimal(label.dropFirst(16)) else {
        return nil
      }
      self = .v6(upper, lower)
    default:
      return nil
    }
  }

  /// Calls `body` with the address as hexadecimal digits: `c0000201` for 192.0.2.1.
  public func hexadecimalLabel(into body: (UInt8) -> Void) {
    func digits(_ value: UInt64, count: Int) {
      for shift in stride(from: (count - 1) * 4, through: 0, by: -4) {
        let nibble = UInt8(truncatingIfNeeded: value >> UInt64(shift)) & 0xF
        body(nibble < 10 ? nibble + UInt8(ascii: "0") : nibble - 10 + UInt8(ascii: "a"))
      }
    }
    switch self {
    case .v4(let value): digits(UInt64(value), count: 8)
    case .v6(let upper, let lower):
      digits(upper, count: 16)
      digits(lower, count: 16)
    }
  }

  /// The type of record that carries the address.
  public var recordType: DNSRecordType {
    switch self {
    case .v4: .a
    case .v6: .aaaa
    }
  }
}

extension DNSAddress: CustomStringConvertible {
  /// Dotted decimal, or the form of RFC 5952 (longest run of zero groups shortened, small letters).
  public var description: String {
    switch self {
    case .v4(let value):
      return (0..<4).map { String(value >> (24 - 8 * UInt32($0)) & 0xFF) }.joined(separator: ".")
    case .v6(let upper, let lower):
      let groups = [upper, lower].flatMap { half in (0..<4).map { UInt16(truncatingIfNeeded: half >> (48 - 16 * $0)) } }
      var longest = 0..<0
      var start = 0
      while start < 8 {
        let end = groups[start...].firstIndex { $0 != 0 } ?? 8
        if end - start > max(longest.count, 1) { longest = start..<end }
        start = max(end, start + 1)
      }
      let text = { (range: ArraySlice<UInt16>) in range.map { String($0, radix: 16) }.joined(separator: ":") }
      guard !longest.isEmpty else { return text(groups[...]) }
      return text(groups[..<longest.lowerBound]) + "::" + text(groups[longest.upperBound...])
    }
  }
}
