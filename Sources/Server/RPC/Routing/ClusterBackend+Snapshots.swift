import NIOCore

extension ClusterBackend: SnapshotBackend {
  public func saveSnapshot(
    _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Answer<any SnapshotArchiveStream>, ServerError>) -> Void
  ) {
    if let server { server.saveSnapshot(options, on: loop, completion) } else { completion(.failure(.noServers)) }
  }

  public func restoreSnapshot(
    _ archive: ByteBuffer, datacenter: String, token: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Void, ServerError>) -> Void
  ) {
    if let server {
      server.restoreSnapshot(archive, datacenter: datacenter, token: token, on: loop, completion)
    } else {
      completion(.failure(.noServers))
    }
  }
}
