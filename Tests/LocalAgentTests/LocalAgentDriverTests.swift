import Checks
import Model
import NIOCore
import Server
import Testing

@testable import LocalAgent

@Suite struct LocalAgentDriverTests {
  @Test("a service whose check stays critical goes by itself, with its sidecar and its stored registration")
  func reaping() async throws {
    let folder = try TemporaryDirectory()
    let test = TestAgent(directory: folder.path) { $0.criticalServiceMinimum = .milliseconds(1) }
    try await test.register(#"{"Name": "kept", "Check": {"TTL": "1h", "Status": "critical"}}"#)
    let registration = try test.agent.registration(
      ServiceDefinition(
        definition: #"{"Name": "web", "Port": 1, "Connect": {"SidecarService": {}},"#
          + #" "Check": {"TTL": "1h", "DeregisterCriticalServiceAfter": "1ms"}}"#))
    let agent = test.agent
    // The client waits from before the registration completes: the service may be gone right after it.
    await withCheckedContinuation { (gone: CheckedContinuation<Void, Never>) in
      agent.register(registration, token: "", replacesChecks: false, on: TestAgent.loop) { _ in
        let hash = agent.hashedService("web")?.contentHash ?? ""
        agent.service("web", hash: hash, wait: .minutes(5), on: TestAgent.loop) { _ in gone.resume() }
      }
    }
    try await test.register(#"{"Name": "other"}"#)
    #expect(agent.services().map(\.id) == ["kept", "other"])
    agent.stop()
    let again = TestAgent(directory: folder.path)
    try again.agent.load(services: [], checks: [])
    #expect(again.agent.services().map(\.id) == ["kept", "other"])
    again.agent.stop()
  }

  @Test("an alias follows another node through the servers, change by change")
  func remoteAlias() async throws {
    let servers = ScriptedServers()
    servers.set([.make("up")], services: ["db"])
    // Changes of the output alone are sent at once, too.
    let test = TestAgent(backend: servers) { $0.checkUpdateInterval = .zero }
    try await test.register(#"{"Name": "copy"}"#)
    try await test.registerCheck(
      #"{"ID": "alias", "Name": "alias", "ServiceID": "copy", "AliasNode": "ext", "AliasService": "db"}"#)
    test.agent.start()
    await test.catalog.until { view, _ in view.checks.contains { $0.checkID == "alias" && $0.status == "passing" } }
    servers.set([.make("up", status: .critical)], services: ["db"])
    await test.catalog.until { view, _ in view.checks.contains { $0.checkID == "alias" && $0.status == "critical" } }
    servers.set([.make("up")], services: [])
    await test.catalog.until { view, _ in view.checks.contains { $0.output.contains("could not be found") } }
    test.agent.stop()
  }

  @Test("a removed alias stops asking")
  func cancelledAlias() async throws {
    let servers = ScriptedServers()
    servers.set([.make("up")], services: [])
    let test = TestAgent(backend: servers)
    try await test.registerCheck(#"{"Name": "alias", "AliasNode": "ext"}"#)
    await TestAgent.settled()
    #expect(servers.waiting == 1)
    try await test.deregisterCheck("alias")
    #expect(servers.waiting == 0)
    test.agent.stop()
  }
}
