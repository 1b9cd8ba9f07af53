import AccessControl
import LocalAgent
import Model
import NIOCore

/// `/v1/agent/service…`: the services of this agent.
extension Endpoints {
  static let agentServices: [Endpoint] = [
    Endpoint("/v1/agent/services", [], Route(.get, .asks, AgentServices.list)),
    Endpoint("/v1/agent/service/", [], Route(.get, .asks, AgentServices.one)),
    Endpoint("/v1/agent/service/register", [], Route(.put, .asks, AgentServices.register)),
    Endpoint("/v1/agent/service/deregister/", [], Route(.put, .asks, AgentServices.deregister)),
    Endpoint("/v1/agent/service/maintenance/", [], Route(.put, .asks, AgentServices.maintenance)),
  ]
}

enum AgentServices {
  static func list(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let filter = try FilterParameter<NodeService>(request)
    let visible = Visible(api.local.services(), exchange.rights) { [.serviceRead($0.service)] }
    let found = filter.apply(to: visible.elements) { $0 }
    let datacenter = api.local.datacenter
    var head = ResponseHead()
    head.isFiltered = visible.isFiltered
    exchange.json(head) { writer in
      writer.beginObject()
      for service in found {
        writer.member(service.id)
        AgentService(service, datacenter: datacenter).encodeJSON(&writer)
      }
      writer.endObject()
    }
  }

  /// Answers at once, or, when the client says which content it knows, as soon as there is another.
  static func one(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let id = request.suffix
    let wait = min(try request.waitTime() ?? api.settings.defaultQueryTime, api.settings.maxQueryTime)
    let rights = exchange.rights
    let datacenter = api.local.datacenter
    let waiting = api.local.service(
      id, hash: request.query["hash"] ?? "", wait: .nanoseconds(wait.nanoseconds), on: exchange.loop
    ) { found in
      guard let found else { return exchange.fail(.notFound("unknown service ID: \(id)")) }
      do throws(HTTPError) {
        try rights.require(.serviceRead(found.service.service))
        var head = ResponseHead()
        head.headers = [("X-Consul-Contenthash", found.contentHash)]
        exchange.json(head) {
          AgentService(found.service, datacenter: datacenter, contentHash: found.contentHash).encodeJSON(&$0)
        }
      } catch {
        exchange.fail(error)
      }
    }
    if exchange.isOpen { exchange.pending = waiting }
  }

  static func register(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let definition = try request.decode(
      ServiceDefinition.self, DecodingContext(.registration, refusesUnknown: true))
    let registration: ServiceRegistration
    do throws(LocalAgentError) {
      registration = try api.local.registration(definition)
    } catch {
      throw HTTPError(error)
    }
    let existing = api.local.service(registration.service.id)
    for permission in registration.permissions(replacing: existing) { try exchange.rights.require(permission) }
    let replaces = request.query["replace-existing-checks"].map { $0.isEmpty || GoBool($0)?.isTrue == true } ?? false
    api.local.register(registration, token: exchange.token, replacesChecks: replaces, on: exchange.loop) {
      exchange.done($0)
    }
  }

  static func deregister(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let id = request.suffix
    try requireRight(api, id, exchange)
    api.local.deregisterService(id, on: exchange.loop) { exchange.done($0) }
  }

  static func maintenance(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let id = request.suffix
    if id.isEmpty { throw HTTPError(LocalAgentError.serviceIDMissing) }
    let enabled = try request.enableParameter()
    try requireRight(api, id, exchange)
    api.local.setServiceMaintenance(
      id, enabled, reason: request.query["reason"] ?? "", token: exchange.token, on: exchange.loop
    ) { exchange.done($0) }
  }

  private static func requireRight(_ api: API, _ id: String, _ exchange: Exchange) throws(HTTPError) {
    let permission: Permission
    do throws(LocalAgentError) { permission = try api.local.permission(forService: id) } catch {
      throw HTTPError(error)
    }
    try exchange.rights.require(permission)
  }
}

extension Request {
  /// Whether maintenance is to begin or to end.
  func enableParameter() throws(HTTPError) -> Bool {
    guard let text = query["enable"] else { throw .badRequest("Missing value for enable") }
    guard let value = GoBool(text) else { throw .badRequest("Invalid value for enable: \"\(text)\"") }
    return value.isTrue
  }
}

extension Exchange {
  /// Answers a change of local services or checks.
  func done(_ result: Result<Void, LocalAgentError>) {
    switch result {
    case .success: empty()
    case .failure(let error): fail(HTTPError(error))
    }
  }

  /// The same for operations of the agent.
  func answer(_ future: EventLoopFuture<Void>) { answer(future) { self.empty() } }

  /// Answers with what `show` makes of the result.
  func answer<Value: Sendable>(_ future: EventLoopFuture<Value>, _ show: @escaping @Sendable (Value) -> Void) {
    future.whenComplete { [self] result in
      switch result {
      case .success(let value): show(value)
      case .failure(let error): fail(HTTPError(any: error))
      }
    }
  }
}
