import Model

/// `/v1/connect/intentions`: who may call whom.
public struct IntentionsEndpoint: Sendable {
  let client: ConsulClient

  /// All intentions, in the order in which they are asked.
  public func list(_ options: QueryOptions = QueryOptions()) async throws -> [Intention] {
    try await client.perform(APIRequest("GET", "/v1/connect/intentions", options)).list()
      .map { try Intention(from: $0, DecodingContext(.api)) }
  }

  /// One intention, by its ends; nil where there is none.
  public func read(
    source: String, destination: String, _ options: QueryOptions = QueryOptions()
  ) async throws -> Intention? {
    try await read(ends("GET", source, destination, options))
  }

  /// One intention that has an id; nil where there is none.
  public func read(id: String, _ options: QueryOptions = QueryOptions()) async throws -> Intention? {
    try await read(APIRequest("GET", "/v1/connect/intentions/\(id)", options))
  }

  private func read(_ request: APIRequest) async throws -> Intention? {
    do {
      return try Intention(from: try await client.perform(request).json(), DecodingContext(.api))
    } catch ClientError.unexpectedStatus(404, _) {
      return nil
    }
  }

  /// Creates an intention or replaces the one with its ends.
  public func upsert(_ intention: Intention) async throws {
    var request = ends("PUT", intention.sourceName, intention.destinationName)
    request.body = Array(intention.json.utf8)
    try await client.perform(request)
  }

  /// Makes an intention with an id, as older clients do.
  /// - Returns: the id.
  public func create(_ intention: Intention) async throws -> String {
    let request = APIRequest("POST", "/v1/connect/intentions", body: Array(intention.json.utf8))
    return try await client.perform(request).json().text("ID")
  }

  /// Changes an intention that has an id.
  public func update(_ intention: Intention) async throws {
    let path = "/v1/connect/intentions/\(intention.id)"
    try await client.perform(APIRequest("PUT", path, body: Array(intention.json.utf8)))
  }

  public func delete(source: String, destination: String) async throws {
    try await client.perform(ends("DELETE", source, destination))
  }

  public func delete(id: String) async throws {
    try await client.perform(APIRequest("DELETE", "/v1/connect/intentions/\(id)"))
  }

  /// The intentions about a service, in the order in which they are asked.
  /// - Parameter side: `source` or `destination`.
  public func match(
    _ service: String, by side: String, _ options: QueryOptions = QueryOptions()
  ) async throws -> [Intention] {
    var request = APIRequest("GET", "/v1/connect/intentions/match", options)
    request.add("by", side)
    request.add("name", service)
    let found = try await client.perform(request).json()
    return try (found[service]?.array ?? []).map { try Intention(from: $0, DecodingContext(.api)) }
  }

  /// Whether one service may connect to another.
  public func check(
    source: String, destination: String, _ options: QueryOptions = QueryOptions()
  ) async throws -> Bool {
    var request = APIRequest("GET", "/v1/connect/intentions/check", options)
    request.add("source", source)
    request.add("destination", destination)
    return try await client.perform(request).json().flag("Allowed")
  }

  private func ends(
    _ method: String, _ source: String, _ destination: String, _ options: QueryOptions = QueryOptions()
  ) -> APIRequest {
    var request = APIRequest(method, "/v1/connect/intentions/exact", options)
    request.add("source", source)
    request.add("destination", destination)
    return request
  }
}

extension ConsulClient {
  public var intentions: IntentionsEndpoint { IntentionsEndpoint(client: self) }
}
