import Model

/// Tells where a node lies.
public struct CoordinateUpdateRequest: RPCWriteRequest {
  public var datacenter = ""
  public var node = ""
  public var segment = ""
  public var coord: Coordinate?
  public var token = ""

  public init() {}

  public static let schema = Schema<CoordinateUpdateRequest>("structs.CoordinateUpdateRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("Node", \.node)
    $0.field("Segment", \.segment)
    $0.field("Coord", \.coord)
    $0.field("Token", \.token)
  }
}

/// Takes a server out of consensus.
public struct RaftRemovePeerRequest: RPCWriteRequest {
  public var datacenter = ""
  public var id = ""
  public var address = ""
  public var token = ""

  public init() {}

  public static let schema = Schema<RaftRemovePeerRequest>("structs.RaftRemovePeerRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("ID", \.id)
    $0.field("Address", \.address)
    $0.field("Token", \.token)
  }
}

/// A server as consensus knows it.
public struct RaftServerEntry: Record {
  public var id = ""
  public var node = ""
  public var address = ""
  public var isLeader = false
  public var protocolVersion = ""
  public var isVoter = false
  public var lastIndex: UInt64 = 0

  public init() {}

  public static let schema = Schema<RaftServerEntry>("structs.RaftServer") {
    $0.field("ID", \.id)
    $0.field("Node", \.node)
    $0.field("Address", \.address)
    $0.field("Leader", \.isLeader)
    $0.field("ProtocolVersion", \.protocolVersion)
    $0.field("Voter", \.isVoter)
    $0.field("LastIndex", \.lastIndex)
  }
}

/// The servers of consensus.
public struct RaftConfigurationResponse: Record {
  public var servers: [RaftServerEntry] = []
  public var index: UInt64 = 0

  public init() {}

  public static let schema = Schema<RaftConfigurationResponse>("structs.RaftConfigurationResponse") {
    $0.field("Servers", \.servers)
    $0.field("Index", \.index)
  }
}

/// How far a server's log is.
public struct RaftStats: Record {
  /// "0" on the leader, "never", or a duration.
  public var lastContact = ""
  public var lastTerm: UInt64 = 0
  public var lastIndex: UInt64 = 0

  public init() {}

  public static let schema = Schema<RaftStats>("structs.RaftStats") {
    $0.field("LastContact", \.lastContact)
    $0.field("LastTerm", \.lastTerm)
    $0.field("LastIndex", \.lastIndex)
  }
}

/// The health of a server.
public struct AutopilotServerHealth: Record {
  public var id = ""
  public var name = ""
  public var address = ""
  public var serfStatus = 0
  public var version = ""
  public var isLeader = false
  public var lastContact = GoDuration.zero
  public var lastTerm: UInt64 = 0
  public var lastIndex: UInt64 = 0
  public var isHealthy = false
  public var isVoter = false
  public var stableSince = Timestamp()

  public init() {}

  public static let schema = Schema<AutopilotServerHealth>("structs.AutopilotServerHealth") {
    $0.field("ID", \.id)
    $0.field("Name", \.name)
    $0.field("Address", \.address)
    $0.field("SerfStatus", \.serfStatus)
    $0.field("Version", \.version)
    $0.field("Leader", \.isLeader)
    $0.field("LastContact", \.lastContact)
    $0.field("LastTerm", \.lastTerm)
    $0.field("LastIndex", \.lastIndex)
    $0.field("Healthy", \.isHealthy)
    $0.field("Voter", \.isVoter)
    $0.field("StableSince", \.stableSince)
  }
}

/// The health of all servers.
public struct AutopilotHealthReply: Record {
  public var isHealthy = false
  public var failureTolerance = 0
  public var servers: [AutopilotServerHealth] = []

  public init() {}

  public static let schema = Schema<AutopilotHealthReply>("structs.AutopilotHealthReply") {
    $0.field("Healthy", \.isHealthy)
    $0.field("FailureTolerance", \.failureTolerance)
    $0.field("Servers", \.servers)
  }
}

extension RegisterRequest: RPCWriteRequest {}
extension DeregisterRequest: RPCWriteRequest {}
extension KVSRequest: RPCWriteRequest {}
extension SessionRequest: RPCWriteRequest {}
extension TxnRequest: RPCWriteRequest {}
extension PreparedQueryRequest: RPCWriteRequest {}
extension AutopilotSetConfigRequest: RPCWriteRequest {}
