import Testing

@testable import HTTPAPI

@Suite struct OperatorEndpointTests {
  @Test func autopilotConfigurationStartsFromDefaultsWithEachChange() throws {
    let client = try Client()
    #expect(
      try client.call("PUT /v1/operator/autopilot/configuration", body: #"{"MaxTrailingLogs": 7}"#).body == "true")
    let first = try client.call("GET /v1/operator/autopilot/configuration").body
    #expect(first.contains("\"MaxTrailingLogs\":7"))
    #expect(first.contains("\"LastContactThreshold\":\"200ms\""))
    #expect(try client.call("PUT /v1/operator/autopilot/configuration", body: "{}").body == "true")
    #expect(try client.call("GET /v1/operator/autopilot/configuration").body.contains("\"MaxTrailingLogs\":250"))
  }

  @Test(arguments: [
    ("", "{\"LastContactThreshold\": \"soon\"}", "Error parsing autopilot config: time: invalid duration \"soon\""),
    ("", "{\"Unknown\": 1}", "Error parsing autopilot config: json: unknown field \"Unknown\""),
    ("", "", "Error parsing autopilot config: EOF"),
    ("?cas=abc", "{}", "Error parsing cas value: strconv.ParseUint: parsing \"abc\": invalid syntax"),
  ])
  func malformedConfigurationsAreRefused(query: String, body: String, text: String) throws {
    let answer = try Client().call("PUT /v1/operator/autopilot/configuration\(query)", body: body)
    #expect(answer.status == 400)
    #expect(answer.body == text)
  }

  @Test func healthAndStateShowTheServers() throws {
    let client = try Client()
    let health = try client.call("GET /v1/operator/autopilot/health")
    #expect(health.status == 200)
    #expect(health.body.contains("\"Healthy\":true,\"FailureTolerance\":0"))
    let state = try client.call("GET /v1/operator/autopilot/state").body
    #expect(state.contains("\"Leader\":\"a\",\"Voters\":[\"a\"]"))
    #expect(state.contains("\"Status\":\"leader\""))
    #expect(try client.call("GET /v1/operator/autopilot/state?dc=elsewhere").body == "No path to datacenter")
  }

  @Test(arguments: [
    ("DELETE /v1/operator/raft/peer", 400), ("DELETE /v1/operator/raft/peer?id=x&address=y", 400),
    ("DELETE /v1/operator/raft/peer?id=x", 500), ("POST /v1/operator/raft/transfer-leader", 500),
    ("POST /v1/operator/raft/transfer-leader?id=b", 200),
  ])
  func peersAreNamedInOneWay(request: String, status: Int) throws {
    #expect(try Client().call(request).status == status)
  }

  @Test func keysAreListedWithTheNumberOfTheirMembers() throws {
    let client = try Client()
    let all = try client.call("GET /v1/operator/keyring").body
    #expect(
      all.hasPrefix(#"[{"WAN":true,"Datacenter":"dc1","Segment":"","Keys":{"a=":1,"b=":1},"PrimaryKeys":{"a=":1}"#))
    #expect(try client.call("GET /v1/operator/keyring?local-only=1").body.hasPrefix(#"[{"WAN":false"#))
  }

  @Test(arguments: [
    ("GET /v1/operator/keyring?relay-factor=6", "", "Invalid relay-factor: Relay factor must be in range: [0, 5]"),
    (
      "GET /v1/operator/keyring?relay-factor=x", "",
      "Error parsing relay factor: strconv.Atoi: parsing \"x\": invalid syntax"
    ),
    (
      "PUT /v1/operator/keyring?local-only=1", "{\"Key\":\"b=\"}",
      "Invalid use of local-only: local-only can only be set for list requests"
    ),
    (
      "DELETE /v1/operator/keyring", "{\"Key\":\"a=\"}",
      "4 errors occurred:\n\t* WAN error: 1/1 nodes reported failure\n\t* s1: Removing the primary key is not allowed\n\t"
        + "* dc1 (LAN) error: 1/1 nodes reported failure\n\t* s1: Removing the primary key is not allowed\n\n"
    ),
  ])
  func refusedKeyringRequestsSayWhy(request: String, body: String, text: String) throws {
    #expect(try Client().call(request, body: body).body == text)
  }

  @Test func otherDatacentersAreAskedWhereTheyAreNamed() throws {
    let client = try Client()
    #expect(try client.call("GET /v1/status/leader?dc=dc1").body == "\"127.0.0.1:8300\"")
    for path in ["status/leader", "status/peers", "operator/raft/configuration"] {
      let answer = try client.call("GET /v1/\(path)?dc=elsewhere")
      #expect(answer.status == 500 && answer.body == "No path to datacenter", "\(path)")
    }
    let fired = try client.call("PUT /v1/event/fire/deploy?dc=dc2", body: "x")
    #expect(fired.status == 200 && fired.body.contains(#""Name":"deploy","Payload":"eA==""#))
    #expect(client.control.calls == ["fire deploy"])
    #expect(try client.call("GET /v1/operator/usage?global").body.hasPrefix(#"{"Usage":{"dc1":{"#))
    #expect(try client.call("GET /v1/coordinate/datacenters").body.hasPrefix(#"[{"Datacenter":"dc1","AreaID":"wan""#))
  }

  @Test func coordinatesAreCheckedBeforeTheyAreTaken() throws {
    let client = try Client()
    let good = #"{"Node":"n1","Coord":{"Vec":[0,0,0,0,0,0,0,0],"Error":1.5,"Height":0.0001}}"#
    #expect(try client.call("PUT /v1/coordinate/update", body: good).status == 200)
    let short = try client.call("PUT /v1/coordinate/update", body: #"{"Node":"n1","Coord":{"Vec":[0]}}"#)
    #expect(short.body == "incompatible coordinate")
  }

  @Test func streamsOfMetricsAreChunks() throws {
    let client = try Client()
    try client.begin("GET /v1/agent/metrics/stream")
    client.loop.run()
    let answer = try client.read()
    #expect(answer.contains("Transfer-Encoding: chunked"))
    #expect(answer.hasSuffix("3\r\n{}\n\r\n"))
  }
}
