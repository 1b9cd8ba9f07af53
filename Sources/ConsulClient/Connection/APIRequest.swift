import Model

/// One request to the HTTP API, before it is tied to an agent's address.
public struct APIRequest: Sendable {
  public var method: String
  /// From `/v1` on, not percent-encoded.
  public var path: String
  public var query: [(name: String, value: String)] = []
  public var headers: [(name: String, value: String)] = []
  public var body: [UInt8]?
  /// Instead of the client's own token.
  public var token: String?
  /// How long the answer may take; nil for as long as it takes.
  public var timeout: Duration?

  public init(_ method: String, _ path: String, body: [UInt8]? = nil) {
    self.method = method
    self.path = path
    self.body = body
  }

  /// A request with options, and with more parameters (those that are nil or empty are left out).
  public init(
    _ method: String, _ path: String, _ options: QueryOptions, _ parameters: KeyValuePairs<String, String?> = [:],
    body: [UInt8]? = nil
  ) {
    self.init(method, path, body: body)
    for (name, value) in parameters {
      if let value, !value.isEmpty { query.append((name, value)) }
    }
    apply(options)
  }

  /// Adds a parameter, even an empty one.
  public mutating func add(_ name: String, _ value: String = "") {
    query.append((name, value))
  }

  private mutating func apply(_ options: QueryOptions) {
    func addIfSet(_ name: String, _ value: String?) {
      if let value, !value.isEmpty { query.append((name, value)) }
    }
    addIfSet("dc", options.datacenter)
    addIfSet("ns", options.namespace)
    addIfSet("partition", options.partition)
    addIfSet("near", options.near)
    addIfSet("filter", options.filter)
    for (key, value) in options.nodeMeta.sorted(by: { $0.key < $1.key }) { add("node-meta", "\(key):\(value)") }
    if options.allowStale { add("stale") }
    if options.requireConsistent { add("consistent") }
    if options.useCache { add("cached") }
    if options.waitIndex > 0 { add("index", String(options.waitIndex)) }
    addIfSet("hash", options.waitHash)
    if let wait = options.waitTime {
      add("wait", "\(wait.wholeMilliseconds)ms")
      // The agent adds up to a sixteenth of the time, so that many clients do not come back at once.
      if options.waitIndex > 0 || options.waitHash != nil { timeout = wait + wait / 16 + .seconds(30) }
    }
    token = options.token
  }
}

/// How a query is answered, and by whom.
public struct QueryOptions: Sendable, Equatable {
  public var datacenter: String?
  public var namespace: String?
  public var partition: String?
  /// Any server may answer, not only the leader.
  public var allowStale = false
  /// The leader makes sure that it still leads before it answers.
  public var requireConsistent = false
  /// The agent may answer from its cache, where the endpoint has one.
  public var useCache = false
  /// Answer only when the state is newer than this index; 0 for at once.
  public var waitIndex: UInt64 = 0
  /// For what agents know themselves: answer only when the content has another hash than this.
  public var waitHash: String?
  /// How long the agent may wait for that.
  public var waitTime: Duration?
  /// Instead of the client's own token.
  public var token: String?
  /// Sort by distance to this node, or to the agent for `_agent`.
  public var near: String?
  /// Only nodes with these metadata.
  public var nodeMeta: [String: String] = [:]
  /// An expression of the filter language.
  public var filter: String?

  public init() {}
}

/// An answer of the HTTP API.
public struct APIResponse: Sendable {
  public var status: Int
  public var headers: [(name: String, value: String)]
  public var body: [UInt8]

  public init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  public var text: String { String(decoding: body, as: UTF8.self) }

  /// The first header of that name, in whatever case.
  public func header(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }

  /// - Throws: `ClientError.malformedResponse`
  public func json() throws(ClientError) -> Dynamic {
    do {
      return try Dynamic(json: body)
    } catch {
      throw .malformedResponse(error.description)
    }
  }

  /// How current the answer is.
  public var metadata: QueryMetadata {
    QueryMetadata(
      index: header("X-Consul-Index").flatMap { UInt64($0) } ?? 0,
      lastContact: .milliseconds(header("X-Consul-LastContact").flatMap { Int64($0) } ?? 0),
      knownLeader: header("X-Consul-KnownLeader") == "true",
      cacheHit: header("X-Cache") == "HIT", contentHash: header("X-Consul-ContentHash"))
  }
}

/// What an agent says about the state that its answer shows.
public struct QueryMetadata: Sendable, Equatable {
  /// To be given as `waitIndex` of the next query; 0 if the endpoint cannot be waited for.
  public var index: UInt64
  /// How long ago the answering server last heard from the leader.
  public var lastContact: Duration
  public var knownLeader: Bool
  public var cacheHit: Bool
  /// To be given as `waitHash` of the next query; nil if the endpoint has none.
  public var contentHash: String?
}

/// A value together with how current it is.
public struct Answer<Value: Sendable>: Sendable {
  public var value: Value
  public var metadata: QueryMetadata
}

extension Duration {
  /// Rounded down, at least 0.
  package var wholeMilliseconds: Int64 {
    let (seconds, attoseconds) = components
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
    return overflow ? .max : max(0, product &+ attoseconds / 1_000_000_000_000_000)
  }
}
