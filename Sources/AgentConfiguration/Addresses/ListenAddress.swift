import Model

/// Where a listener waits, or where a peer is: an address with a port, or a Unix socket.
public enum ListenAddress: Sendable, Hashable, CustomStringConvertible {
  case ip(IPAddress, port: Int)
  case unix(path: String)

  /// Without the transport: `127.0.0.1:8500` or the path.
  public var description: String {
    switch self {
    case .ip(let address, let port): address.with(port: port)
    case .unix(let path): path
    }
  }

  /// With the transport, as the agent shows it: `tcp://127.0.0.1:8500`, `unix:///path`.
  public func shown(transport: String = "tcp") -> String {
    switch self {
    case .ip: "\(transport)://\(self)"
    case .unix(let path): "unix://\(path)"
    }
  }
}
