import ConsulClient
import Model
import Testing

@testable import Agent

@Suite struct WatchDefinitionTests {
  private static func definition(_ json: String) throws -> WatchDefinition {
    try WatchDefinition(DynamicMap(from: Dynamic(json: Array(json.utf8)), DecodingContext(.configuration)))
  }

  @Test func definitionsNameAViewAndAHandler() throws {
    let program = try Self.definition(#"{"type":"key","key":"a","args":["./x","y"],"token":"t"}"#)
    #expect(program.watch.view == .key("a") && program.watch.options.token == "t")
    guard case .program(["./x", "y"]) = program.handler else {
      Issue.record("\(program.handler)")
      return
    }
    let script = try Self.definition(#"{"type":"event","name":"e","handler":"cat | x"}"#)
    guard case .script("cat | x") = script.handler else {
      Issue.record("\(script.handler)")
      return
    }
    #expect(script.watch.view == .event(name: "e"))
    #expect(try Self.definition(#"{"type":"connect_roots","handler":"x"}"#).watch.view == .connectRoots)
    #expect(
      try Self.definition(#"{"type":"agent_service","service_id":"w","handler":"x"}"#).watch.view == .agentService("w"))
  }

  @Test func requestsHaveDefaults() throws {
    let plain = try WatchRequest(["path": "http://h/"])
    #expect(plain.method == "POST" && plain.timeout == .seconds(10) && plain.verifiesTLS)
    let all = try WatchRequest([
      ["path": "http://h/", "method": "PUT", "timeout": "3s", "header": ["A": ["1", "2"]], "tls_skip_verify": true]
    ])
    #expect(all.method == "PUT" && all.timeout == .seconds(3) && !all.verifiesTLS)
    #expect(all.headers.map(\.name) == ["A", "A"] && all.headers.map(\.value) == ["1", "2"])
  }

  @Test(arguments: [
    (#"{"type":"key","args":["x"]}"#, "Must specify a single key to watch"),
    (#"{"type":"key","key":"a","prefix":"b","args":["x"]}"#, "Invalid parameters: [prefix]"),
    (#"{"type":"agent_service","args":["x"]}"#, "Must specify a single service_id to watch"),
    (#"{"type":"nodes"}"#, "Must define a watch handler"),
    (#"{"type":"nodes","handler_type":"http","http_handler_config":{}}"#, "Invalid value of path"),
  ])
  func definitionsThatMakeNoSenseAreRefused(json: String, reason: String) {
    let error = #expect(throws: (any Error).self) { try Self.definition(json) }
    #expect(error.map { "\($0)" } == reason)
  }

  @Test func programsGetTheViewAndTheIndex() async throws {
    let update = Watch.Update(index: 7, json: Array("{}".utf8))
    let check = WatchHandler.script(#"test "$CONSUL_INDEX" = 7 && test "$(cat)" = "{}""#)
    #expect(await check.call(update) == nil)
    let own = WatchHandler.script(#"test "$CONSUL_HASH" = ab && test -z "$CONSUL_INDEX""#)
    #expect(await own.call(Watch.Update(index: 0, json: [], hash: "ab")) == nil)
    #expect(await WatchHandler.program(["/bin/sh", "-c", "echo no; exit 3"]).call(update) == "exit status 3: no\n")
    #expect(await WatchHandler.program(["/absent"]).call(update) != nil)
    // One that does not read its input.
    #expect(await WatchHandler.program(["true"]).call(update) == nil)
  }
}
