import HTTPAPI
import Model
import NIOCore
import Server

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

  public var autopilotState: AutopilotState? {
    guard let server else { return nil }
    let members = members(wan: false) ?? []
    return server.autopilotState { server in
      guard let member = members.first(where: { $0.tags["id"] == server.id }) else { return }
      server.name = member.name
      server.nodeStatus = Self.statusName(member.status)
      server.version = String((member.tags["build"] ?? "").prefix { $0 != ":" })
      server.meta = ["consul-version": server.version]
    }
  }

  private static func statusName(_ status: Int) -> String {
    switch status {
    case 1: "alive"
    case 2: "leaving"
    case 3: "left"
    case 4: "failed"
    default: "none"
    }
  }

  public func keyring(_ operation: KeyringOperation, isLocalOnly: Bool) -> [KeyringReply] {
    keyrings.perform(
      operation, isLocalOnly: isLocalOnly, node: configuration.nodeName, datacenter: configuration.datacenter)
  }

  public func removePeer(id: String, address: String, on loop: any EventLoop) -> EventLoopFuture<Void> {
    onServer(loop) { $0.removePeer(id: id, address: address, $1) }
  }

  public func transferLeadership(to id: String, on loop: any EventLoop) -> EventLoopFuture<Void> {
    onServer(loop) { $0.transferLeadership(to: id, $1) }
  }

  private func onServer(
    _ loop: any EventLoop,
    _ work: (ServerNode, @escaping @Sendable (Result<Void, ServerError>) -> Void) -> Void
  ) -> EventLoopFuture<Void> {
    guard let server else { return loop.makeFailedFuture(ServerError.noServers) }
    let promise = loop.makePromise(of: Void.self)
    work(server) { promise.completeWith($0.mapError { $0 as any Error }) }
    return promise.futureResult
  }
}
