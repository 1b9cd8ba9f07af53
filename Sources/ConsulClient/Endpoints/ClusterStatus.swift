import Model

/// `/v1/status`
public struct ClusterStatus: Sendable {
  let client: ConsulClient

  /// Address of the leader; empty if there is none.
  public func leader() async throws -> String {
    try await client.perform(APIRequest("GET", "/v1/status/leader")).json().string ?? ""
  }

  /// Addresses of the servers that take part in consensus.
  public func peers() async throws -> [String] {
    try await client.perform(APIRequest("GET", "/v1/status/peers")).texts()
  }
}

/// `/v1/event`
public struct Events: Sendable {
  let client: ConsulClient

  /// Which agents an event is for: expressions that names of nodes, services and tags must match; empty for all.
  public struct Target: Sendable, Equatable {
    public var node = ""
    public var service = ""
    public var tag = ""

    public init(node: String = "", service: String = "", tag: String = "") {
      self.node = node
      self.service = service
      self.tag = tag
    }
  }

  /// - Returns: the event's id.
  public func fire(
    _ name: String, payload: [UInt8] = [], target: Target = Target(), _ options: QueryOptions = QueryOptions()
  ) async throws -> String {
    let request = APIRequest(
      "PUT", "/v1/event/fire/" + name, options,
      ["node": target.node, "service": target.service, "tag": target.tag],
      body: payload.isEmpty ? nil : payload)
    return try await client.perform(request).json().text("ID")
  }
}

extension ConsulClient {
  public var status: ClusterStatus { ClusterStatus(client: self) }
  public var events: Events { Events(client: self) }
}
