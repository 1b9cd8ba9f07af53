import Model

/// What every read says of how it wants to be answered (wire/rpc.md, section 7.2).
public struct RPCQueryOptions: Record {
  public var token = ""
  /// An expression that the elements of the answer have to match.
  public var filter = ""
  /// Wait until the answer has a higher index.
  public var minIndex: UInt64 = 0
  /// How long to wait.
  public var maxTime = GoDuration.zero
  public var allowStale = false
  public var requireConsistent = false
  /// This and the next three are for the cache of agents; servers pass them over.
  public var useCache = false
  /// For the caller: an answer that is older is not taken.
  public var maxStale = GoDuration.zero
  public var maxAge = GoDuration.zero
  public var mustRevalidate = false
  public var staleIfError = GoDuration.zero
  public var allowNotModified = false

  public init() {}

  public static let schema = Schema<RPCQueryOptions>("structs.QueryOptions") {
    $0.field("Token", \.token)
    $0.field("Filter", \.filter)
    $0.field("MinQueryIndex", \.minIndex)
    $0.field("MaxQueryTime", \.maxTime)
    $0.field("AllowStale", \.allowStale)
    $0.field("RequireConsistent", \.requireConsistent)
    $0.field("UseCache", \.useCache)
    $0.field("MaxStaleDuration", \.maxStale)
    $0.field("MaxAge", \.maxAge)
    $0.field("MustRevalidate", \.mustRevalidate)
    $0.field("StaleIfError", \.staleIfError)
    $0.field("AllowNotModifiedResponse", \.allowNotModified)
  }
}

/// Where an answer comes from (wire/rpc.md, section 7.3).
public struct RPCQueryMeta: Record {
  public var index: UInt64 = 0
  /// Since the answering server heard of the leader.
  public var lastContact = GoDuration.zero
  public var knownLeader = false
  /// Never set by servers.
  public var consistencyLevel = ""
  public var notModified = false
  /// 0: a blocking query.
  public var backend = 0
  public var isFiltered = false

  public init() {}

  public static let schema = Schema<RPCQueryMeta>("structs.QueryMeta") {
    $0.field("Index", \.index)
    $0.field("LastContact", \.lastContact)
    $0.field("KnownLeader", \.knownLeader)
    $0.field("ConsistencyLevel", \.consistencyLevel)
    $0.field("NotModified", \.notModified)
    $0.field("Backend", \.backend)
    $0.field("ResultsFilteredByACLs", \.isFiltered)
  }
}

extension RPCQueryOptions {
  init(_ options: QueryOptions) {
    self.init()
    token = options.token
    minIndex = options.minIndex
    maxTime = options.maxTime
    maxStale = options.maxStale
    allowStale = options.consistency == .stale
    requireConsistent = options.consistency == .consistent
  }

  /// The same as the servers' own calls have it.
  func queryOptions(datacenter: String) -> QueryOptions {
    var options = QueryOptions()
    options.datacenter = datacenter
    options.token = token
    options.minIndex = minIndex
    options.maxTime = maxTime
    options.maxStale = maxStale
    options.consistency = requireConsistent ? .consistent : allowStale ? .stale : .leaseBased
    return options
  }
}

extension RPCQueryMeta {
  init<Reply>(_ answer: Answer<Reply>) {
    self.init()
    // Answers that nobody can wait for have no index.
    index = answer.index == .max ? 1 : answer.index
    lastContact = GoDuration(nanoseconds: Int64(clamping: answer.lastContactMilliseconds.multipliedClamping(1_000_000)))
    knownLeader = answer.knownLeader
    isFiltered = answer.isFiltered
  }
}

extension UInt64 {
  fileprivate func multipliedClamping(_ factor: UInt64) -> UInt64 {
    let (product, overflow) = multipliedReportingOverflow(by: factor)
    return overflow ? .max : product
  }
}

/// A request that reads.
public protocol RPCReadRequest: Record {
  /// "" is the datacenter of the server that is asked.
  var datacenter: String { get set }
  var options: RPCQueryOptions { get set }
}

/// A request that changes something.
public protocol RPCWriteRequest: Record {
  var datacenter: String { get set }
  var token: String { get set }
}

/// An answer that tells where it comes from.
public protocol RPCReply: Record {
  var meta: RPCQueryMeta { get set }
  /// Leaves only the elements that match.
  mutating func filter(_ expression: String) throws(FilterError)
}

extension RPCReply {
  public mutating func filter(_ expression: String) throws(FilterError) {}
}

extension Array {
  /// Leaves only the elements that match.
  mutating func filter<Root: Filterable>(
    _ expression: String, _ root: (Element) -> Root
  ) throws(FilterError) {
    let filter = try Filter<Root>(expression)
    removeAll { !filter.matches(root($0)) }
  }
}

/// What is sent where there is nothing to say: an empty map.
public struct RPCEmpty: Record {
  public init() {}
  public static let schema = Schema<RPCEmpty>("struct{}") { _ in }
}
