import Synchronization

@testable import Consensus

/// Connects nodes of one process; requests go straight into the other node's inbox.
final class MemoryNetwork: Sendable {
  private let receivers = Mutex<[ServerID: any RaftReceiver]>([:])
  /// Servers nobody can reach and who can reach nobody.
  private let isolated = Mutex<Set<ServerID>>([])

  func transport(of id: ServerID) -> MemoryTransport { MemoryTransport(id: id, network: self) }

  func isolate(_ ids: Set<ServerID>) { isolated.withLock { $0 = ids } }

  fileprivate func register(_ id: ServerID, _ receiver: (any RaftReceiver)?) {
    receivers.withLock { $0[id] = receiver }
  }

  fileprivate func deliver(
    _ request: RaftRequest, content: (any SnapshotContent)?, from: RaftHeader, to: ServerID,
    completion: @escaping @Sendable (Result<RaftResponse, PeerFailure>) -> Void
  ) {
    let isCut = isolated.withLock { $0.contains(from.id) != $0.contains(to) }
    guard !isCut, let receiver = receivers.withLock({ $0[to] }) else {
      return completion(.failure(.unreachable("not there")))
    }
    receiver.receive(request, from: from, content: content) { completion(.success($0)) }
  }

  func reportBroken(_ server: ServerID) {
    for (id, receiver) in receivers.withLock({ $0 }) where id != server { receiver.connectionLost(server) }
  }
}

final class MemoryTransport: RaftTransport {
  private let id: ServerID
  private let network: MemoryNetwork

  init(id: ServerID, network: MemoryNetwork) {
    self.id = id
    self.network = network
  }

  func start(_ receiver: any RaftReceiver) { network.register(id, receiver) }

  func send(
    _ request: RaftRequest, from: RaftHeader, to: RaftServer, lane: RaftLane,
    completion: @escaping @Sendable (Result<RaftResponse, PeerFailure>) -> Void
  ) {
    network.deliver(request, content: nil, from: from, to: to.id, completion: completion)
  }

  func sendSnapshot(
    _ request: InstallSnapshotRequest, content: any SnapshotContent, from: RaftHeader, to: RaftServer,
    completion: @escaping @Sendable (Result<RaftResponse, PeerFailure>) -> Void
  ) {
    network.deliver(.installSnapshot(request), content: content, from: from, to: to.id, completion: completion)
  }

  func stop() { network.register(id, nil) }
}
