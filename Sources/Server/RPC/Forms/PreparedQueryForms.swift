import Model
import State

// How prepared queries travel.

extension QuerySource {
  init(_ source: RPCQuerySource) {
    self.init(datacenter: source.datacenter, segment: source.segment, node: source.near, ip: source.ip)
  }

  var record: RPCQuerySource {
    var record = RPCQuerySource()
    record.datacenter = datacenter
    record.segment = segment
    record.node = node
    record.ip = ip
    return record
  }
}

extension PreparedQueryList {
  public var request: DCSpecificRequest { DCSpecificRequest() }
  public init(request: DCSpecificRequest) { self.init() }

  public static func response(_ reply: [Row<PreparedQuery>]) -> IndexedPreparedQueries {
    var response = IndexedPreparedQueries()
    response.queries = reply
    return response
  }

  public static func reply(_ response: IndexedPreparedQueries) -> [Row<PreparedQuery>] { response.queries }
}

extension PreparedQueryGet {
  public var request: PreparedQuerySpecificRequest {
    var request = PreparedQuerySpecificRequest()
    request.queryID = id
    return request
  }

  public init(request: PreparedQuerySpecificRequest) throws(ServerError) {
    if let problem = PreparedQueryRules.problem(ofID: request.queryID) { throw .invalid(problem) }
    self.init(id: request.queryID)
  }

  public static func response(_ reply: Row<PreparedQuery>?) throws(ServerError) -> IndexedPreparedQueries {
    guard let reply else { throw .invalid(PreparedQueryError.notFound.description) }
    var response = IndexedPreparedQueries()
    response.queries = [reply]
    return response
  }

  public static func reply(_ response: IndexedPreparedQueries) -> Row<PreparedQuery>? { response.queries.first }
  public static func reply(error: String) -> Row<PreparedQuery>?? {
    error.hasSuffix(PreparedQueryError.notFound.description) ? .some(nil) : nil
  }
}

extension PreparedQueryExplain {
  public var request: PreparedQueryExecuteRequest {
    var request = PreparedQueryExecuteRequest()
    request.queryIDOrName = idOrName
    request.agent = agent.record
    return request
  }

  public init(request: PreparedQueryExecuteRequest) {
    self.init(request.queryIDOrName, agent: QuerySource(request.agent))
  }

  public static func response(
    _ reply: Result<PreparedQuery, PreparedQueryError>
  ) throws(ServerError) -> PreparedQueryExplainResponse {
    var response = PreparedQueryExplainResponse()
    response.query = try reply.orServerError()
    return response
  }

  public static func reply(_ response: PreparedQueryExplainResponse) -> Result<PreparedQuery, PreparedQueryError> {
    .success(response.query)
  }

  public static func reply(error: String) -> Result<PreparedQuery, PreparedQueryError>? {
    PreparedQueryError(remote: error).map { .failure($0) }
  }
}

extension PreparedQueryExecute {
  public var request: PreparedQueryExecuteRequest {
    var request = PreparedQueryExecuteRequest()
    request.queryIDOrName = idOrName
    request.limit = limit
    request.connect = connect
    request.agent = agent.record
    request.source = source.record
    request.datacenter = datacenter
    return request
  }

  public init(request: PreparedQueryExecuteRequest) {
    self.init(
      request.queryIDOrName, agent: QuerySource(request.agent), source: QuerySource(request.source),
      datacenter: request.datacenter)
    limit = request.limit
    connect = request.connect
  }

  public static func response(
    _ reply: Result<PreparedQueryResult, PreparedQueryError>
  ) throws(ServerError) -> PreparedQueryExecuteResponse {
    PreparedQueryExecuteResponse(try reply.orServerError())
  }

  public static func reply(
    _ response: PreparedQueryExecuteResponse
  ) -> Result<PreparedQueryResult, PreparedQueryError> {
    .success(response.result)
  }

  public static func reply(error: String) -> Result<PreparedQueryResult, PreparedQueryError>? {
    PreparedQueryError(remote: error).map { .failure($0) }
  }
}

extension PreparedQueryExecuteRemote {
  public var request: PreparedQueryExecuteRemoteRequest {
    var request = PreparedQueryExecuteRemoteRequest()
    request.query = query
    request.limit = limit
    request.connect = connect
    request.datacenter = datacenter
    return request
  }

  public init(request: PreparedQueryExecuteRemoteRequest) {
    self.init(request.query, limit: request.limit, connect: request.connect, datacenter: request.datacenter)
  }

  public static func response(_ reply: PreparedQueryResult) -> PreparedQueryExecuteResponse {
    PreparedQueryExecuteResponse(reply)
  }

  public static func reply(_ response: PreparedQueryExecuteResponse) -> PreparedQueryResult { response.result }
}

extension PreparedQueryExecuteResponse {
  init(_ result: PreparedQueryResult) {
    service = result.query.service.service
    nodes = result.instances.map { CheckServiceNode($0) }
    dns = result.query.dns
    datacenter = result.datacenter
    peerName = result.peer
    failovers = result.failovers
  }

  /// What was found. Of the query only the parts that a reader is shown came along.
  var result: PreparedQueryResult {
    var query = PreparedQuery()
    query.service.service = service
    query.dns = dns
    var result = PreparedQueryResult(query: query)
    result.instances = nodes.compactMap(\.instance)
    result.datacenter = datacenter
    result.peer = peerName
    result.failovers = failovers
    return result
  }
}

extension PreparedQueryApply {
  public var request: PreparedQueryRequest { PreparedQueryRequest(op: op, query: query) }

  public init(request: PreparedQueryRequest) throws(ServerError) {
    guard let op = PreparedQueryOp(rawValue: request.op) else {
      throw .invalid("Unknown prepared query operation: \(request.op)")
    }
    self.init(op, request.query)
  }

  public func response(_ reply: String) -> String { reply }
  public func reply(_ response: String) -> String { response }
}

extension Result where Failure == PreparedQueryError {
  fileprivate func orServerError() throws(ServerError) -> Success {
    switch self {
    case .success(let value): return value
    case .failure(let error): throw .invalid(error.description)
    }
  }
}

extension PreparedQueryError {
  /// The error that another server told of; nil for others.
  fileprivate init?(remote text: String) {
    guard text.hasSuffix(PreparedQueryError.notFound.description) else { return nil }
    self = .notFound
  }
}
