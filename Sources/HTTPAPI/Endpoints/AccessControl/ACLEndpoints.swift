import AccessControl
import Model
import NIOCore
import Server
import State

/// `/v1/acl/`: tokens, policies, roles and what belongs to them.
extension Endpoints {
  private static let read = Route.Authorisation.requires { _, _ in .aclRead }
  private static let write = Route.Authorisation.requires { _, _ in .aclWrite }

  static let accessControl: [Endpoint] =
    [
      Endpoint("/v1/acl/bootstrap", [], Route(.put, .open, ACL.bootstrap)),
      Endpoint("/v1/acl/replication", [], Route(.get, .open, ACL.replication)),
      Endpoint("/v1/internal/acl/authorize", [], Route(.post, .asks, ACLAuthorize.authorize)),
      Endpoint("/v1/acl/explain", [], Route(.post, .asks, ACLExplain.explain)),
      Endpoint("/v1/acl/dry-run", [], Route(.get, read, ACLDryRun.list)),
    ] + tokens + policies + roles + templates + authMethods + logins

  private static let tokens: [Endpoint] = [
    Endpoint("/v1/acl/tokens", .metaOnFailure, Route(.get, read, ACLTokens.list)),
    Endpoint("/v1/acl/token", [], Route(.put, write, ACLTokens.create)),
    Endpoint("/v1/acl/token/self", .metaOnFailure, Route(.get, .open, ACLTokens.readSelf)),
    Endpoint(
      "/v1/acl/token/", .metaOnFailure, Route(.get, read, ACLTokens.read),
      Route(.put, write, ACLTokens.update),
      Route(.delete, write, unknownToken: ACLTokens.nothingToDelete, ACLTokens.delete)),
  ]

  private static let policies =
    collection(ACLPolicies.self, "/v1/acl/policies", "/v1/acl/policy") + [
      byName(ACLPolicies.self, "/v1/acl/policy/name/")
    ]
  private static let roles =
    collection(ACLRoles.self, "/v1/acl/roles", "/v1/acl/role") + [byName(ACLRoles.self, "/v1/acl/role/name/")]
  private static let authMethods =
    collection(ACLAuthMethods.self, "/v1/acl/auth-methods", "/v1/acl/auth-method")
    + collection(ACLBindingRules.self, "/v1/acl/binding-rules", "/v1/acl/binding-rule")

  private static func collection<Items: ACLCollection>(
    _ items: Items.Type, _ all: String, _ one: String
  ) -> [Endpoint] {
    [
      Endpoint(all, .metaOnFailure, Route(.get, read, Items.list)),
      Endpoint(one, [], Route(.put, write, Items.create)),
      Endpoint(
        "\(one)/", .metaOnFailure, Route(.get, read, Items.read), Route(.put, write, Items.update),
        Route(.delete, write, unknownToken: Items.nothingToDelete, Items.delete)),
    ]
  }

  private static func byName<Items: NamedACLCollection>(_ items: Items.Type, _ path: String) -> Endpoint {
    Endpoint(path, .metaOnFailure, Route(.get, read, Items.readByName))
  }

  private static let logins: [Endpoint] = [
    Endpoint("/v1/acl/login", [], Route(.post, .open, ACLLogin.login)),
    Endpoint("/v1/acl/logout", [], Route(.post, .open, ACLLogin.logout)),
    Endpoint("/v1/acl/oidc/auth-url", [], Route(.post, .open, ACLLogin.authURL)),
    Endpoint("/v1/acl/oidc/callback", [], Route(.post, .open, ACLLogin.callback)),
  ]

  private static let templates: [Endpoint] = [
    Endpoint("/v1/acl/templated-policies", [], Route(.get, read, ACLTemplates.list)),
    Endpoint("/v1/acl/templated-policy/name/", [], Route(.get, read, ACLTemplates.readByName)),
    Endpoint("/v1/acl/templated-policy/preview/", [], Route(.post, read, ACLTemplates.preview)),
  ]
}

enum ACL {
  /// Everything below `/v1/acl/` is there only with access control.
  static func requireEnabled(_ api: API) throws(HTTPError) {
    if !api.settings.aclEnabled { throw HTTPError(.unauthorized, "ACL support disabled") }
  }

  /// The record in the body.
  ///
  /// - Parameter what: the first words of an error (`Token decoding failed: …`).
  static func decode<Value: Record>(
    _ type: Value.Type, _ request: borrowing Request, what: String
  ) throws(HTTPError) -> Value {
    let failure = what.hasPrefix("Failed") ? "\(what): " : "\(what) decoding failed: "
    let json = try request.json(failure: failure)
    do throws(DecodingError) {
      return try Value(from: json, DecodingContext(.api, refusesUnknown: true))
    } catch {
      if case .unknownField(_, let name) = error, let edition = enterprise(name) {
        throw .badRequest("\(failure)\(error) - \(edition) are a Consul Enterprise feature")
      }
      throw .badRequest(failure + error.apiText(Value.schema.name))
    }
  }

  private static func enterprise(_ field: String) -> String? {
    switch field.lowercased() {
    case "namespace": "Namespaces"
    case "partition": "Partitions"
    default: nil
    }
  }

  static func bootstrap(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try requireEnabled(api)
    var body = ACLBootstrapBody()
    if request.body.readableBytes > 0 { body = try decode(ACLBootstrapBody.self, request, what: "Request") }
    exchange.write(ACLBootstrap(secret: body.bootstrapSecret), datacenter: request.datacenter) { token in
      exchange.json { writer in
        writer.beginObject()
        // The name that the secret had in the first releases.
        writer.member("ID")
        token.secretID.encodeJSON(&writer, [])
        token.encodeJSONMembers(&writer)
        writer.endObject()
      }
    }
  }

  /// How far a datacenter has followed the primary. Only its leader knows.
  static func replication(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try requireEnabled(api)
    var options = try request.readOptions(exchange)
    options.minIndex = 0
    options.consistency = .leaseBased
    exchange.answer(api.control.replicationStatus(options, on: exchange.loop)) { status in
      exchange.json { status.encodeJSON(&$0) }
    }
  }
}

/// What a bootstrap may be given.
struct ACLBootstrapBody: Record {
  var bootstrapSecret = Secret()

  init() {}

  static let schema = Schema<ACLBootstrapBody>("structs.ACLInitialTokenBootstrapRequest") {
    $0.field("BootstrapSecret", \.bootstrapSecret)
  }
}
