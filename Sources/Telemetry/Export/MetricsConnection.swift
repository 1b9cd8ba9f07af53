#if canImport(Glibc)
  import Glibc
#endif

/// A socket to a server that collects metrics. Used by one thread, which may wait.
final class MetricsConnection {
  enum Transport: Sendable { case udp, tcp }

  /// A datagram that fits into an Ethernet frame.
  static let datagramLimit = 1400
  /// Seconds that a server may make us wait.
  private static let patience = 5

  private let transport: Transport
  private let host: String
  private let port: String
  private var descriptor: Int32 = -1

  /// - Parameter address: `host:port`; without a port, that of statsd.
  init(_ transport: Transport, address: String) {
    self.transport = transport
    let colon = address.lastIndex(of: ":")
    let isBare = colon == nil || (address.filter { $0 == ":" }.count > 1 && !address.hasPrefix("["))
    let name = isBare ? address : colon.map { String(address[..<$0]) } ?? address
    host = name.hasPrefix("[") ? String(name.dropFirst().dropLast(name.hasSuffix("]") ? 1 : 0)) : name
    port = isBare ? "8125" : colon.map { String(address[address.index(after: $0)...]) } ?? "8125"
  }

  deinit { close() }

  /// - Returns: Whether everything was handed over; if not, the next call tries a new connection.
  func send(_ packets: [[UInt8]]) -> Bool {
    if descriptor < 0 { descriptor = connect() }
    guard descriptor >= 0 else { return false }
    for packet in packets where !write(packet) {
      close()
      return false
    }
    return true
  }

  private func write(_ bytes: [UInt8]) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
      }
      if count < 0 {
        if errno == EINTR { continue }
        // Nobody listens there yet: datagrams may get lost.
        return transport == .udp && errno == ECONNREFUSED
      }
      sent += count
    }
    return true
  }

  private func connect() -> Int32 {
    var hints = addrinfo()
    hints.ai_socktype = Int32((transport == .udp ? SOCK_DGRAM : SOCK_STREAM).rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, port, &hints, &found) == 0 else { return -1 }
    defer { freeaddrinfo(found) }
    var next = found
    while let info = next?.pointee {
      next = info.ai_next
      let descriptor = socket(info.ai_family, info.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), info.ai_protocol)
      if descriptor < 0 { continue }
      var patience = timeval(tv_sec: Self.patience, tv_usec: 0)
      setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
      if Glibc.connect(descriptor, info.ai_addr, info.ai_addrlen) == 0 { return descriptor }
      Glibc.close(descriptor)
    }
    return -1
  }

  private func close() {
    if descriptor >= 0 { Glibc.close(descriptor) }
    descriptor = -1
  }
}
