import HTTPAPI
import Model

extension Agent {
  public var raftServers: [RaftPeer]? {
    guard let status = server?.raft.currentStatus else { return nil }
    let names = Dictionary(
      (members(wan: false) ?? []).compactMap { member in member.tags["id"].map { ($0, member.name) } },
      uniquingKeysWith: { first, _ in first })
    return status.latestConfiguration.servers.map { server in
      var peer = RaftPeer()
      peer.id = server.id
      peer.node = names[server.id] ?? "(unknown)"
      peer.address = server.address
      peer.isLeader = server.id == status.leader?.id
      peer.isVoter = server.suffrage == .voter
      peer.lastIndex = status.lastLogIndex
      return peer
    }
  }
}
