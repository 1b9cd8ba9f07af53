import Model

/// `/v1/coordinate`: where nodes lie in the network.
public struct Coordinates: Sendable {
  let client: ConsulClient

  /// Servers of one datacenter; distances mean something between those of the same id.
  public struct Area: Sendable {
    public var datacenter: String
    public var id: String
    public var nodes: [NodeCoordinate]
  }

  public func nodes(_ options: QueryOptions = QueryOptions()) async throws -> [NodeCoordinate] {
    try await client.perform(APIRequest("GET", "/v1/coordinate/nodes", options)).list().map(Self.coordinate)
  }

  public func datacenters() async throws -> [Area] {
    try await client.perform(APIRequest("GET", "/v1/coordinate/datacenters")).list().map { json in
      Area(
        datacenter: json.text("Datacenter"), id: json.text("AreaID"),
        nodes: try (json["Coordinates"]?.array ?? []).map(Self.coordinate))
    }
  }

  private static func coordinate(_ json: Dynamic) throws -> NodeCoordinate {
    try NodeCoordinate(from: json, DecodingContext(.api))
  }
}

extension ConsulClient {
  public var coordinates: Coordinates { Coordinates(client: self) }
}
