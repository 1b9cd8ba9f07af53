import AccessControl
import Model
import NIOCore
import Server
import State

/// `/v1/health/`: checks, and instances together with theirs.
extension Endpoints {
  private static let read: Endpoint.Traits = [.consistency, .metaOnFailure]

  static let health: [Endpoint] = [
    Endpoint("/v1/health/node/", read, Route(.get, .servers, Health.node)),
    Endpoint("/v1/health/checks/", read, Route(.get, .servers, Health.checks)),
    Endpoint("/v1/health/state/", read, Route(.get, .servers, Health.state)),
    Endpoint("/v1/health/service/", .consistency, Route(.get, .servers, Health.service)),
    Endpoint("/v1/health/connect/", .consistency, Route(.get, .servers, Health.connect)),
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
    let query = HealthServiceChecks(service: request.suffix, selection: request.selection(api))
    try sendChecks(query, options, request, exchange)
  }

  static func state(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    if request.suffix.isEmpty { throw .badRequest("Missing check state") }
    let query = HealthChecksInState(status: request.suffix, selection: request.selection(api))
    try sendChecks(query, options, request, exchange)
  }

  private static func sendChecks<Query: ReadQuery>(
    _ query: Query, _ options: QueryOptions, _ request: borrowing Request, _ exchange: Exchange
  ) throws(HTTPError) where Query.Reply == [Row<HealthCheck>] {
    let filter = try FilterParameter<HealthCheck>(request)
    exchange.read(query, options) { answer in
      let found = filter.apply(to: answer.value) { $0.value }
      exchange.json(exchange.head(answer, options), .records, found) { $0.array(found) { $1.encodeJSON(&$0) } }
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
    let query = HealthServiceNodes(
      service: service, tags: tags, connect: connect, selection: request.selection(exchange.api))
    exchange.readFollowed(query, options) { answer in
      var found = filter.apply(to: answer.value) { HealthEntry($0) }
      if onlyPassing { found.removeAll { !$0.isPassing } }
      exchange.json(exchange.head(answer, options, isStreamed: answer.isStreamed || isLikeStreamed), .health, found) {
        $0.array(found) { $1.encodeHealth(&$0) }
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
