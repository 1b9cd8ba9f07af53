import GRPC
import Model
import NIOCore
import Testing

@testable import Server
@testable import State

/// An agent without a server, with a server's streams.
@Suite struct HealthViewsTests {
  /// An agent that asks the servers.
  final class Client: Sendable {
    let client: RPCClient
    let servers: ServerList
    let views: HealthViews
    let cache: AgentCache
    let loop: any EventLoop

    init(_ servers: [TestServer], _ change: (inout HealthViews.Settings) -> Void = { _ in }) {
      let group = servers[0].group
      loop = group.any()
      client = RPCClient(group: group)
      self.servers = ServerList(servers.map(\.address))
      var settings = HealthViews.Settings()
      change(&settings)
      views = HealthViews(
        datacenter: "dc1", servers: self.servers, connections: StreamConnections(group: group), group: group,
        settings: settings)
      let backend = ClusterBackend(datacenter: "dc1", servers: self.servers, client: client)
      cache = AgentCache(backend: backend, views: views)
    }

    /// As a client asks that waits for an index above `index`, or with `?cached`.
    func health(
      _ service: String, after index: UInt64 = 0, _ change: (inout HealthServiceNodes) -> Void = { _ in }
    ) async throws -> CachedAnswer<[ServiceInstance]> {
      var query = HealthServiceNodes(service: service)
      change(&query)
      var options = QueryOptions()
      options.minIndex = index
      return try await withCheckedThrowingContinuation { [query, options] continuation in
        cache.query(query, options, on: loop) { continuation.resume(with: $0.mapError { $0 as any Error }) }
      }
    }

    func stop() {
      cache.shutdown()
      client.shutdown()
    }
  }

  private func nodes(_ answer: CachedAnswer<[ServiceInstance]>) -> [String] {
    answer.answer.value.map(\.node.value.node)
  }

  @Test func readersOfAServiceShareOneStreamAndAllWakeWithAChange() async throws {
    let server = try await TestServer(1, of: ["127.89.1.1"])
    try await server.register(.instance("web", node: "a"))
    let client = Client([server])
    let first = try await client.health("web")
    #expect(nodes(first) == ["a"])
    #expect(first.age == nil)
    #expect(first.answer.isStreamed)
    #expect(try await server.query(HealthServiceNodes(service: "web")).index == first.answer.index)
    #expect(try await client.health("web").age == 0)
    let woken = try await withThrowingTaskGroup(of: CachedAnswer<[ServiceInstance]>.self) { group in
      for _ in 0..<100 { group.addTask { try await client.health("web", after: first.answer.index) } }
      try await server.register(.instance("web", node: "b"))
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(woken.count == 100)
    #expect(woken.allSatisfy { nodes($0) == ["a", "b"] && $0.answer.isStreamed })
    #expect(client.views.count == 1)
    client.stop()
    await server.stop()
  }

  @Test func whatSelectsInstancesDoesSoInTheAgent() async throws {
    let server = try await TestServer(1, of: ["127.89.2.1"])
    try await server.register(.instance("web", node: "a", tags: ["V1"]))
    var other = RegisterRequest.instance("web", node: "b", status: "warning", tags: ["v2"])
    other.nodeMeta = ["rack": "r1"]
    try await server.register(other)
    let client = Client([server])
    #expect(nodes(try await client.health("WEB")) == ["a", "b"])
    #expect(nodes(try await client.health("web") { $0.tags = ["v1"] }) == ["a"])
    #expect(nodes(try await client.health("web") { $0.health = .passing }) == ["a"])
    #expect(nodes(try await client.health("web") { $0.selection.nodeMeta = ["rack": "r1"] }) == ["b"])
    #expect(client.views.count == 1)
    // What only servers know is asked of them.
    #expect(try await client.health("web") { $0.selection.near = "a" }.answer.isStreamed == false)
    client.stop()
    await server.stop()
  }

  @Test func serversWithoutStreamsAreAskedInTheOtherWay() async throws {
    let server = try await TestServer(1, of: ["127.89.3.1"], streams: false)
    try await server.register(.instance("web", node: "a"))
    let client = Client([server])
    let answer = try await client.health("web")
    #expect(nodes(answer) == ["a"])
    #expect(!answer.answer.isStreamed)
    #expect(client.views.count == 0)
    client.stop()
    await server.stop()
  }

  @Test func whenAServerEndsAnotherOneGoesOnWhereItStopped() async throws {
    let hosts = ["127.89.4.1", "127.89.4.2"]
    let first = try await TestServer(1, of: [hosts[0]])
    let second = try await TestServer(1, of: [hosts[1]])
    // Two clusters of one server each that hold the same.
    for server in [first, second] { try await server.register(.instance("web", node: "a")) }
    let client = Client([first, second]) { ($0.firstPause, $0.longestPause) = (.milliseconds(1), .milliseconds(5)) }
    let answer = try await client.health("web")
    let (used, left) = client.servers.first == first.address ? (first, second) : (second, first)
    await used.stop()
    // What has an index that is not above the known one is no news.
    for number in 0..<30 { try await left.put("key", "\(number)") }
    try await left.register(.instance("web", node: "b"))
    var index = answer.answer.index
    var found = nodes(answer)
    while found != ["a", "b"] {
      let next = try await client.health("web", after: index)
      (index, found) = (next.answer.index, nodes(next))
    }
    #expect(client.servers.first == left.address)
    client.stop()
    await left.stop()
  }

  @Test func withoutAnyServerTheFirstReaderIsToldWhy() async throws {
    let server = try await TestServer(1, of: ["127.89.5.1"])
    let client = Client([server])
    client.servers.update([])
    await #expect(throws: ServerError.noServers) { try await client.health("web") }
    client.servers.update([server.address])
    try await server.register(.instance("web", node: "a"))
    #expect(nodes(try await client.health("web")) == ["a"])
    client.stop()
    await server.stop()
  }

  @Test func aServiceThatNobodyAsksForIsNotFollowedAnyMore() async throws {
    let server = try await TestServer(1, of: ["127.89.6.1"])
    let client = Client([server]) { $0.idleTime = .milliseconds(20) }
    _ = try await client.health("web")
    while client.views.count > 0 { await Task.yield() }
    _ = try await client.health("web")
    client.stop()
    await server.stop()
  }
}
