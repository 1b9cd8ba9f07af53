import Model

/// How one node takes part in one pool. The defaults are those of the reference for a local network.
public struct GossipSettings: Sendable {
  // MARK: Identity

  /// Unique in the pool.
  public var name: String
  /// What others are told to reach this node at.
  public var advertised: NodeAddress
  public var tags: [String: String] = [:]
  public var versions = ProtocolVersions.own
  /// Empty: none. Nodes of other labels are not heard.
  public var label = ""

  // MARK: Failure detection (SWIM, Lifeguard)

  /// Pause between probes; each goes to the next member of a shuffled list.
  public var probeInterval = GoDuration.seconds(1)
  /// How long a direct answer may take before others are asked to probe. Should be the 99th percentile of the network.
  public var probeTimeout = GoDuration.milliseconds(500)
  /// How many others probe for us.
  public var indirectChecks = 3
  /// Stretches the time for which a silent node is only suspected, in probe intervals (× log10 of the number of nodes).
  public var suspicionMultiplier = 4
  /// How many times longer a suspicion lasts that nobody confirms.
  public var suspicionMaximumMultiplier = 6
  /// The health score stays below this; it multiplies the probe interval of a node that misses answers itself.
  public var awarenessMaximum = 8
  /// Off: unanswered probes are not repeated over TCP.
  public var usesStreamPings = true
  /// After this time a node may take over the name of a failed one with another address. 0: never.
  public var deadNodeReclaimTime = GoDuration.zero

  // MARK: Dissemination

  public var gossipInterval = GoDuration.milliseconds(200)
  /// How many others each gossip round goes to.
  public var gossipNodes = 3
  /// For how long nodes that died are still told the news, so that they can object.
  public var gossipToTheDeadTime = GoDuration.seconds(30)
  /// Stretches the number of times that a message is repeated (× log10 of the number of nodes).
  public var retransmitMultiplier = 4
  /// Pause between exchanges of the whole state with a random node. 0: none.
  public var pushPullInterval = GoDuration.seconds(30)
  /// For connecting, and for each direction of an exchange.
  public var streamTimeout = GoDuration.seconds(10)
  public var compresses = true
  /// Bytes of a datagram that gossip fills.
  public var datagramBytes = 1400
  /// Nil: all.
  public var allowedNetworks: [IPNetwork]?

  // MARK: Encryption

  public var keyring = GossipKeyring()
  public var verifiesIncoming = true
  public var verifiesOutgoing = true

  // MARK: Members and events (Serf)

  /// How long to wait for messages of our own to be repeated often enough.
  public var broadcastTimeout = GoDuration.seconds(5)
  /// How long a leaving node stays, so that the news gets around.
  public var leavePropagateDelay = GoDuration.seconds(1)
  public var reapInterval = GoDuration.seconds(15)
  /// For how long the word of an unknown member is kept.
  public var recentIntentTimeout = GoDuration.minutes(5)
  public var reconnectInterval = GoDuration.seconds(30)
  /// Failed members are forgotten after this time.
  public var reconnectTimeout = GoDuration.hours(24)
  /// The tag whose value, a duration, replaces `reconnectTimeout` for the member that wears it. Empty: none.
  public var reconnectTimeoutTag = ""
  /// Members that left are forgotten after this time.
  public var tombstoneTimeout = GoDuration.hours(24)
  public var queueCheckInterval = GoDuration.seconds(30)
  /// Messages that each queue holds.
  public var queueDepthMaximum = 4096
  /// If above 0: at least this, and twice the number of members, instead of `queueDepthMaximum`.
  public var queueDepthMinimum = 0
  public var eventBufferCount = 512
  public var queryBufferCount = 512
  /// Gossip intervals (× log10 of the number of nodes) that a query lasts by default.
  public var queryTimeoutMultiplier = 16
  public var querySizeMaximum = 1024
  public var queryResponseSizeMaximum = 1024
  public var userEventSizeMaximum = 512
  /// Whether a node whose name another one claims asks the others who is right, and gives up if it is not.
  public var resolvesNameConflicts = true
  public var usesCoordinates = true
  /// Whether a node that left joins its old peers again when it returns.
  public var rejoinsAfterLeave = false

  /// For a network with round-trip times of milliseconds.
  public static func lan(name: String, advertised: NodeAddress) -> GossipSettings {
    GossipSettings(name: name, advertised: advertised)
  }

  /// For nodes in different datacenters.
  public static func wan(name: String, advertised: NodeAddress) -> GossipSettings {
    var settings = GossipSettings(name: name, advertised: advertised)
    settings.streamTimeout = .seconds(30)
    settings.suspicionMultiplier = 6
    settings.pushPullInterval = .seconds(60)
    settings.probeTimeout = .seconds(3)
    settings.probeInterval = .seconds(5)
    settings.gossipNodes = 4
    settings.gossipInterval = .milliseconds(500)
    settings.gossipToTheDeadTime = .seconds(60)
    return settings
  }

  /// For nodes on one machine.
  public static func local(name: String, advertised: NodeAddress) -> GossipSettings {
    var settings = GossipSettings(name: name, advertised: advertised)
    settings.streamTimeout = .seconds(1)
    settings.indirectChecks = 1
    settings.retransmitMultiplier = 2
    settings.suspicionMultiplier = 3
    settings.pushPullInterval = .seconds(15)
    settings.probeTimeout = .milliseconds(200)
    settings.gossipInterval = .milliseconds(100)
    settings.gossipToTheDeadTime = .seconds(15)
    return settings
  }

  /// For the agents of a datacenter.
  ///
  /// - Parameter isServer: Servers never give up their name.
  public static func agents(name: String, advertised: NodeAddress, isServer: Bool) -> GossipSettings {
    var settings = lan(name: name, advertised: advertised)
    settings.adaptToAgents()
    settings.resolvesNameConflicts = !isServer
    return settings
  }

  /// For the servers of all datacenters.
  public static func servers(name: String, advertised: NodeAddress) -> GossipSettings {
    var settings = wan(name: name, advertised: advertised)
    settings.adaptToAgents()
    settings.gossipNodes = 3
    settings.resolvesNameConflicts = false
    return settings
  }

  private mutating func adaptToAgents() {
    deadNodeReclaimTime = .seconds(30)
    reconnectTimeout = .hours(72)
    reconnectTimeoutTag = "rc_tm"
    leavePropagateDelay = .seconds(3)
    queueDepthMinimum = 4096
  }

  init(name: String, advertised: NodeAddress) {
    self.name = name
    self.advertised = advertised
  }
}
