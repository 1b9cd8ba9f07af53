import Model
import Testing

@testable import HTTPAPI

@Suite struct KVEndpointTests {
  @Test func oneKey() throws {
    let client = try Client()
    #expect(try client.call("GET /v1/kv/absent").status == 404)
    #expect(try client.call("PUT /v1/kv/a/b?flags=42", body: "value").body == "true")
    #expect(
      try client.call("GET /v1/kv/a/b").body
        == "[{\"LockIndex\":0,\"Key\":\"a/b\",\"Flags\":42,\"Value\":\"dmFsdWU=\",\"CreateIndex\":11,\"ModifyIndex\":11}]"
    )
    let raw = try client.call("GET /v1/kv/a/b?raw")
    #expect(raw.body == "value")
    #expect(raw["Content-Type"] == "text/plain")
    #expect(raw["Content-Security-Policy"] == "sandbox")
    #expect(raw["X-Content-Type-Options"] == "nosniff")
    #expect(try client.call("DELETE /v1/kv/a/b").body == "true")
    #expect(try client.call("GET /v1/kv/a/b").status == 404)
  }

  @Test func lists() throws {
    let client = try Client()
    #expect(try client.call("GET /v1/kv/?keys").body == "[]")
    #expect(try client.call("GET /v1/kv/x?keys").status == 404)
    for key in ["app/db/host", "app/db/port", "app/name", "web"] { try client.call("PUT /v1/kv/\(key)", body: "1") }
    #expect(try client.call("GET /v1/kv/app/?keys&separator=/").body == "[\"app/db/\",\"app/name\"]")
    #expect(try client.call("GET /v1/kv/?keys&seperator=/").body == "[\"app/\",\"web\"]")
    #expect(try client.json("GET /v1/kv/app/?recurse").array?.count == 3)
    #expect(try client.call("DELETE /v1/kv/app/?recurse").body == "true")
    #expect(try client.call("GET /v1/kv/app/?recurse").status == 404)
  }

  @Test(arguments: [
    ("PUT /v1/kv/a?release=b+c&acquire=d%2Fe&cas=%22", 400, "Conflicting flags: acquire=d%2Fe&cas=%22&release=b+c\n"),
    ("PUT /v1/kv/a?cas&acquire", 400, "Conflicting flags: acquire=&cas=\n"),
    ("DELETE /v1/kv/a?cas&recurse=true", 400, "Conflicting flags: cas=&recurse=true\n"),
    ("PUT /v1/kv/a?cas=-1", 500, "strconv.ParseUint: parsing \"-1\": invalid syntax"),
    ("PUT /v1/kv/a?flags=", 500, "strconv.ParseUint: parsing \"\": invalid syntax"),
    ("PUT /v1/kv/a?flags=%2B5", 500, "strconv.ParseUint: parsing \"+5\": invalid syntax"),
    (
      "DELETE /v1/kv/a?cas=99999999999999999999", 500,
      "strconv.ParseUint: parsing \"99999999999999999999\": value out of range"
    ),
    ("PUT /v1/kv/", 400, "Missing key name"), ("DELETE /v1/kv/?cas=3", 400, "Missing key name"),
    ("GET /v1/kv/?raw", 400, "Missing key name"),
    ("PUT /v1/kv/a?acquire=none", 500, "raft apply failed: invalid session \"none\""),
  ])
  func refusals(_ request: String, _ status: Int, _ text: String) throws {
    let response = try Client().call(request, body: "x")
    #expect(response.status == status)
    #expect(response.body == text)
  }

  @Test func aBlockedReadWakesWithTheChangeOfItsKey() throws {
    let client = try Client()
    try client.call("PUT /v1/kv/a", body: "1")
    try client.begin("GET /v1/kv/a?raw&index=11&wait=1m")
    var other = KVEntry()
    other.key = "b"
    client.backend.apply(.kvs(KVSRequest(op: .set, entry: other)))
    client.loop.run()
    #expect(try client.response() == nil)
    other.key = "a"
    other.value = Bytes(Array("2".utf8))
    client.backend.apply(.kvs(KVSRequest(op: .set, entry: other)))
    client.loop.run()
    #expect(try client.response()?.body == "2")
  }
}

@Suite struct SessionEndpointTests {
  private func clientWithNode() throws -> Client {
    let client = try Client()
    try client.call(
      "PUT /v1/catalog/register",
      body: "{\"Node\":\"s1\",\"Address\":\"127.0.0.1\",\"Check\":{\"CheckID\":\"serfHealth\",\"Status\":\"passing\"}}")
    return client
  }

  private func create(_ client: Client, _ body: String = "") throws -> String {
    try #require(try client.json("PUT /v1/session/create", body: body)["ID"]?.string)
  }

  @Test func lifecycle() throws {
    let client = try clientWithNode()
    let id = try create(client, "{\"Name\":\"n\",\"TTL\":\"30s\",\"LockDelay\":\"5s\",\"Behavior\":\"delete\"}")
    let session = try #require(try client.json("GET /v1/session/info/\(id)").array?.first)
    #expect(session["LockDelay"]?.int == 5_000_000_000)
    #expect(session["NodeChecks"]?.array == ["serfHealth"])
    #expect(session["ServiceChecks"] == .null)
    #expect(try client.json("GET /v1/session/list").array?.count == 1)
    #expect(try client.json("GET /v1/session/node/s1").array?.count == 1)
    #expect(try client.json("PUT /v1/session/renew/\(id)").array?.count == 1)
    #expect(client.backend.renewed == [id])
    #expect(try client.call("PUT /v1/session/destroy/\(id)").body == "true")
    #expect(try client.call("GET /v1/session/info/\(id)").body == "[]")
    #expect(try client.call("PUT /v1/session/renew/\(id)").body == "Session id '\(id)' not found")
  }

  @Test func defaultsOfASessionWithoutABody() throws {
    let client = try clientWithNode()
    let session = try #require(try client.json("GET /v1/session/info/\(try create(client))").array?.first)
    #expect(session["LockDelay"]?.int == 15_000_000_000)
    #expect(session["Behavior"]?.string == "release")
    #expect(session["Node"]?.string == "s1")
  }

  @Test(arguments: [
    ("20", 20_000_000_000), ("0", 0), ("999", 999_000_000_000), ("1000", 1000), ("\"10m\"", 600_000_000_000),
  ])
  func smallLockDelaysAreSeconds(_ written: String, _ stored: Int64) throws {
    let client = try clientWithNode()
    let id = try create(client, "{\"LockDelay\":\(written)}")
    #expect(try client.json("GET /v1/session/info/\(id)").array?.first?["LockDelay"]?.int == stored)
  }

  @Test(arguments: [
    ("{\"TTL\":\"5s\"}", 500, "Invalid Session TTL '5000000000', must be between [10s=24h0m0s]"),
    (
      "{\"TTL\":30}", 400,
      "Request decode failed: json: cannot unmarshal number into Go struct field .TTL of type string"
    ),
    ("{\"LockDelay\":\"later\"}", 400, "Request decode failed: time: invalid duration \"later\""),
    ("{\"Node\":\"\"}", 500, "Must provide Node"),
    ("{\"Node\":\"none\"}", 500, "apply failed: Missing node registration"),
    ("not json", 400, "Request decode failed: invalid character 'o' in literal null (expecting 'u')"),
    ("[]", 400, "Request decode failed: json: cannot unmarshal array into Go value of type structs.Session"),
    ("{", 400, "Request decode failed: unexpected EOF"), ("  ", 400, "Request decode failed: EOF"),
  ])
  func refusals(_ body: String, _ status: Int, _ text: String) throws {
    let response = try clientWithNode().call("PUT /v1/session/create", body: body)
    #expect(response.status == status)
    #expect(response.body == text)
  }
}

@Suite struct CatalogEndpointTests {
  private func client() throws -> Client {
    let client = try Client()
    try client.call(
      "PUT /v1/catalog/register",
      body: """
        {"Node":"n1","Address":"192.0.2.1","NodeMeta":{"env":"prod"},"Service":{"ID":"w1","Service":"web","Port":80,
        "Tags":["a","b"]},"Checks":[{"CheckID":"c1","Name":"one","Status":"passing","ServiceID":"w1"}]}
        """)
    try client.call(
      "PUT /v1/catalog/register",
      body: """
        {"node":"n2","address":"192.0.2.2","service":{"service":"web","port":81},"check":{"CheckID":"n","Status":"critical"}}
        """)
    return client
  }

  @Test func servicesAndTheirInstances() throws {
    let client = try client()
    #expect(try client.call("GET /v1/catalog/services").body == "{\"web\":[\"a\",\"b\"]}")
    #expect(try client.call("GET /v1/catalog/services?node-meta=env:test").body == "{}")
    let instances = try #require(try client.json("GET /v1/catalog/service/web").array)
    #expect(instances.count == 2)
    #expect(instances[0]["ServiceID"]?.string == "w1")
    #expect(instances[0]["NodeMeta"]?["env"]?.string == "prod")
    #expect(instances[0]["ServiceWeights"]?["Passing"]?.int == 1)
    #expect(instances[0]["ServiceLocality"] == .null)
    #expect(instances[1]["NodeMeta"] == .null)
    #expect(instances[1]["ServiceMeta"] == .object(DynamicObject()))
    #expect(try client.json("GET /v1/catalog/service/web?tag=a&tag=b").array?.count == 1)
    #expect(try client.call("GET /v1/catalog/service/web?peer=other").body == "[]")
    #expect(try client.call("GET /v1/catalog/connect/web").body == "[]")
  }

  @Test func oneNode() throws {
    let client = try client()
    #expect(try client.json("GET /v1/catalog/node/n1")["Services"]?["w1"]?["Port"]?.int == 80)
    #expect(try client.json("GET /v1/catalog/node-services/n1")["Services"]?.array?.count == 1)
    #expect(try client.json("GET /v1/catalog/node-services/n1?filter=Port==1")["Services"] == .array([]))
    #expect(try client.call("GET /v1/catalog/node/absent").body == "null")
    #expect(try client.call("GET /v1/catalog/node-services/absent").body == "{\"Node\":null,\"Services\":null}")
    #expect(try client.json("GET /v1/catalog/node/n1?filter=Port==1")["Services"] == .object(DynamicObject()))
  }

  @Test(arguments: [
    ("/v1/catalog/nodes", "Meta.env%20==%20prod", 1), ("/v1/catalog/service/web", "ServicePort%20==%2081", 1),
    ("/v1/health/service/web", "Checks.Status%20==%20critical", 1), ("/v1/health/state/any", "Node%20==%20n1", 1),
    ("/v1/health/service/web", "%22a%22%20in%20Service.Tags%20and%20Node.Node%20==%20n1", 1),
    ("/v1/health/node/n2", "Status%20==%20passing", 0),
  ])
  func filters(_ path: String, _ filter: String, _ count: Int) throws {
    #expect(try client().json("GET \(path)?filter=\(filter)").array?.count == count)
  }

  @Test func filteredServicesCountOnlyInstancesThatPass() throws {
    let client = try client()
    #expect(try client.call("GET /v1/catalog/services?filter=Node==n2").body == "{\"web\":[]}")
    #expect(try client.call("GET /v1/catalog/services?filter=Node==n3").body == "{}")
  }

  @Test func healthOfInstances() throws {
    let client = try client()
    #expect(try client.json("GET /v1/health/service/web").array?.count == 2)
    let passing = try #require(try client.json("GET /v1/health/service/web?passing").array)
    #expect(passing.map { $0["Node"]?["Node"]?.string } == ["n1"])
    #expect(passing.first?["Checks"]?.array?.first?["Output"]?.string == "")
    #expect(try client.json("GET /v1/health/service/web?passing=0").array?.count == 2)
    #expect(try client.json("GET /v1/health/state/critical").array?.count == 1)
    #expect(try client.json("GET /v1/health/checks/web").array?.count == 1)
    #expect(try client.call("GET /v1/health/ingress/web").body == "[]")
    #expect(try client.json("GET /v1/health/service/web?near=_ip").array?.count == 2)
    #expect(try client.json("GET /v1/health/service/web?near=_agent&node-meta=env:prod").array?.count == 1)
  }

  @Test func theInterfaceSeesNodesAndSummaries() throws {
    let client = try client()
    let node = try client.json("GET /v1/internal/ui/node/n2")
    #expect(node["Services"]?.array?.first?["Tags"] == .null)
    #expect(node["Checks"]?.array?.first?["ServiceTags"] == .null)
    #expect(node["Datacenter"] == nil)
    #expect(try client.call("GET /v1/internal/ui/node/absent").status == 404)
    #expect(try client.json("GET /v1/internal/ui/nodes").array?.count == 2)
    let web = try #require(try client.json("GET /v1/internal/ui/services").array?.first)
    #expect(web["InstanceCount"]?.int == 2)
    #expect(web["ChecksPassing"]?.int == 1)
    #expect(web["ChecksCritical"]?.int == 1)
    #expect(web["Tags"]?.array == ["a", "b"])
    #expect(web["Nodes"]?.array == ["n1", "n2"])
    let usage = try client.json("GET /v1/operator/usage?dc=elsewhere")["Usage"]?["dc1"]
    #expect(usage?["ServiceInstances"]?.int == 2)
    #expect(usage?["BillableServiceInstances"]?.int == 2)
    #expect(usage?["ConnectServiceInstances"]?["connect-proxy"]?.int == 0)
  }

  @Test func rememberedAnswersSayWhetherTheyWere() throws {
    let client = try client()
    #expect(try client.call("GET /v1/catalog/services?cached")["X-Cache"] == "MISS")
    let second = try client.call("GET /v1/catalog/services?cached&stale")
    #expect(second["X-Cache"] == "HIT")
    #expect(second["Age"] == "0")
    #expect(try client.call("GET /v1/catalog/services")["X-Cache"] == nil)
    #expect(try client.call("GET /v1/catalog/nodes?cached")["X-Cache"] == nil)
    #expect(try client.call("GET /v1/health/service/web?cached&tag=a")["X-Cache"] == "MISS")
    #expect(try client.call("GET /v1/health/service/web?cached&tag=b")["X-Cache"] == "MISS")
    #expect(try client.call("GET /v1/health/service/web?tag=b&cached=false")["X-Cache"] == "HIT")
    let without = try Client { $0.usesCache = false }
    #expect(try without.call("GET /v1/catalog/datacenters?cached")["X-Cache"] == nil)
  }

  @Test func rememberedAnswersFollowTheirSource() throws {
    let client = try client()
    #expect(try client.json("GET /v1/catalog/services?cached")["late"] == nil)
    client.loop.run()
    _ = try client.call(
      "PUT /v1/catalog/register", body: "{\"Node\":\"n9\",\"Address\":\"a\",\"Service\":{\"Service\":\"late\"}}")
    client.loop.run()
    #expect(try client.json("GET /v1/catalog/services?cached")["late"] != nil)
    #expect(try client.call("GET /v1/catalog/services?cached")["X-Cache"] == "HIT")
  }

  @Test func freshnessIsAskedForInAHeader() throws {
    let client = try client()
    #expect(try client.call("GET /v1/catalog/datacenters?cached")["X-Cache"] == "MISS")
    #expect(try client.call("GET /v1/catalog/datacenters?cached", ["Cache-Control": "max-age=60"])["X-Cache"] == "HIT")
    let again = try client.call("GET /v1/catalog/datacenters?cached", ["Cache-Control": "must-revalidate"])
    #expect(again["X-Cache"] == "MISS" && again["Age"] == nil)
    client.backend.fail(with: .noServers)
    #expect(try client.call("GET /v1/health/service/web?cached").status == 500)
    client.backend.fail(with: nil)
    #expect(try client.call("GET /v1/health/service/web?cached")["X-Cache"] == "MISS")
  }

  @Test func followedHealthTellsThatItIsStreamed() throws {
    let response = try client().call("GET /v1/health/service/web?index=1")
    #expect(response["X-Consul-Query-Backend"] == "streaming")
    #expect(response["X-Consul-KnownLeader"] == "false")
  }

  @Test(arguments: [
    ("{", 400, "Request decode failed: unexpected EOF"), ("{}", 500, "Must provide node"),
    (
      "{\"Node\":\"n\",\"Address\":\"a\",\"Service\":{\"Service\":\"x\",\"Port\":\"80\"}}", 400,
      "Request decode failed: json: cannot unmarshal string into Go struct field .Service.Port of type int"
    ),
    (
      "{\"Node\":\"n\",\"Address\":\"a\",\"Nonsense\":1}", 400,
      "Request decode failed: json: unknown field \"Nonsense\""
    ),
    ("{\"Node\":\"n\",\"Address\":\"a\",\"Datacenter\":\"x\"}", 500, "No path to datacenter"),
  ])
  func refusedRegistrations(_ body: String, _ status: Int, _ text: String) throws {
    let response = try Client().call("PUT /v1/catalog/register", body: body)
    #expect(response.status == status)
    #expect(response.body == text)
  }

  @Test func deregistration() throws {
    let client = try client()
    #expect(
      try client.call("PUT /v1/catalog/deregister", body: "{\"Node\":\"n1\",\"ServiceID\":\"w1\"}").body == "true")
    #expect(try client.json("GET /v1/catalog/service/web").array?.count == 1)
    #expect(try client.call("PUT /v1/catalog/deregister", body: "{}").body == "Must provide node")
  }

  @Test func coordinates() throws {
    let client = try client()
    #expect(try client.call("GET /v1/coordinate/nodes").body == "[]")
    #expect(try client.call("GET /v1/coordinate/node/n1").status == 404)
    #expect(try client.json("GET /v1/coordinate/datacenters").array?.first?["AreaID"]?.string == "wan")
    let without = try Client { $0.coordinatesEnabled = false }
    #expect(try without.call("GET /v1/coordinate/nodes").body == "Coordinate support disabled")
  }
}
