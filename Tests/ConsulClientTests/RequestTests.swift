import Model
import Testing

@testable import ConsulClient

/// What goes over the wire for each call.
struct RequestTests {
  private func sent(
    _ answer: String = "true", configuration: ClientConfiguration = ClientConfiguration(),
    _ call: (ConsulClient) async throws -> Void
  ) async throws -> WireRequest {
    let transport = RecordingTransport { _ in .json(answer) }
    try await call(ConsulClient(transport, configuration: configuration))
    return try #require(transport.sent.first)
  }

  @Test("Keys are percent-encoded, slashes and harmless characters stay")
  func keyEncoding() async throws {
    let request = try await sent("[]") { _ = try await $0.kv.get("a b/é?%&=.x") }
    #expect(request.method == "GET")
    #expect(request.url == "http://127.0.0.1:8500/v1/kv/a%20b/%C3%A9%3F%25&=.x")
  }

  @Test("Options become parameters, sorted by name")
  func options() async throws {
    var options = QueryOptions()
    options.datacenter = "dc2"
    options.allowStale = true
    options.waitIndex = 7
    options.waitTime = .milliseconds(1500)
    options.near = "_agent"
    options.filter = "Meta.env == prod"
    options.nodeMeta = ["b": "2", "a": "1"]
    options.token = "other"
    let request = try await sent("[]") { _ = try await $0.catalog.nodes(options) }
    #expect(
      request.path
        == "/v1/catalog/nodes?dc=dc2&filter=Meta.env+%3D%3D+prod&index=7&near=_agent&node-meta=a%3A1&node-meta=b%3A2"
        + "&stale=&wait=1500ms")
    #expect(request.headers.map(\.value) == ["other"])
    #expect(request.timeout == .milliseconds(1500) + .milliseconds(1500) / 16 + .seconds(30))
  }

  @Test("The client's own settings apply where a request has none")
  func defaults() async throws {
    var configuration = ClientConfiguration(address: AgentAddress(endpoint: .host("::1", port: 1), pathPrefix: "p"))
    configuration.token = "secret"
    configuration.datacenter = "dc3"
    configuration.namespace = "team"
    let request = try await sent("{}", configuration: configuration) { _ = try await $0.agent.describe() }
    #expect(request.url == "http://[::1]:1/p/v1/agent/self?dc=dc3&ns=team")
    #expect(request.headers.map(\.name) == ["X-Consul-Token"])
  }

  @Test(
    "Each condition of a write has its parameter",
    arguments: [
      (KeyValueStore.Condition.none, ""), (.index(0), "?cas=0"), (.index(9), "?cas=9"),
      (.acquire(session: "s"), "?acquire=s"), (.release(session: "s"), "?release=s"),
    ])
  func conditions(condition: KeyValueStore.Condition, parameters: String) async throws {
    let request = try await sent { try await $0.kv.put(KVPair(key: "k", value: [1, 2]), if: condition) }
    #expect(request.method == "PUT")
    #expect(request.path == "/v1/kv/k" + parameters)
    #expect(request.body == [1, 2])
  }

  @Test("A key with a leading slash is refused before anything is sent")
  func leadingSlash() async {
    let transport = RecordingTransport { _ in .json("true") }
    let error = await #expect(throws: ClientError.self) {
      try await ConsulClient(transport).kv.put(KVPair(key: "/slash"))
    }
    #expect(error?.description == "Invalid key. Key must not begin with a '/': /slash")
    #expect(transport.sent.isEmpty)
  }

  @Test("Calls of the agent use its paths and parameters")
  func agentCalls() async throws {
    #expect(
      try await sent("[]") { _ = try await $0.agent.members(wan: true, segment: "_all", filter: "a") }.path
        == "/v1/agent/members?filter=a&segment=_all&wan=1")
    #expect(try await sent { try await $0.agent.join("10.0.0.2:8301") }.path == "/v1/agent/join/10.0.0.2:8301")
    #expect(
      try await sent { try await $0.agent.forceLeave("n", prune: true, wan: true) }.path
        == "/v1/agent/force-leave/n?prune=1&wan=1")
    #expect(
      try await sent { try await $0.agent.setMaintenance(true, reason: "new disks") }.path
        == "/v1/agent/maintenance?enable=true&reason=new+disks")
    #expect(
      try await sent { try await $0.agent.setMaintenance(false, service: "web") }.path
        == "/v1/agent/service/maintenance/web?enable=false")
    let registration = try await sent { try await $0.agent.register(service: ["Name": "web", "Port": 80]) }
    #expect(registration.path == "/v1/agent/service/register")
    #expect(registration.body == Array(#"{"Name":"web","Port":80}"#.utf8))
  }

  @Test("A session is created with the settings that differ from the defaults")
  func sessionCreation() async throws {
    var settings = Sessions.Settings()
    settings.name = "lock"
    settings.ttl = .seconds(15)
    settings.behavior = .delete
    let request = try await sent(#"{"ID":"x"}"#) { client in
      let id = try await client.sessions.create(settings)
      #expect(id == "x")
    }
    #expect(request.body == Array(#"{"Behavior":"delete","Name":"lock","TTL":"15000ms"}"#.utf8))
  }

  @Test("An event carries its payload and its target")
  func event() async throws {
    let request = try await sent(#"{"ID":"e"}"#) {
      _ = try await $0.events.fire("deploy", payload: [65], target: .init(node: "n.*", service: "web", tag: "blue"))
    }
    #expect(request.path == "/v1/event/fire/deploy?node=n.%2A&service=web&tag=blue")
    #expect(request.body == [65])
  }

  @Test("An entry is read with all that it says")
  func pair() async throws {
    let transport = RecordingTransport { _ in
      .json(
        #"[{"LockIndex":1,"Key":"k","Flags":18446744073709551615,"Value":"eA==","Session":"s","CreateIndex":2,"ModifyIndex":3}]"#,
        index: 3)
    }
    let answer = try await ConsulClient(transport).kv.get("k")
    var expected = KVPair(key: "k", value: [120], flags: .max, session: "s")
    expected.lockIndex = 1
    expected.createIndex = 2
    expected.modifyIndex = 3
    #expect(answer.value == expected)
    #expect(answer.metadata.index == 3)
  }

  @Test("An absent key is no error, a null value is an empty one")
  func absence() async throws {
    let absent = RecordingTransport { _ in .json("", status: 404, index: 5) }
    #expect(try await ConsulClient(absent).kv.get("k").value == nil)
    #expect(try await ConsulClient(absent).kv.keys(prefix: "k").value.isEmpty)
    let empty = RecordingTransport { _ in .json(#"[{"Key":"k","Value":null}]"#) }
    #expect(try await ConsulClient(empty).kv.get("k").value == KVPair(key: "k"))
  }

  @Test("An unexpected status says its code and what the agent says")
  func status() async {
    let transport = RecordingTransport { _ in .json("Permission denied\n", status: 403) }
    let error = await #expect(throws: ClientError.self) { try await ConsulClient(transport).kv.get("k") }
    #expect(error?.description == "Unexpected response code: 403 (Permission denied)")
    #expect(error?.isServerError == false)
    #expect(ClientError.unexpectedStatus(code: 503, body: "").isServerError)
  }

  @Test("A request without an answer names the request and the cause")
  func noResponse() {
    let error = ClientError.noResponse(method: "PUT", url: "http://h:1/v1/x", cause: "EOF")
    #expect(error.description == #"Put "http://h:1/v1/x": EOF"#)
  }

  @Test("An answer of the wrong shape is an error, not a crash")
  func malformed() async {
    for body in ["", "{", "7", #"{"a":1}"#] {
      let transport = RecordingTransport { _ in .json(body) }
      await #expect(throws: ClientError.self) { try await ConsulClient(transport).agent.members() }
    }
  }

  @Test("Services of a node are joined by name, with all tags")
  func nodeServices() async throws {
    let transport = RecordingTransport { _ in
      .json(
        #"{"Services":{"w1":{"Service":"web","Tags":["a"]},"w2":{"Service":"web","Tags":["b"]},"x":{"Service":"x","Tags":null}}}"#
      )
    }
    let services = try await ConsulClient(transport).catalog.services(onNode: "n").value
    #expect(services.mapValues { $0.sorted() } == ["web": ["a", "b"], "x": []])
  }
}
