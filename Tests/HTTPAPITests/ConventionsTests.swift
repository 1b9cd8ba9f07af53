import Model
import Testing

@testable import HTTPAPI

@Suite struct ConventionsTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var request: String
    var headers: [String: String] = [:]
    var status: Int
    var body: String
    var testDescription: String { request }

    init(_ request: String, _ status: Int, _ body: String, headers: [String: String] = [:]) {
      self.request = request
      self.status = status
      self.body = body
      self.headers = headers
    }
  }

  static let notAnEndpoint = "Invalid URL path: not a recognized HTTP API endpoint\n"
  static let notTheAPI = "Invalid URL path: if attempting to use the HTTP API, ensure the path starts with '/v1/'\n"
  static let ns = "Invalid query parameter: \"ns\" - Namespaces are a Consul Enterprise feature"

  static let cases = [
    Case("GET /v1/kv/a?index=abc", 400, "Invalid index"), Case("GET /v1/kv/a?index=-1", 400, "Invalid index"),
    Case("GET /v1/kv/a?index=+1", 400, "Invalid index"),
    Case("GET /v1/kv/a?index=18446744073709551616", 400, "Invalid index"),
    Case("GET /v1/kv/a?wait=10", 400, "Invalid wait time"), Case("GET /v1/kv/a?wait=1d", 400, "Invalid wait time"),
    Case("GET /v1/kv/a?wait=-1s", 400, "Invalid wait time"),
    Case("GET /v1/kv/a?max_stale=tomorrow", 400, "Invalid max_stale value \"tomorrow\""),
    Case(
      "GET /v1/kv/a?stale&consistent", 400, "Cannot specify ?stale with ?consistent, conflicting semantics."),
    Case(
      "GET /v1/kv/a?max_stale=10s&consistent", 400,
      "Cannot specify ?stale with ?consistent, conflicting semantics."),
    Case(
      "GET /v1/kv/a?cached&consistent", 400, "Cannot specify ?cached with ?consistent, conflicting semantics."),
    Case(
      "GET /v1/status/leader?stale&consistent", 400,
      "Cannot specify ?stale with ?consistent, conflicting semantics."),
    Case("GET /v1/kv/a", 400, "Invalid Cache-Control header.", headers: ["Cache-Control": "max-age=abc"]),
    Case("GET /v1/kv/a?dc=elsewhere", 500, "No path to datacenter"),
    Case("DELETE /v1/kv/a?datacenter=elsewhere", 500, "No path to datacenter"),
    Case("GET /v1/status/peers?dc=elsewhere", 500, "No path to datacenter"),
    Case("GET /v1/kv/a?ns=default", 400, ns), Case("GET /v1/catalog/service/web?ns=x", 400, ns),
    Case(
      "GET /v1/kv/a?partition=p", 400,
      "Invalid query parameter: \"partition\" - Partitions are a Consul Enterprise feature"),
    Case(
      "GET /v1/kv/a", 400, "Invalid header: \"X-Consul-Namespace\" - Namespaces are a Consul Enterprise feature",
      headers: ["X-Consul-Namespace": "team"]),
    Case("GET /v1/kv/a?ns=", 404, ""), Case("GET /v1/agent/self?%zz", 500, ""),
    Case("GET /v1", 404, notTheAPI), Case("GET /v1/", 404, notAnEndpoint), Case("GET /absent", 404, notTheAPI),
    Case("GET /x/v1/kv", 404, notAnEndpoint), Case("GET /v1/agent/self/", 404, notAnEndpoint),
    Case("GET /v1/catalog%2Fnodes", 404, notAnEndpoint), Case("OPTIONS /v1/absent", 404, notAnEndpoint),
    Case("GET /v1/kv", 307, "<a href=\"/v1/kv/\">Temporary Redirect</a>.\n\n"),
    Case(
      "GET /v1/kv/a/../b?recurse&x=1", 307,
      "<a href=\"/v1/kv/b?recurse&amp;x=1\">Temporary Redirect</a>.\n\n"),
    Case("PUT /v1/kv//leading", 307, ""), Case("GET /v1/kv/zero%00byte", 400, ""),
    Case("GET /v1/kv/wide%E2%80%8Bspace", 400, ""), Case("GET /v1/kv/bad%zz", 400, "400 Bad Request"),
    Case("PATCH /v1/kv/a", 405, "method PATCH not allowed"), Case("TRACE /v1/kv/a", 405, "method TRACE not allowed"),
    Case("POST /v1/session/create", 405, "method POST not allowed"), Case("HEAD /v1/status/leader", 405, ""),
    Case("GET /v1/agent/service/register", 405, "method GET not allowed"), Case("OPTIONS /v1/kv/a", 200, ""),
    Case(
      "GET /", 200,
      "Consul Agent: UI disabled. To enable, set ui_config.enabled=true in the agent configuration and restart."),
    Case("GET /ui/", 404, notTheAPI), Case("GET /v1/status/leader", 200, "\"127.0.0.1:8300\""),
    Case("GET /v1/status/peers", 200, "[\"127.0.0.1:8300\"]"), Case("GET /v1/catalog/datacenters", 200, "[\"dc1\"]"),
    Case("GET /v1/health/service/", 400, "Missing service name"),
    Case("GET /v1/health/node/", 400, "Missing node name"),
    Case("GET /v1/catalog/gateway-services/", 400, "Missing gateway name"),
    Case("GET /v1/catalog/gateway-services/x", 200, "[]"),
    Case("GET /v1/health/service/web?passing=maybe", 400, "Invalid value for ?passing"),
  ]

  @Test(arguments: cases)
  func answersToOneRequest(_ example: Case) throws {
    let response = try Client().call(example.request, example.headers)
    #expect(response.status == example.status)
    #expect(response.body == example.body)
  }

  @Test func readsTellWhereTheyWereMade() throws {
    let client = try Client()
    try client.call("PUT /v1/kv/a", body: "x")
    let response = try client.call("GET /v1/kv/a")
    #expect(response["X-Consul-Index"] == "11")
    #expect(response["X-Consul-KnownLeader"] == "true")
    #expect(response["X-Consul-LastContact"] == "0")
    #expect(response["X-Consul-Query-Backend"] == "blocking-query")
    #expect(response["X-Consul-Effective-Consistency"] == nil)
    #expect(response["X-Consul-Default-ACL-Policy"] == "allow")
    #expect(response["Vary"] == "Accept-Encoding")
    #expect(response["Content-Type"] == "application/json")
  }

  @Test(arguments: [("", "leader"), ("?stale", "stale"), ("?consistent", "consistent"), ("?max_stale=10s", "stale")])
  func catalogReadsTellHowTheyWereMade(_ query: String, _ mode: String) throws {
    #expect(try Client().call("GET /v1/catalog/nodes\(query)")["X-Consul-Effective-Consistency"] == mode)
  }

  @Test func failedCatalogReadsTellThatNothingIsKnown() throws {
    let client = try Client()
    let catalog = try client.call("GET /v1/catalog/nodes?dc=nowhere")
    #expect(catalog.status == 500)
    #expect(catalog["X-Consul-Index"] == "1")
    #expect(catalog["X-Consul-KnownLeader"] == "false")
    let keys = try client.call("GET /v1/kv/a?dc=nowhere")
    #expect(keys["X-Consul-Index"] == nil)
    let filtered = try client.call("GET /v1/catalog/nodes?filter=Unknown==1")
    #expect(filtered.body == "Failed to create boolean expression evaluator: Selector \"Unknown\" is not valid")
    #expect(filtered["X-Consul-Index"] == "1")
  }

  @Test func allowedMethodsAreListed() throws {
    let client = try Client()
    #expect(try client.call("OPTIONS /v1/kv/a")["Allow"] == "OPTIONS,GET,PUT,DELETE")
    #expect(try client.call("POST /v1/session/create")["Allow"] == "OPTIONS,PUT")
  }

  @Test func prettyIsAParameterOrTheMode() throws {
    let plain = try Client()
    #expect(try plain.call("GET /v1/catalog/datacenters?pretty").body == "[\n    \"dc1\"\n]\n")
    #expect(try plain.call("GET /v1/session/list?pretty").body == "[]\n")
    let development = try Client { $0.prettyByDefault = true }
    #expect(try development.call("GET /v1/catalog/datacenters").body == "[\n    \"dc1\"\n]\n")
  }

  @Test func blockedEndpointsAreClosedForAllMethods() throws {
    let client = try Client { $0.blockedEndpoints = ["/v1/kv/secret", "/v1/session/"] }
    for request in ["GET /v1/kv/secret", "PUT /v1/kv/secrets", "OPTIONS /v1/kv/secret/x", "PUT /v1/session/create"] {
      let response = try client.call(request)
      #expect(response.status == 403)
      #expect(response.body == "Endpoint is blocked by agent configuration")
    }
    #expect(try client.call("GET /v1/kv/s%65cret").status == 403)
    #expect(try client.call("GET /v1/kv/other").status == 404)
  }

  @Test func writesMayBeRestrictedToNetworks() throws {
    let client = try Client { $0.allowWriteFrom = [CIDR("10.0.0.0/8")].compactMap { $0 } }
    #expect(try client.call("PUT /v1/kv/a", body: "x").body == "Access is restricted")
    #expect(try client.call("DELETE /v1/kv/a").status == 403)
    #expect(try client.call("POST /v1/kv/a").status == 405)
    #expect(try client.call("GET /v1/kv/a").status == 404)
    #expect(try client.call("OPTIONS /v1/kv/a").status == 200)
  }

  @Test func configuredHeadersGoWithEveryAnswer() throws {
    let client = try Client { $0.responseHeaders = [("X-Custom", "a\r\nvalue"), ("Access-Control-Allow-Origin", "*")] }
    for request in ["GET /v1/kv/a", "GET /absent", "PATCH /v1/kv/a", "GET /v1/kv/a?index=x", "GET /"] {
      let response = try client.call(request)
      #expect(response["X-Custom"] == "a  value")
      #expect(response["Access-Control-Allow-Origin"] == "*")
    }
    #expect(try client.call("GET /v1/kv/%00")["X-Custom"] == nil)
  }

  @Test func theInterfacePathLeadsToAPage() throws {
    let client = try Client {
      $0.uiEnabled = true
      $0.uiPath = "/my/ui/"
    }
    let root = try client.call("GET /")
    #expect(root.status == 301)
    #expect(root["Location"] == "/my/ui/")
    #expect(try client.call("GET /my/ui").status == 307)
    let page = try client.call("GET /my/ui/dc1/kv")
    #expect(page.status == 200)
    #expect(page["Content-Type"] == "text/html; charset=utf-8")
    #expect(page.body.contains("/v1/catalog/services"))
    #expect(try client.call("HEAD /my/ui/").body.isEmpty)
    #expect(try client.call("GET /robots.txt").status == 200)
    #expect(try client.call("GET /ui/").status == 404)
  }

  @Test func printableFilterCanBeSwitchedOff() throws {
    let client = try Client { $0.allowsUnprintablePaths = true }
    #expect(try client.call("PUT /v1/kv/new%0Aline", body: "x").status == 200)
    #expect(try client.call("GET /v1/kv/?keys").body == "[\"new\\nline\"]")
  }

  @Test func pathsThatAreNotTextAreRefusedInsteadOfRepaired() throws {
    #expect(try Client().call("PUT /v1/kv/a%FFb", body: "x").status == 400)
  }
}
