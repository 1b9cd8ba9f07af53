import Checks
import Model
import NIOCore
import Server
import Testing

@testable import LocalAgent

@Suite struct LocalAgentCheckTests {
  @Test("an application reports its own health")
  func ttl() async throws {
    let test = TestAgent()
    try await test.registerCheck(#"{"ID": "mem", "Name": "Memory", "Notes": "n", "TTL": "10m"}"#)
    #expect(test.status("mem") == "critical")
    try test.agent.updateTTL(check: "mem", status: "warning", output: "70%")
    #expect(test.status("mem") == "warning" && test.agent.check("mem")?.output == "70%")
    try test.agent.updateTTL(check: "mem", status: "passing", output: "")
    #expect(test.status("mem") == "passing" && test.agent.check("mem")?.output == "")
    test.agent.stop()
  }

  @Test("updates that make no sense are refused")
  func ttlErrors() async throws {
    let test = TestAgent()
    try await test.registerCheck(#"{"ID": "mem", "Name": "Memory", "TTL": "10m"}"#)
    try await test.registerCheck(#"{"ID": "al", "Name": "al", "AliasService": "absent"}"#)
    func text(_ id: String, _ status: String) -> String? {
      #expect(throws: LocalAgentError.self) { try test.agent.updateTTL(check: id, status: status, output: "") }?
        .description
    }
    #expect(text("mem", "bogus") == "Invalid check status: 'bogus'")
    #expect(text("mem", "") == "Invalid check status: ''")
    #expect(text("mem", "maintenance") == "Invalid check status: 'maintenance'")
    #expect(
      text("absent", "passing")
        == "Unknown check ID \"absent\". Ensure that the check ID is passed, not the check name.")
    #expect(text("al", "passing") == "CheckID \"al\" does not have associated TTL")
    await #expect(throws: LocalAgentError.noSuchService(id: "absent")) {
      try await test.registerCheck(#"{"Name": "x", "TTL": "1m", "ServiceID": "absent"}"#)
    }
    await #expect(throws: LocalAgentError.unknownCheck(id: "absent")) { try await test.deregisterCheck("absent") }
    test.agent.stop()
  }

  @Test("an alias follows the health of a service of this agent")
  func alias() async throws {
    let test = TestAgent()
    try await test.register(#"{"Name": "main", "Check": {"CheckID": "m", "TTL": "10m", "Status": "passing"}}"#)
    try await test.register(#"{"Name": "copy", "Check": {"CheckID": "alias", "AliasService": "main"}}"#)
    #expect(test.status("alias") == "passing")
    try test.agent.updateTTL(check: "m", status: "warning", output: "slow")
    #expect(test.status("alias") == "warning")
    #expect(test.agent.check("alias")?.output.contains("slow") == true)
    try await test.wait {
      test.agent.setServiceMaintenance("main", true, reason: "", token: "", on: TestAgent.loop, $0)
    }
    #expect(test.status("alias") == "critical")
    try await test.deregister("main")
    #expect(test.agent.check("alias")?.output == "Service main could not be found on node ")
    test.agent.stop()
  }

  @Test("maintenance keeps its first reason and ends without a trace")
  func maintenance() async throws {
    let test = TestAgent()
    let agent = test.agent
    try await test.register(#"{"Name": "web", "Tags": ["a"], "Check": {"TTL": "1m", "Status": "passing"}}"#)
    for reason in ["upgrade", "other"] {
      try await test.wait {
        agent.setServiceMaintenance("web", true, reason: reason, token: "", on: TestAgent.loop, $0)
      }
    }
    let check = try #require(agent.check("_service_maintenance:web"))
    #expect(check.notes == "upgrade" && check.status == "critical" && check.type == "maintenance")
    #expect(check.name == "Service Maintenance Mode" && check.serviceTags == ["a"] && check.interval == "")
    #expect(agent.health(serviceID: "web")?.status == .maintenance)
    try await test.wait { agent.setServiceMaintenance("web", false, reason: "", token: "", on: TestAgent.loop, $0) }
    #expect(agent.health(serviceName: "web").map(\.status) == [.passing])
    try await test.wait { agent.setNodeMaintenance(true, reason: "", token: "", on: TestAgent.loop, $0) }
    #expect(
      agent.check("_node_maintenance")?.notes
        == "Maintenance mode is enabled for this node, but no reason was provided. This is a default message.")
    #expect(agent.health(serviceID: "web")?.status == .maintenance)
    try await test.wait { agent.setNodeMaintenance(false, reason: "", token: "", on: TestAgent.loop, $0) }
    try await test.wait { agent.setNodeMaintenance(false, reason: "", token: "", on: TestAgent.loop, $0) }
    #expect(agent.checks().map(\.checkID) == ["service:web"])
    await #expect(throws: LocalAgentError.unknownService(id: "none")) {
      try await test.wait { agent.setServiceMaintenance("none", true, reason: "", token: "", on: TestAgent.loop, $0) }
    }
    agent.stop()
  }

  @Test("outputs are thrown away where that is configured")
  func discardedOutput() async throws {
    let test = TestAgent { $0.discardsCheckOutput = true }
    try await test.registerCheck(#"{"Name": "mem", "TTL": "10m"}"#)
    try test.agent.updateTTL(check: "mem", status: "warning", output: "70%")
    #expect(test.status("mem") == "warning" && test.agent.check("mem")?.output == "")
    test.agent.stop()
  }

  @Test("rights: a check's service, or the node")
  func permissions() async throws {
    let test = TestAgent()
    try await test.register(#"{"ID": "web1", "Name": "web", "Check": {"CheckID": "c", "TTL": "1m"}}"#)
    try await test.registerCheck(#"{"Name": "n", "TTL": "1m"}"#)
    #expect(try test.agent.permission(forCheck: "c") == .serviceWrite("web"))
    #expect(try test.agent.permission(forCheck: "n") == .nodeWrite("n1"))
    #expect(throws: LocalAgentError.unknownCheck(id: "x")) { try test.agent.permission(forCheck: "x") }
    let move = try test.agent.registration(CheckDefinition(definition: #"{"ID": "c", "Name": "c", "TTL": "1m"}"#))
    #expect(try test.agent.permissions(for: move) == [.nodeWrite("n1"), .serviceWrite("web")])
    test.agent.stop()
  }
}
