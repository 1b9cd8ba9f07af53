import AccessControl
import Model
import NIOCore
import Server
import State

/// `/v1/session/`: leases that hold locks.
extension Endpoints {
  static let sessions: [Endpoint] = [
    Endpoint("/v1/session/create", [], Route(.put, .servers, Sessions.create)),
    Endpoint("/v1/session/destroy/", [], Route(.put, .servers, Sessions.destroy)),
    Endpoint("/v1/session/renew/", [], Route(.put, .servers, Sessions.renew)),
    Endpoint("/v1/session/info/", .metaOnFailure, Route(.get, .servers, Sessions.info)),
    Endpoint("/v1/session/node/", .metaOnFailure, Route(.get, .servers, Sessions.ofNode)),
    Endpoint("/v1/session/list", .metaOnFailure, Route(.get, .servers, Sessions.list)),
  ]
}

enum Sessions {
  private static let defaultLockDelay = GoDuration.seconds(15)

  static func create(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    var session = Session()
    session.node = api.control.nodeName
    session.nodeChecks = [CheckID.serfHealth]
    session.lockDelay = defaultLockDelay
    if request.body.readableBytes > 0 { try fill(&session, from: request) }
    exchange.write(SessionCreate(session), datacenter: request.datacenter) { id in
      exchange.json { writer in
        writer.beginObject()
        writer.member("ID")
        writer.string(id)
        writer.endObject()
      }
    }
  }

  private static func fill(_ session: inout Session, from request: borrowing Request) throws(HTTPError) {
    let value = try request.json()
    if case .null = value { return }
    guard let members = value.object else {
      throw .badRequest(
        "Request decode failed: "
          + DecodingError.mismatch(path: "", found: value.typeName, expected: "").apiText("structs.Session"))
    }
    do throws(DecodingError) {
      try session.assign(members, DecodingContext(.api))
    } catch {
      throw .badRequest("Request decode failed: \(error.apiText(Session.schema.name))")
    }
    session.lockDelay = secondsIfSmall(session.lockDelay)
    // Releases before 1.7 called the node checks `Checks`: an empty list there asks for none, too.
    if members.names("checks"), !members.names("nodechecks"), session.checks.isEmpty { session.nodeChecks = [] }
  }

  /// Old clients send seconds as a number; delays below a microsecond can be meant in no other way.
  static func secondsIfSmall(_ delay: GoDuration) -> GoDuration {
    guard delay.nanoseconds < 1000 else { return delay }
    let (product, overflow) = delay.nanoseconds.multipliedReportingOverflow(by: 1_000_000_000)
    return GoDuration(nanoseconds: overflow ? (delay.nanoseconds < 0 ? .min : .max) : product)
  }

  private static func id(_ request: borrowing Request) throws(HTTPError) -> String {
    if request.suffix.isEmpty { throw .badRequest("Missing session") }
    return request.suffix
  }

  static func destroy(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    exchange.write(SessionDestroy(id: try id(request)), datacenter: request.datacenter) { _ in exchange.bool(true) }
  }

  static func renew(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let id = try id(request)
    exchange.write(SessionRenew(id: id), datacenter: request.datacenter) { session in
      guard let session else { return exchange.fail(.notFound("Session id '\(id)' not found")) }
      exchange.json { $0.array(CollectionOfOne(session)) { $1.encodeJSON(&$0) } }
    }
  }

  static func info(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    exchange.read(SessionGet(id: try id(request)), options) { answer in
      send(answer.value.map { [$0] } ?? [], answer, options, exchange)
    }
  }

  static func ofNode(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    if request.suffix.isEmpty { throw .badRequest("Missing node name") }
    exchange.read(NodeSessions(node: request.suffix), options) { send($0.value, $0, options, exchange) }
  }

  static func list(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    exchange.read(SessionList(), options) { send($0.value, $0, options, exchange) }
  }

  private static func send<Reply>(
    _ sessions: [Row<Session>], _ answer: Answer<Reply>, _ options: QueryOptions, _ exchange: Exchange
  ) {
    exchange.json(exchange.head(answer, options)) { $0.array(sessions) { $1.encodeJSON(&$0) } }
  }
}

extension Dynamic {
  /// What JSON decoders call the type.
  var typeName: String {
    switch self {
    case .null: "null"
    case .bool: "bool"
    case .int, .uint, .double: "number"
    case .string: "string"
    case .array: "array"
    case .object: "object"
    }
  }
}

extension DynamicObject {
  /// Whether a member of that name, in small letters, was given a value.
  fileprivate func names(_ name: String) -> Bool {
    contains { member in
      if case .null = member.value { return false }
      return member.key.lowercased() == name
    }
  }
}
