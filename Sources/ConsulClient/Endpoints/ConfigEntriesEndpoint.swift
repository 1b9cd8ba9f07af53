import Model

/// `/v1/config`: config entries.
public struct ConfigEntriesEndpoint: Sendable {
  let client: ConsulClient

  /// One config entry.
  /// - Throws: `ClientError.unexpectedStatus` with 404 where there is none.
  public func read(
    _ kind: String, _ name: String, _ options: QueryOptions = QueryOptions()
  ) async throws -> ConfigEntry {
    let request = APIRequest("GET", "/v1/config/\(kind)/\(name)", options)
    return try ConfigEntry(answer: try await client.perform(request).json())
  }

  /// The config entries of a kind.
  public func list(_ kind: String, _ options: QueryOptions = QueryOptions()) async throws -> [ConfigEntry] {
    try await client.perform(APIRequest("GET", "/v1/config/\(kind)", options)).list()
      .map { try ConfigEntry(answer: $0) }
  }

  /// Creates an entry, or replaces the one of its kind and name.
  /// - Parameter index: the modify index that the present one must have, 0 for none; nil for any.
  /// - Returns: whether it had.
  public func write(_ entry: ConfigEntry, ifIndex index: UInt64? = nil) async throws -> Bool {
    var request = APIRequest("PUT", "/v1/config", body: Array(entry.record.json.utf8))
    if let index { request.add("cas", String(index)) }
    return try await client.perform(request).isTrue
  }

  /// The services that peers may use, and which.
  public func sharedServices(
    _ options: QueryOptions = QueryOptions()
  ) async throws -> [(name: String, peers: [String])] {
    try await client.perform(APIRequest("GET", "/v1/exported-services", options)).list().map {
      (name: $0.text("Service"), peers: ($0["Consumers"] ?? .null).texts("Peers"))
    }
  }

  /// Deletes an entry. One that does not exist is no error.
  /// - Parameter index: the modify index that it must have; nil for any.
  /// - Returns: whether it had.
  public func delete(_ kind: String, _ name: String, ifIndex index: UInt64? = nil) async throws -> Bool {
    var request = APIRequest("DELETE", "/v1/config/\(kind)/\(name)")
    guard let index else {
      try await client.perform(request)
      return true
    }
    request.add("cas", String(index))
    return try await client.perform(request).isTrue
  }
}

extension ConfigEntry {
  /// An entry as the servers show it, with its history.
  fileprivate init(answer: Dynamic) throws {
    guard let kind = ConfigEntryKind(rawValue: answer["Kind"]?.string ?? "") else {
      throw DecodingError.invalid(path: "Kind", reason: "invalid config entry kind: \(answer["Kind"]?.string ?? "")")
    }
    self.init(try kind.type.init(from: answer, DecodingContext(.api)))
    record.common.hash = answer["Hash"]?.uint ?? 0
    record.common.createIndex = answer.number("CreateIndex")
    record.common.modifyIndex = answer.number("ModifyIndex")
  }
}

extension ConsulClient {
  public var configEntries: ConfigEntriesEndpoint { ConfigEntriesEndpoint(client: self) }
}
