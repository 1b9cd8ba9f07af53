import Synchronization

// What other servers ask this one.

extension RaftNode {
  func receive(
    _ request: RaftRequest, from: RaftHeader, content: (any SnapshotContent)?,
    reply: @escaping @Sendable (RaftResponse) -> Void
  ) {
    let token = replies.withLock { replies in
      replies.next += 1
      replies.waiting[replies.next] = reply
      return replies.next
    }
    if !submit(.request(request, from: from, token: token, content: content)) {
      _ = replies.withLock { $0.waiting.removeValue(forKey: token) }
    }
  }

  func connectionLost(_ server: ServerID) { _ = submit(.connectionLost(server)) }
}

/// What the transport holds: not the node itself, which holds the transport.
final class Receiver: RaftReceiver {
  private let node: Mutex<Weak>

  private struct Weak { weak var node: RaftNode? }

  init(node: RaftNode) { self.node = Mutex(Weak(node: node)) }

  func receive(
    _ request: RaftRequest, from: RaftHeader, content: (any SnapshotContent)?,
    reply: @escaping @Sendable (RaftResponse) -> Void
  ) {
    node.withLock { $0.node }?.receive(request, from: from, content: content, reply: reply)
  }

  func connectionLost(_ server: ServerID) { node.withLock { $0.node }?.connectionLost(server) }
}

extension RequestContext {
  var lane: RaftLane {
    switch self {
    case .heartbeat: .heartbeat
    case .append, .snapshot: .append
    case .vote, .preVote, .timeoutNow: .vote
    }
  }
}
