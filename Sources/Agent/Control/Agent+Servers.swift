import HTTPAPI
import Model
import NIOCore
import Server

/// What the API asks of the servers as such. Requests about other datacenters, and those of clients, go to a server there.
extension Agent {
  public func raftServers(_ options: QueryOptions, on loop: any EventLoop) -> EventLoopFuture<[RaftPeer]> {
    future(on: loop) { (done: @escaping Completion<RaftConfigurationResponse>) in
      cluster.backend.raftConfiguration(options, on: loop, done)
    }.map { $0.servers.map { RaftPeer($0) } }
  }

  public func autopilotState(_ options: QueryOptions, on loop: any EventLoop) -> EventLoopFuture<AutopilotState> {
    future(on: loop) { cluster.backend.autopilotState(options, on: loop, $0) }
  }

  public func replicationStatus(
    _ options: QueryOptions, on loop: any EventLoop
  ) -> EventLoopFuture<ACLReplicationStatus> {
    future(on: loop) { cluster.backend.replicationStatus(options, on: loop, $0) }
  }

  public func authorize(
    _ questions: [ACLAuthorizationRequest], _ options: QueryOptions, on loop: any EventLoop
  ) -> EventLoopFuture<[ACLAuthorizationResponse]> {
    future(on: loop) { cluster.backend.authorize(questions, options, on: loop, $0) }
  }

  public func datacenters(on loop: any EventLoop) -> EventLoopFuture<[String]> {
    future(on: loop) { cluster.backend.datacenters(on: loop, $0) }
  }

  public func datacenterMaps(on loop: any EventLoop) -> EventLoopFuture<[DatacenterMap]> {
    future(on: loop) { cluster.backend.datacenterMaps(on: loop, $0) }
  }

  public func leaderAddress(in datacenter: String, on loop: any EventLoop) -> EventLoopFuture<String> {
    future(on: loop) { cluster.backend.leaderAddress(in: datacenter, on: loop, $0) }
  }

  public func peerAddresses(in datacenter: String, on loop: any EventLoop) -> EventLoopFuture<[String]> {
    future(on: loop) { cluster.backend.peerAddresses(in: datacenter, on: loop, $0) }
  }

  public func keyring(_ request: KeyringRequest, on loop: any EventLoop) -> EventLoopFuture<[KeyringResponse]> {
    guard isServer else {
      return loop.makeFailedFuture(AgentError.configuration("keyring operations must run against a server node"))
    }
    return future(on: loop) { cluster.backend.keyring(request, on: loop, $0) }
  }

  public func fireEvent(
    _ name: String, payload: [UInt8], datacenter: String, token: String, on loop: any EventLoop
  ) -> EventLoopFuture<Void> {
    future(on: loop) {
      cluster.backend.fireEvent(name, payload: payload, datacenter: datacenter, token: token, on: loop, $0)
    }
  }

  private typealias Completion<Value> = @Sendable (Result<Value, ServerError>) -> Void

  private func future<Value: Sendable>(
    on loop: any EventLoop, _ start: (@escaping Completion<Value>) -> Void
  ) -> EventLoopFuture<Value> {
    let promise = loop.makePromise(of: Value.self)
    start { promise.completeWith($0.mapError { $0 as any Error }) }
    return promise.futureResult
  }

  public func removePeer(_ request: RaftRemovePeerRequest, on loop: any EventLoop) -> EventLoopFuture<Void> {
    future(on: loop) { cluster.backend.removePeer(request, on: loop, $0) }
  }

  public func transferLeadership(to id: String, token: String, on loop: any EventLoop) -> EventLoopFuture<Void> {
    future(on: loop) { cluster.operators.transferLeadership(to: id, token: token, on: loop, $0) }
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
