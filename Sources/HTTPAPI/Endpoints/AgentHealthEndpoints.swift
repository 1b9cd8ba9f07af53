import AccessControl
import LocalAgent
import Model
import NIOCore

/// `/v1/agent/health/service/`: the health of local services as a status code, for load balancers.
extension Endpoints {
  static let agentHealth: [Endpoint] = [
    Endpoint("/v1/agent/health/service/id/", [], Route(.get, .asks, AgentHealth.byID)),
    Endpoint("/v1/agent/health/service/name/", [], Route(.get, .asks, AgentHealth.byName)),
  ]
}

enum AgentHealth {
  static func byID(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let id = request.suffix
    if id.isEmpty { throw .server("Missing serviceID") }
    let rights = exchange.rights
    let isText = isText(request)
    guard let health = api.local.health(serviceID: id) else {
      return notFound("ServiceId \(id) not found", isText: isText, exchange) { writer in
        writer.beginObject()
        writer.member("AggregatedStatus")
        writer.string(CheckStatus.critical.rawValue)
        writer.member("Service")
        writer.null()
        writer.member("Checks")
        writer.null()
        writer.endObject()
      }
    }
    try rights.require(.serviceRead(health.service.service))
    let view = AgentServiceHealth(health: health, datacenter: api.local.datacenter)
    send(health.status, isText: isText, exchange) { view.encodeJSON(&$0) }
  }

  static func byName(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let name = request.suffix
    if name.isEmpty { throw .server("Missing service Name") }
    try exchange.rights.require(.serviceRead(name))
    let isText = isText(request)
    let found = api.local.health(serviceName: name)
    guard let worst = found.map(\.status).max() else {
      return notFound("ServiceName \(name) Not Found", isText: isText, exchange) {
        $0.beginArray()
        $0.endArray()
      }
    }
    let datacenter = api.local.datacenter
    send(worst, isText: isText, exchange) {
      $0.array(found) { AgentServiceHealth(health: $1, datacenter: datacenter).encodeJSON(&$0) }
    }
  }

  private static func isText(_ request: borrowing Request) -> Bool { request.query["format"] == "text" }

  private static func send(
    _ status: CheckStatus, isText: Bool, _ exchange: Exchange, _ write: (inout JSONWriter) -> Void
  ) {
    let code: HTTPStatus =
      switch status {
      case .passing: .ok
      case .warning: .tooManyRequests
      case .critical, .maintenance: .serviceUnavailable
      }
    send(code, reason: status.rawValue, isText: isText, exchange, write)
  }

  private static func notFound(
    _ reason: String, isText: Bool, _ exchange: Exchange, _ write: (inout JSONWriter) -> Void
  ) {
    send(.notFound, reason: reason, isText: isText, exchange, write)
  }

  private static func send(
    _ status: HTTPStatus, reason: String, isText: Bool, _ exchange: Exchange, _ write: (inout JSONWriter) -> Void
  ) {
    var head = ResponseHead(status, isText ? .plain : .json)
    head.headers = [("X-Consul-Reason", reason)]
    if isText { exchange.text(head, reason) } else { exchange.json(head, write) }
  }
}
