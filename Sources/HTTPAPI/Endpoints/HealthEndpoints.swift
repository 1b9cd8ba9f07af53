import AccessControl
import Model
import NIOCore
import Server
import State

/// `/v1/health/`: checks, and instances together with theirs.
extension Endpoints {
  private static let read: Endpoint.Traits = [.consistency, .metaOnFailure]

  static let health: [Endpoint] = [
    Endpoint("/v1/health/node/", read, Route(.get, .asks, Health.node)),
    Endpoint("/v1/health/checks/", read, Route(.get, .asks, Health.checks)),
    Endpoint("/v1/health/state/", read, Route(.get, .asks, Health.state)),
    Endpoint("/v1/health/service/", .consistency, Route(.get, .asks, Health.service)),
    Endpoint("/v1/health/connect/", .consistency, Route(.get, .asks, Health.connect)),
    Endpoint("/v1/health/ingress/", .consistency, Route(.get, .asks, Health.ingress)),
  ]
}

enum Health {
  // MARK: checks

  static func node(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    if request.suffix.isEmpty { throw .badRequest("Missing node name") }
    try sendChecks(HealthNodeChecks(node: request.suffix), options, request, exchange)
  }

  static func checks(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    if request.suffix.isEmpty { throw .badRequest("Missing service name") }
    let service = request.suffix
    try sendChecks(options, request, exchange) { HealthServiceChecks(service: service, selection: $0) }
  }

  static func state(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    if request.suffix.isEmpty { throw .badRequest("Missing check state") }
    let status = request.suffix
    try sendChecks(options, request, exchange) { HealthChecksInState(status: status, selection: $0) }
  }

  private static func sendChecks<Query: ReadQuery>(
    _ options: QueryOptions, _ request: borrowing Request, _ exchange: Exchange,
    _ query: @escaping @Sendable (NodeSelection) -> Query
  ) throws(HTTPError) where Query.Reply == [Row<HealthCheck>] {
    let filter = try FilterParameter<HealthCheck>(request)
    request.withSelection(exchange, options) { send(query($0), options, filter, exchange) }
  }

  private static func sendChecks<Query: ReadQuery>(
    _ query: Query, _ options: QueryOptions, _ request: borrowing Request, _ exchange: Exchange
  ) throws(HTTPError) where Query.Reply == [Row<HealthCheck>] {
    send(query, options, try FilterParameter<HealthCheck>(request), exchange)
  }

  private static func send<Query: ReadQuery>(
    _ query: Query, _ options: QueryOptions, _ filter: FilterParameter<HealthCheck>, _ exchange: Exchange
  ) where Query.Reply == [Row<HealthCheck>] {
    let rights = exchange.rights
    exchange.read(query, options) { answer in
      let visible = Visible(answer.value, rights) { $0.value.readPermissions }
      var head = exchange.head(answer, options)
      head.isFiltered = visible.isFiltered
      let found = filter.apply(to: visible.elements) { $0.value }
      exchange.json(head, .records, found) { $0.array(found) { $1.encodeJSON(&$0) } }
    }
  }

  // MARK: instances

  static func service(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try instances(request, exchange, connect: false)
  }

  static func connect(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try instances(request, exchange, connect: true)
  }

  /// No ingress gateway leads to a service without configuration entries.
  static func ingress(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    if request.suffix.isEmpty { throw .badRequest("Missing service name") }
    Catalog.sendNothing(exchange, options)
  }

  private static func instances(
    _ request: borrowing Request, _ exchange: Exchange, connect: Bool
  ) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    if request.suffix.isEmpty { throw .badRequest("Missing service name") }
    let onlyPassing = try passingOnly(request)
    let filter = try FilterParameter<HealthEntry>(request)
    let service = request.suffix
    let tags = request.query.all("tag")
    // A server's own state is as current as any stream: there, it only shows in a header.
    let isLikeStreamed =
      exchange.api.settings.usesStreaming && exchange.api.cache.views == nil && !connect
      && (options.minIndex > 0 || options.cache != nil)
    if Peers.isForeign(request) { return Catalog.sendNothing(exchange, options) }
    let rights = exchange.rights
    // Who may not see a service may not learn what speaks for it.
    if connect, !rights.allows(.serviceRead(service)) { throw HTTPError(.forbidden, "Permission denied") }
    request.withSelection(exchange, options) { selection in
      let query = HealthServiceNodes(service: service, tags: tags, connect: connect, selection: selection)
      exchange.readFollowed(query, options) { answer in
        let visible = Visible(answer.value, rights) { $0.readPermissions }
        var head = exchange.head(answer, options, isStreamed: answer.isStreamed || isLikeStreamed)
        head.isFiltered = visible.isFiltered
        var found = filter.apply(to: visible.elements) { HealthEntry($0) }
        if onlyPassing { found.removeAll { !$0.isPassing } }
        exchange.json(head, .health, found) { $0.array(found) { $1.encodeHealth(&$0) } }
      }
    }
  }

  /// `passing` without a value means yes.
  private static func passingOnly(_ request: borrowing Request) throws(HTTPError) -> Bool {
    guard !request.query.isEmpty, let text = request.query["passing"] else { return false }
    if text.isEmpty { return true }
    guard let value = GoBool(text) else { throw .badRequest("Invalid value for ?passing") }
    return value.isTrue
  }
}
