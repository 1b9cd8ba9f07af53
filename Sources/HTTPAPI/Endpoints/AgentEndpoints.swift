import AccessControl
import Model
import NIOCore

/// `/v1/agent/…`: the agent itself, its members and its life.
extension Endpoints {
  private static let agentRead = Route.Authorisation.requires { api, _ in .agentRead(api.control.nodeName) }
  private static let agentWrite = Route.Authorisation.requires { api, _ in .agentWrite(api.control.nodeName) }
  private static let operatorRead = Route.Authorisation.requires { _, _ in .operatorRead }
  private static let operatorWrite = Route.Authorisation.requires { _, _ in .operatorWrite }

  static let agent: [Endpoint] = [
    Endpoint("/v1/agent/self", [], Route(.get, agentRead, Agent.describe)),
    Endpoint("/v1/agent/version", [], Route(.get, .open, Agent.version)),
    Endpoint("/v1/agent/host", [], Route(.get, operatorRead, Agent.host)),
    Endpoint("/v1/agent/metrics", [], Route(.get, agentRead, Agent.metrics)),
    Endpoint("/v1/agent/metrics/stream", [], Route(.get, agentRead, Agent.streamMetrics)),
    Endpoint("/v1/agent/monitor", [], Route(.get, agentRead, AgentMonitor.follow)),
    Endpoint("/v1/agent/members", [], Route(.get, .asks, Agent.members)),
    Endpoint("/v1/agent/join/", [], Route(.put, agentWrite, Agent.join)),
    Endpoint("/v1/agent/leave", [], Route(.put, agentWrite, Agent.leave)),
    Endpoint("/v1/agent/force-leave/", [], Route(.put, operatorWrite, Agent.forceLeave)),
    Endpoint("/v1/agent/reload", [], Route(.put, agentWrite, Agent.reload)),
    Endpoint(
      "/v1/agent/maintenance", [],
      Route(.put, .requires { api, _ in .nodeWrite(api.control.nodeName) }, Agent.maintenance)),
    Endpoint("/v1/agent/token/", [], Route(.put, agentWrite, Agent.setToken)),
  ]
}

enum Agent {
  static func describe(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    exchange.json { api.control.describe(&$0) }
  }

  static func version(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    exchange.json { api.control.version.encodeJSON(&$0) }
  }

  static func host(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    exchange.json { api.control.describeHost(&$0) }
  }

  static func metrics(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    guard wantsPrometheus(request) else { return exchange.json { api.control.describeMetrics(&$0) } }
    guard let text = api.control.prometheusMetrics else {
      var head = ResponseHead()
      head.headers = [("X-Consul-Reason", "Prometheus is not enabled since its retention time is not positive")]
      return exchange.empty(head)
    }
    exchange.text(ResponseHead(.ok, .other("text/plain; version=0.0.4; charset=utf-8")), text)
  }

  static func streamMetrics(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    exchange.beginStream(ResponseHead())
    let subscription = api.control.streamMetrics { line in
      exchange.loop.execute { exchange.stream(line + "\n") }
    }
    if exchange.isOpen { exchange.onCancel = { subscription.cancel() } } else { subscription.cancel() }
  }

  /// Scrapers of Prometheus say it in one of these ways.
  private static func wantsPrometheus(_ request: borrowing Request) -> Bool {
    if let format = request.query["format"] { return format == "prometheus" }
    guard let accepted = request.header(.accept)?.lowercased() else { return false }
    return accepted.contains("application/openmetrics-text") || accepted.contains("version=0.4.0")
      || accepted.contains("version=0.0.4")
  }

  static func members(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let filter = try FilterParameter<AgentMember>(request)
    if let segment = request.query["segment"], !segment.isEmpty, segment != "_all" {
      throw .server("Network segments are not supported in this version of Consul")
    }
    let rights = exchange.rights
    guard let members = api.control.members(wan: request.isWAN) else { return exchange.json { $0.null() } }
    let visible = Visible(members, rights) { [.nodeRead($0.name)] }
    let found = filter.apply(to: visible.elements) { $0 }
    var head = ResponseHead()
    head.isFiltered = visible.isFiltered
    exchange.json(head) { $0.array(found) { $1.encodeJSON(&$0) } }
  }

  static func join(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    exchange.answer(api.control.join(request.suffix, wan: request.isWAN, on: exchange.loop))
  }

  static func leave(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    exchange.answer(api.control.leave(on: exchange.loop))
  }

  static func forceLeave(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    exchange.answer(
      api.control.forceLeave(
        request.suffix, wan: request.query.has("wan"), prune: request.query.has("prune"), on: exchange.loop))
  }

  static func reload(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    exchange.answer(api.control.reload(on: exchange.loop))
  }

  static func maintenance(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let enabled = try request.enableParameter()
    api.local.setNodeMaintenance(
      enabled, reason: request.query["reason"] ?? "", token: exchange.token, on: exchange.loop
    ) { exchange.done($0) }
  }

  static func setToken(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    if !api.settings.aclEnabled { throw HTTPError(.unauthorized, "ACL support disabled") }
    let update = try request.decode(AgentTokenUpdate.self)
    guard let kind = AgentTokenKind(path: request.suffix) else {
      throw .notFound("Token \"\(request.suffix)\" is unknown")
    }
    exchange.answer(api.control.setToken(kind, update.token, on: exchange.loop))
  }
}

extension Request {
  /// Whether a request is about the pool of servers that spans datacenters.
  fileprivate var isWAN: Bool { !(query["wan"] ?? "").isEmpty }
}

/// A new secret for one of the agent's own tokens.
struct AgentTokenUpdate: Record {
  var token = ""

  init() {}

  static let schema = Schema<AgentTokenUpdate>("agent.AgentToken") {
    $0.field("Token", \.token)
  }
}
