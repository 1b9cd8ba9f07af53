import NIOCore

/// `host:port` as a check names what it connects to.
struct HostPort: Sendable, Equatable {
  var host: String
  var port: Int

  init(host: String, port: Int) {
    self.host = host
    self.port = port
  }

  /// Reads `host:port`, `[v6]:port` or `:port`, which means this machine.
  init(_ text: String) throws(NetworkFailure) {
    guard let colon = text.lastIndex(of: ":") else { throw Self.malformed(text, "missing port in address") }
    var host = text[..<colon]
    if host.first == "[" {
      guard host.last == "]" else {
        throw Self.malformed(text, text.hasSuffix("]") ? "missing port in address" : "missing ']' in address")
      }
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      throw Self.malformed(text, "too many colons in address")
    }
    guard !host.contains(where: { $0 == "[" || $0 == "]" }) else {
      throw Self.malformed(text, "unexpected '[' or ']' in address")
    }
    let portText = text[text.index(after: colon)...]
    guard let port = UInt16(portText) else {
      let isNumber = !portText.isEmpty && portText.allSatisfy { $0.isASCII && $0.isNumber }
      throw NetworkFailure(
        isNumber || portText.isEmpty ? "address \(text): invalid port" : "lookup tcp/\(portText): unknown port")
    }
    self.init(host: host.isEmpty ? "localhost" : String(host), port: Int(port))
  }

  private static func malformed(_ text: String, _ reason: String) -> NetworkFailure {
    NetworkFailure("address \(text): \(reason)")
  }

  /// The address, when the host is one; nil for a name.
  var numeric: SocketAddress? { try? SocketAddress(ipAddress: host, port: port) }

  var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
