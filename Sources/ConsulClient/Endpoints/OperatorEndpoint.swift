import Model

/// `/v1/operator`: the servers themselves.
public struct OperatorEndpoint: Sendable {
  let client: ConsulClient

  /// A server as consensus knows it.
  public struct RaftServer: Sendable, Equatable {
    public var id: String
    public var node: String
    /// `ip:port`
    public var address: String
    public var isLeader: Bool
    public var isVoter: Bool
    public var protocolVersion: String
    /// The last entry of its log; 0 from agents that do not tell it.
    public var lastIndex: UInt64

    init(_ json: Dynamic) {
      id = json.text("ID")
      node = json.text("Node")
      address = json.text("Address")
      isLeader = json.flag("Leader")
      isVoter = json.flag("Voter")
      protocolVersion = json.text("ProtocolVersion")
      lastIndex = json.number("LastIndex")
    }
  }

  public func raftServers(_ options: QueryOptions = QueryOptions()) async throws -> [RaftServer] {
    let answer = try await client.perform(APIRequest("GET", "/v1/operator/raft/configuration", options)).json()
    return (answer["Servers"]?.array ?? []).map { RaftServer($0) }
  }

  /// Takes a server out of consensus, by its id or, if that is empty, its address.
  public func removePeer(id: String = "", address: String = "") async throws {
    var request = APIRequest("DELETE", "/v1/operator/raft/peer")
    if id.isEmpty { request.add("address", address) } else { request.add("id", id) }
    try await client.perform(request)
  }

  /// Hands leadership over.
  /// - Parameter id: to whom; empty for the server that is furthest along.
  /// - Returns: whether it was handed over.
  public func transferLeadership(to id: String = "") async throws -> Bool {
    var request = APIRequest("POST", "/v1/operator/raft/transfer-leader")
    if !id.isEmpty { request.add("id", id) }
    return try await client.perform(request).json().flag("Success")
  }

  /// Autopilot's configuration as a JSON object.
  public func autopilotConfiguration(_ options: QueryOptions = QueryOptions()) async throws -> Dynamic {
    try await client.perform(APIRequest("GET", "/v1/operator/autopilot/configuration", options)).json()
  }

  /// - Parameter index: the `ModifyIndex` that the present configuration must have.
  /// - Returns: whether it had.
  public func setAutopilotConfiguration(_ configuration: Dynamic, ifIndex index: UInt64) async throws -> Bool {
    var request = APIRequest("PUT", "/v1/operator/autopilot/configuration", body: configuration.body)
    request.add("cas", String(index))
    return try await client.perform(request).isTrue
  }

  /// The health of the servers as a JSON object.
  public func autopilotState(_ options: QueryOptions = QueryOptions()) async throws -> Dynamic {
    try await client.perform(APIRequest("GET", "/v1/operator/autopilot/state", options)).json()
  }

  /// The keys of one gossip pool.
  public struct KeyringPool: Sendable, Equatable {
    /// Whether the pool is that of all datacenters' servers.
    public var isWAN: Bool
    public var datacenter: String
    /// Keys, and how many members have them.
    public var keys: [String: Int]
    /// Keys that members encrypt with, and how many do.
    public var primaryKeys: [String: Int]
    public var memberCount: Int

    init(_ json: Dynamic) {
      isWAN = json.flag("WAN")
      datacenter = json.text("Datacenter")
      memberCount = json.integer("NumNodes")
      func counts(_ name: String) -> [String: Int] {
        var counts: [String: Int] = [:]
        for (key, count) in json[name]?.object ?? DynamicObject() {
          counts[key] = count.int.flatMap { Int(exactly: $0) }
        }
        return counts
      }
      keys = counts("Keys")
      primaryKeys = counts("PrimaryKeys")
    }
  }

  public func keyring(relayFactor: Int = 0, isLocalOnly: Bool = false) async throws -> [KeyringPool] {
    var request = APIRequest("GET", "/v1/operator/keyring")
    if relayFactor > 0 { request.add("relay-factor", String(relayFactor)) }
    if isLocalOnly { request.add("local-only", "true") }
    return try await client.perform(request).list().map { KeyringPool($0) }
  }

  /// - Parameter method: `POST` installs the key, `PUT` makes it the one to encrypt with, `DELETE` removes it.
  public func changeKeyring(_ method: String, key: String, relayFactor: Int = 0) async throws {
    let body: Dynamic = ["Key": .string(key)]
    var request = APIRequest(method, "/v1/operator/keyring", body: body.body)
    if relayFactor > 0 { request.add("relay-factor", String(relayFactor)) }
    try await client.perform(request)
  }

  /// How much the catalogs hold, by datacenter, as JSON objects.
  /// - Parameter global: of all datacenters.
  public func usage(global: Bool = false, _ options: QueryOptions = QueryOptions()) async throws -> DynamicObject {
    var request = APIRequest("GET", "/v1/operator/usage", options)
    if global { request.add("global") }
    return try await client.perform(request).json()["Usage"]?.object ?? DynamicObject()
  }
}

extension ConsulClient {
  public var `operator`: OperatorEndpoint { OperatorEndpoint(client: self) }
}
