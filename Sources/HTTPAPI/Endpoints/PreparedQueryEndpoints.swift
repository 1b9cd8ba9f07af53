import AccessControl
import Model
import NIOCore
import Server
import State

/// `/v1/query`: prepared queries.
extension Endpoints {
  static let preparedQueries: [Endpoint] = [
    Endpoint(
      "/v1/query", [.metaOnFailure, .consistency], Route(.get, .servers, PreparedQueries.list),
      Route(.post, .servers, PreparedQueries.create)),
    Endpoint(
      "/v1/query/", [.metaOnFailure, .consistency], Route(.get, .servers, PreparedQueries.get),
      Route(.post, .servers, isOffered: false, PreparedQueries.refuse), Route(.put, .servers, PreparedQueries.update),
      Route(.delete, .servers, PreparedQueries.delete),
      Route(.options, .open, isOffered: false, PreparedQueries.options)),
  ]
}

enum PreparedQueries {
  /// What a path below `/v1/query/` is about.
  private enum Target {
    case definition(id: String)
    case execution(idOrName: String)
    case explanation(idOrName: String)

    init(_ suffix: String) {
      if suffix.hasSuffix("/execute") {
        self = .execution(idOrName: String(suffix.dropLast("/execute".count)))
      } else if suffix.hasSuffix("/explain") {
        self = .explanation(idOrName: String(suffix.dropLast("/explain".count)))
      } else {
        self = .definition(id: suffix)
      }
    }

    var allowed: String {
      if case .definition = self { "GET,PUT,DELETE" } else { "GET" }
    }
  }

  static func refuse(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    exchange.asksServers()
    var head = ResponseHead(.methodNotAllowed, .text)
    head.headers = [("Allow", Target(request.suffix).allowed)]
    exchange.text(head, "method \(request.method.name) not allowed")
  }

  static func options(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    var head = ResponseHead()
    head.headers = [("Allow", "OPTIONS," + Target(request.suffix).allowed)]
    exchange.json(head) { writer in
      writer.beginObject()
      writer.endObject()
    }
  }

  // MARK: definitions

  static func list(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    exchange.read(PreparedQueryList(), options) { answer in
      exchange.json(exchange.head(answer, options)) { $0.array(answer.value) { $1.value.encodeJSON(&$0) } }
    }
  }

  static func get(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    switch Target(request.suffix) {
    case .execution(let idOrName): try execute(idOrName, request, exchange)
    case .explanation(let idOrName): try explain(idOrName, request, exchange)
    case .definition(let id):
      let options = try request.readOptions(exchange)
      if let problem = PreparedQueryRules.problem(ofID: id) { return exchange.failRead(HTTPError.server(problem)) }
      exchange.read(PreparedQueryGet(id: id), options) { answer in
        guard let query = answer.value?.value else { return exchange.failRead(HTTPError(PreparedQueryError.notFound)) }
        exchange.json(exchange.head(answer, options)) { $0.array(CollectionOfOne(query)) { $1.encodeJSON(&$0) } }
      }
    }
  }

  static func create(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let query = try request.decode(PreparedQuery.self)
    apply(.create, query, request.datacenter, exchange) { id in
      exchange.json { writer in
        writer.beginObject()
        writer.member("ID")
        writer.string(id)
        writer.endObject()
      }
    }
  }

  static func update(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    guard case .definition(let id) = Target(request.suffix) else { return try refuse(api, &request, exchange) }
    var query = PreparedQuery()
    if request.body.readableBytes > 0 { query = try request.decode(PreparedQuery.self) }
    query.id = id
    apply(.update, query, request.datacenter, exchange) { _ in exchange.empty() }
  }

  static func delete(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    guard case .definition(let id) = Target(request.suffix) else { return try refuse(api, &request, exchange) }
    var query = PreparedQuery()
    query.id = id
    apply(.delete, query, request.datacenter, exchange) { _ in exchange.empty() }
  }

  private static func apply(
    _ op: PreparedQueryOp, _ query: PreparedQuery, _ datacenter: String, _ exchange: Exchange,
    _ done: @escaping @Sendable (String) -> Void
  ) {
    exchange.write(PreparedQueryApply(op, query), datacenter: datacenter, done)
  }

  // MARK: execution

  private static func explain(
    _ idOrName: String, _ request: borrowing Request, _ exchange: Exchange
  ) throws(HTTPError) {
    var options = try request.readOptions(exchange)
    options.minIndex = 0
    let read = options
    exchange.read(PreparedQueryExplain(idOrName, agent: agent(exchange)), read) { answer in
      switch answer.value {
      case .failure(let error): exchange.failRead(HTTPError(error))
      case .success(let query):
        let meta = PreparedQueryMeta(answer, read, exchange)
        exchange.json(exchange.head(meta: meta.head)) { writer in
          writer.beginObject()
          writer.member("Query")
          query.encodeJSON(&writer)
          meta.encodeMembers(&writer)
          writer.endObject()
        }
      }
    }
  }

  private static func execute(
    _ idOrName: String, _ request: borrowing Request, _ exchange: Exchange
  ) throws(HTTPError) {
    var options = try request.readOptions(exchange)
    options.minIndex = 0
    let read = options
    let api = exchange.api
    let own = api.backend.datacenter
    var source = QuerySource(datacenter: own, ip: request.sourceAddress)
    source.node = request.query["near"] ?? ""
    var query = PreparedQueryExecute(
      idOrName, agent: agent(exchange), source: source, datacenter: read.datacenter.isEmpty ? own : read.datacenter)
    query.limit = try limit(request)
    query.connect = try connect(request)
    let wanted = query
    let send: @Sendable (Answer<PreparedQueryOutcome>) -> Void = { answer in
      switch answer.value {
      case .failure(let error): exchange.failRead(HTTPError(error))
      case .success(let found):
        let meta = PreparedQueryMeta(answer, read, exchange)
        exchange.json(exchange.head(meta: meta.head)) { found.encodeJSON(&$0, meta) }
      }
    }
    exchange.asksServers()
    guard read.cache != nil else {
      return api.backend.execute(wanted, read, on: exchange.loop) { result in
        switch result {
        case .failure(let error): exchange.failRead(error)
        case .success(let answer): send(answer)
        }
      }
    }
    // What failed is not worth remembering.
    api.cache.read(ExecutionQuestion(wanted), read, on: exchange.loop, keeps: { (try? $0.get()) != nil }) {
      _, loop, answer in
      api.backend.execute(wanted, read, on: loop, answer)
      return nil
    } completion: {
      exchange.takeCached($0, send)
    }
  }

  private typealias PreparedQueryOutcome = Result<PreparedQueryResult, PreparedQueryError>

  /// What makes two executions equal.
  private struct ExecutionQuestion: Hashable, Sendable {
    let idOrName: String
    let limit: Int
    let connect: Bool
    let source: QuerySource
    let datacenter: String

    init(_ query: PreparedQueryExecute) {
      idOrName = query.idOrName
      limit = query.limit
      connect = query.connect
      source = query.source
      datacenter = query.datacenter
    }
  }

  private static func agent(_ exchange: Exchange) -> QuerySource {
    QuerySource(datacenter: exchange.api.backend.datacenter, node: exchange.api.control.nodeName)
  }

  private static func limit(_ request: borrowing Request) throws(HTTPError) -> Int {
    guard let text = request.query["limit"], !text.isEmpty else { return 0 }
    guard let limit = Int(text) else {
      throw .server("Bad limit: strconv.Atoi: parsing \(text.goQuoted): invalid syntax")
    }
    return limit
  }

  private static func connect(_ request: borrowing Request) throws(HTTPError) -> Bool {
    guard let text = request.query["connect"], !text.isEmpty else { return false }
    guard let value = GoBool(text) else {
      throw .server("Error parsing 'connect' value: strconv.ParseBool: parsing \(text.goQuoted): invalid syntax")
    }
    return value.isTrue
  }
}

extension HTTPError {
  init(_ error: PreparedQueryError) {
    switch error {
    case .notFound: self.init(.notFound, error.description)
    case .template: self.init(.internalServerError, error.description)
    }
  }
}
