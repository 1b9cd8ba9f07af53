import HTTPAPI
import Model
import NIOCore
import Server

extension Agent {
  public func raftServers(token: String, on loop: any EventLoop) -> EventLoopFuture<[RaftPeer]> {
    let promise = loop.makePromise(of: [RaftPeer].self)
    cluster.backend.raftConfiguration(token: token, on: loop) { result in
      promise.completeWith(result.map { $0.servers.map { RaftPeer($0) } }.mapError { $0 as any Error })
    }
    return promise.futureResult
  }

  public func autopilotState(token: String, on loop: any EventLoop) -> EventLoopFuture<AutopilotState> {
    let promise = loop.makePromise(of: AutopilotState.self)
    cluster.backend.autopilotState(token: token, on: loop) { promise.completeWith($0.mapError { $0 as any Error }) }
    return promise.futureResult
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

extension RaftPeer {
  init(_ server: RaftServerEntry) {
    self.init()
    id = server.id
    node = server.node
    address = server.address
    isLeader = server.isLeader
    isVoter = server.isVoter
    lastIndex = server.lastIndex
  }
}
