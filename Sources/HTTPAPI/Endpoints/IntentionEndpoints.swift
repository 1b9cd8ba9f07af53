import AccessControl
import Mesh
import Model
import Server

/// `/v1/connect/intentions` and `/v1/agent/connect/authorize`: who may call whom.
extension Endpoints {
  static let intentions: [Endpoint] = [
    Endpoint(
      "/v1/connect/intentions", [.metaOnFailure], Route(.get, .servers, Intentions.list),
      Route(.post, .servers, Intentions.create)),
    Endpoint(
      "/v1/connect/intentions/match", [.metaOnFailure, .consistency], Route(.get, .servers, Intentions.match)),
    Endpoint("/v1/connect/intentions/check", [], Route(.get, .servers, Intentions.check)),
    Endpoint(
      "/v1/connect/intentions/exact", [], Route(.get, .servers, Intentions.readExact),
      Route(.put, .servers, Intentions.upsert), Route(.delete, .servers, Intentions.deleteExact)),
    Endpoint(
      "/v1/connect/intentions/", [], Route(.get, .servers, Intentions.readByID),
      Route(.put, .servers, Intentions.update), Route(.delete, .servers, Intentions.deleteByID)),
    Endpoint("/v1/agent/connect/authorize", [], Route(.post, .asks, Intentions.authorize)),
  ]
}

enum Intentions {
  private static let notFound = HTTPError.notFound("Intention not found")

  static func list(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    let filter = try FilterParameter<Intention>(request)
    exchange.read(IntentionList(), options) { answer in
      exchange.json(exchange.head(answer, options)) {
        $0.array(filter.apply(to: answer.value.intentions) { $0 }) { $1.encodeJSON(&$0) }
      }
    }
  }

  static func match(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    guard let by = request.query["by"] else { throw .server("required query parameter 'by' not set") }
    guard let side = IntentionSide(rawValue: by) else {
      throw .server("'by' parameter must be one of 'source' or 'destination'")
    }
    var names: [String] = []
    for text in request.query.all("name") { names.append(try end(text, of: "name")) }
    if names.isEmpty { throw .server("required query parameter 'name' not set") }
    let services = names
    exchange.readCached(IntentionMatch(services, as: side), options) { answer in
      let found = Dictionary(zip(services, answer.value), uniquingKeysWith: { first, _ in first })
      exchange.json(exchange.head(answer, options)) { found.encodeJSON(&$0, []) }
    }
  }

  static func check(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    var options = try request.readOptions(exchange)
    options.minIndex = 0
    let (source, destination) = try ends(request)
    if let type = request.query["source-type"], !["", "consul"].contains(type) {
      throw .server("unsupported SourceType: \"\(type)\"")
    }
    exchange.read(IntentionCheck(source: source, destination: destination), options) { answer in
      exchange.json { writer in
        writer.beginObject()
        writer.member("Allowed")
        writer.bool(answer.value)
        writer.endObject()
      }
    }
  }

  // MARK: By the ends

  static func readExact(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    let (source, destination) = try ends(request)
    read(IntentionGet(.ends(source: source, destination: destination)), options, exchange)
  }

  static func upsert(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let (source, destination) = try ends(request)
    var intention = try request.decode(Intention.self)
    intention.id = ""
    intention.sourceName = source
    intention.destinationName = destination
    exchange.write(IntentionApply(.upsert, intention), datacenter: request.datacenter) { _ in exchange.bool(true) }
  }

  static func deleteExact(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    var intention = Intention()
    (intention.sourceName, intention.destinationName) = try ends(request)
    exchange.write(IntentionApply(.delete, intention), datacenter: request.datacenter) { _ in exchange.bool(true) }
  }

  // MARK: By id, as older clients do it

  static func create(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    write(.create, try request.decode(Intention.self), request.datacenter, exchange)
  }

  static func readByID(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    if let problem = IntentionGet.problem(ofID: request.suffix) { throw .badRequest(problem) }
    read(IntentionGet(.id(request.suffix)), options, exchange)
  }

  static func update(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    var intention = try request.decode(Intention.self)
    intention.id = request.suffix
    write(.update, intention, request.datacenter, exchange)
  }

  static func deleteByID(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    var intention = Intention()
    intention.id = request.suffix
    exchange.write(IntentionApply(.delete, intention), datacenter: request.datacenter) { _ in exchange.bool(true) }
  }

  private static func read(_ query: IntentionGet, _ options: QueryOptions, _ exchange: Exchange) {
    exchange.read(query, options) { answer in
      guard let intention = answer.value else { return exchange.fail(notFound) }
      exchange.json { intention.encodeJSON(&$0) }
    }
  }

  private static func write(_ op: IntentionOp, _ intention: Intention, _ datacenter: String, _ exchange: Exchange) {
    exchange.write(IntentionApply(op, intention), datacenter: datacenter) { id in
      exchange.json { writer in
        writer.beginObject()
        writer.member("ID")
        writer.string(id)
        writer.endObject()
      }
    }
  }

  // MARK: Names

  private static func ends(_ request: borrowing Request) throws(HTTPError) -> (source: String, destination: String) {
    guard let source = request.query["source"] else { throw .server("required query parameter 'source' not set") }
    guard let destination = request.query["destination"] else {
      throw .server("required query parameter 'destination' not set")
    }
    return (try end(source, of: "source"), try end(destination, of: "destination"))
  }

  /// The service of `[[partition/]namespace/]service`: there is one partition and one namespace, whatever they are called.
  private static func end(_ text: String, of parameter: String) throws(HTTPError) -> String {
    let problem = "\(parameter) \"\(text)\" is invalid: "
    if text.hasPrefix("peer:") { throw .server(problem + "cannot specify a peer here") }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    if parts.count > 3 { throw .server(problem + "input can contain at most two '/'") }
    return String(parts.last ?? "")
  }

  // MARK: Decisions for proxies

  /// What a proxy of an instance asks about somebody who wants to connect.
  private struct AuthorizeRequest: Record {
    var target = ""
    var clientCertURI = ""
    var clientCertSerial = ""

    static let schema = Schema<AuthorizeRequest>("structs.ConnectAuthorizeRequest") {
      $0.field("Target", \.target)
      $0.field("ClientCertURI", \.clientCertURI)
      $0.field("ClientCertSerial", \.clientCertSerial)
    }
  }

  static func authorize(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let asked = try request.decode(AuthorizeRequest.self)
    if asked.target.isEmpty { throw .badRequest("Target service must be specified") }
    guard let identity = SPIFFEIdentity(uri: asked.clientCertURI) else {
      throw .badRequest("ClientCertURI not a valid Connect identifier")
    }
    guard case .service(_, _, let source) = identity.kind else {
      throw .badRequest("ClientCertURI not a valid Service identifier")
    }
    try exchange.rights.require(.serviceWrite(asked.target))
    var options = try request.readOptions(exchange)
    options.minIndex = 0
    options.cache = CacheFreshness()
    let allowsByDefault = api.settings.allowsIntentionsByDefault
    exchange.readCached(IntentionMatch([asked.target], as: .destination), options) { answer in
      let decision = IntentionDecision(
        source: source, among: answer.value.first ?? [], allowsByDefault: allowsByDefault)
      exchange.json(exchange.head()) { writer in
        writer.beginObject()
        writer.member("Authorized")
        writer.bool(decision.isAllowed)
        writer.member("Reason")
        writer.string(decision.reason)
        writer.endObject()
      }
    }
  }
}
