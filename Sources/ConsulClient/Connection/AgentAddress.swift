/// Where an agent's HTTP API listens: `host:port`, with `http://`, `https://` or `unix://` before it and a path after it.
public struct AgentAddress: Sendable, Equatable {
  public enum Endpoint: Sendable, Equatable {
    /// A host name or IP address (IPv6 without brackets) and a port.
    case host(String, port: Int)
    /// The path of a Unix domain socket.
    case unixSocket(String)
  }

  public var endpoint: Endpoint
  public var isSecure: Bool
  /// What stands between the address and `/v1`, without slashes at its ends; empty for none.
  public var pathPrefix: String

  public init(endpoint: Endpoint, isSecure: Bool = false, pathPrefix: String = "") {
    self.endpoint = endpoint
    self.isSecure = isSecure
    self.pathPrefix = pathPrefix
  }

  public static let standard = AgentAddress(endpoint: .host("127.0.0.1", port: 8500))

  /// Reads an address as it is written in `CONSUL_HTTP_ADDR` or `-http-addr`.
  ///
  /// - Parameter secure: whether TLS was asked for by other means; `http://` does not take that back.
  /// - Throws: `ClientError.configuration` for an unknown scheme or something that is no `host:port`.
  public init(parsing text: String, secure: Bool = false) throws(ClientError) {
    var rest = Substring(text)
    isSecure = secure
    if let separator = text.firstRange(of: "://") {
      let scheme = text[..<separator.lowerBound]
      rest = text[separator.upperBound...]
      switch scheme {
      case "http": break
      case "https": isSecure = true
      case "unix":
        endpoint = .unixSocket(String(rest))
        pathPrefix = ""
        return
      default: throw .configuration("Unknown protocol scheme: \(scheme)")
      }
    }
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    pathPrefix = String(rest[slash...].drop { $0 == "/" })
    while pathPrefix.last == "/" { pathPrefix.removeLast() }
    endpoint = try Self.hostAndPort(rest[..<slash], defaultPort: isSecure ? 443 : 80)
  }

  private static func hostAndPort(_ text: Substring, defaultPort: Int) throws(ClientError) -> Endpoint {
    var host = text
    var port: Int? = defaultPort
    if text.first == "[", let bracket = text.firstIndex(of: "]") {
      host = text[text.index(after: text.startIndex)..<bracket]
      let after = text[text.index(after: bracket)...]
      if !after.isEmpty { port = after.first == ":" ? Int(after.dropFirst()) : nil }
    } else if let colon = text.firstIndex(of: ":") {
      host = text[..<colon]
      port = Int(text[text.index(after: colon)...])
    }
    guard let port, (1...65535).contains(port), host.allSatisfy({ !$0.isWhitespace && $0 != "%" && $0 != "?" }) else {
      throw .configuration("Invalid address: \(text)")
    }
    // As in a listener's address, no host means this one.
    return .host(host.isEmpty ? "127.0.0.1" : String(host), port: port)
  }

  /// `host:port` as it stands in a URL.
  var authority: String {
    switch endpoint {
    case .host(let host, let port): (host.contains(":") ? "[\(host)]" : host) + ":\(port)"
    case .unixSocket: "localhost"
    }
  }
}
