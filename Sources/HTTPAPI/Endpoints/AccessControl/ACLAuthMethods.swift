import Model
import NIOCore
import Server
import State

/// `/v1/acl/auth-method…`
enum ACLAuthMethods {
  static let nothingToDelete = HTTPError.notFound("Cannot find auth method to delete")
  private static let missing = HTTPError.notFound("Requested auth method does not exist: ACL not found")

  static func list(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let options = try request.readOptions(exchange)
    exchange.read(AuthMethodList(), options) { answer in
      exchange.json(exchange.head(answer, options)) { $0.array(answer.value) { $1.encodeJSON(&$0) } }
    }
  }

  static func read(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let options = try request.readOptions(exchange)
    exchange.read(AuthMethodRead(name: try name(request)), options) { answer in
      guard let method = answer.value else { return exchange.fail(missing) }
      exchange.json(exchange.head(answer, options)) { method.encodeJSON(&$0) }
    }
  }

  private static func name(_ request: borrowing Request) throws(HTTPError) -> String {
    if request.suffix.isEmpty { throw .badRequest("Missing auth method name") }
    return request.suffix
  }

  static func create(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    write(try ACL.decode(ACLAuthMethod.self, request, what: "AuthMethod"), request.datacenter, exchange)
  }

  static func update(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let name = try name(request)
    var method = try ACL.decode(ACLAuthMethod.self, request, what: "AuthMethod")
    if !method.name.isEmpty, method.name != name {
      throw .badRequest("AuthMethod Name in URL and payload do not match")
    }
    method.name = name
    write(method, request.datacenter, exchange)
  }

  private static func write(_ method: ACLAuthMethod, _ datacenter: String, _ exchange: Exchange) {
    exchange.write(AuthMethodSet(method), datacenter: datacenter) { stored in
      exchange.json { stored.encodeJSON(&$0) }
    }
  }

  static func delete(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    exchange.write(AuthMethodDelete(name: try name(request)), datacenter: request.datacenter) { found in
      found ? exchange.bool(true) : exchange.fail(nothingToDelete)
    }
  }
}

/// `/v1/acl/binding-rule…`
enum ACLBindingRules {
  static let nothingToDelete = HTTPError.notFound("Cannot find binding rule to delete")
  private static let missing = HTTPError.notFound("Requested binding rule does not exist: ACL not found")
  private static let mismatch = HTTPError.badRequest("BindingRule ID in URL and payload do not match")

  static func list(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let options = try request.readOptions(exchange)
    exchange.read(BindingRuleList(authMethod: request.query["authmethod"] ?? ""), options) { answer in
      exchange.json(exchange.head(answer, options)) { $0.array(answer.value) { $1.encodeJSON(&$0) } }
    }
  }

  static func read(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let id = try id(request)
    if let problem = ACLIdentifiers.problem(id, table: "binding rule") {
      return exchange.failRead(HTTPError.server(problem))
    }
    let options = try request.readOptions(exchange)
    exchange.read(BindingRuleRead(id: id), options) { answer in
      guard let rule = answer.value else { return exchange.fail(missing) }
      exchange.json(exchange.head(answer, options)) { rule.encodeJSON(&$0) }
    }
  }

  private static func id(_ request: borrowing Request) throws(HTTPError) -> String {
    if request.suffix.isEmpty { throw .badRequest("Missing binding rule ID") }
    return request.suffix
  }

  static func create(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let rule = try ACL.decode(ACLBindingRule.self, request, what: "BindingRule")
    if !rule.id.isEmpty { throw mismatch }
    write(rule, request.datacenter, exchange)
  }

  static func update(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let id = try id(request)
    var rule = try ACL.decode(ACLBindingRule.self, request, what: "BindingRule")
    if !rule.id.isEmpty, rule.id != id { throw mismatch }
    rule.id = id
    write(rule, request.datacenter, exchange)
  }

  private static func write(_ rule: ACLBindingRule, _ datacenter: String, _ exchange: Exchange) {
    exchange.write(BindingRuleSet(rule), datacenter: datacenter) { stored in
      exchange.json { stored.encodeJSON(&$0) }
    }
  }

  static func delete(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    exchange.write(BindingRuleDelete(id: try id(request)), datacenter: request.datacenter) { found in
      found ? exchange.bool(true) : exchange.fail(nothingToDelete)
    }
  }
}
