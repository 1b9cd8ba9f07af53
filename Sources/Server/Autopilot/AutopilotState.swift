import Consensus
import Model

/// What is known of a server that consensus counts on.
public struct ServerObservation: Sendable, Equatable {
  public var id: String
  public var name = ""
  /// `ip:port`
  public var address: String
  /// As gossip knows it.
  public var nodeStatus = "none"
  public var version = ""
  public var meta = StringMap()
  public var isVoter = true
  /// Since the leader heard of it; nil when it never did.
  public var lastContact: GoDuration?
  public var lastTerm: UInt64 = 0
  public var lastIndex: UInt64 = 0

  public init(id: String, address: String) {
    self.id = id
    self.address = address
  }
}

/// The health of the servers, as their leader sees it. A pure core: time is passed in.
public struct AutopilotState: Sendable, Equatable {
  public struct Server: Sendable, Equatable {
    public var observation: ServerObservation
    public var isLeader = false
    public var isHealthy = false
    /// Since when `isHealthy` is what it is.
    public var stableSince: Timestamp
  }

  /// In the order of the consensus configuration.
  public private(set) var servers: [Server] = []
  public private(set) var leader = ""

  public init() {}

  init(leader: String, servers: [Server]) {
    self.leader = leader
    self.servers = servers
  }

  /// The next state. What does not change keeps its time.
  ///
  /// - Parameter leader: The id of the leader.
  public func next(
    _ observations: [ServerObservation], leader: String, configuration: AutopilotConfiguration, now: Timestamp
  ) -> AutopilotState {
    var state = AutopilotState()
    state.leader = leader
    let lead = observations.first { $0.id == leader }
    state.servers = observations.map { observation in
      var server = Server(observation: observation, stableSince: now)
      server.isLeader = observation.id == leader
      server.isHealthy = lead.map { Self.isHealthy(observation, behind: $0, configuration) } ?? false
      if let before = servers.first(where: { $0.observation.id == observation.id }),
        before.isHealthy == server.isHealthy
      {
        server.stableSince = before.stableSince
      }
      return server
    }
    return state
  }

  private static func isHealthy(
    _ server: ServerObservation, behind leader: ServerObservation, _ configuration: AutopilotConfiguration
  ) -> Bool {
    guard server.nodeStatus == "alive", let contact = server.lastContact else { return false }
    return contact <= configuration.lastContactThreshold && server.lastTerm == leader.lastTerm
      && leader.lastIndex <= server.lastIndex &+ configuration.maxTrailingLogs
  }

  /// Whether every server is healthy. Without servers nobody can say so.
  public var isHealthy: Bool { !servers.isEmpty && servers.allSatisfy(\.isHealthy) }

  public var voters: [String] { servers.filter(\.observation.isVoter).map(\.observation.id) }

  /// Voters that may fail while the others are still a majority.
  public var failureTolerance: Int {
    let voters = servers.filter(\.observation.isVoter)
    return max(voters.filter(\.isHealthy).count - (voters.count / 2 + 1), 0)
  }
}

extension AutopilotState.Server {
  /// What the server is for consensus.
  public var status: String { isLeader ? "leader" : observation.isVoter ? "voter" : "non-voter" }
}
