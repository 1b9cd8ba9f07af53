import NIOCore
import Server

/// The servers of an agent that knows none: every call fails, and says why.
struct NoServers: Backend {
  let datacenter: String

  init(datacenter: String) { self.datacenter = datacenter }

  var datacenters: [String] { [] }
  var leaderAddress: String { "" }
  var peerAddresses: [String] { [] }

  @discardableResult
  func query<Query: ReadQuery>(
    _ query: Query, _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Answer<Query.Reply>, ServerError>) -> Void
  ) -> PendingQuery? {
    completion(.failure(.noServers))
    return nil
  }

  func write<Request: WriteRequest>(
    _ request: Request, datacenter: String, token: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Request.Reply, ServerError>) -> Void
  ) {
    completion(.failure(.noServers))
  }

  func saveSnapshot(
    _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Answer<any SnapshotArchiveStream>, ServerError>) -> Void
  ) {
    completion(.failure(.noServers))
  }

  func restoreSnapshot(
    _ archive: ByteBuffer, datacenter: String, token: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Void, ServerError>) -> Void
  ) {
    completion(.failure(.noServers))
  }
}
