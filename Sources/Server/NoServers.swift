import NIOCore

/// The servers of an agent that knows none: every call fails, and says why.
public struct NoServers: Backend {
  public let datacenter: String

  public init(datacenter: String) { self.datacenter = datacenter }

  public var datacenters: [String] { [] }
  public var leaderAddress: String { "" }
  public var peerAddresses: [String] { [] }

  @discardableResult
  public func query<Query: ReadQuery>(
    _ query: Query, _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Answer<Query.Reply>, ServerError>) -> Void
  ) -> PendingQuery? {
    completion(.failure(.noServers))
    return nil
  }

  public func write<Request: WriteRequest>(
    _ request: Request, datacenter: String, token: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Request.Reply, ServerError>) -> Void
  ) {
    completion(.failure(.noServers))
  }

  public func saveSnapshot(
    _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Answer<any SnapshotArchiveStream>, ServerError>) -> Void
  ) {
    completion(.failure(.noServers))
  }

  public func restoreSnapshot(
    _ archive: SpoolFile, datacenter: String, token: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Void, ServerError>) -> Void
  ) {
    completion(.failure(.noServers))
  }
}
