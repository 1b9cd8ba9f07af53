/// What a connection to a server's port speaks: its first byte says so, before anything else is sent (wire/rpc.md,
/// section 1). Inside TLS the first byte comes once more; native TLS names the protocol in its handshake instead.
public enum ServerProtocol: UInt8, Sendable, CaseIterable {
  /// One net/rpc session directly on the connection.
  case rpc = 0
  case raft = 1
  /// The first form of multiplexing; nobody speaks it any more.
  case oldMultiplex = 2
  /// A TLS handshake follows, and then another first byte.
  case tls = 3
  /// yamux; each of its streams is one net/rpc session.
  case multiplex = 4
  /// Saves or restores the whole state.
  case snapshot = 5
  case gossip = 6
  /// TLS without a certificate of the client, for its first certificate.
  case insecureTLS = 7
  case grpc = 8
  case raftForwarding = 9

  /// What a TLS connection begins with that does not announce itself (RFC 8446, section 5.1: a handshake record).
  public static let tlsHandshakeRecord: UInt8 = 0x16

  /// The name of the protocol in the handshake of native TLS (ALPN); nil for those that are not spoken there.
  public var applicationProtocolName: String? {
    switch self {
    case .rpc: "consul/rpc-single"
    case .raft: "consul/raft"
    case .multiplex: "consul/rpc-multi"
    case .snapshot: "consul/rpc-snapshot"
    case .gossip: "consul/rpc-gossip"
    case .grpc: "consul/rpc-grpc"
    case .raftForwarding: "consul/raft-forwarding"
    case .oldMultiplex, .tls, .insecureTLS: nil
    }
  }

  public init?(applicationProtocolName name: String) {
    guard let found = Self.allCases.first(where: { $0.applicationProtocolName == name }) else { return nil }
    self = found
  }
}
