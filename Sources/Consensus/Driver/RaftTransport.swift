/// Carries messages between servers. The room knows nothing about connections.
public protocol RaftTransport: AnyObject, Sendable {
  /// Starts delivering requests of other servers, and reports of broken connections, to `receiver`.
  func start(_ receiver: any RaftReceiver)

  /// Sends a request without blocking. `completion` is called exactly once, also when the connection breaks or the
  /// deadline passes. Requests of one `lane` to one server are answered in the order in which they were sent.
  func send(
    _ request: RaftRequest, from: RaftHeader, to: RaftServer, lane: RaftLane,
    completion: @escaping @Sendable (Result<RaftResponse, PeerFailure>) -> Void)

  /// Sends an `installSnapshot` request followed by `content` (`request.size` bytes), without blocking the caller.
  func sendSnapshot(
    _ request: InstallSnapshotRequest, content: any SnapshotContent, from: RaftHeader, to: RaftServer,
    completion: @escaping @Sendable (Result<RaftResponse, PeerFailure>) -> Void)

  func stop()
}

/// Requests that must not wait for each other travel on different connections.
public enum RaftLane: Sendable, Hashable {
  case heartbeat
  case append
  case vote
}

/// What a transport hands requests to.
public protocol RaftReceiver: AnyObject, Sendable {
  /// - Parameters:
  ///   - content: the snapshot that follows an `installSnapshot` request, nil for others. Reading may block the thread
  ///     that reads. If `reply` is called without having read everything, the transport drains the rest.
  ///   - reply: called once, from any thread.
  func receive(
    _ request: RaftRequest, from: RaftHeader, content: (any SnapshotContent)?,
    reply: @escaping @Sendable (RaftResponse) -> Void)

  /// The connection to a server broke.
  func connectionLost(_ server: ServerID)
}
