import Model

/// `/v1/coordinate`: where nodes lie in the network.
public struct Coordinates: Sendable {
  let client: ConsulClient

  /// The servers of a datacenter within one area, such as `wan`.
  public struct Area: Sendable {
    public var datacenter: String
    public var area: String
    public var coordinates: [NodeCoordinate]
  }

  public func nodes(_ options: QueryOptions = QueryOptions()) async throws -> [NodeCoordinate] {
    try await client.perform(APIRequest("GET", "/v1/coordinate/nodes", options)).list().map(Self.coordinate)
  }

  public func datacenters() async throws -> [Area] {
    try await client.perform(APIRequest("GET", "/v1/coordinate/datacenters")).list().map { json in
      Area(
        datacenter: json.text("Datacenter"), area: json.text("AreaID"),
        coordinates: (json["Coordinates"]?.array ?? []).map(Self.coordinate))
    }
  }

  private static func coordinate(_ json: Dynamic) -> NodeCoordinate {
    (try? NodeCoordinate(from: json, DecodingContext(.api))) ?? NodeCoordinate()
  }
}

extension ConsulClient {
  public var coordinates: Coordinates { Coordinates(client: self) }
}
