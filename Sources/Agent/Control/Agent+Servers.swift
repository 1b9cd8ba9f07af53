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

  public var autopilotState: AutopilotState? { server?.autopilotState }

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
