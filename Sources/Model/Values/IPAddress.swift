import Glibc

/// An IPv4 or IPv6 address, without a port.
public struct IPAddress: Sendable, Hashable, CustomStringConvertible {
  /// 4 or 16 bytes, in network order.
  public let bytes: [UInt8]

  /// Reads `192.0.2.1`, `2001:db8::1` or `[2001:db8::1]`.
  public init?(_ text: String) {
    var text = text
    if text.hasPrefix("["), text.hasSuffix("]") { text = String(text.dropFirst().dropLast()) }
    if let bytes = Self.parse(text, AF_INET, 4) ?? Self.parse(text, AF_INET6, 16) {
      self.init(bytes)
    } else {
      return nil
    }
  }

  /// - Parameter bytes: 4 or 16; an IPv4 address mapped into IPv6 becomes the IPv4 address.
  public init(_ bytes: [UInt8]) {
    let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
    self.bytes = bytes.count == 16 && bytes.starts(with: mapped) ? Array(bytes[12...]) : bytes
  }

  private static func parse(_ text: String, _ family: Int32, _ count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    return bytes.withUnsafeMutableBytes { inet_pton(family, text, $0.baseAddress) } == 1 ? bytes : nil
  }

  public var isIPv4: Bool { bytes.count == 4 }
  /// `0.0.0.0` or `::`: all addresses of the host.
  public var isUnspecified: Bool { bytes.allSatisfy { $0 == 0 } }
  public var isLoopback: Bool { isIPv4 ? bytes[0] == 127 : bytes == [UInt8](repeating: 0, count: 15) + [1] }
  public var isLinkLocal: Bool { CIDR.linkLocal.contains { $0.contains(self) } }
  /// Special purpose addresses (RFC 6890): private, shared, documentation, benchmark and loopback ranges.
  public var isSpecialPurpose: Bool { CIDR.specialPurpose.contains { $0.contains(self) } }

  public var description: String {
    var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    let written = bytes.withUnsafeBytes { source in
      inet_ntop(isIPv4 ? AF_INET : AF_INET6, source.baseAddress, &buffer, socklen_t(buffer.count)) != nil
    }
    guard written else { return "" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Address and port as URLs write them: `192.0.2.1:80`, `[2001:db8::1]:80`.
  public func with(port: Int) -> String { isIPv4 ? "\(self):\(port)" : "[\(self)]:\(port)" }
}

/// A network: `192.0.2.0/24`.
public struct CIDR: Sendable, Hashable, CustomStringConvertible {
  public let network: IPAddress
  /// Leading bits that are the same for all addresses of the network.
  public let length: Int

  public init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let address = IPAddress(String(parts[0])), let length = Int(parts[1]), length >= 0,
      length <= address.bytes.count * 8, parts[1].first?.isNumber == true
    else { return nil }
    self.init(address, length: length)
  }

  public init(_ address: IPAddress, length: Int) {
    let masked = address.bytes.enumerated().map { index, byte in byte & Self.mask(index, length) }
    network = IPAddress(masked)
    self.length = length
  }

  private static func mask(_ index: Int, _ length: Int) -> UInt8 {
    let bits = min(max(length - index * 8, 0), 8)
    return bits == 0 ? 0 : 0xFF << UInt8(8 - bits)
  }

  public func contains(_ address: IPAddress) -> Bool {
    guard address.bytes.count == network.bytes.count else { return false }
    return zip(address.bytes, network.bytes).enumerated().allSatisfy { index, pair in
      pair.0 & Self.mask(index, length) == pair.1
    }
  }

  public var description: String { "\(network)/\(length)" }

  /// RFC 3927 and RFC 4291.
  public static let linkLocal = ["169.254.0.0/16", "fe80::/10"].compactMap { CIDR($0) }

  /// RFC 6890, tables of special purpose addresses that are not globally reachable.
  public static let specialPurpose = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
    "::1/128", "::/128", "64:ff9b::/96", "100::/64", "2001::/23", "2001:db8::/32", "fc00::/7", "fe80::/10",
  ].compactMap { CIDR($0) }
}
