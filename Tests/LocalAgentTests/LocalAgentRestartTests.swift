import Checks
import Model
import NIOCore
import Server
import Testing

@testable import LocalAgent

@Suite struct LocalAgentRestartTests {
  @Test("registrations, reported health and maintenance survive a restart")
  func restart() async throws {
    let folder = try TemporaryDirectory()
    let first = TestAgent(directory: folder.path)
    try await first.register(
      #"{"Name": "web", "ID": "web1", "Tags": ["a"], "Check": {"CheckID": "c1", "TTL": "10m", "Status": "passing"}}"#)
    try await first.register(#"{"Name": "m", "Port": 82, "Connect": {"SidecarService": {}}}"#)
    try await first.registerCheck(#"{"ID": "nodecheck", "Name": "nodecheck", "TTL": "10m", "Status": "passing"}"#)
    try await first.register(#"{"Name": "gone"}"#)
    try await first.deregister("gone")
    try first.agent.updateTTL(check: "c1", status: "warning", output: "remember")
    try await first.wait {
      first.agent.setServiceMaintenance("web1", true, reason: "later", token: "", on: TestAgent.loop, $0)
    }
    let before = first.agent.services()
    first.agent.stop()

    let second = TestAgent(directory: folder.path)
    try second.agent.load(services: [], checks: [])
    #expect(second.agent.services() == before)
    #expect(second.agent.service("m-sidecar-proxy")?.locallyRegisteredAsSidecar == true)
    #expect(second.status("c1") == "warning" && second.agent.check("c1")?.output == "remember")
    // Nobody reported the node check: its first status is not remembered.
    #expect(second.status("nodecheck") == "critical")
    #expect(second.agent.check("nodecheck")?.type == "ttl")
    #expect(second.agent.check("_service_maintenance:web1")?.notes == "later")
    try await second.deregister("m")
    try await second.deregister("web1")
    try await second.deregisterCheck("nodecheck")
    second.agent.stop()

    let third = TestAgent(directory: folder.path)
    try third.agent.load(services: [], checks: [])
    #expect(third.agent.services().isEmpty && third.agent.checks().isEmpty)
    third.agent.stop()
  }

  @Test("a reload replaces what files define and keeps what the API registered, with all reported health")
  func reload() async throws {
    let folder = try TemporaryDirectory()
    let test = TestAgent(directory: folder.path)
    func a(port: Int, tag: String) throws -> ServiceDefinition {
      try ServiceDefinition(
        definition: #"{"name": "a", "port": \#(port), "tags": ["\#(tag)"],"#
          + #" "check": {"id": "a-ttl", "ttl": "10m", "status": "passing"}}"#)
    }
    try test.agent.load(
      services: [a(port: 1, tag: "old"), ServiceDefinition(definition: #"{"name": "b"}"#)],
      checks: [CheckDefinition(definition: #"{"name": "mem", "ttl": "10m"}"#)])
    try await test.register(#"{"Name": "by-api", "Port": 3}"#)
    try test.agent.updateTTL(check: "a-ttl", status: "warning", output: "before")
    try test.agent.updateTTL(check: "mem", status: "passing", output: "kept")
    try test.agent.load(
      services: [a(port: 11, tag: "new")],
      checks: [CheckDefinition(definition: #"{"name": "mem", "ttl": "20m", "status": "critical"}"#)])
    #expect(test.agent.services().map(\.id) == ["a", "by-api"])
    #expect(test.agent.service("a")?.port == 11)
    let check = try #require(test.agent.check("a-ttl"))
    #expect(check.status == "warning" && check.output == "before" && check.serviceTags == ["new"])
    #expect(test.status("mem") == "passing" && test.agent.check("mem")?.output == "kept")
    // The runner of the new definition takes reports.
    try test.agent.updateTTL(check: "mem", status: "warning", output: "")
    #expect(test.status("mem") == "warning")
    test.agent.stop()
  }

  @Test("without a data directory a reload leaves only what files define")
  func reloadInDevelopment() async throws {
    let test = TestAgent()
    try await test.register(#"{"Name": "by-api"}"#)
    try test.agent.load(services: [ServiceDefinition(definition: #"{"name": "a"}"#)], checks: [])
    #expect(test.agent.services().map(\.id) == ["a"])
    test.agent.stop()
  }

  @Test("a bad definition changes nothing and is named")
  func badDefinition() async throws {
    let test = TestAgent()
    try test.agent.load(services: [ServiceDefinition(definition: #"{"name": "good"}"#)], checks: [])
    func text(services: [String] = [], checks: [String] = []) -> String? {
      #expect(throws: LocalAgentError.self) {
        try test.agent.load(
          services: services.map { try ServiceDefinition(definition: $0) },
          checks: checks.map { try CheckDefinition(definition: $0) })
      }?.description
    }
    #expect(
      text(services: [#"{"name": "x"}"#, #"{"name": "bad", "check": {"interval": "10s"}}"#])
        == "service \"bad\": check \"\": TTL must be > 0 for TTL checks")
    #expect(text(checks: [#"{"name": "c"}"#]) == "check \"c\": TTL must be > 0 for TTL checks")
    #expect(
      text(checks: [#"{"name": "c", "ttl": "1m", "service_id": "absent"}"#])
        == "check \"c\": ServiceID \"absent\" does not exist")
    let scripts = text(services: [#"{"name": "s", "check": {"args": ["true"], "interval": "1s"}}"#])
    #expect(scripts?.contains("Scripts are disabled on this agent") == true)
    #expect(test.agent.services().map(\.id) == ["good"])
    test.agent.stop()
  }

  @Test("a registration that the disk refuses is an error, and neither here nor there after a restart")
  func fullDisk() async throws {
    let folder = try TemporaryDirectory()
    // A file where the folder of the checks should be.
    try AtomicFile.write([], to: folder.path + "/checks")
    let test = TestAgent(directory: folder.path)
    let error = await #expect(throws: LocalAgentError.self) {
      try await test.register(#"{"Name": "web", "Check": {"TTL": "1m"}}"#)
    }
    #expect(error?.description.hasPrefix("failed persisting registration: ") == true)
    #expect(error?.category == .refused)
    #expect(test.agent.services().isEmpty)
    test.agent.stop()
    let again = TestAgent(directory: folder.path)
    try again.agent.load(services: [], checks: [])
    #expect(again.agent.services().isEmpty)
    again.agent.stop()
  }

  @Test("a check that is removed and registered again starts anew")
  func reRegistration() async throws {
    let folder = try TemporaryDirectory()
    let test = TestAgent(directory: folder.path)
    let check = #"{"Name": "mem", "TTL": "10m"}"#
    for _ in 0..<3 {
      try await test.registerCheck(check)
      #expect(test.status("mem") == "critical")
      try test.agent.updateTTL(check: "mem", status: "passing", output: "")
      try await test.deregisterCheck("mem")
    }
    test.agent.stop()
  }

  @Test("a file that defines what the API had registered wins, and the stored registration is deleted")
  func fileWins() async throws {
    let folder = try TemporaryDirectory()
    let first = TestAgent(directory: folder.path)
    try await first.register(#"{"Name": "web", "Port": 1, "Check": {"CheckID": "c", "TTL": "1m"}}"#)
    first.agent.stop()
    let second = TestAgent(directory: folder.path)
    try second.agent.load(services: [ServiceDefinition(definition: #"{"name": "web", "port": 2}"#)], checks: [])
    #expect(second.agent.service("web")?.port == 2)
    second.agent.stop()
    let third = TestAgent(directory: folder.path)
    try third.agent.load(services: [], checks: [])
    #expect(third.agent.services().isEmpty)
    third.agent.stop()
  }
}
