import Glibc

/// An address as users write it: `host`, `host:port`, `[ip6]:port`, with the name of the node in front (`name/host`) or not.
struct JoinAddress: Sendable, Equatable {
  var host: String
  var port: UInt16

  init(_ text: String, defaultPort: UInt16) {
    let rest = text.lastIndex(of: "/").map { text[text.index(after: $0)...] } ?? Substring(text)
    port = defaultPort
    if rest.hasPrefix("["), let end = rest.firstIndex(of: "]") {
      host = String(rest[rest.index(after: rest.startIndex)..<end])
      let behind = rest[rest.index(after: end)...]
      if behind.hasPrefix(":"), let number = UInt16(behind.dropFirst()) { port = number }
    } else if let colon = rest.firstIndex(of: ":"), rest.lastIndex(of: ":") == colon,
      let number = UInt16(rest[rest.index(after: colon)...])
    {
      host = String(rest[..<colon])
      port = number
    } else {
      host = String(rest)
    }
  }

  /// All addresses of the host. Blocks while name servers are asked.
  ///
  /// - Throws: `unresolvable`.
  func resolve() throws(GossipError) -> [NodeAddress] {
    if let ip = IPAddress(host) { return [NodeAddress(ip, port)] }
    guard !host.isEmpty else { throw .unresolvable(host: host, reason: "no such host") }
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_ADDRCONFIG
    var list: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host, nil, &hints, &list)
    guard code == 0 else {
      let isUnknown = code == EAI_NONAME || code == -5
      throw .unresolvable(host: host, reason: isUnknown ? "no such host" : String(cString: gai_strerror(code)))
    }
    defer { freeaddrinfo(list) }
    var found: [NodeAddress] = []
    var next = list
    while let entry = next {
      if let ip = Self.ip(entry.pointee), !found.contains(where: { $0.ip == ip }) {
        found.append(NodeAddress(ip, port))
      }
      next = entry.pointee.ai_next
    }
    guard !found.isEmpty else { throw .unresolvable(host: host, reason: "no such host") }
    return found
  }

  private static func ip(_ entry: addrinfo) -> IPAddress? {
    guard let address = entry.ai_addr else { return nil }
    switch entry.ai_family {
    case AF_INET:
      return address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { four in
        withUnsafeBytes(of: four.pointee.sin_addr) { IPAddress(bytes: Array($0)) }
      }
    case AF_INET6:
      return address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { six in
        withUnsafeBytes(of: six.pointee.sin6_addr) { IPAddress(bytes: Array($0)) }
      }
    default: return nil
    }
  }
}
