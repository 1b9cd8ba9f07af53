import Model

/// What services speak.
public enum ServiceProtocol {
  /// Of services about which nothing is said.
  public static let fallback = "tcp"

  /// Whether proxies can tell the requests of a protocol apart, and therefore route and split them.
  public static func hasRequests(_ protocol: String) -> Bool {
    switch `protocol` {
    case "http", "http2", "grpc": true
    default: false
    }
  }

  /// What a service speaks: its own defaults come before those of all proxies.
  public static func of(_ service: String, in source: some ConfigEntrySource) -> String {
    if let own = source.entry(ServiceDefaults.self, service)?.protocol, !own.isEmpty { return own }
    if let global = source.globalProxyDefaults?.meshProtocol, !global.isEmpty { return global }
    return fallback
  }
}

extension ConfigEntrySource {
  /// What holds for all proxies.
  public var globalProxyDefaults: ProxyDefaults? { entry(ProxyDefaults.self, "global") }
}

extension ProxyDefaults {
  /// The protocol of services that name none; "" where this entry says nothing.
  public var meshProtocol: String {
    if !self.protocol.isEmpty { return self.protocol }
    guard case .string(let text)? = config["protocol"] else { return "" }
    return text.lowercased()
  }
}
