import NIOCore

extension NodeAddress {
  /// Nil for what is no IP address.
  init?(_ address: SocketAddress?) {
    switch address {
    case .v4(let four):
      let bytes = withUnsafeBytes(of: four.address.sin_addr) { Array($0) }
      guard let ip = IPAddress(bytes: bytes) else { return nil }
      self.init(ip, UInt16(bigEndian: four.address.sin_port))
    case .v6(let six):
      let bytes = withUnsafeBytes(of: six.address.sin6_addr) { Array($0) }
      guard let ip = IPAddress(bytes: bytes) else { return nil }
      self.init(ip, UInt16(bigEndian: six.address.sin6_port))
    default: return nil
    }
  }

  /// - Parameter asVersion6: for sockets of version 6, which reach addresses of version 4 in their mapped form.
  func socketAddress(asVersion6: Bool = false) -> SocketAddress? {
    if asVersion6, ip.isVersion4 {
      return try? SocketAddress(ipAddress: "::ffff:\(ip)", port: Int(port))
    }
    return try? SocketAddress(packedIPAddress: ByteBuffer(bytes: ip.bytes), port: Int(port))
  }
}
