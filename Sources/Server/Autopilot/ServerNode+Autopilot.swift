import Consensus
import Model
import State
import Synchronization

/// Replaces autopilot's configuration.
public struct AutopilotSetConfiguration: WriteRequest {
  public static let method = "Operator.AutopilotSetConfiguration"
  public var configuration: AutopilotConfiguration
  /// The index that the present one must have; nil for any.
  public var expectedIndex: UInt64?

  public init(_ configuration: AutopilotConfiguration, expectedIndex: UInt64? = nil) {
    self.configuration = configuration
    self.expectedIndex = expectedIndex
  }

  public func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<Bool> {
    try context.require(.operatorWrite)
    return .command(Self.command(configuration, expectedIndex: expectedIndex, datacenter: context.datacenter)) {
      (result) throws(ServerError) in
      try result.success(prefix: "raft apply failed: ")
    }
  }

  static func command(
    _ configuration: AutopilotConfiguration, expectedIndex: UInt64?, datacenter: String
  ) -> Command {
    var request = AutopilotSetConfigRequest()
    request.datacenter = datacenter
    request.config = configuration
    request.config.createIndex = 0
    request.config.modifyIndex = expectedIndex ?? 0
    request.cas = expectedIndex != nil
    return .autopilot(request)
  }
}

/// Autopilot's configuration.
public struct AutopilotGetConfiguration: ReadQuery {
  public static let method = "Operator.AutopilotGetConfiguration"

  public init() {}

  public func evaluate(_ state: StateSnapshot) -> QueryResult<AutopilotConfiguration> {
    let row = state.autopilotConfiguration
    return QueryResult(
      index: row?.value.modifyIndex ?? 0, value: row?.value ?? AutopilotConfiguration(), watch: [])
  }
}

extension ServerNode {
  /// The health of the servers.
  public var autopilotState: AutopilotState { memberDuties.currentHealth() }

  // MARK: membership of consensus

  /// Takes a server out of consensus.
  public func removePeer(
    id: String, address: String, _ completion: @escaping @Sendable (Result<Void, ServerError>) -> Void
  ) {
    let servers = raft.configuration.servers.servers
    let found = servers.first { id.isEmpty ? $0.address == address : $0.id == id }
    guard let found else {
      let what = id.isEmpty ? "address \"\(address)\"" : "id \"\(id)\""
      return completion(.failure(.rejected("\(what) was not found in the Raft configuration")))
    }
    raft.change(.removeServer(id: found.id)) { result in
      completion(result.map { _ in }.mapError { ServerError($0) })
    }
  }

  /// Hands leadership over.
  ///
  /// - Parameter id: To whom; "" for the server that is furthest along.
  public func transferLeadership(
    to id: String, _ completion: @escaping @Sendable (Result<Void, ServerError>) -> Void
  ) {
    if !id.isEmpty, !raft.configuration.servers.servers.contains(where: { $0.id == id }) {
      return completion(.failure(.rejected("Could not find address for server id \(id)")))
    }
    raft.transferLeadership(to: id.isEmpty ? nil : id) { result in
      completion(result.mapError { ServerError($0) })
    }
  }
}
