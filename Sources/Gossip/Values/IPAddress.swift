import Glibc

/// An IP address. Addresses of version 4 that arrive in the form of version 6 (`::ffff:a.b.c.d`) are version 4.
public struct IPAddress: Sendable, Hashable {
  private var high: UInt64
  private var low: UInt64

  private static let mappedPrefix: UInt64 = 0xFFFF << 32

  /// Takes 4 or 16 bytes in network order; nil for any other number.
  public init?(bytes: some Collection<UInt8>) {
    switch bytes.count {
    case 4:
      high = 0
      low = Self.mappedPrefix | bytes.reduce(0) { $0 << 8 | UInt64($1) }
    case 16:
      high = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
      low = bytes.dropFirst(8).reduce(0) { $0 << 8 | UInt64($1) }
    default: return nil
    }
  }

  /// Reads the text of an address, without brackets and without a zone.
  public init?(_ text: String) {
    var four = in_addr()
    var six = in6_addr()
    if inet_pton(AF_INET, text, &four) == 1 {
      self.init(bytes: withUnsafeBytes(of: four) { Array($0) })
    } else if inet_pton(AF_INET6, text, &six) == 1 {
      self.init(bytes: withUnsafeBytes(of: six) { Array($0) })
    } else {
      return nil
    }
  }

  public var isVersion4: Bool { high == 0 && low >> 32 == 0xFFFF }

  /// 0.0.0.0 or ::
  public var isUnspecified: Bool { high == 0 && (low == 0 || low == Self.mappedPrefix) }

  /// 4 or 16 bytes in network order.
  public var bytes: [UInt8] {
    isVersion4
      ? withUnsafeBytes(of: UInt32(truncatingIfNeeded: low).bigEndian) { Array($0) }
      : withUnsafeBytes(of: high.bigEndian) { Array($0) } + withUnsafeBytes(of: low.bigEndian) { Array($0) }
  }

  /// Whether the first `length` bits (counted in the address's own version) equal those of `other`.
  func matches(_ other: IPAddress, prefixLength length: Int) -> Bool {
    guard isVersion4 == other.isVersion4 else { return false }
    let bits = isVersion4 ? length + 96 : length
    let highBits = min(max(bits, 0), 64)
    let lowBits = min(max(bits - 64, 0), 64)
    return (high ^ other.high) & Self.mask(highBits) == 0 && (low ^ other.low) & Self.mask(lowBits) == 0
  }

  private static func mask(_ bits: Int) -> UInt64 { bits == 0 ? 0 : ~UInt64(0) << UInt64(64 - bits) }
}

extension IPAddress: CustomStringConvertible {
  /// Dotted decimal, or RFC 5952.
  public var description: String {
    if isVersion4 { return bytes.map { String($0) }.joined(separator: ".") }
    var address = in6_addr()
    withUnsafeMutableBytes(of: &address) { $0.copyBytes(from: bytes) }
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    guard inet_ntop(AF_INET6, &address, &text, socklen_t(text.count)) != nil else { return "" }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// A network such as `10.0.0.0/8`.
public struct IPNetwork: Sendable, Hashable {
  public var address: IPAddress
  public var prefixLength: Int

  /// Nil for text that is no network.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let address = IPAddress(String(parts[0])), let length = Int(parts[1]),
      (0...(address.isVersion4 ? 32 : 128)).contains(length)
    else { return nil }
    self.address = address
    prefixLength = length
  }

  public func contains(_ candidate: IPAddress) -> Bool { candidate.matches(address, prefixLength: prefixLength) }
}

/// Where a node of gossip listens, over UDP and TCP alike.
public struct NodeAddress: Sendable, Hashable, CustomStringConvertible {
  public var ip: IPAddress
  public var port: UInt16

  public init(_ ip: IPAddress, _ port: UInt16) {
    self.ip = ip
    self.port = port
  }

  /// Reads `10.0.0.1:8301` or `[::1]:8301`; nil for anything else.
  public init?(_ text: some StringProtocol) {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else { return nil }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    guard let ip = IPAddress(String(host)) else { return nil }
    self.init(ip, port)
  }

  public var description: String { ip.isVersion4 ? "\(ip):\(port)" : "[\(ip)]:\(port)" }
}
