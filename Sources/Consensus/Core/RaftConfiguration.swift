/// Who takes part, as stored in a configuration entry.
public struct RaftConfiguration: Sendable, Equatable {
  public var servers: [RaftServer]

  public init(servers: [RaftServer] = []) { self.servers = servers }

  /// Servers whose votes and acknowledgements count.
  public var voters: [RaftServer] { servers.filter { $0.suffrage == .voter } }

  /// How many voters are a majority.
  public var quorum: Int { servers.reduce(0) { $0 + ($1.suffrage == .voter ? 1 : 0) } / 2 + 1 }

  public func server(_ id: ServerID) -> RaftServer? { servers.first { $0.id == id } }

  public func isVoter(_ id: ServerID) -> Bool { server(id)?.suffrage == .voter }
}

/// One member.
public struct RaftServer: Sendable, Hashable {
  /// Numbers are those of the wire.
  public enum Suffrage: Int, Sendable {
    case voter = 0
    /// Receives the log, never votes.
    case nonVoter = 1
    /// An old form of non-voter that is promoted automatically; treated as a non-voter.
    case staging = 2
  }

  public var id: ServerID
  public var address: ServerAddress
  public var suffrage: Suffrage

  public init(id: ServerID, address: ServerAddress, suffrage: Suffrage = .voter) {
    self.id = id
    self.address = address
    self.suffrage = suffrage
  }
}

/// A membership change, one server at a time (the dissertation, section 4.1).
public enum ConfigurationChange: Sendable, Equatable {
  /// Adds a voter, promotes a non-voter or updates a voter's address.
  case addVoter(id: ServerID, address: ServerAddress)
  /// Adds a non-voter or updates the address of a server; a voter stays a voter.
  case addNonVoter(id: ServerID, address: ServerAddress)
  case demoteVoter(id: ServerID)
  case removeServer(id: ServerID)
}

/// Why a membership change was refused.
public enum ConfigurationChangeError: Error, Sendable, Equatable, CustomStringConvertible {
  case changedSince(expected: LogIndex, latest: LogIndex)
  case emptyID
  case emptyAddress(id: ServerID)
  case duplicateID(ServerID)
  case duplicateAddress(ServerAddress)
  case noVoterLeft

  public var description: String {
    switch self {
    case .changedSince(let expected, let latest):
      "configuration changed since \(expected) (latest is \(latest))"
    case .emptyID: "empty ID in configuration"
    case .emptyAddress(let id): "empty address in configuration: server \"\(id)\""
    case .duplicateID(let id): "found duplicate ID in configuration: \(id)"
    case .duplicateAddress(let address): "found duplicate address in configuration: \(address)"
    case .noVoterLeft: "need at least one voter in configuration"
    }
  }
}

extension RaftConfiguration {
  /// The configuration after a change.
  /// - Throws: when the result would be invalid.
  func applying(_ change: ConfigurationChange) throws(ConfigurationChangeError) -> RaftConfiguration {
    var next = self
    switch change {
    case .addVoter(let id, let address):
      next.put(RaftServer(id: id, address: address, suffrage: .voter))
    case .addNonVoter(let id, let address):
      let suffrage: RaftServer.Suffrage = isVoter(id) ? .voter : .nonVoter
      next.put(RaftServer(id: id, address: address, suffrage: suffrage))
    case .demoteVoter(let id):
      for position in next.servers.indices where next.servers[position].id == id {
        next.servers[position].suffrage = .nonVoter
      }
    case .removeServer(let id):
      next.servers.removeAll { $0.id == id }
    }
    try next.validate()
    return next
  }

  private mutating func put(_ server: RaftServer) {
    if let position = servers.firstIndex(where: { $0.id == server.id }) {
      servers[position] = server
    } else {
      servers.append(server)
    }
  }

  /// Checks ids, addresses and that somebody can vote.
  public func validate() throws(ConfigurationChangeError) {
    var ids = Set<ServerID>()
    var addresses = Set<ServerAddress>()
    var hasVoter = false
    for server in servers {
      if server.id.isEmpty { throw .emptyID }
      if server.address.isEmpty { throw .emptyAddress(id: server.id) }
      if !ids.insert(server.id).inserted { throw .duplicateID(server.id) }
      if !addresses.insert(server.address).inserted { throw .duplicateAddress(server.address) }
      if server.suffrage == .voter { hasVoter = true }
    }
    if !hasVoter { throw .noVoterLeft }
  }
}
