import AccessControl
import Model
import Testing

@testable import HTTPAPI

/// Denies everything to everyone, and knows no token called `unknown`.
private struct DenyingResolver: AuthorizerResolver {
  struct DenyAll: Authorizer {
    let accessorID: String
    func allows(_ permission: Permission) -> Bool { false }
  }

  func authorizer(for token: String) throws(AccessControlError) -> any Authorizer {
    if token == "unknown" { throw .notFound }
    return DenyAll(accessorID: token.isEmpty ? "" : "accessor-of-\(token)")
  }
}

@Suite struct AuthorisationTests {
  /// Paths under which something secret lies, for every endpoint.
  private static let suffixes: [String: String] = [
    "/v1/kv/": "secret", "/v1/catalog/service/": "secret", "/v1/catalog/node/": "secret",
    "/v1/catalog/node-services/": "secret", "/v1/health/service/": "secret", "/v1/health/checks/": "secret",
    "/v1/health/node/": "secret", "/v1/health/state/": "any", "/v1/agent/service/": "secret",
  ]

  private func client() throws -> Client {
    let client = try Client(resolver: DenyingResolver())
    var request = RegisterRequest()
    request.node = "secret"
    request.address = "192.0.2.1"
    var service = NodeService()
    service.id = "secret"
    service.service = "secret"
    request.service = service
    var check = HealthCheck()
    check.node = "secret"
    check.checkID = "secret"
    check.status = "passing"
    request.checks = [check]
    client.backend.apply(.register(request))
    var entry = KVEntry()
    entry.key = "secret"
    client.backend.apply(.kvs(KVSRequest(op: .set, entry: entry)))
    var definition = ServiceDefinition()
    definition.name = "secret"
    let registration = try client.local.registration(definition)
    client.local.register(registration, token: "", replacesChecks: false, on: client.loop) { _ in }
    return client
  }

  @Test func everyRouteAsksBeforeItShowsOrDoesAnything() throws {
    for endpoint in Endpoints.all {
      for route in endpoint.routes {
        if case .open = route.authorisation { continue }
        let client = try client()
        let before = client.backend.store.current.appliedIndex
        let suffix = endpoint.path.hasSuffix("/") ? Self.suffixes[endpoint.path] ?? "secret" : ""
        for query in ["", "?keys", "?recurse", "?enable=true"] {
          let response = try client.call(
            "\(route.method.name) \(endpoint.path)\(suffix)\(query)", ["X-Consul-Token": "t"],
            body: "{\"Node\":\"secret\",\"Name\":\"secret\",\"TTL\":\"10s\",\"Status\":\"passing\"}")
          let what = "\(route.method.name) \(endpoint.path)\(query)"
          #expect(response.status != 200 || !response.body.contains("secret"), "\(what)")
          // Ending a session that does not exist succeeds for everyone: it tells nothing and does nothing.
          if !route.method.isSafe, endpoint.path != "/v1/session/destroy/" {
            #expect(response.status != 200, "\(what)")
          }
        }
        #expect(client.backend.store.current.appliedIndex == before, "\(endpoint.path) wrote")
        #expect(client.control.calls.isEmpty, "\(endpoint.path) acted")
      }
    }
  }

  @Test func openRoutesAreTheseAndNoOthers() {
    var open: [String] = []
    for endpoint in Endpoints.all {
      for route in endpoint.routes {
        if case .open = route.authorisation { open.append("\(route.method.name) \(endpoint.path)") }
      }
    }
    #expect(
      Set(open) == [
        "GET /v1/catalog/datacenters", "GET /v1/coordinate/datacenters", "GET /v1/status/leader",
        "GET /v1/status/peers", "GET /v1/agent/version",
        // Whoever verifies a certificate needs the roots; there is nothing secret in them.
        "GET /v1/connect/ca/roots", "GET /v1/agent/connect/ca/roots",
        // Bootstrapping needs no token, as there is none before; whoever has a secret may see its own token.
        "PUT /v1/acl/bootstrap", "GET /v1/acl/token/self", "GET /v1/acl/replication",
        // Whoever logs in has no token yet; an auth method decides what it gets.
        "POST /v1/acl/login", "POST /v1/acl/logout", "POST /v1/acl/oidc/auth-url", "POST /v1/acl/oidc/callback",
        // Tells the methods of a path.
        "OPTIONS /v1/query/",
      ])
  }

  @Test func refusalsNameTheTokenAndTheRight() throws {
    let client = try client()
    let known = try client.call("GET /v1/kv/secret", ["X-Consul-Token": "t"])
    #expect(known.status == 403)
    #expect(
      known.body
        == "Permission denied: token with AccessorID 'accessor-of-t' lacks permission 'key:read' on \"secret\"")
    #expect(known["X-Consul-Denied"] == "accessor-of-t key:read \"secret\"")
    let anonymous = try client.call("PUT /v1/agent/reload")
    #expect(
      anonymous.body
        == "Permission denied: anonymous token lacks permission 'agent:write' on \"s1\". The anonymous token is used implicitly when a request does not specify a token."
    )
    #expect(try client.call("GET /v1/kv/secret", ["X-Consul-Token": "unknown"]).body == "ACL not found")
    #expect(try client.call("GET /v1/status/leader", ["X-Consul-Token": "unknown"]).status == 200)
  }

  @Test func onlyThoseWithATokenLearnThatSomethingIsKeptFromThem() throws {
    let client = try client()
    let known = try client.call("GET /v1/catalog/nodes", ["X-Consul-Token": "t"])
    #expect(known.body == "[]")
    #expect(known["X-Consul-Results-Filtered-By-ACLs"] == "true")
    #expect(try client.call("GET /v1/catalog/nodes")["X-Consul-Results-Filtered-By-ACLs"] == nil)
  }

  @Test(
    arguments: [
      (["X-Consul-Token": "a"], "", "a"), (["Authorization": "Bearer b"], "", "b"),
      (["Authorization": "bearer  b"], "", "b"),
      ([:], "?token=c", "c"), (["X-Consul-Token": "a", "Authorization": "Bearer b"], "", "a"),
      (["X-Consul-Token": "a"], "?token=c", "c"),
    ] as [([String: String], String, String)])
  func tokensComeInThreeWays(_ headers: [String: String], _ query: String, _ token: String) throws {
    let response = try client().call("GET /v1/kv/x\(query)", headers)
    #expect(response.body.contains("'accessor-of-\(token)'"))
  }

  @Test func anEndpointThatForgetsToAskDoesNotAnswer() throws {
    let client = try client()
    let forgetful = Endpoint(
      "/v1/forgetful", [],
      Route(.get, .asks) { (_, _, exchange) throws(HTTPError) in exchange.json { $0.string("secret") } })
    let gate = Gate(api: client.gate.api, router: Router([forgetful]))
    let other = try Client(beside: client, through: gate)
    let response = try other.call("GET /v1/forgetful")
    #expect(response.status == 500)
    #expect(!response.body.contains("secret"))
  }

  @Test(arguments: 0..<4)
  func noBodyMakesAnEndpointFall(_ round: UInt64) throws {
    var random = SeededGenerator(seed: 0xFEED + round)
    let client = try Client()
    let values = [
      "null", "[]", "{}", "[null]", "\"x\"", "-1", "1e400", "18446744073709551616", "true", "\"9223372036854775807h\"",
      "{\"Node\":null}", "{\"Service\":{\"Proxy\":{\"Config\":{\"a\":null}}}}", "[{\"TTL\":\"1s\"}]",
    ]
    let names = [
      "Node", "Address", "Service", "Check", "Checks", "Name", "ID", "Port", "Tags", "Meta", "TTL", "LockDelay",
      "Weights",
      "NodeMeta", "TaggedAddresses", "Proxy", "Connect", "Kind", "Interval", "Status", "Output", "NodeChecks", "Token",
    ]
    let puts = Endpoints.all.filter { $0.route(.put) != nil }
    for _ in 0..<400 {
      let endpoint = try #require(puts.randomElement(using: &random))
      let members = (0..<Int.random(in: 0...5, using: &random)).map { _ in
        "\"\(names.randomElement(using: &random) ?? "")\":\(values.randomElement(using: &random) ?? "")"
      }
      var body =
        Bool.random(using: &random) ? "{\(members.joined(separator: ","))}" : values.randomElement(using: &random) ?? ""
      if Int.random(in: 0..<10, using: &random) == 0 { body = String(body.dropLast()) }
      let response = try client.call("PUT \(endpoint.path)\(endpoint.path.hasSuffix("/") ? "x" : "")", body: body)
      #expect([200, 400, 401, 404, 405, 500].contains(response.status), "seed \(round): \(endpoint.path) \(body)")
    }
  }
}
