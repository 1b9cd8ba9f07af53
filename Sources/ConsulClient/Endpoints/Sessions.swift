import Model

/// `/v1/session`
public struct Sessions: Sendable {
  let client: ConsulClient

  /// What happens to the keys of a session that ends.
  public enum Behavior: String, Sendable {
    case release, delete
  }

  public struct Settings: Sendable, Equatable {
    public var name = ""
    /// How long it lives without being renewed; nil for as long as its checks pass.
    public var ttl: Duration?
    /// How long a key cannot be locked after its holder's session was invalidated; nil for the server's default.
    public var lockDelay: Duration?
    public var behavior = Behavior.release
    /// The node whose health it depends on; nil for that of the agent.
    public var node: String?

    public init() {}
  }

  /// - Returns: the new session's id.
  public func create(_ settings: Settings, _ options: QueryOptions = QueryOptions()) async throws -> String {
    var members = DynamicObject()
    if !settings.name.isEmpty { members.append("Name", .string(settings.name)) }
    if let node = settings.node { members.append("Node", .string(node)) }
    if let ttl = settings.ttl { members.append("TTL", .string("\(ttl.wholeMilliseconds)ms")) }
    if let delay = settings.lockDelay { members.append("LockDelay", .string("\(delay.wholeMilliseconds)ms")) }
    if settings.behavior != .release { members.append("Behavior", .string(settings.behavior.rawValue)) }
    let body = Dynamic.object(members).body
    return try await client.perform(APIRequest("PUT", "/v1/session/create", options, body: body)).json().text("ID")
  }

  public func destroy(_ id: String, _ options: QueryOptions = QueryOptions()) async throws {
    try await client.perform(APIRequest("PUT", "/v1/session/destroy/" + id, options))
  }

  /// Starts the session's time to live again.
  /// - Returns: false if the session does not exist any more.
  public func renew(_ id: String, _ options: QueryOptions = QueryOptions()) async throws -> Bool {
    let response = try await client.perform(APIRequest("PUT", "/v1/session/renew/" + id, options), orStatus: 404)
    return response.status == 200
  }

  /// The sessions of the datacenter, as JSON objects.
  public func list(_ options: QueryOptions = QueryOptions()) async throws -> Answer<[Dynamic]> {
    let response = try await client.perform(APIRequest("GET", "/v1/session/list", options))
    return Answer(value: try response.list(), metadata: response.metadata)
  }
}

extension ConsulClient {
  public var sessions: Sessions { Sessions(client: self) }
}
