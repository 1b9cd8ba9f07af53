import Model

/// The servers as autopilot sees them (`Operator.AutopilotState`).
public struct AutopilotStateReply: Record {
  public var isHealthy = false
  public var failureTolerance = 0
  /// By their ids.
  public var servers: [String: AutopilotServerState] = [:]
  public var leader = ""
  public var voters: [String] = []

  public init() {}

  public init(_ state: AutopilotState) {
    isHealthy = state.isHealthy
    failureTolerance = state.failureTolerance
    servers = Dictionary(
      state.servers.map { ($0.observation.id, AutopilotServerState($0)) }, uniquingKeysWith: { first, _ in first })
    leader = state.leader
    voters = state.voters
  }

  public static let schema = Schema<AutopilotStateReply>("autopilot.State") {
    $0.field("Healthy", \.isHealthy)
    $0.field("FailureTolerance", \.failureTolerance)
    $0.field("Servers", \.servers)
    $0.field("Leader", \.leader)
    $0.field("Voters", \.voters)
  }
}

public struct AutopilotServerState: Record {
  public var server = AutopilotServerIdentity()
  /// `leader`, `voter` or `non-voter`.
  public var state = ""
  public var stats = AutopilotServerStats()
  public var health = AutopilotServerVerdict()

  public init() {}

  init(_ server: AutopilotState.Server) {
    let seen = server.observation
    self.server.id = seen.id
    self.server.name = seen.name
    self.server.address = seen.address
    self.server.nodeStatus = seen.nodeStatus
    self.server.version = seen.version
    self.server.meta = seen.meta
    self.server.isLeader = server.isLeader
    self.server.nodeType = seen.isVoter ? "voter" : "non-voter"
    state = server.status
    stats.lastContact = seen.lastContact ?? GoDuration(nanoseconds: -1)
    stats.lastTerm = seen.lastTerm
    stats.lastIndex = seen.lastIndex
    health.isHealthy = server.isHealthy
    health.stableSince = server.stableSince
  }

  public static let schema = Schema<AutopilotServerState>("autopilot.ServerState") {
    $0.field("Server", \.server)
    $0.field("State", \.state)
    $0.field("Stats", \.stats)
    $0.field("Health", \.health)
  }
}

public struct AutopilotServerIdentity: Record {
  public var id = ""
  public var name = ""
  public var address = ""
  /// As gossip knows it.
  public var nodeStatus = ""
  public var version = ""
  public var meta = StringMap()
  public var raftVersion = 3
  public var isLeader = false
  public var nodeType = ""

  public init() {}

  public static let schema = Schema<AutopilotServerIdentity>("autopilot.Server") {
    $0.field("ID", \.id)
    $0.field("Name", \.name)
    $0.field("Address", \.address)
    $0.field("NodeStatus", \.nodeStatus)
    $0.field("Version", \.version)
    $0.field("Meta", \.meta)
    $0.field("RaftVersion", \.raftVersion)
    $0.field("IsLeader", \.isLeader)
    $0.field("NodeType", \.nodeType)
  }
}

public struct AutopilotServerStats: Record {
  public var lastContact = GoDuration.zero
  public var lastTerm: UInt64 = 0
  public var lastIndex: UInt64 = 0

  public init() {}

  public static let schema = Schema<AutopilotServerStats>("autopilot.ServerStats") {
    $0.field("LastContact", \.lastContact)
    $0.field("LastTerm", \.lastTerm)
    $0.field("LastIndex", \.lastIndex)
  }
}

public struct AutopilotServerVerdict: Record {
  public var isHealthy = false
  /// Since when it is what it is.
  public var stableSince = Timestamp()

  public init() {}

  public static let schema = Schema<AutopilotServerVerdict>("autopilot.ServerHealth") {
    $0.field("Healthy", \.isHealthy)
    $0.field("StableSince", \.stableSince)
  }
}
