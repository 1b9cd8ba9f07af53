import AccessControl
import Model
import NIOCore
import Server
import State

/// `/v1/acl/token…`
enum ACLTokens {
  static let nothingToDelete = HTTPError.notFound("Cannot find token to delete")
  private static let missing = HTTPError(.forbidden, "token does not exist: ACL not found")

  // MARK: reading

  static func list(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let options = try request.readOptions(exchange)
    let selection = try selection(request)
    exchange.read(TokenList(selection), options) { answer in
      exchange.json(exchange.head(answer, options)) { writer in
        writer.array(answer.value) { $1.encodeJSON(&$0) }
      }
    }
  }

  private static func selection(_ request: borrowing Request) throws(HTTPError) -> StateSnapshot.TokenSelection {
    if request.query.isEmpty { return .all }
    let given = ["policy", "role", "servicename", "authmethod"].compactMap { name -> (String, String)? in
      request.query[name].flatMap { $0.isEmpty ? nil : (name, $0) }
    }
    guard given.count <= 1 else {
      throw failedRead("can only filter by one of policy, role, serviceName, or methodName at a time")
    }
    guard let (name, value) = given.first else { return .all }
    switch name {
    case "policy":
      if let problem = ACLIdentifiers.problem(value, table: "token") { throw failedRead(problem) }
      return .policy(id: value)
    case "role":
      if let problem = ACLIdentifiers.problem(value, table: "token") { throw failedRead(problem) }
      return .role(id: value)
    case "servicename": return .service(value)
    default: return .authMethod(value)
    }
  }

  private static func failedRead(_ text: String) -> HTTPError {
    var error = HTTPError.server(text)
    error.isFromRead = true
    return error
  }

  static func read(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let id = try accessor(request)
    if let problem = ACLIdentifiers.problem(id, table: "token") { throw failedRead(problem) }
    let options = try request.readOptions(exchange)
    let isExpanded = request.query.has("expanded")
    exchange.read(TokenRead(.accessor(id), datacenter: api.backend.datacenter), options) { answer in
      guard let found = answer.value else { return exchange.failRead(missing) }
      let token = found.token
      exchange.json(exchange.head(answer, options)) { writer in
        if isExpanded {
          ExpandedToken(token: token, policies: found.policies, roles: found.roles).encodeJSON(&writer, api)
        } else {
          token.encodeJSON(&writer)
        }
      }
    }
  }

  /// The token of the request itself. No right is needed: whoever has the secret has the token.
  static func readSelf(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let options = try request.readOptions(exchange)
    let query = TokenRead(.secret(Secret(exchange.token)), datacenter: api.backend.datacenter)
    exchange.read(query, options) { answer in
      guard let found = answer.value else { return exchange.failRead(missing) }
      exchange.json(exchange.head(answer, options)) { found.token.encodeJSON(&$0) }
    }
  }

  private static func accessor(_ request: borrowing Request) throws(HTTPError) -> String {
    if request.suffix.isEmpty { throw .badRequest("Missing token AccessorID") }
    return request.suffix
  }

  // MARK: writing

  static func create(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let token = try ACL.decode(ACLToken.self, request, what: "Token")
    exchange.write(TokenSet(token, creates: true), datacenter: request.datacenter) { token in
      exchange.json { token.encodeJSON(&$0) }
    }
  }

  static func update(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let suffix = try accessor(request)
    if suffix.hasSuffix("/clone") {
      return try clone(String(suffix.dropLast("/clone".count)), request, exchange)
    }
    var token = try ACL.decode(ACLToken.self, request, what: "Token")
    if !token.accessorID.isEmpty, token.accessorID != suffix {
      throw .badRequest("Token Accessor ID in URL and payload do not match")
    }
    token.accessorID = suffix
    exchange.write(TokenSet(token, creates: false), datacenter: request.datacenter) { token in
      exchange.json { token.encodeJSON(&$0) }
    }
  }

  private static func clone(
    _ accessor: String, _ request: borrowing Request, _ exchange: Exchange
  ) throws(HTTPError) {
    let wishes = try ACL.decode(ACLToken.self, request, what: "Token")
    let copy = TokenClone(accessor: accessor, description: wishes.description)
    exchange.write(copy, datacenter: request.datacenter) { token in
      guard let token else { return exchange.fail(missing) }
      exchange.json { token.encodeJSON(&$0) }
    }
  }

  static func delete(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let removal = TokenDelete(accessor: try accessor(request), requester: Secret(exchange.token))
    exchange.write(removal, datacenter: request.datacenter) { found in
      found ? exchange.bool(true) : exchange.fail(nothingToDelete)
    }
  }
}

/// A token with all that it comes to, and what else decides about a request with it.
private struct ExpandedToken {
  let token: ACLToken
  let policies: [ACLPolicy]
  let roles: [ACLRole]

  func encodeJSON(_ writer: inout JSONWriter, _ api: API) {
    writer.beginObject()
    token.encodeJSONMembers(&writer)
    writer.member("ExpandedPolicies")
    policies.encodeJSON(&writer, .nullWhenEmpty)
    writer.member("ExpandedRoles")
    roles.encodeJSON(&writer, .nullWhenEmpty)
    for name in ["NamespaceDefaultPolicyIDs", "NamespaceDefaultRoleIDs"] {
      writer.member(name)
      writer.null()
    }
    for (name, value) in [
      ("AgentACLDefaultPolicy", api.settings.defaultPolicy), ("AgentACLDownPolicy", api.settings.downPolicy),
      ("ResolvedByAgent", api.control.nodeName),
    ] {
      writer.member(name)
      writer.string(value)
    }
    writer.endObject()
  }
}
