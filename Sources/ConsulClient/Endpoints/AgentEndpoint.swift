import Model

/// A member of a gossip pool.
public struct AgentMember: Sendable, Equatable {
  public var name: String
  public var address: String
  public var port: Int
  public var tags: [String: String]
  /// As the gossip layer counts: 0 none, 1 alive, 2 leaving, 3 left, 4 failed.
  public var status: Int
  public var protocolVersion: Int

  public init(name: String, address: String, port: Int, tags: [String: String], status: Int, protocolVersion: Int) {
    self.name = name
    self.address = address
    self.port = port
    self.tags = tags
    self.status = status
    self.protocolVersion = protocolVersion
  }

  init(_ json: Dynamic) {
    self.init(
      name: json.text("Name"), address: json.text("Addr"), port: json.integer("Port"), tags: json.textMap("Tags"),
      status: json.integer("Status"), protocolVersion: json.integer("ProtocolCur"))
  }
}

/// `/v1/agent`: the one agent that the client talks to.
public struct AgentEndpoint: Sendable {
  let client: ConsulClient

  /// Configuration, statistics and membership of the agent, as a JSON object.
  public func describe() async throws -> Dynamic {
    try await client.perform(APIRequest("GET", "/v1/agent/self")).json()
  }

  /// - Parameters:
  ///   - wan: the pool of all datacenters' servers instead of the own datacenter.
  ///   - segment: a segment's name; `_all` for all of them.
  public func members(wan: Bool = false, segment: String = "", filter: String = "") async throws -> [AgentMember] {
    var request = APIRequest("GET", "/v1/agent/members")
    if !segment.isEmpty { request.add("segment", segment) }
    if !filter.isEmpty { request.add("filter", filter) }
    if wan { request.add("wan", "1") }
    return try await client.perform(request).list().map { AgentMember($0) }
  }

  public func join(_ address: String, wan: Bool = false) async throws {
    var request = APIRequest("PUT", "/v1/agent/join/" + address)
    if wan { request.add("wan", "1") }
    try await client.perform(request)
  }

  /// Leaves the cluster and ends the agent.
  public func leave() async throws {
    try await client.perform(APIRequest("PUT", "/v1/agent/leave"))
  }

  /// Counts a failed member as one that left.
  /// - Parameter prune: forget it altogether.
  public func forceLeave(_ node: String, prune: Bool = false, wan: Bool = false) async throws {
    var request = APIRequest("PUT", "/v1/agent/force-leave/" + node)
    if prune { request.add("prune", "1") }
    if wan { request.add("wan", "1") }
    try await client.perform(request)
  }

  public func reload() async throws {
    try await client.perform(APIRequest("PUT", "/v1/agent/reload"))
  }

  /// Gives the agent one of its own tokens, by its name in the API.
  public func setToken(_ name: String, to secret: String) async throws {
    let body: Dynamic = ["Token": .string(secret)]
    try await client.perform(APIRequest("PUT", "/v1/agent/token/" + name, body: body.body))
  }

  /// The agent's checks by id, as JSON objects.
  public func checks() async throws -> DynamicObject {
    try await client.perform(APIRequest("GET", "/v1/agent/checks")).json().object ?? DynamicObject()
  }

  /// - Parameter service: the id of the service whose maintenance is meant; nil for the whole node's.
  public func setMaintenance(_ enabled: Bool, service: String? = nil, reason: String = "") async throws {
    var request = APIRequest("PUT", service.map { "/v1/agent/service/maintenance/" + $0 } ?? "/v1/agent/maintenance")
    request.add("enable", enabled ? "true" : "false")
    if enabled { request.add("reason", reason) }
    try await client.perform(request)
  }

  /// - Parameter definition: the service as the API describes it (`Name`, `Port`, `Checks` …).
  public func register(service definition: Dynamic) async throws {
    try await client.perform(APIRequest("PUT", "/v1/agent/service/register", body: definition.body))
  }

  public func deregister(service id: String) async throws {
    try await client.perform(APIRequest("PUT", "/v1/agent/service/deregister/" + id))
  }
}

extension ConsulClient {
  public var agent: AgentEndpoint { AgentEndpoint(client: self) }
}
