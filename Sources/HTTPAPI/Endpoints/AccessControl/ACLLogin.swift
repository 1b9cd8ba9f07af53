import Model
import NIOCore
import Server

/// `/v1/acl/login`, `/v1/acl/logout` and `/v1/acl/oidc/…`: to a token of the cluster and away from it. Nobody needs a right for
/// that: an auth method decides who gets what.
enum ACLLogin {
  static func login(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let body = try ACL.decode(ACLLoginParams.self, request, what: "Failed to decode request body")
    let login = Login(authMethod: body.authMethod, bearerToken: body.bearerToken, meta: body.meta)
    exchange.write(login, datacenter: request.datacenter) { token in exchange.json { token.encodeJSON(&$0) } }
  }

  static func logout(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    if exchange.token.isEmpty { throw HTTPError(.unauthorized, "Supplied token does not exist") }
    exchange.write(Logout(Secret(exchange.token)), datacenter: request.datacenter) { _ in exchange.bool(true) }
  }

  /// Where the browser is to go for a login.
  static func authURL(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let body = try ACL.decode(ACLOIDCAuthURLBody.self, request, what: "Failed to decode request body")
    let begin = OIDCAuthURL(
      authMethod: body.authMethod, redirectURI: body.redirectURI, clientNonce: body.clientNonce, meta: body.meta)
    exchange.write(begin, datacenter: request.datacenter) { url in
      exchange.json { writer in
        writer.beginObject()
        writer.member("AuthURL")
        writer.string(url)
        writer.endObject()
      }
    }
  }

  /// What the browser came back with.
  static func callback(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let body = try ACL.decode(ACLOIDCCallbackBody.self, request, what: "Failed to decode request body")
    let finish = OIDCCallback(
      authMethod: body.authMethod, state: body.state, code: body.code, clientNonce: body.clientNonce)
    exchange.write(finish, datacenter: request.datacenter) { token in exchange.json { token.encodeJSON(&$0) } }
  }
}

struct ACLOIDCAuthURLBody: Record {
  var authMethod = ""
  var redirectURI = ""
  var clientNonce = ""
  var meta = StringMap()

  init() {}

  static let schema = Schema<ACLOIDCAuthURLBody>("structs.ACLOIDCAuthURLParams") {
    $0.field("AuthMethod", \.authMethod)
    $0.field("RedirectURI", \.redirectURI)
    $0.field("ClientNonce", \.clientNonce)
    $0.field("Meta", \.meta)
  }
}

struct ACLOIDCCallbackBody: Record {
  var authMethod = ""
  var state = ""
  var code = Secret()
  var clientNonce = ""

  init() {}

  static let schema = Schema<ACLOIDCCallbackBody>("structs.ACLOIDCCallbackParams") {
    $0.field("AuthMethod", \.authMethod)
    $0.field("State", \.state)
    $0.field("Code", \.code)
    $0.field("ClientNonce", \.clientNonce)
  }
}
