import Model

/// Asks for a prepared query by its id.
public struct PreparedQuerySpecificRequest: RPCReadRequest {
  public var datacenter = ""
  public var queryID = ""
  public var options = RPCQueryOptions()

  public init() {}

  public static let schema = Schema<PreparedQuerySpecificRequest>("structs.PreparedQuerySpecificRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("QueryID", \.queryID)
    $0.embed(\.options)
  }
}

/// Carries a prepared query out, or explains it.
public struct PreparedQueryExecuteRequest: RPCReadRequest {
  public var datacenter = ""
  public var queryIDOrName = ""
  public var limit = 0
  public var connect = false
  public var source = RPCQuerySource()
  /// The agent that the request came to.
  public var agent = RPCQuerySource()
  public var options = RPCQueryOptions()

  public init() {}

  public static let schema = Schema<PreparedQueryExecuteRequest>("structs.PreparedQueryExecuteRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("QueryIDOrName", \.queryIDOrName)
    $0.field("Limit", \.limit)
    $0.field("Connect", \.connect)
    $0.field("Source", \.source)
    $0.field("Agent", \.agent)
    $0.embed(\.options)
  }
}

/// Carries a query out that another datacenter resolved.
public struct PreparedQueryExecuteRemoteRequest: RPCReadRequest {
  public var datacenter = ""
  public var query = PreparedQuery()
  public var limit = 0
  public var connect = false
  public var options = RPCQueryOptions()

  public init() {}

  public static let schema = Schema<PreparedQueryExecuteRemoteRequest>("structs.PreparedQueryExecuteRemoteRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("Query", \.query)
    $0.field("Limit", \.limit)
    $0.field("Connect", \.connect)
    $0.embed(\.options)
  }
}

/// Prepared queries.
public struct IndexedPreparedQueries: RPCReply {
  public var queries: [Row<PreparedQuery>] = []
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<IndexedPreparedQueries>("structs.IndexedPreparedQueries") {
    $0.field("Queries", \.queries)
    $0.embed(\.meta)
  }
}

/// What a name comes to.
public struct PreparedQueryExplainResponse: RPCReply {
  public var query = PreparedQuery()
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<PreparedQueryExplainResponse>("structs.PreparedQueryExplainResponse") {
    $0.field("Query", \.query)
    $0.embed(\.meta)
  }
}

/// What a prepared query found.
public struct PreparedQueryExecuteResponse: RPCReply {
  public var service = ""
  public var nodes: [CheckServiceNode] = []
  public var dns = QueryDNSOptions()
  public var datacenter = ""
  public var peerName = ""
  public var failovers = 0
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<PreparedQueryExecuteResponse>("structs.PreparedQueryExecuteResponse") {
    $0.field("Service", \.service)
    $0.field("Nodes", \.nodes)
    $0.field("DNS", \.dns)
    $0.field("Datacenter", \.datacenter)
    $0.field("PeerName", \.peerName)
    $0.field("Failovers", \.failovers)
    $0.embed(\.meta)
  }
}
