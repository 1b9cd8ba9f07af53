/// Everything an operator can say about DNS: `dns_config`, `domain`, `alt_domain`, `recursors` and what answers need to
/// know of the agent. Defaults are those of the configuration reference.
public struct DNSSettings: Sendable, Equatable {
  /// The agent's own name, for queries "near" it.
  public var nodeName = ""
  /// The agent's datacenter: the one meant by names without one.
  public var datacenter = "dc1"

  /// The zone answered for, with or without closing dot.
  public var domain = "consul"
  /// A second name of the zone; answers use the one that was asked for.
  public var alternativeDomain: String?

  /// Upstream servers for all other names: `address`, `address:port` or `[address]:port`; port 53 unless stated.
  public var recursors: [String] = []
  public var recursorStrategy = RecursorStrategy.sequential
  /// How long one upstream server may take.
  public var recursorTimeout = Duration.seconds(2)

  /// Whether any server may answer, or only the leader.
  public var allowStale = true
  /// How far behind the leader the answering server may be; beyond, the leader is asked.
  public var maxStale = Duration.seconds(87_600 * 3600)
  /// Whether a client agent answers from its cache.
  public var useCache = false
  /// Age beyond which the cache asks the servers anew; zero: never.
  public var cacheMaxAge = Duration.zero

  /// How long clients may remember what they learned of a node. Fractions of a second are dropped.
  public var nodeTTL = Duration.zero
  /// The same for services, by name. `web` beats `w*` beats `*`; names without an entry are not remembered.
  public var serviceTTL: [String: Duration] = [:]
  public var authority = Authority()

  /// Leave out instances with warnings, too, not only critical ones. Prepared queries decide that for themselves.
  public var onlyPassing = false
  /// Set the TC bit when something had to be left out, so that clients ask again over TCP.
  public var enableTruncate = false
  /// Most records in a UDP answer to a client without EDNS; beyond 8 it has no effect.
  public var udpAnswerLimit = 3
  /// Most addresses in an answer to A, AAAA or ANY for a service, on UDP and TCP; 0: all. Does not limit SRV.
  public var aRecordLimit = 0
  public var disableCompression = false
  /// Add the metadata of nodes as TXT records beside the answer. Answers to TXT and ANY hold them anyway.
  public var enableAdditionalNodeMetaTXT = true
  /// Use WAN addresses for nodes and services of other datacenters.
  public var translateWANAddresses = false

  public init() {}

  /// In which order recursors are asked.
  public enum RecursorStrategy: String, Sendable, CaseIterable {
    case sequential, random
  }

  /// The numbers of the SOA record, in seconds.
  public struct Authority: Sendable, Equatable {
    public var refresh: UInt32 = 3600
    public var retry: UInt32 = 600
    public var expire: UInt32 = 86400
    /// Also how long clients may remember that a name does not exist.
    public var minimumTTL: UInt32 = 0

    public init() {}
  }
}

/// What is wrong with settings or could not be started.
public enum DNSServerError: Error, Equatable, CustomStringConvertible {
  /// A domain that is no DNS name.
  case invalidDomain(String)
  /// A recursor that is no address, or has no valid port.
  case invalidRecursor(String)
  /// An address to listen on that is no IP address.
  case invalidListenAddress(String)
  /// The operating system refused an address; the text is its reason.
  case bind(address: String, network: String, reason: String)

  public var description: String {
    switch self {
    case .invalidDomain(let text): "invalid DNS domain \(text)"
    case .invalidRecursor(let text): "invalid recursor address \(text)"
    case .invalidListenAddress(let text): "invalid DNS listen address \(text)"
    case .bind(let address, let network, let reason): "failed to start \(network) DNS server on \(address): \(reason)"
    }
  }
}
