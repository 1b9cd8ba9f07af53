import Model

/// `/v1/connect`: the service mesh.
public struct MeshEndpoint: Sendable {
  let client: ConsulClient

  /// The configuration of the certificate authority as a JSON object.
  public func authorityConfiguration(_ options: QueryOptions = QueryOptions()) async throws -> Dynamic {
    try await client.perform(APIRequest("GET", "/v1/connect/ca/configuration", options)).json()
  }

  public func setAuthorityConfiguration(_ configuration: Dynamic) async throws {
    try await client.perform(APIRequest("PUT", "/v1/connect/ca/configuration", body: configuration.body))
  }

  /// The roots that certificates of the mesh are trusted by, as a JSON object.
  public func authorityRoots(_ options: QueryOptions = QueryOptions()) async throws -> Dynamic {
    try await client.perform(APIRequest("GET", "/v1/connect/ca/roots", options)).json()
  }
}

extension ConsulClient {
  public var mesh: MeshEndpoint { MeshEndpoint(client: self) }
}
