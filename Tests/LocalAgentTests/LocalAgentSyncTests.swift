import Checks
import Model
import NIOCore
import Server
import Testing

@testable import LocalAgent

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
