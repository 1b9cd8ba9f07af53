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

@Suite struct LocalAgentSyncTests {
  @Test("the catalog follows, change by change")
  func follows() async throws {
    let test = TestAgent()
    test.agent.start()
    await test.catalog.until { view, _ in view.node != nil }
    try await test.register(#"{"Name": "web", "Check": {"CheckID": "c", "TTL": "10m", "Status": "passing"}}"#)
    await test.catalog.until { view, _ in view.services.contains { $0.id == "web" } && view.checks.count == 1 }
    try test.agent.updateTTL(check: "c", status: "critical", output: "dead")
    await test.catalog.until { view, _ in view.checks.map(\.output) == ["dead"] }
    #expect(test.catalog.catalog.checks.first?.status == "critical")
    try await test.deregister("web")
    await test.catalog.until { view, _ in view.services.isEmpty && view.checks.isEmpty }
    test.agent.stop()
  }

  @Test("what others put on the node goes when the agent compares, what the servers keep there stays")
  func foreign() async throws {
    let test = TestAgent()
    test.catalog.edit { view in
      view.node = Node()
      view.services = [.make("foreign"), .make("consul")]
      view.checks = [.make(CheckID.serfHealth), .make("alien")]
    }
    test.agent.start()
    await test.catalog.until { view, _ in
      view.services.map(\.id) == ["consul"] && view.checks.map(\.checkID) == [CheckID.serfHealth]
    }
    test.agent.stop()
  }

  @Test("without servers nothing is lost: everything is sent when they come")
  func serversComeLater() async throws {
    let test = TestAgent()
    test.catalog.fail(with: .noLeader)
    test.agent.start()
    await test.catalog.until { _, views in views == 1 }
    try await test.register(#"{"Name": "web"}"#)
    test.catalog.fail(with: nil)
    test.agent.serversAvailable()
    await test.catalog.until { view, _ in view.services.map(\.id) == ["web"] }
    test.agent.stop()
  }

  @Test("many registrations reach the catalog in one go")
  func many() async throws {
    let test = TestAgent()
    for number in 0..<300 { try await test.register(#"{"Name": "s\#(number)", "Check": {"TTL": "1m"}}"#) }
    test.agent.start()
    await test.catalog.until { view, _ in view.services.count == 300 && view.checks.count == 300 }
    // The node and each service with its check: nothing is written twice.
    #expect(test.catalog.writes.count == 301)
    test.agent.stop()
  }

  @Test("a refused write is not repeated at once, and the rest goes on")
  func denied() async throws {
    let test = TestAgent()
    test.agent.start()
    await test.catalog.until { view, _ in view.node != nil }
    test.catalog.fail(with: .permissionDenied("service:write"))
    try await test.register(#"{"Name": "web"}"#, token: "weak")
    await TestAgent.settled()
    #expect(test.agent.syncCounters.denials == 1)
    test.catalog.fail(with: nil)
    try await test.register(#"{"Name": "other"}"#)
    await test.catalog.until { view, _ in view.services.map(\.id) == ["other"] }
    test.agent.stop()
  }

  @Test("a native application learns its address in the mesh along with its first health")
  func nativeAddress() async throws {
    let test = TestAgent()
    test.agent.start()
    await test.catalog.until { view, _ in view.node != nil }
    try await test.register(
      #"{"Name": "app", "Port": 9, "Connect": {"Native": true}, "Check": {"CheckID": "c", "TTL": "1m"}}"#)
    await test.catalog.until { view, _ in view.services.contains { $0.id == "app" } }
    await TestAgent.settled()
    #expect(test.agent.service("app")?.taggedAddresses["consul-virtual"] == nil)
    try test.agent.updateTTL(check: "c", status: "passing", output: "")
    await test.catalog.until { view, _ in view.checks.first?.status == "passing" }
    #expect(test.agent.service("app")?.taggedAddresses["consul-virtual"]?.address == "240.0.0.1")
    test.agent.stop()
  }
}

extension TestAgent {
  /// Returns after the loop worked off what lay before it, and what that brought about.
  static func settled() async {
    for _ in 0..<8 { try? await loop.submit {}.get() }
  }
}

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
