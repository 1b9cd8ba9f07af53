import AccessControl
import Model
import NIOCore
import Server
import State

/// `/v1/query`: prepared queries.
extension Endpoints {
  static let preparedQueries: [Endpoint] = [
    Endpoint(
      "/v1/query", [.metaOnFailure, .consistency], Route(.get, .asks, PreparedQueries.list),
      Route(.post, .asks, PreparedQueries.create)),
    Endpoint(
      "/v1/query/", [.metaOnFailure, .consistency], Route(.get, .asks, PreparedQueries.get),
      Route(.post, .asks, isOffered: false, PreparedQueries.refuse), Route(.put, .asks, PreparedQueries.update),
      Route(.delete, .asks, PreparedQueries.delete), Route(.options, .open, isOffered: false, PreparedQueries.options)),
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
    _ = exchange.rights
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
    let rights = exchange.rights
    exchange.read(PreparedQueryList(), options) { answer in
      let visible = Visible(answer.value, rights) { query in
        // Those without a name are only found by those who may see everything, or know the id.
        [query.value.hasName ? .queryRead(query.value.name) : .aclWrite]
      }
      var head = exchange.head(answer, options)
      head.isFiltered = visible.isFiltered
      exchange.json(head) { $0.array(visible.elements) { $1.value.redacted(rights).encodeJSON(&$0) } }
    }
  }

  static func get(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    switch Target(request.suffix) {
    case .execution(let idOrName): try execute(idOrName, request, exchange)
    case .explanation(let idOrName): try explain(idOrName, request, exchange)
    case .definition(let id):
      let options = try request.readOptions(exchange)
      let rights = exchange.rights
      if let problem = PreparedQueryRules.problem(ofID: id) { return exchange.failRead(HTTPError.server(problem)) }
      exchange.read(PreparedQueryGet(id: id), options) { answer in
        guard let query = answer.value?.value else { return exchange.failRead(HTTPError(PreparedQueryError.notFound)) }
        guard query.isReadable(rights) else { return exchange.failRead(HTTPError(.forbidden, "Permission denied")) }
        exchange.json(exchange.head(answer, options)) {
          $0.array(CollectionOfOne(query)) { $1.redacted(rights).encodeJSON(&$0) }
        }
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
    let rights = exchange.rights
    var allows: (@Sendable (Permission) -> Bool)?
    if !rights.isUnlimited { allows = { rights.allows($0) } }
    exchange.write(PreparedQueryApply(op, query, allows: allows), datacenter: datacenter) { reply in
      switch reply {
      case .done(let id): done(id)
      case .denied(let right): exchange.fail(rights.refusal(of: right) ?? HTTPError(.forbidden, "Permission denied"))
      }
    }
  }

  // MARK: execution

  private static func explain(
    _ idOrName: String, _ request: borrowing Request, _ exchange: Exchange
  ) throws(HTTPError) {
    var options = try request.readOptions(exchange)
    options.minIndex = 0
    let read = options
    let rights = exchange.rights
    exchange.read(PreparedQueryExplain(idOrName, agent: agent(exchange)), read) { answer in
      switch answer.value {
      case .failure(let error): exchange.failRead(HTTPError(error))
      case .success(let query):
        guard query.isReadable(rights) else { return exchange.failRead(HTTPError(.forbidden, "Permission denied")) }
        let meta = PreparedQueryMeta(answer, read, exchange)
        exchange.json(exchange.head(meta: meta.head)) { writer in
          writer.beginObject()
          writer.member("Query")
          query.redacted(rights).encodeJSON(&writer)
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
    query.allows = visibility(exchange)
    let wanted = query
    let isAnonymous = exchange.rights.isAnonymous
    let send: @Sendable (Answer<PreparedQueryOutcome>) -> Void = { answer in
      switch answer.value {
      case .failure(let error): exchange.failRead(HTTPError(error))
      case .success(let found):
        let meta = PreparedQueryMeta(answer, read, exchange, isFiltered: found.isFiltered && !isAnonymous)
        exchange.json(exchange.head(meta: meta.head)) { found.encodeJSON(&$0, meta) }
      }
    }
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

  /// What the result may show: a query's own token decides, else that of the request.
  private static func visibility(_ exchange: Exchange) -> PreparedQueryExecute.Visibility? {
    let rights = exchange.rights
    if rights.isUnlimited { return nil }
    let resolver = exchange.api.resolver
    return { token, permission in
      if token.isEmpty { return rights.allows(permission) }
      guard let authorizer = try? resolver.authorizer(for: token) else { return false }
      return authorizer.allows(permission)
    }
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

extension PreparedQuery {
  /// Whoever knows the id of a query without a name may read it.
  fileprivate func isReadable(_ rights: Rights) -> Bool { !hasName || rights.allows(.queryRead(name)) }

  /// The query as the token may see it: with the token in it only for those who could read all tokens.
  fileprivate func redacted(_ rights: Rights) -> PreparedQuery {
    guard !token.isEmpty, !rights.allows(.aclWrite) else { return self }
    var copy = self
    copy.token = PreparedQueryApply.hiddenToken
    return copy
  }
}
