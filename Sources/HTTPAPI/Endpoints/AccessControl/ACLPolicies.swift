import Model
import NIOCore
import Server
import State

/// `/v1/acl/policy…`
enum ACLPolicies {
  static let nothingToDelete = HTTPError.notFound("Cannot find policy to delete")
  private static let missing = HTTPError.notFound("Requested policy does not exist: ACL not found")

  static func list(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let options = try request.readOptions(exchange)
    exchange.read(PolicyList(), options) { answer in
      exchange.json(exchange.head(answer, options)) { writer in
        writer.array(answer.value) { $1.encodeJSON(&$0) }
      }
    }
  }

  static func read(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let id = try id(request)
    if let problem = ACLIdentifiers.problem(id, table: "policy") { return exchange.failRead(HTTPError.server(problem)) }
    send(PolicyRead(id: id), try request.readOptions(exchange), exchange)
  }

  static func readByName(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    if request.suffix.isEmpty { throw .badRequest("Missing policy Name") }
    send(PolicyRead(name: request.suffix), try request.readOptions(exchange), exchange)
  }

  private static func send(_ query: PolicyRead, _ options: QueryOptions, _ exchange: Exchange) {
    exchange.read(query, options) { answer in
      guard let policy = answer.value else { return exchange.fail(missing) }
      exchange.json(exchange.head(answer, options)) { policy.encodeJSON(&$0) }
    }
  }

  private static func id(_ request: borrowing Request) throws(HTTPError) -> String {
    if request.suffix.isEmpty { throw .badRequest("Missing policy ID") }
    return request.suffix
  }

  static func create(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let policy = try ACL.decode(ACLPolicy.self, request, what: "Policy")
    if !policy.id.isEmpty { throw .badRequest("Cannot specify the ID when creating a new policy") }
    write(policy, request.datacenter, exchange)
  }

  static func update(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let id = try id(request)
    var policy = try ACL.decode(ACLPolicy.self, request, what: "Policy")
    if !policy.id.isEmpty, policy.id != id { throw .badRequest("Policy ID in URL and payload do not match") }
    policy.id = id
    write(policy, request.datacenter, exchange)
  }

  private static func write(_ policy: ACLPolicy, _ datacenter: String, _ exchange: Exchange) {
    exchange.write(PolicySet(policy), datacenter: datacenter) { stored in
      exchange.json { stored.encodeJSON(&$0) }
    }
  }

  static func delete(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    exchange.write(PolicyDelete(id: try id(request)), datacenter: request.datacenter) { name in
      name.isEmpty ? exchange.fail(nothingToDelete) : exchange.bool(true)
    }
  }
}

/// `/v1/acl/role…`
enum ACLRoles {
  static let nothingToDelete = HTTPError.notFound("Cannot find role to delete")
  private static let missing = HTTPError.notFound("Requested role does not exist: ACL not found")

  static func list(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let options = try request.readOptions(exchange)
    exchange.read(RoleList(policy: request.query["policy"] ?? ""), options) { answer in
      exchange.json(exchange.head(answer, options)) { $0.array(answer.value) { $1.encodeJSON(&$0) } }
    }
  }

  static func read(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let id = try id(request)
    if let problem = ACLIdentifiers.problem(id, table: "role") { return exchange.failRead(HTTPError.server(problem)) }
    send(RoleRead(id: id), try request.readOptions(exchange), exchange)
  }

  static func readByName(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    if request.suffix.isEmpty { throw .badRequest("Missing role Name") }
    send(RoleRead(name: request.suffix), try request.readOptions(exchange), exchange)
  }

  private static func send(_ query: RoleRead, _ options: QueryOptions, _ exchange: Exchange) {
    exchange.read(query, options) { answer in
      guard let role = answer.value else { return exchange.fail(missing) }
      exchange.json(exchange.head(answer, options)) { role.encodeJSON(&$0) }
    }
  }

  private static func id(_ request: borrowing Request) throws(HTTPError) -> String {
    if request.suffix.isEmpty { throw .badRequest("Missing role ID") }
    return request.suffix
  }

  static func create(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let role = try ACL.decode(ACLRole.self, request, what: "Role")
    if !role.id.isEmpty { throw .badRequest("Role ID in URL and payload do not match") }
    write(role, request.datacenter, exchange)
  }

  static func update(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let id = try id(request)
    var role = try ACL.decode(ACLRole.self, request, what: "Role")
    if !role.id.isEmpty, role.id != id { throw .badRequest("Role ID in URL and payload do not match") }
    role.id = id
    write(role, request.datacenter, exchange)
  }

  private static func write(_ role: ACLRole, _ datacenter: String, _ exchange: Exchange) {
    exchange.write(RoleSet(role), datacenter: datacenter) { stored in
      exchange.json { stored.encodeJSON(&$0) }
    }
  }

  static func delete(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    exchange.write(RoleDelete(id: try id(request)), datacenter: request.datacenter) { name in
      name.isEmpty ? exchange.fail(nothingToDelete) : exchange.bool(true)
    }
  }
}
