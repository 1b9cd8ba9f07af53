import Model

/// `/v1/snapshot`: the whole state of a datacenter as an archive.
public struct Snapshots: Sendable {
  let client: ConsulClient

  /// The archive as it arrives.
  public func save(_ options: QueryOptions = QueryOptions()) async throws -> BodyStream {
    try await client.stream(APIRequest("GET", "/v1/snapshot", options))
  }

  /// Replaces the state by that of an archive.
  public func restore(_ archive: [UInt8], _ options: QueryOptions = QueryOptions()) async throws {
    try await client.perform(APIRequest("PUT", "/v1/snapshot", options, body: archive))
  }
}

extension ConsulClient {
  public var snapshots: Snapshots { Snapshots(client: self) }
}
