import Model
import Testing

@testable import HTTPAPI

@Suite struct AgentEndpointTests {
  @Test func aServiceComesBackAsItWasRegistered() throws {
    let client = try Client()
    let body = """
      {"name":"web","id":"w1","port":80,"tags":["a"],"meta":{"k":"v"},"enable_tag_override":true,
      "tagged_addresses":{"wan":{"address":"192.0.2.1","port":1}},"check":{"ttl":"10m","check_id":"c1"}}
      """
    let registered = try client.call("PUT /v1/agent/service/register", body: body)
    #expect(registered.status == 200)
    #expect(registered.body == "")
    let service = try client.json("GET /v1/agent/services")["w1"]
    #expect(service?["Service"]?.string == "web")
    #expect(service?["EnableTagOverride"]?.bool == true)
    #expect(service?["Datacenter"]?.string == "dc1")
    #expect(service?["ContentHash"] == nil)
    #expect(service?["Proxy"] == nil)
    let one = try client.call("GET /v1/agent/service/w1")
    #expect(one["X-Consul-ContentHash"] == (try Dynamic(json: Array(one.body.utf8))["ContentHash"]?.string))
    #expect(try client.json("GET /v1/agent/checks")["c1"]?["Status"]?.string == "critical")
    #expect(try client.call("GET /v1/agent/services?filter=Port==81").body == "{}")
    #expect(try client.call("PUT /v1/agent/service/deregister/w1").status == 200)
    #expect(try client.call("GET /v1/agent/service/w1").body == "unknown service ID: w1")
    #expect(
      try client.call("PUT /v1/agent/service/deregister/w1").body
        == "Unknown service ID \"w1\". Ensure that the service ID is passed, not the service name.")
  }

  @Test func waitingForAnotherContent() throws {
    let client = try Client()
    try client.call("PUT /v1/agent/service/register", body: "{\"Name\":\"web\",\"Port\":80}")
    let hash = try #require(try client.call("GET /v1/agent/service/web")["X-Consul-ContentHash"])
    try client.begin("GET /v1/agent/service/web?hash=\(hash)&wait=20s")
    #expect(try client.response() == nil)
    client.loop.advanceTime(by: .seconds(20))
    #expect(try client.response()?["X-Consul-ContentHash"] == hash)
    #expect(try client.call("GET /v1/agent/service/web?hash=other&wait=20s").status == 200)
    #expect(try client.call("GET /v1/agent/service/web?hash=x&wait=nonsense").body == "Invalid wait time")
  }

  @Test(arguments: [
    ("/v1/agent/service/register", "{}", 400, "Missing service name"),
    ("/v1/agent/service/register", "", 400, "Request decode failed: EOF"),
    (
      "/v1/agent/service/register", "{\"Name\":\"x\",\"Port\":\"80\"}", 400,
      "Request decode failed: json: cannot unmarshal string into Go struct field .Port of type int"
    ),
    (
      "/v1/agent/service/register", "{\"Name\":\"x\",\"Unknown\":1}", 400,
      "Request decode failed: json: unknown field \"Unknown\""
    ),
    ("/v1/agent/check/register", "{\"Name\":\"x\"}", 400, "Invalid check: TTL must be > 0 for TTL checks"),
    (
      "/v1/agent/check/register", "{\"Name\":\"x\",\"TTL\":\"1s\",\"ServiceID\":\"absent\"}", 404,
      "ServiceID \"absent\" does not exist"
    ),
    (
      "/v1/agent/check/update/absent", "{\"Status\":\"passing\"}", 404,
      "Unknown check ID \"absent\". Ensure that the check ID is passed, not the check name."
    ),
    ("/v1/agent/check/update/absent", "{\"Status\":\"bogus\"}", 400, "Invalid check status: 'bogus'"),
    (
      "/v1/agent/check/pass/", "", 404, "Unknown check ID \"\". Ensure that the check ID is passed, not the check name."
    ),
    ("/v1/agent/service/maintenance/?enable=true", "", 400, "Missing service ID"),
    ("/v1/agent/service/maintenance/web", "", 400, "Missing value for enable"),
    ("/v1/agent/maintenance?enable=", "", 400, "Invalid value for enable: \"\""),
    ("/v1/agent/token/default", "{\"Token\":\"x\"}", 401, "ACL support disabled"),
    ("/v1/agent/force-leave/absent", "", 500, "agent: No node found with name 'absent'"),
  ])
  func refusals(_ path: String, _ body: String, _ status: Int, _ text: String) throws {
    let response = try Client().call("PUT \(path)", body: body)
    #expect(response.status == status)
    #expect(response.body == text)
  }

  @Test func healthAsAStatusCode() throws {
    let client = try Client()
    let body = "{\"Name\":\"web\",\"ID\":\"w1\",\"Check\":{\"CheckID\":\"c1\",\"TTL\":\"10m\",\"Status\":\"passing\"}}"
    try client.call("PUT /v1/agent/service/register", body: body)
    let steps: [(String, Int, String)] = [
      ("", 200, "passing"), ("PUT /v1/agent/check/warn/c1?note=slow", 429, "warning"),
      ("PUT /v1/agent/check/fail/c1", 503, "critical"), ("PUT /v1/agent/check/pass/c1", 200, "passing"),
      ("PUT /v1/agent/service/maintenance/w1?enable=true", 503, "maintenance"),
      ("PUT /v1/agent/service/maintenance/w1?enable=0", 200, "passing"),
      ("PUT /v1/agent/maintenance?enable=t", 503, "maintenance"),
      ("PUT /v1/agent/maintenance?enable=F", 200, "passing"),
    ]
    for (request, status, reason) in steps {
      if !request.isEmpty { #expect(try client.call(request).status == 200) }
      for path in ["id/w1", "name/web"] {
        let text = try client.call("GET /v1/agent/health/service/\(path)?format=text")
        #expect(text.status == status)
        #expect(text.body == reason)
        #expect(text["X-Consul-Reason"] == reason)
        #expect(text["Content-Type"] == "text/plain")
        #expect(try client.call("GET /v1/agent/health/service/\(path)").status == status)
      }
    }
    #expect(
      try client.call("GET /v1/agent/health/service/id/none").body
        == "{\"AggregatedStatus\":\"critical\",\"Service\":null,\"Checks\":null}")
    #expect(try client.call("GET /v1/agent/health/service/name/none").body == "[]")
    #expect(try client.call("GET /v1/agent/health/service/id/").body == "Missing serviceID")
  }

  @Test func theAgentItself() throws {
    let client = try Client { $0.aclEnabled = true }
    #expect(try client.call("GET /v1/agent/self").body == "{\"Config\":{}}")
    #expect(try client.json("GET /v1/agent/version")["HumanVersion"]?.string == "1.21.4")
    #expect(try client.call("GET /v1/agent/members?wan=1").body == "null")
    #expect(try client.json("GET /v1/agent/members?wan").array?.count == 1)
    #expect(try client.call("GET /v1/agent/members?filter=Tags.role==node").body == "[]")
    for headers in [
      [:], ["Accept": "application/openmetrics-text; version=1.0.0"], ["Accept": "text/plain;version=0.4.0"],
    ] {
      let metrics = try client.call("GET /v1/agent/metrics\(headers.isEmpty ? "?format=prometheus" : "")", headers)
      #expect(metrics["X-Consul-Reason"] == "Prometheus is not enabled since its retention time is not positive")
    }
    #expect(try client.call("GET /v1/agent/metrics").body == "{\"Gauges\":{}}")
    #expect(try client.json("GET /v1/operator/raft/configuration")["Servers"]?.array?.count == 1)
    for request in [
      "PUT /v1/agent/join/10.0.0.1", "PUT /v1/agent/join/10.0.0.1?wan=1", "PUT /v1/agent/force-leave/x?prune",
      "PUT /v1/agent/reload", "PUT /v1/agent/leave",
    ] {
      #expect(try client.call(request).status == 200)
    }
    #expect(try client.call("PUT /v1/agent/token/acl_agent_token", body: "{\"Token\":\"t\"}").status == 200)
    #expect(
      try client.call("PUT /v1/agent/token/nonsense", body: "{\"Token\":\"t\"}").body == "Token \"nonsense\" is unknown"
    )
    #expect(
      client.control.calls == [
        "join 10.0.0.1", "join 10.0.0.1 wan", "force-leave x prune", "reload", "leave", "token agent t",
      ])
  }

  @Test func filtersOfNoChecksAreNotLookedAt() throws {
    let client = try Client()
    #expect(try client.call("GET /v1/agent/checks?filter=Bogus==1").body == "{}")
    #expect(try client.call("GET /v1/agent/services?filter=Bogus==1").status == 500)
  }
}
