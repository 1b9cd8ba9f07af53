import Checks
import Model
import NIOCore
import Server
import Testing

@testable import LocalAgent

@Suite struct LocalAgentServiceTests {
  @Test("a service is there as soon as its registration completed, and gone after its removal")
  func registration() async throws {
    let test = TestAgent()
    try await test.register(#"{"Name": "web", "Port": 80, "Check": {"TTL": "10m", "Status": "passing"}}"#)
    #expect(test.agent.services().map(\.id) == ["web"])
    #expect(test.agent.checks().map(\.checkID) == ["service:web"])
    #expect(test.agent.check("service:web")?.node == "n1")
    try await test.deregister("web")
    #expect(test.agent.services().isEmpty && test.agent.checks().isEmpty)
    await #expect(throws: LocalAgentError.unknownService(id: "web")) { try await test.deregister("web") }
    test.agent.stop()
  }

  @Test("registering again keeps checks and their status; replacing drops those that are not named")
  func replaceChecks() async throws {
    let test = TestAgent()
    try await test.register(
      #"{"Name": "web", "Checks": [{"CheckID": "one", "TTL": "10m", "Status": "passing"},"#
        + #" {"CheckID": "two", "TTL": "10m", "Status": "warning"}]}"#)
    try await test.register(#"{"Name": "web", "Checks": [{"CheckID": "three", "TTL": "10m"}]}"#)
    #expect(test.agent.checks().map(\.checkID) == ["one", "three", "two"])
    try await test.register(#"{"Name": "web", "Checks": [{"CheckID": "one", "TTL": "10m"}]}"#, replacesChecks: true)
    #expect(test.agent.checks().map(\.checkID) == ["one"])
    #expect(test.status("one") == "passing")
    try await test.register(#"{"Name": "web"}"#, replacesChecks: true)
    #expect(test.agent.checks().isEmpty)
    test.agent.stop()
  }

  @Test("a sidecar comes and goes with its service, and keeps its port")
  func sidecar() async throws {
    let test = TestAgent { $0.sidecarPorts = 22000...22002 }
    for name in ["a", "b", "c"] {
      try await test.register(#"{"Name": "\#(name)", "Port": 1, "Connect": {"SidecarService": {}}}"#)
    }
    #expect(test.agent.service("b-sidecar-proxy")?.port == 22001)
    await #expect(throws: LocalAgentError.noSidecarPortLeft(minimum: 22000, maximum: 22002)) {
      try await test.register(#"{"Name": "d", "Port": 4, "Connect": {"SidecarService": {}}}"#)
    }
    #expect(test.agent.service("d") != nil)
    try await test.deregister("b")
    #expect(test.agent.service("b-sidecar-proxy") == nil)
    try await test.register(#"{"Name": "d", "Port": 4, "Connect": {"SidecarService": {}}}"#)
    #expect(test.agent.service("d-sidecar-proxy")?.port == 22001)
    try await test.register(#"{"Name": "a", "Port": 11, "Connect": {"SidecarService": {}}}"#)
    #expect(test.agent.service("a-sidecar-proxy")?.port == 22000)
    #expect(test.agent.service("a-sidecar-proxy")?.proxy.value.localServicePort == 11)
    try await test.register(#"{"Name": "a", "Port": 12}"#)
    #expect(test.agent.service("a-sidecar-proxy") != nil)
    test.agent.stop()
  }

  @Test("scripts that are not allowed leave nothing behind")
  func scripts() async throws {
    let test = TestAgent()
    let service = #"{"Name": "db", "Checks": [{"TTL": "1m"}, {"Args": ["true"], "Interval": "30s"}]}"#
    let error = await #expect(throws: LocalAgentError.self) { try await test.register(service) }
    #expect(
      error?.description
        == "Scripts are disabled on this agent from remote calls; to enable, configure 'enable_script_checks' to true")
    #expect(error?.category == .refused)
    #expect(test.agent.services().isEmpty && test.agent.checks().isEmpty)
    test.agent.stop()
  }

  @Test("managed proxies come from files, and over the API only where that is allowed")
  func managedProxies() async throws {
    let definition = #"{"name": "s", "connect": {"proxy": {"config": {"a": 1}}}}"#
    let test = TestAgent()
    await #expect(throws: LocalAgentError.managedProxyRefused) { try await test.register(definition) }
    try test.agent.load(services: [ServiceDefinition(definition: definition)], checks: [])
    #expect(test.agent.managedProxies()["s"]?.config["a"] == .int(1))
    test.agent.stop()
    let open = TestAgent { $0.allowsManagedProxiesOverAPI = true }
    try await open.register(definition)
    #expect(open.agent.managedProxies().count == 1)
    open.agent.stop()
  }

  @Test("a client that knows the hash waits for another content")
  func hashBlocking() async throws {
    let test = TestAgent()
    try await test.register(#"{"Name": "web", "Port": 80}"#)
    let hash = try #require(test.agent.hashedService("web")?.contentHash)
    let agent = test.agent
    async let changed = waitForChange(agent, "web", hash: hash)
    try await test.register(#"{"Name": "other", "Port": 81}"#)
    try await test.register(#"{"Name": "web", "Port": 80}"#)
    try await test.register(#"{"Name": "web", "Port": 8080}"#)
    #expect(await changed?.service.port == 8080)
    // One that knows something else is answered at once.
    #expect(await waitForChange(agent, "web", hash: "bogus")?.service.port == 8080)
    #expect(await waitForChange(agent, "absent", hash: "x") == nil)
    let next = try #require(agent.hashedService("web")?.contentHash)
    async let gone = waitForChange(agent, "web", hash: next)
    try await test.deregister("web")
    #expect(await gone == nil)
    agent.stop()
  }

  @Test("a wait that is over answers with what there is")
  func hashTimeout() async throws {
    let test = TestAgent()
    try await test.register(#"{"Name": "web", "Port": 80}"#)
    let hash = try #require(test.agent.hashedService("web")?.contentHash)
    #expect(await waitForChange(test.agent, "web", hash: hash, wait: .milliseconds(1))?.contentHash == hash)
    test.agent.stop()
  }

  private func waitForChange(
    _ agent: LocalAgent, _ id: String, hash: String, wait: TimeAmount = .minutes(5)
  ) async -> HashedService? {
    await withCheckedContinuation { continuation in
      agent.service(id, hash: hash, wait: wait, on: TestAgent.loop) { continuation.resume(returning: $0) }
    }
  }
}
