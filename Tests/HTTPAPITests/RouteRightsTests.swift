import AccessControl
import Checks
import LocalAgent
import Model
import Testing

@testable import HTTPAPI
@testable import State

/// Every route with three tokens: one that may do nothing, one that may do everything but what the route needs, and one that
/// may do just that. The table has to know every route: one that is missing fails the suite.
@Suite struct RouteRightsTests {
  /// How a request is refused.
  private enum Refusal {
    case status(Int)
    /// The answer leaves out what the token may not see.
    case hidden
    /// The answer has no instances. What was asked for is in it.
    case withoutNodes
  }

  private struct Case {
    var path = ""
    var body = ""
    var needs: [Permission]
    var refusal = Refusal.status(403)
    var success = 200
    /// Whether whoever may ask waits for something that this suite has not, and is refused in the end or not yet.
    var isAwaited = false
    /// Whether the answer goes on without an end.
    var isStream = false
  }

  /// What needs no right, or asks for none of its own.
  private static let open: [Case] = []

  private static let session = "aaaaaaaa-0000-0000-0000-000000000001"
  private static let query = "aaaaaaaa-0000-0000-0000-000000000002"
  private static let token = "aaaaaaaa-0000-0000-0000-000000000003"
  fileprivate static let secret = "aaaaaaaa-0000-0000-0000-0000000000ff"
  private static let policy = "aaaaaaaa-0000-0000-0000-000000000004"
  private static let role = "aaaaaaaa-0000-0000-0000-000000000005"

  private static let intention = "aaaaaaaa-0000-0000-0000-000000000007"
  private static let rule = "aaaaaaaa-0000-0000-0000-000000000006"
  private static let authMethod =
    #"{"Type":"aws-iam","Config":{"BoundIAMPrincipalARNs":["arn:aws:iam::123456789012:role/a"]}}"#

  private static let instance: [Permission] = [.nodeRead("secret"), .serviceRead("secret")]
  private static let ends: [Permission] = [.intentionRead("secret"), .intentionRead("any")]
  private static let aclRead = [Case(needs: [.aclRead])]

  private static let table: [String: [Case]] = [
    "GET /v1/kv/": [
      Case(path: "secret", needs: [.keyRead("secret")]),
      Case(path: "?keys", needs: [.keyRead("secret")], refusal: .hidden),
      Case(path: "?recurse", needs: [.keyRead("secret")], refusal: .hidden),
    ],
    "PUT /v1/kv/": [Case(path: "secret", body: "x", needs: [.keyWrite("secret")])],
    "DELETE /v1/kv/": [
      Case(path: "secret", needs: [.keyWrite("secret")]),
      Case(path: "sec?recurse", needs: [.keyWritePrefix("sec")]),
    ],
    "PUT /v1/txn": [
      Case(body: #"[{"KV":{"Verb":"get","Key":"secret"}}]"#, needs: [.keyRead("secret")], refusal: .hidden),
      Case(
        body: #"[{"KV":{"Verb":"delete","Key":"secret"}}]"#, needs: [.keyWrite("secret")], refusal: .status(409)),
    ],
    "PUT /v1/session/create": [
      Case(body: #"{"Node":"secret","NodeChecks":[]}"#, needs: [.sessionWrite("secret")])
    ],
    "PUT /v1/session/destroy/": [Case(path: session, needs: [.sessionWrite("secret")])],
    "PUT /v1/session/renew/": [Case(path: session, needs: [.sessionWrite("secret")])],
    "GET /v1/session/info/": [Case(path: session, needs: [.sessionRead("secret")], refusal: .hidden)],
    "GET /v1/session/node/": [Case(path: "secret", needs: [.sessionRead("secret")], refusal: .hidden)],
    "GET /v1/session/list": [Case(needs: [.sessionRead("secret")], refusal: .hidden)],
    "GET /v1/query": [Case(needs: [.queryRead("secret")], refusal: .hidden)],
    "POST /v1/query": [
      Case(body: #"{"Name":"new","Service":{"Service":"a"}}"#, needs: [.queryWrite("new")])
    ],
    "GET /v1/query/": [
      Case(path: query, needs: [.queryRead("secret")]),
      Case(path: "secret/explain", needs: [.queryRead("secret")]),
      Case(path: "secret/execute", needs: instance, refusal: .withoutNodes),
    ],
    // Answers 405, whoever asks.
    "POST /v1/query/": open,
    "PUT /v1/query/": [
      Case(
        path: query, body: #"{"Name":"secret","Service":{"Service":"b"}}"#, needs: [.queryWrite("secret")])
    ],
    "DELETE /v1/query/": [Case(path: query, needs: [.queryWrite("secret")])],
    "PUT /v1/event/fire/": [Case(path: "secret", needs: [.eventWrite("secret")])],
    "GET /v1/event/list": [Case(needs: [.eventRead("secret")], refusal: .hidden)],
    "GET /v1/snapshot": [Case(needs: [.aclWrite], isStream: true)],
    "PUT /v1/snapshot": [Case(body: "archive", needs: [.aclWrite])],
    "PUT /v1/catalog/register": [
      Case(body: #"{"Node":"new","Address":"192.0.2.9"}"#, needs: [.nodeWrite("new")]),
      Case(
        body: #"{"Node":"secret","Address":"192.0.2.1","Service":{"Service":"new"}}"#, needs: [.serviceWrite("new")]),
    ],
    "PUT /v1/catalog/deregister": [
      Case(body: #"{"Node":"secret"}"#, needs: [.nodeWrite("secret")])
    ],
    "GET /v1/catalog/datacenters": open,
    "GET /v1/connect/ca/roots": open,
    "GET /v1/agent/connect/ca/roots": open,
    // The cluster of this suite has no authority.
    "GET /v1/connect/ca/configuration": [Case(needs: [.operatorWrite])],
    "PUT /v1/connect/ca/configuration": [
      Case(body: #"{"Provider":"consul","Config":{}}"#, needs: [.operatorWrite], success: 500)
    ],
    "GET /v1/agent/connect/ca/leaf/": [Case(path: "secret", needs: [.serviceWrite("secret")], isAwaited: true)],
    "PUT /v1/config": [
      Case(body: #"{"Kind":"service-defaults","Name":"secret"}"#, needs: [.serviceWrite("secret")]),
      Case(body: #"{"Kind":"mesh"}"#, needs: [.meshWrite]),
      Case(
        body: #"{"Kind":"service-resolver","Name":"a","Redirect":{"Service":"secret"}}"#,
        needs: [.serviceRead("secret"), .serviceWrite("a")]),
      Case(
        body: #"{"Kind":"service-intentions","Name":"secret","Sources":[{"Name":"a","Action":"allow"}]}"#,
        needs: [.intentionWrite("secret")]),
    ],
    "GET /v1/config/": [
      Case(path: "service-defaults/secret", needs: [.serviceRead("secret")]),
      Case(path: "service-defaults", needs: [.serviceRead("secret")], refusal: .hidden),
      Case(path: "service-intentions/secret", needs: [.intentionRead("secret")]),
      Case(path: "", needs: [.serviceRead("secret"), .intentionRead("secret")], refusal: .hidden),
    ],
    "DELETE /v1/config/": [Case(path: "service-defaults/secret", needs: [.serviceWrite("secret")])],
    // Whoever may see one end sees what is between the two.
    "GET /v1/connect/intentions": [Case(needs: ends, refusal: .hidden)],
    "POST /v1/connect/intentions": [
      Case(
        body: #"{"SourceName":"a","DestinationName":"new","Action":"allow"}"#, needs: [.intentionWrite("new")])
    ],
    "GET /v1/connect/intentions/match": [
      Case(path: "?by=destination&name=secret", needs: [.intentionRead("secret")])
    ],
    "GET /v1/connect/intentions/check": [
      Case(path: "?source=a&destination=secret", needs: [.serviceRead("secret")])
    ],
    "GET /v1/connect/intentions/exact": [
      Case(path: "?source=any&destination=secret", needs: ends)
    ],
    "PUT /v1/connect/intentions/exact": [
      Case(
        path: "?source=a&destination=secret", body: #"{"Action":"allow"}"#, needs: [.intentionWrite("secret")])
    ],
    "DELETE /v1/connect/intentions/exact": [
      Case(path: "?source=any&destination=secret", needs: [.intentionWrite("secret")])
    ],
    "GET /v1/connect/intentions/": [Case(path: intention, needs: ends)],
    "PUT /v1/connect/intentions/": [
      Case(
        path: intention, body: #"{"SourceName":"any","DestinationName":"secret","Action":"deny"}"#,
        needs: [.intentionWrite("secret")])
    ],
    "DELETE /v1/connect/intentions/": [Case(path: intention, needs: [.intentionWrite("secret")])],
    "POST /v1/agent/connect/authorize": [
      Case(
        body: #"{"Target":"secret","ClientCertURI":"spiffe://a.consul/ns/default/dc/dc1/svc/any"}"#,
        needs: [.serviceWrite("secret"), .intentionRead("secret")])
    ],
    "GET /v1/discovery-chain/": [Case(path: "secret", needs: [.serviceRead("secret")])],
    "POST /v1/discovery-chain/": [Case(path: "secret", body: "{}", needs: [.serviceRead("secret")])],
    "GET /v1/exported-services": [Case(needs: [.meshRead])],
    "GET /v1/catalog/nodes": [Case(needs: [.nodeRead("secret")], refusal: .hidden)],
    "GET /v1/catalog/services": [Case(needs: [.serviceRead("secret")], refusal: .hidden)],
    "GET /v1/catalog/service/": [Case(path: "secret", needs: instance, refusal: .hidden)],
    "GET /v1/catalog/connect/": [
      Case(path: "secret", needs: instance + [.serviceRead("secret-proxy")], refusal: .hidden)
    ],
    "GET /v1/catalog/node/": [Case(path: "secret", needs: instance, refusal: .hidden)],
    "GET /v1/catalog/node-services/": [Case(path: "secret", needs: instance, refusal: .hidden)],
    "GET /v1/catalog/gateway-services/": [Case(path: "secret", needs: [.serviceRead("secret")])],
    "GET /v1/health/node/": [Case(path: "secret", needs: [.nodeRead("secret")], refusal: .hidden)],
    "GET /v1/health/checks/": [Case(path: "secret", needs: instance, refusal: .hidden)],
    "GET /v1/health/state/": [Case(path: "any", needs: [.nodeRead("secret")], refusal: .hidden)],
    "GET /v1/health/service/": [Case(path: "secret", needs: instance, refusal: .hidden)],
    "GET /v1/health/connect/": [Case(path: "secret", needs: [.serviceRead("secret")])],
    // Without gateways there is nothing to see.
    "GET /v1/health/ingress/": open,
    "GET /v1/coordinate/datacenters": open,
    "GET /v1/coordinate/nodes": [Case(needs: [.nodeRead("secret")], refusal: .hidden)],
    "PUT /v1/coordinate/update": [
      Case(
        body: #"{"Node":"secret","Coord":{"Vec":[0,0,0,0,0,0,0,0],"Error":1,"Adjustment":0,"Height":0.1}}"#,
        needs: [.nodeWrite("secret")])
    ],
    "GET /v1/coordinate/node/": [Case(path: "secret", needs: [.nodeRead("secret")], refusal: .hidden)],
    "OPTIONS /v1/query/": open,
    "GET /v1/status/leader": open,
    "GET /v1/status/peers": open,
    "GET /v1/agent/self": [Case(needs: [.agentRead("s1")])],
    "GET /v1/agent/version": open,
    "GET /v1/agent/host": [Case(needs: [.operatorRead])],
    "GET /v1/agent/metrics": [Case(needs: [.agentRead("s1")])],
    "GET /v1/agent/metrics/stream": [Case(needs: [.agentRead("s1")], isStream: true)],
    "GET /v1/agent/monitor": [Case(needs: [.agentRead("s1")], isStream: true)],
    "GET /v1/agent/members": [Case(needs: [.nodeRead("s1")], refusal: .hidden)],
    "PUT /v1/agent/join/": [Case(path: "192.0.2.7", needs: [.agentWrite("s1")])],
    "PUT /v1/agent/leave": [Case(needs: [.agentWrite("s1")])],
    "PUT /v1/agent/force-leave/": [Case(path: "n", needs: [.operatorWrite])],
    "PUT /v1/agent/reload": [Case(needs: [.agentWrite("s1")])],
    "PUT /v1/agent/maintenance": [Case(path: "?enable=true", needs: [.nodeWrite("s1")])],
    "PUT /v1/agent/token/": [Case(path: "default", body: #"{"Token":"t"}"#, needs: [.agentWrite("s1")])],
    "GET /v1/agent/services": [Case(needs: [.serviceRead("secret")], refusal: .hidden)],
    "GET /v1/agent/service/": [Case(path: "secret", needs: [.serviceRead("secret")])],
    "PUT /v1/agent/service/register": [Case(body: #"{"Name":"new"}"#, needs: [.serviceWrite("new")])],
    "PUT /v1/agent/service/deregister/": [Case(path: "secret", needs: [.serviceWrite("secret")])],
    "PUT /v1/agent/service/maintenance/": [Case(path: "secret?enable=true", needs: [.serviceWrite("secret")])],
    "GET /v1/agent/checks": [Case(needs: [.serviceRead("secret")], refusal: .hidden)],
    "PUT /v1/agent/check/register": [Case(body: #"{"Name":"new","TTL":"10s"}"#, needs: [.nodeWrite("s1")])],
    "PUT /v1/agent/check/deregister/": [Case(path: "service:secret", needs: [.serviceWrite("secret")])],
    "PUT /v1/agent/check/pass/": [Case(path: "service:secret", needs: [.serviceWrite("secret")])],
    "PUT /v1/agent/check/warn/": [Case(path: "service:secret", needs: [.serviceWrite("secret")])],
    "PUT /v1/agent/check/fail/": [Case(path: "service:secret", needs: [.serviceWrite("secret")])],
    "PUT /v1/agent/check/update/": [
      Case(path: "service:secret", body: #"{"Status":"passing"}"#, needs: [.serviceWrite("secret")])
    ],
    "GET /v1/agent/health/service/id/": [Case(path: "secret", needs: [.serviceRead("secret")], success: 503)],
    "GET /v1/agent/health/service/name/": [Case(path: "secret", needs: [.serviceRead("secret")], success: 503)],
    "GET /v1/internal/ui/nodes": [Case(needs: [.nodeRead("secret")], refusal: .hidden)],
    "GET /v1/internal/ui/node/": [Case(path: "secret", needs: [.nodeRead("secret")], refusal: .hidden)],
    "GET /v1/internal/ui/services": [Case(needs: instance, refusal: .hidden)],
    "GET /v1/operator/raft/configuration": [Case(needs: [.operatorRead])],
    "DELETE /v1/operator/raft/peer": [Case(path: "?id=a", needs: [.operatorWrite], success: 500)],
    "POST /v1/operator/raft/transfer-leader": [Case(path: "?id=b", needs: [.operatorWrite])],
    "GET /v1/operator/autopilot/configuration": [Case(needs: [.operatorRead])],
    "PUT /v1/operator/autopilot/configuration": [Case(body: "{}", needs: [.operatorWrite])],
    "GET /v1/operator/autopilot/health": [Case(needs: [.operatorRead])],
    "GET /v1/operator/autopilot/state": [Case(needs: [.operatorRead])],
    "GET /v1/operator/keyring": [Case(needs: [.keyringRead])],
    "POST /v1/operator/keyring": [Case(body: #"{"Key":"a"}"#, needs: [.keyringWrite])],
    "PUT /v1/operator/keyring": [Case(body: #"{"Key":"a"}"#, needs: [.keyringWrite])],
    "DELETE /v1/operator/keyring": [Case(body: #"{"Key":"a"}"#, needs: [.keyringWrite])],
    "GET /v1/operator/usage": [Case(needs: [.operatorRead])],
    "PUT /v1/acl/bootstrap": open,
    "GET /v1/acl/replication": open,
    // Tells what the token may do: nothing is an answer.
    "POST /v1/internal/acl/authorize": open,
    // About the own token everyone may ask.
    "POST /v1/acl/explain": [
      Case(
        body: #"{"AccessorID":"\#(token)","Resource":"key","Access":"read","Segment":"a"}"#, needs: [.aclRead])
    ],
    "GET /v1/acl/dry-run": aclRead,
    "GET /v1/acl/tokens": aclRead,
    "PUT /v1/acl/token": [Case(body: #"{"Description":"new"}"#, needs: [.aclWrite])],
    // Whoever has the secret may see its token.
    "GET /v1/acl/token/self": open,
    "GET /v1/acl/token/": [Case(path: token, needs: [.aclRead])],
    "PUT /v1/acl/token/": [
      Case(path: token, body: #"{"Description":"new"}"#, needs: [.aclWrite]),
      Case(path: token + "/clone", body: "{}", needs: [.aclWrite]),
    ],
    "DELETE /v1/acl/token/": [Case(path: token, needs: [.aclWrite])],
    "GET /v1/acl/policies": aclRead,
    "PUT /v1/acl/policy": [Case(body: #"{"Name":"new"}"#, needs: [.aclWrite])],
    "GET /v1/acl/policy/name/": [Case(path: "secret", needs: [.aclRead])],
    "GET /v1/acl/policy/": [Case(path: policy, needs: [.aclRead])],
    "PUT /v1/acl/policy/": [Case(path: policy, body: #"{"Name":"new"}"#, needs: [.aclWrite])],
    "DELETE /v1/acl/policy/": [Case(path: policy, needs: [.aclWrite])],
    "GET /v1/acl/roles": aclRead,
    "PUT /v1/acl/role": [Case(body: #"{"Name":"new"}"#, needs: [.aclWrite])],
    "GET /v1/acl/role/name/": [Case(path: "secret", needs: [.aclRead])],
    "GET /v1/acl/role/": [Case(path: role, needs: [.aclRead])],
    "PUT /v1/acl/role/": [Case(path: role, body: #"{"Name":"new"}"#, needs: [.aclWrite])],
    "DELETE /v1/acl/role/": [Case(path: role, needs: [.aclWrite])],
    "GET /v1/acl/auth-methods": aclRead,
    "PUT /v1/acl/auth-method": [
      Case(
        body: authMethod.replacing("{\"Type\"", with: "{\"Name\":\"new\",\"Type\""), needs: [.aclWrite])
    ],
    "GET /v1/acl/auth-method/": [Case(path: "secret", needs: [.aclRead])],
    "PUT /v1/acl/auth-method/": [Case(path: "secret", body: authMethod, needs: [.aclWrite])],
    "DELETE /v1/acl/auth-method/": [Case(path: "secret", needs: [.aclWrite])],
    "GET /v1/acl/binding-rules": aclRead,
    "PUT /v1/acl/binding-rule": [
      Case(body: #"{"AuthMethod":"secret","BindType":"service","BindName":"a"}"#, needs: [.aclWrite])
    ],
    "GET /v1/acl/binding-rule/": [Case(path: rule, needs: [.aclRead])],
    "PUT /v1/acl/binding-rule/": [
      Case(path: rule, body: #"{"BindType":"node","BindName":"a"}"#, needs: [.aclWrite])
    ],
    "DELETE /v1/acl/binding-rule/": [Case(path: rule, needs: [.aclWrite])],
    // Whoever logs in has no token yet; whoever logs out may delete its own.
    "POST /v1/acl/login": open,
    "POST /v1/acl/logout": open,
    "POST /v1/acl/oidc/auth-url": open,
    "POST /v1/acl/oidc/callback": open,
    "GET /v1/acl/templated-policies": aclRead,
    "GET /v1/acl/templated-policy/name/": [Case(path: "builtin/dns", needs: [.aclRead])],
    "POST /v1/acl/templated-policy/preview/": [Case(path: "builtin/dns", body: "{}", needs: [.aclRead])],
  ]

  private struct Selective: Authorizer {
    let accessorID = "accessor"
    let isAllowed: @Sendable (Permission) -> Bool
    func allows(_ permission: Permission) -> Bool { isAllowed(permission) }
  }

  private struct Tokens: AuthorizerResolver {
    let needs: [Permission]

    func authorizer(for token: String) throws(AccessControlError) -> any Authorizer {
      switch token {
      case "nothing": Selective { _ in false }
      case "others": Selective { [needs] in !needs.contains($0) }
      case "exact": Selective { [needs] in needs.contains($0) }
      case RouteRightsTests.secret: Selective { _ in false }
      default: throw .notFound
      }
    }
  }

  private func client(_ needs: [Permission]) throws -> Client {
    let client = try Client(resolver: Tokens(needs: needs)) { $0.aclEnabled = true }
    let backend = client.backend
    var request = RegisterRequest()
    request.node = "secret"
    request.address = "192.0.2.1"
    for name in ["secret", "secret-proxy"] {
      var service = NodeService()
      service.id = name
      service.service = name
      if name != "secret" {
        service.kind = ServiceKind.connectProxy
        service.proxy.value.destinationServiceName = "secret"
      }
      request.service = service
      backend.apply(.register(request))
    }
    request.service = nil
    request.checks = ["", "secret"].map { service in
      var check = HealthCheck()
      (check.node, check.checkID, check.status) = ("secret", "check-\(service)", "passing")
      (check.serviceID, check.serviceName) = (service, service)
      return check
    }
    backend.apply(.register(request))
    var entry = KVEntry()
    entry.key = "secret"
    backend.apply(.kvs(KVSRequest(op: .set, entry: entry)))
    var session = SessionRequest()
    session.op = "create"
    (session.session.id, session.session.node) = (Self.session, "secret")
    backend.apply(.session(session))
    var query = PreparedQuery()
    (query.id, query.name, query.service.service) = (Self.query, "secret", "secret")
    backend.apply(.preparedQuery(PreparedQueryRequest(op: .create, query: query)))
    var coordinate = NodeCoordinate()
    coordinate.node = "secret"
    coordinate.coord = Coordinate()
    backend.apply(.coordinates([coordinate]))
    prepareMesh(backend)
    try prepareAccessControl(backend)
    var event = UserEvent()
    event.name = "secret"
    _ = try client.local.events.fire(event)
    var definition = ServiceDefinition()
    definition.name = "secret"
    var check = CheckType()
    check.ttl = .seconds(10)
    definition.check = Boxed(check)
    client.local.register(
      try client.local.registration(definition), token: "", replacesChecks: false, on: client.loop
    ) { _ in }
    backend.archive.withLock { $0 = [[1, 2, 3]] }
    return client
  }

  private func prepareMesh(_ backend: MemoryBackend) {
    backend.apply(.configEntry(ConfigEntryRequest(.upsert, ConfigEntry(ServiceDefaults(name: "secret")))))
    var intentions = ServiceIntentions(name: "secret")
    var source = SourceIntention()
    (source.name, source.action, source.type, source.precedence) = ("any", Intention.allow, "consul", 9)
    source.legacyID = Self.intention
    intentions.sources = [source]
    backend.apply(.configEntry(ConfigEntryRequest(.upsert, ConfigEntry(intentions))))
  }

  private func prepareAccessControl(_ backend: MemoryBackend) throws {
    var policy = ACLPolicy()
    (policy.id, policy.name) = (Self.policy, "secret")
    backend.apply(.accessControl(.setPolicies(ACLPolicyBatchSetRequest([policy]))))
    var role = ACLRole()
    (role.id, role.name) = (Self.role, "secret")
    backend.apply(.accessControl(.setRoles(ACLRoleBatchSetRequest([role]))))
    var token = ACLToken()
    (token.accessorID, token.secretID) = (Self.token, Secret(Self.secret))
    token.description = "secret"
    var request = ACLTokenBatchSetRequest()
    request.tokens = [token]
    backend.apply(.accessControl(.setTokens(request)))
    var method = ACLAuthMethod()
    (method.name, method.type) = ("secret", "aws-iam")
    method.config["BoundIAMPrincipalARNs"] = ["arn:aws:iam::123456789012:role/a"]
    backend.apply(.accessControl(.setAuthMethods(ACLAuthMethodBatchSetRequest([method]))))
    var rule = ACLBindingRule()
    (rule.id, rule.authMethod, rule.bindType, rule.bindName) = (Self.rule, "secret", "service", "a")
    backend.apply(.accessControl(.setBindingRules(ACLBindingRuleBatchSetRequest([rule]))))
  }

  @Test func everyRouteIsInTheTable() {
    let routes = Endpoints.all.flatMap { endpoint in endpoint.routes.map { "\($0.method.name) \(endpoint.path)" } }
    #expect(Set(routes).subtracting(Self.table.keys) == [])
    #expect(Set(Self.table.keys).subtracting(routes) == [])
  }

  @Test func noTokenButTheRightOneGetsThrough() throws {
    for (route, cases) in Self.table {
      for item in cases {
        for token in ["nothing", "others", "unknown"] { try expectRefusal(route, item, token) }
        try expectSuccess(route, item)
      }
    }
  }

  private func response(_ client: Client, _ route: String, _ item: Case, _ token: String) throws -> Response? {
    try client.begin(route + item.path, ["X-Consul-Token": token], body: item.body)
    if !item.isStream { return try client.response() }
    let text = try client.read()
    var response = Response()
    response.status = Int(text.split(separator: " ").dropFirst().first ?? "") ?? 0
    return response
  }

  private func expectRefusal(_ route: String, _ item: Case, _ token: String) throws {
    let client = try client(item.needs)
    let before = client.backend.store.current.appliedIndex
    let response = try #require(try response(client, route, item, token), "\(route)\(item.path)")
    let what: Comment = "\(route)\(item.path) with the token for \(token): \(response.status) \(response.body)"
    #expect(client.backend.store.current.appliedIndex == before, what)
    #expect(client.control.calls.isEmpty, what)
    if token == "unknown" {
      #expect([403, 404].contains(response.status), what)
      return
    }
    switch item.refusal {
    case .status(let status): #expect(response.status == status, what)
    case .hidden: #expect([200, 404].contains(response.status) && !response.body.contains("\"secret\""), what)
    case .withoutNodes: #expect(response.status == 200 && response.body.contains("\"Nodes\":[]"), what)
    }
  }

  private func expectSuccess(_ route: String, _ item: Case) throws {
    let client = try client(item.needs)
    let answer = try response(client, route, item, "exact")
    if item.isAwaited { return #expect(answer == nil || answer?.status == 500, "\(route)\(item.path)") }
    let response = try #require(answer, "\(route)\(item.path)")
    let what: Comment = "\(route)\(item.path): \(response.status) \(response.body)"
    #expect(response.status == item.success, what)
    if case .hidden = item.refusal {
      #expect(response.body.contains("\"secret") || response.body.contains("\"s1\""), what)
    }
  }
}
