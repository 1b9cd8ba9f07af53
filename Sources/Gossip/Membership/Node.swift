/// What one node knows of another (or of itself).
struct Node: Sendable, Equatable {
  let name: String
  var address: NodeAddress
  /// Tags, encoded.
  var meta: [UInt8] = []
  var versions = ProtocolVersions.none
  /// Grows only by the node's own word.
  var incarnation: UInt32 = 0
  var state = NodeState.dead
  var changedAt: GossipInstant

  var remote: RemoteNode {
    var node = RemoteNode()
    node.name = name
    node.address = .init(address.ip.bytes)
    node.port = address.port
    node.meta = .init(meta)
    node.incarnation = incarnation
    node.state = state.rawValue
    node.versions = .init(versions.bytes)
    return node
  }

  var aliveMessage: Alive {
    var alive = Alive()
    alive.incarnation = incarnation
    alive.node = name
    alive.address = .init(address.ip.bytes)
    alive.port = address.port
    alive.meta = .init(meta)
    alive.versions = .init(versions.bytes)
    return alive
  }
}
