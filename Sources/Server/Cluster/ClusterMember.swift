import Model

/// An agent of the pool, as gossip tells of it.
public struct ClusterMember: Sendable, Equatable {
  public enum Status: String, Sendable {
    case none, alive, leaving, left, failed
  }

  public var name: String
  /// Advertised IP address.
  public var address: String
  /// Port of gossip.
  public var port: Int
  public var tags: [String: String]
  public var status: Status
  /// Range and choice of the Serf protocol, which the catalog shows.
  public var protocolMinimum: Int
  public var protocolMaximum: Int
  public var protocolCurrent: Int

  public init(
    name: String, address: String, port: Int, tags: [String: String], status: Status = .alive, protocolMinimum: Int = 1,
    protocolMaximum: Int = 5, protocolCurrent: Int = 2
  ) {
    self.name = name
    self.address = address
    self.port = port
    self.tags = tags
    self.status = status
    self.protocolMinimum = protocolMinimum
    self.protocolMaximum = protocolMaximum
    self.protocolCurrent = protocolCurrent
  }

  /// The node id, "" where the member tells none.
  public var nodeID: String { tags["id"] ?? "" }
  public var datacenter: String { tags["dc"] ?? "" }

  /// Whether this is an agent without a server.
  public var isClient: Bool { tags["role"] == "node" }
}

/// A member that runs a server, with what its tags say (wire/gossip.md, section 10).
public struct ServerMember: Sendable, Equatable {
  public var id: String
  /// As gossip has it; in the WAN pool with the datacenter behind it.
  public var name: String
  public var datacenter: String
  /// `ip:port` of server RPC, by which consensus knows the server.
  public var rpcAddress: String
  public var rpcPort: Int
  /// How many servers a new cluster waits for; 0 where the server does not say.
  public var expect: Int
  /// Whether it may begin a cluster by itself.
  public var bootstraps: Bool
  /// Takes part in consensus without a vote, for good.
  public var isReadReplica: Bool
  public var usesTLS: Bool
  public var version: String
  public var raftVersion: Int
  /// Port of its WAN gossip, if it told one.
  public var wanPort: Int?
  public var grpcPort: Int?
  public var grpcTLSPort: Int?
  public var status: ClusterMember.Status

  /// Nil for a member that is not a server, or whose tags make no sense.
  public init?(_ member: ClusterMember) {
    let tags = member.tags
    guard tags["role"] == "consul", let port = Self.number(tags["port"]), (1...65535).contains(port),
      Self.number(tags["vsn"]) != nil
    else { return nil }
    for name in ["expect", "raft_vsn", "wan_join_port", "grpc_port", "grpc_tls_port"] {
      if let text = tags[name], Self.number(text) == nil { return nil }
    }
    for (name, text) in tags where name.hasPrefix("ft_") && Self.number(text) == nil { return nil }
    let build = tags["build"] ?? ""
    guard let version = Self.version(in: build) else { return nil }
    let grpc = Self.number(tags["grpc_port"])
    let grpcTLS = Self.number(tags["grpc_tls_port"])
    if grpc != nil || grpcTLS != nil, max(grpc ?? 0, grpcTLS ?? 0) <= 0 { return nil }
    id = member.nodeID
    name = member.name
    datacenter = member.datacenter
    rpcPort = port
    rpcAddress = member.address.contains(":") ? "[\(member.address)]:\(port)" : "\(member.address):\(port)"
    expect = Self.number(tags["expect"]) ?? 0
    bootstraps = tags["bootstrap"] == "1"
    isReadReplica = tags["read_replica"] == "1" || tags["nonvoter"] == "1"
    usesTLS = tags["use_tls"] == "1"
    self.version = version
    raftVersion = Self.number(tags["raft_vsn"]) ?? 0
    wanPort = Self.number(tags["wan_join_port"])
    grpcPort = grpc
    grpcTLSPort = grpcTLS
    status = member.status
  }

  private static func number(_ text: String?) -> Int? { text.flatMap { Int($0) } }

  /// The `x.y.z` of a build such as `1.21.4:abcdef01`.
  private static func version(in build: String) -> String? {
    let text = build.prefix { $0 != ":" }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count >= 3, parts.prefix(2).allSatisfy({ Int($0) != nil }), parts[2].first?.isNumber == true else {
      return nil
    }
    return String(text)
  }
}
