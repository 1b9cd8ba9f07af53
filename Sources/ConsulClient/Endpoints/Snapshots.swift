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

/// `/v1/coordinate`: where nodes lie in the network.
public struct Coordinates: Sendable {
  let client: ConsulClient

  /// Those of the nodes of a datacenter.
  public func nodes(_ options: QueryOptions = QueryOptions()) async throws -> [NodeCoordinate] {
    try await client.perform(APIRequest("GET", "/v1/coordinate/nodes", options)).list().map { try NodeCoordinate($0) }
  }

  /// Those of the servers of each datacenter that is known.
  public func datacenters() async throws -> [Area] {
    try await client.perform(APIRequest("GET", "/v1/coordinate/datacenters")).list().map { json in
      Area(
        datacenter: json.text("Datacenter"), id: json.text("AreaID"),
        nodes: try (json["Coordinates"]?.array ?? []).map { try NodeCoordinate($0) })
    }
  }

  /// Servers of one datacenter; distances mean something between those of the same id.
  public struct Area: Sendable {
    public var datacenter: String
    public var id: String
    public var nodes: [NodeCoordinate]
  }
}

extension ConsulClient {
  public var snapshots: Snapshots { Snapshots(client: self) }
  public var coordinates: Coordinates { Coordinates(client: self) }
}

extension NodeCoordinate {
  fileprivate init(_ json: Dynamic) throws { try self.init(from: json, DecodingContext(.api)) }
}
