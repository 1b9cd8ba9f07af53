import Model
import NIOCore
import Server

/// What the API needs of the agent as a whole: who it is, who else is there, and its life. The composition root gives it.
public protocol AgentControl: Sendable {
  var nodeName: String { get }
  var isServer: Bool { get }
  var version: AgentVersion { get }
  /// The servers' coordinates between datacenters.
  func datacenterMaps(on loop: any EventLoop) -> EventLoopFuture<[DatacenterMap]>
  /// All known datacenters, nearest first.
  func datacenters(on loop: any EventLoop) -> EventLoopFuture<[String]>
  /// RPC address of the leader of a datacenter, "" where none is known.
  func leaderAddress(in datacenter: String, on loop: any EventLoop) -> EventLoopFuture<String>
  /// RPC addresses of the servers of consensus of a datacenter.
  func peerAddresses(in datacenter: String, on loop: any EventLoop) -> EventLoopFuture<[String]>

  /// The servers of the consensus configuration, as their leader knows them, or with a stale read the server that is asked.
  func raftServers(_ options: QueryOptions, on loop: any EventLoop) -> EventLoopFuture<[RaftPeer]>

  /// The health of the servers, as their leader sees it.
  func autopilotState(_ options: QueryOptions, on loop: any EventLoop) -> EventLoopFuture<AutopilotState>
  /// Takes a server out of consensus, by its id or its address.
  func removePeer(_ request: RaftRemovePeerRequest, on loop: any EventLoop) -> EventLoopFuture<Void>
  /// Hands leadership over to a server, or with "" to the one that is furthest along.
  func transferLeadership(to id: String, token: String, on loop: any EventLoop) -> EventLoopFuture<Void>

  /// How far a datacenter's access control has followed the primary, as its leader tells it.
  func replicationStatus(_ options: QueryOptions, on loop: any EventLoop) -> EventLoopFuture<ACLReplicationStatus>
  /// What the token of a request may do in another datacenter.
  func authorize(
    _ questions: [ACLAuthorizationRequest], _ options: QueryOptions, on loop: any EventLoop
  ) -> EventLoopFuture<[ACLAuthorizationResponse]>

  /// Shows or changes the keys of gossip, of this datacenter's pool alone or with all other pools.
  func keyring(_ request: KeyringRequest, on loop: any EventLoop) -> EventLoopFuture<[KeyringResponse]>
  /// Has a server of another datacenter send a user event there, which is given as it travels in gossip.
  func fireEvent(
    _ name: String, payload: [UInt8], datacenter: String, token: String, on loop: any EventLoop
  ) -> EventLoopFuture<Void>

  /// The members of the LAN or WAN that this agent knows; nil where it takes no part in one.
  func members(wan: Bool) -> [AgentMember]?
  /// `Config`, `DebugConfig`, `Coord`, `Member`, `Stats`, `Meta` and `xDS`, as `/v1/agent/self` shows them.
  func describe(_ writer: inout JSONWriter)
  /// What the machine is: CPU, memory, disk, operating system.
  func describeHost(_ writer: inout JSONWriter)
  /// The metrics of the last completed interval.
  func describeMetrics(_ writer: inout JSONWriter)
  /// Hands the metrics of each interval, as JSON on one line, to `receive` when it is complete, on any thread, until the
  /// result is cancelled.
  func streamMetrics(_ receive: @escaping @Sendable (String) -> Void) -> any LogSubscription
  /// The same for Prometheus; nil when the configuration keeps none for it.
  var prometheusMetrics: String? { get }

  /// Joins the cluster of `address`.
  func join(_ address: String, wan: Bool, on loop: any EventLoop) -> EventLoopFuture<Void>
  /// Marks a failed member as gone, with `prune` for good.
  func forceLeave(_ node: String, wan: Bool, prune: Bool, on loop: any EventLoop) -> EventLoopFuture<Void>
  /// Leaves the cluster; the agent ends after the answer was sent.
  func leave(on loop: any EventLoop) -> EventLoopFuture<Void>
  /// Reads the configuration again.
  func reload(on loop: any EventLoop) -> EventLoopFuture<Void>
  /// Sets one of the agent's own tokens, by its name in the API.
  func setToken(_ kind: AgentTokenKind, _ token: String, on loop: any EventLoop) -> EventLoopFuture<Void>
  /// Hands log lines of at least that level to `receive`, on any thread, until the result is cancelled.
  func monitor(level: String, json: Bool, _ receive: @escaping @Sendable (String) -> Void) -> any LogSubscription
}

/// Log lines on their way to a client.
public protocol LogSubscription: Sendable {
  func cancel()
}

public enum AgentTokenKind: String, Sendable, CaseIterable {
  case user = "default"
  case agent
  case recovery = "agent_recovery"
  case replication
  case configFileRegistration = "config_file_service_registration"
  case dns

  /// By the names of the API, old ones included.
  public init?(path: String) {
    switch path {
    case "default", "acl_token": self = .user
    case "agent", "acl_agent_token": self = .agent
    case "agent_recovery", "agent_master", "acl_agent_master_token": self = .recovery
    case "replication", "acl_replication_token": self = .replication
    case "config_file_service_registration": self = .configFileRegistration
    case "dns": self = .dns
    default: return nil
    }
  }
}

/// Which build runs.
public struct AgentVersion: Record {
  public var sha = ""
  /// RFC 3339.
  public var buildDate = ""
  public var human = ""
  public var fips = ""

  public init() {}

  public static let schema = Schema<AgentVersion>("agent.Version") {
    $0.field("SHA", \.sha)
    $0.field("BuildDate", \.buildDate)
    $0.field("HumanVersion", \.human)
    $0.field("FIPS", \.fips)
  }
}

/// A server as consensus knows it.
public struct RaftPeer: Record {
  public var id = ""
  /// The name of its node.
  public var node = ""
  /// `ip:port`
  public var address = ""
  public var isLeader = false
  public var protocolVersion = "3"
  public var isVoter = true
  /// The last entry of its log, as far as this agent knows.
  public var lastIndex: UInt64 = 0

  public init() {}

  public static let schema = Schema<RaftPeer>("structs.RaftServer") {
    $0.field("ID", \.id)
    $0.field("Node", \.node)
    $0.field("Address", \.address)
    $0.field("Leader", \.isLeader)
    $0.field("ProtocolVersion", \.protocolVersion)
    $0.field("Voter", \.isVoter)
    $0.field("LastIndex", \.lastIndex)
  }
}

/// A member of the cluster as gossip knows it.
public struct AgentMember: Record {
  public var name = ""
  /// An IP address.
  public var address = ""
  public var port = 0
  public var tags = StringMap()
  /// 0 none, 1 alive, 2 leaving, 3 left, 4 failed.
  public var status = 0
  public var protocolMin = 0
  public var protocolMax = 0
  public var protocolCurrent = 0
  public var delegateMin = 0
  public var delegateMax = 0
  public var delegateCurrent = 0

  public init() {}

  public static let schema = Schema<AgentMember>("serf.Member") {
    $0.field("Name", \.name)
    $0.field("Addr", \.address)
    $0.field("Port", \.port)
    $0.field("Tags", \.tags)
    $0.field("Status", \.status)
    $0.field("ProtocolMin", \.protocolMin)
    $0.field("ProtocolMax", \.protocolMax)
    $0.field("ProtocolCur", \.protocolCurrent)
    $0.field("DelegateMin", \.delegateMin)
    $0.field("DelegateMax", \.delegateMax)
    $0.field("DelegateCur", \.delegateCurrent)
  }
}
