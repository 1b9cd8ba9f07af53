import Model
import Synchronization
import Testing

@testable import ConsulClient

struct WatchTests {
  private func parameters(_ pairs: KeyValuePairs<String, Dynamic>) -> DynamicObject {
    DynamicObject(pairs.map { (key: $0.key, value: $0.value) })
  }

  @Test(
    "Parameters that make no watch say why",
    arguments: [
      ([:], "Watch type must be specified"),
      (["type": "nonsense"], "Unsupported watch type: nonsense"),
      (["type": "key"], "Must specify a single key to watch"),
      (["type": "keyprefix"], "Must specify a single prefix to watch"),
      (["type": "service"], "Must specify a single service to watch"),
      (["type": "key", "key": "a", "prefix": "b"], "Invalid parameters: [prefix]"),
      (["type": "nodes", "state": "passing", "name": "x"], "Invalid parameters: [name state]"),
      (["type": "checks", "state": "passing", "service": "web"], "Cannot specify service and state"),
      (["type": "key", "key": 7], "Expecting key to be a string"),
      (["type": "service", "service": "web", "passingonly": "maybe"], "Expecting passingonly to be a boolean"),
    ] as [(KeyValuePairs<String, Dynamic>, String)])
  func refusals(pairs: KeyValuePairs<String, Dynamic>, text: String) {
    let error = #expect(throws: WatchError.self) { try Watch(parameters: parameters(pairs)) }
    #expect(error?.description == text)
  }

  @Test("Parameters of configuration files are understood, the caller's own are left alone")
  func configuration() throws {
    let watch = try Watch(
      parameters: parameters([
        "type": "service", "service": "web", "tag": ["a", "b"], "passingonly": true, "stale": true, "datacenter": "dc2",
        "token": "t", "args": ["x"],
      ]), exempt: ["args"])
    #expect(watch.view == .service("web", tags: ["a", "b"], passingOnly: true))
    #expect(watch.options.allowStale && watch.options.datacenter == "dc2" && watch.options.token == "t")
    #expect(
      try Watch(parameters: parameters(["type": "service", "service": "w", "tag": "a"])).view
        == .service("w", tags: ["a"], passingOnly: false))
    #expect(try Watch(parameters: parameters(["type": "checks"])).view == .checks(service: nil, state: "any"))
  }

  @Test(
    "Each type asks its endpoint",
    arguments: [
      (Watch.View.key("a/b"), "/v1/kv/a/b"), (.keyPrefix("p/"), "/v1/kv/p/?recurse="),
      (.services, "/v1/catalog/services"), (.nodes, "/v1/catalog/nodes"),
      (.service("web", tags: ["a", "b"], passingOnly: true), "/v1/health/service/web?passing=1&tag=a&tag=b"),
      (.checks(service: "web", state: "any"), "/v1/health/checks/web"),
      (.checks(service: nil, state: "critical"), "/v1/health/state/critical"),
      (.event(name: "deploy"), "/v1/event/list?name=deploy"), (.event(name: nil), "/v1/event/list"),
      (.agentService("web-1"), "/v1/agent/service/web-1"), (.connectRoots, "/v1/agent/connect/ca/roots"),
      (.connectLeaf("web"), "/v1/agent/connect/ca/leaf/web"),
    ])
  func endpoints(view: Watch.View, path: String) async throws {
    let transport = RecordingTransport { _ in .json("[]", index: 4) }
    let update = try await Watch(view).query(ConsulClient(transport))
    #expect(transport.sent.map(\.path) == [path])
    #expect(update.index == 4)
  }

  private func rendered(_ view: Watch.View, _ answer: String, status: Int = 200) async throws -> String {
    let transport = RecordingTransport { _ in .json(answer, status: status, index: 1) }
    return String(decoding: try await Watch(view).query(ConsulClient(transport)).json, as: UTF8.self)
  }

  @Test("An entry is shown with all members, in the order of the client library")
  func entry() async throws {
    let pair = #"{"LockIndex":0,"Key":"w","Flags":0,"Value":"b25l","CreateIndex":5,"ModifyIndex":6}"#
    let shown = #"{"Key":"w","CreateIndex":5,"ModifyIndex":6,"LockIndex":0,"Flags":0,"Value":"b25l","Session":""}"#
    #expect(try await rendered(.key("w"), "[\(pair)]") == shown)
    #expect(try await rendered(.keyPrefix("w"), "[\(pair)]") == "[\(shown)]")
    #expect(try await rendered(.key("w"), "", status: 404) == "null")
    #expect(try await rendered(.keyPrefix("w"), "", status: 404) == "null")
  }

  @Test("An instance is shown in the form of the client library, whatever else the agent says")
  func instance() async throws {
    let answer = #"""
      [{"Node":{"ID":"i","Node":"n","Address":"192.0.2.1","Datacenter":"dc1","TaggedAddresses":null,"Meta":null,
      "CreateIndex":16,"ModifyIndex":16},"Service":{"ID":"a","Service":"web","Tags":["x"],"Address":"","Meta":null,"Port":1,
      "Weights":{"Passing":1,"Warning":1},"EnableTagOverride":false,"Proxy":{"Mode":"","MeshGateway":{},"Expose":{}},
      "Connect":{},"PeerName":"","CreateIndex":16,"ModifyIndex":17},"Checks":[{"Node":"n","CheckID":"c","Name":"c",
      "Status":"passing","Notes":"","Output":"","ServiceID":"a","ServiceName":"web","ServiceTags":["x"],"Type":"ttl",
      "Interval":"","Timeout":"","ExposedPort":0,"Definition":{},"CreateIndex":16,"ModifyIndex":16}]}]
      """#
    let shown =
      #"[{"Node":{"ID":"i","Node":"n","Address":"192.0.2.1","Datacenter":"dc1","TaggedAddresses":null,"Meta":null,"#
      + #""CreateIndex":16,"ModifyIndex":16},"Service":{"ID":"a","Service":"web","Tags":["x"],"Meta":null,"Port":1,"#
      + #""Address":"","Weights":{"Passing":1,"Warning":1},"EnableTagOverride":false,"CreateIndex":16,"ModifyIndex":17,"#
      + #""Proxy":{"Expose":{},"MeshGateway":{}},"Connect":{}},"Checks":[{"Node":"n","CheckID":"c","Name":"c","#
      + #""Status":"passing","Notes":"","Output":"","ServiceID":"a","ServiceName":"web","ServiceTags":["x"],"#
      + #""Type":"ttl","ExposedPort":0,"Definition":{"Interval":"0s","Timeout":"0s","#
      + #""DeregisterCriticalServiceAfter":"0s","HTTP":"","Header":null,"Method":"","Body":"","TLSServerName":"","#
      + #""TLSSkipVerify":false,"TCP":"","TCPUseTLS":false,"UDP":"","GRPC":"","OSService":"","GRPCUseTLS":false},"#
      + #""CreateIndex":16,"ModifyIndex":16}]}]"#
    #expect(try await rendered(.service("web", tags: [], passingOnly: false), answer) == shown)
  }

  @Test("Only events after the last seen one are reported")
  func newEvents() throws {
    let ids = [
      "9672fed9-2bda-a899-6ea2-23fd395474b6", "a8a0f581-a7c0-18fd-c9c9-cf34eda44cc4",
      "bd8952d2-d14c-74a2-dfb1-da657fd9ec1d",
    ]
    let events = ids.map { ["ID": .string($0)] as Dynamic }
    #expect(Watch.eventIndex(ids[0]) == 17_929_073_263_561_858_095)
    #expect(Watch.eventIndex("short") == nil)
    let first = try #require(Watch.eventIndex(ids[0]))
    #expect(Watch.events(events, after: first).map { $0["ID"]?.string } == [ids[1], ids[2]])
    #expect(Watch.events(events, after: 0).count == 3)
    #expect(Watch.events(events, after: 99).count == 3)
  }

  private struct Enough: Error {}

  @Test("Each change is reported once; failures are retried with growing pauses")
  func following() async throws {
    let answers = Mutex<[APIResponse]>([
      .json(#"[{"Key":"k","Value":"YQ=="}]"#, index: 5),
      .json(#"[{"Key":"k","Value":"YQ=="}]"#, index: 5),
      .json("no leader", status: 500),
      .json("no leader", status: 500),
      .json(#"[{"Key":"k","Value":"YQ=="}]"#, index: 6),
      .json(#"[{"Key":"k","Value":"Yg=="}]"#, index: 7),
      .json("", status: 404, index: 8),
    ])
    let transport = RecordingTransport { _ in answers.withLock { $0.removeFirst() } }
    var updates: [UInt64] = []
    var pauses: [Duration] = []
    await #expect(throws: Enough.self) {
      try await Watch(.key("k")).follow(
        ConsulClient(transport), pause: { _ in }, onFailure: { pauses.append($1) },
        onUpdate: {
          updates.append($0.index)
          if updates.count == 3 { throw Enough() }
        })
    }
    #expect(updates == [5, 7, 8])
    #expect(pauses == [.seconds(5), .seconds(20)])
    #expect(transport.sent.map(\.path.isWaiting) == [false, true, true, true, true, true, true])
  }

  @Test("What an agent knows itself is followed by its hash")
  func followingAHash() async throws {
    let answers = Mutex<[APIResponse]>([
      .json(#"{"ID":"web","Port":1}"#, hash: "aa"), .json(#"{"ID":"web","Port":1}"#, hash: "aa"),
      .json("unknown service", status: 404), .json(#"{"ID":"web","Port":2}"#, hash: "bb"),
    ])
    let transport = RecordingTransport { _ in answers.withLock { $0.removeFirst() } }
    var updates: [String?] = []
    var pauses: [Duration] = []
    await #expect(throws: Enough.self) {
      try await Watch(.agentService("web")).follow(
        ConsulClient(transport), pause: { _ in }, onFailure: { pauses.append($1) },
        onUpdate: {
          updates.append($0.hash)
          if updates.count == 2 { throw Enough() }
        })
    }
    #expect(updates == ["aa", "bb"])
    #expect(pauses == [.seconds(5)])
    #expect(transport.sent.map { $0.path.contains("hash=aa") } == [false, true, true, true])
  }

  @Test("An agent that was restarted and has no events any more reports nothing")
  func eventsAcrossARestart() async throws {
    let one = #"[{"ID":"9672fed9-2bda-a899-6ea2-23fd395474b6","Name":"a","Payload":null}]"#
    let two = #"[{"ID":"a8a0f581-a7c0-18fd-c9c9-cf34eda44cc4","Name":"b","Payload":null}]"#
    let answers = Mutex<[APIResponse]>([.json(one, index: 9), .json("[]", index: 1), .json(two, index: 4)])
    let transport = RecordingTransport { _ in answers.withLock { $0.removeFirst() } }
    var updates: [UInt64] = []
    await #expect(throws: Enough.self) {
      try await Watch(.event(name: nil)).follow(ConsulClient(transport), pause: { _ in }) {
        updates.append($0.index)
        if updates.count == 2 { throw Enough() }
      }
    }
    #expect(updates == [9, 4])
  }
}

extension APIResponse {
  fileprivate static func json(_ text: String, hash: String) -> APIResponse {
    APIResponse(status: 200, headers: [("X-Consul-ContentHash", hash)], body: Array(text.utf8))
  }
}

extension String {
  fileprivate var isWaiting: Bool { contains("index=") && contains("wait=300000ms") }
}
