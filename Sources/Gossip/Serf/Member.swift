import Model

/// What a member of the pool is doing.
public enum MemberStatus: Int, Sendable, CustomStringConvertible {
  case none = 0
  case alive = 1
  case leaving = 2
  case left = 3
  case failed = 4

  public var description: String {
    switch self {
    case .none: "none"
    case .alive: "alive"
    case .leaving: "leaving"
    case .left: "left"
    case .failed: "failed"
    }
  }
}

/// A node as the users of gossip see it.
public struct Member: Sendable, Equatable {
  public var name: String
  public var address: NodeAddress
  public var tags: [String: String]
  public var status: MemberStatus
  public var versions: ProtocolVersions
  /// Bytes that the tags take.
  var metaCount = 0

  init(_ node: Node, status: MemberStatus) {
    name = node.name
    address = node.address
    tags = Tags.decode(node.meta)
    self.status = status
    versions = node.versions
    metaCount = node.meta.count
  }

  /// What an alive message claims, before it is believed.
  init(_ message: Alive, address: NodeAddress) {
    name = message.node
    self.address = address
    tags = Tags.decode(message.meta.bytes)
    status = .none
    versions = ProtocolVersions(bytes: message.versions.bytes)
    metaCount = message.meta.count
  }

  /// What a push/pull claims; nil without a usable address.
  init?(_ node: RemoteNode, defaultPort: UInt16) {
    guard let ip = IPAddress(bytes: node.address.bytes) else { return nil }
    name = node.name
    address = NodeAddress(ip, node.port == 0 ? defaultPort : node.port)
    tags = Tags.decode(node.meta.bytes)
    status = node.state == NodeState.left.rawValue ? .left : .none
    versions = ProtocolVersions(bytes: node.versions.bytes)
    metaCount = node.meta.count
  }

  var record: MemberRecord {
    var record = MemberRecord()
    record.name = name
    record.address = Bytes(address.ip.bytes)
    record.port = address.port
    record.tags = tags
    record.status = status.rawValue
    record.protocolMinimum = versions.minimum
    record.protocolMaximum = versions.maximum
    record.protocolCurrent = versions.current
    record.delegateMinimum = versions.delegateMinimum
    record.delegateMaximum = versions.delegateMaximum
    record.delegateCurrent = versions.delegateCurrent
    return record
  }
}
