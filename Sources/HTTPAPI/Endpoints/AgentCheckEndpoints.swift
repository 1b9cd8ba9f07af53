import AccessControl
import LocalAgent
import Model
import NIOCore

/// `/v1/agent/check…`: the checks of this agent.
extension Endpoints {
  static let agentChecks: [Endpoint] = [
    Endpoint("/v1/agent/checks", [], Route(.get, .asks, AgentChecks.list)),
    Endpoint("/v1/agent/check/register", [], Route(.put, .asks, AgentChecks.register)),
    Endpoint("/v1/agent/check/deregister/", [], Route(.put, .asks, AgentChecks.deregister)),
    Endpoint("/v1/agent/check/pass/", [], Route(.put, .asks, AgentChecks.report(.passing))),
    Endpoint("/v1/agent/check/warn/", [], Route(.put, .asks, AgentChecks.report(.warning))),
    Endpoint("/v1/agent/check/fail/", [], Route(.put, .asks, AgentChecks.report(.critical))),
    Endpoint("/v1/agent/check/update/", [], Route(.put, .asks, AgentChecks.update)),
  ]
}

enum AgentChecks {
  static func list(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let all = api.local.checks()
    let visible = Visible(all, exchange.rights) { check in
      check.serviceName.isEmpty ? [.nodeRead(check.node)] : [.serviceRead(check.serviceName)]
    }
    // Where there is nothing to filter, nobody looks at the filter.
    let found = all.isEmpty ? [] : try FilterParameter<HealthCheck>(request).apply(to: visible.elements) { $0 }
    var head = ResponseHead()
    head.isFiltered = visible.isFiltered
    exchange.json(head) { writer in
      writer.beginObject()
      for check in found {
        writer.member(check.checkID)
        check.encodeJSON(&writer)
      }
      writer.endObject()
    }
  }

  static func register(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let definition = try request.decode(CheckDefinition.self, DecodingContext(.registration, refusesUnknown: true))
    let registration: CheckRegistration
    let permissions: [Permission]
    do throws(LocalAgentError) {
      registration = try api.local.registration(definition)
      permissions = try api.local.permissions(for: registration)
    } catch {
      throw HTTPError(error)
    }
    for permission in permissions { try exchange.rights.require(permission) }
    api.local.register(registration, token: exchange.token, on: exchange.loop) { exchange.done($0) }
  }

  static func deregister(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let id = request.suffix
    try requireRight(api, id, exchange)
    api.local.deregisterCheck(id, on: exchange.loop) { exchange.done($0) }
  }

  /// The handler for applications that only say how they are.
  static func report(_ status: CheckStatus) -> Route.Handler {
    { (api, request, exchange) throws(HTTPError) in
      try set(status.rawValue, output: request.query["note"] ?? "", api, request, exchange)
    }
  }

  static func update(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let update = try request.decode(CheckUpdate.self)
    guard let status = CheckStatus(rawValue: update.status), status != .maintenance else {
      throw HTTPError(LocalAgentError.updateStatusInvalid(update.status))
    }
    try set(status.rawValue, output: update.output, api, request, exchange)
  }

  private static func set(
    _ status: String, output: String, _ api: API, _ request: borrowing Request, _ exchange: Exchange
  ) throws(HTTPError) {
    try requireRight(api, request.suffix, exchange)
    do throws(LocalAgentError) {
      try api.local.updateTTL(check: request.suffix, status: status, output: output)
    } catch {
      throw HTTPError(error)
    }
    exchange.empty()
  }

  private static func requireRight(_ api: API, _ id: String, _ exchange: Exchange) throws(HTTPError) {
    let permission: Permission
    do throws(LocalAgentError) { permission = try api.local.permission(forCheck: id) } catch { throw HTTPError(error) }
    try exchange.rights.require(permission)
  }
}

/// What an application says of its health.
struct CheckUpdate: Record {
  var status = ""
  var output = ""

  init() {}

  static let schema = Schema<CheckUpdate>("agent.checkUpdate") {
    $0.field("Status", \.status)
    $0.field("Output", \.output)
  }
}
