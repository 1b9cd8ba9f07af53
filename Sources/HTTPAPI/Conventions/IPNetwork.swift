import Glibc

/// A network in the notation `10.0.0.0/8` or `fd00::/8`, or a single address.
public struct IPNetwork: Sendable, Equatable {
  private var address: [UInt8]
  private var prefixLength: Int

  /// Nil for text that is no network.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, let address = Self.bytes(of: String(first)) else { return nil }
    self.address = address
    prefixLength = address.count * 8
    if parts.count == 2 {
      guard let length = Int(parts[1]), (0...address.count * 8).contains(length) else { return nil }
      prefixLength = length
    }
  }

  /// Whether the network has this address. IPv4 addresses mapped into IPv6 count as IPv4.
  public func contains(_ text: String) -> Bool {
    guard var other = Self.bytes(of: text) else { return false }
    if other.count == 16, address.count == 4, other[..<10].allSatisfy({ $0 == 0 }), other[10] == 0xFF, other[11] == 0xFF
    {
      other = Array(other[12...])
    }
    guard other.count == address.count else { return false }
    let whole = prefixLength / 8
    guard address[..<whole] == other[..<whole] else { return false }
    let rest = prefixLength % 8
    guard rest > 0 else { return true }
    let mask = UInt8(truncatingIfNeeded: 0xFF00 >> rest)
    return address[whole] & mask == other[whole] & mask
  }

  private static func bytes(of text: String) -> [UInt8]? {
    var four = in_addr()
    if inet_pton(AF_INET, text, &four) == 1 { return withUnsafeBytes(of: &four) { Array($0) } }
    var six = in6_addr()
    if inet_pton(AF_INET6, text, &six) == 1 { return withUnsafeBytes(of: &six) { Array($0) } }
    return nil
  }
}
