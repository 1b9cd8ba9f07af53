import AccessControl
import Model
import NIOCore
import Testing

@testable import Server

/// Whoever asks another server, or a client agent, is told what the leader tells.
@Suite struct ForwardedRightsTests {
  private static let hosts = (1...3).map { "127.87.10.\($0)" }

  /// All that a face sees of an answer.
  private func outcome<Query: ReadQuery>(
    _ query: Query, _ token: String, _ backend: ClusterBackend, _ loop: any EventLoop
  ) async throws -> String {
    var options = QueryOptions()
    options.token = token
    do {
      let answer = try await backend.query(query, options, on: loop)
      let bytes = ByteBuffer.messagePack(try Query.response(answer.value)).readableBytesView
      let text = String(decoding: bytes.map { (0x20..<0x7f).contains($0) ? $0 : 0x2e }, as: UTF8.self)
      return "\(text) \(answer.index) \(answer.isFiltered) \(answer.knownLeader)"
    } catch {
      return "\(error)"
    }
  }

  private func expectTheSame<Query: ReadQuery>(
    _ query: Query, _ tokens: [String], _ backends: [ClusterBackend], _ loop: any EventLoop
  ) async throws {
    for token in tokens {
      let expected = try await outcome(query, token, backends[0], loop)
      for backend in backends.dropFirst() {
        let found = try await outcome(query, token, backend, loop)
        #expect(found == expected, "\(Query.method) with \(token): \(found) instead of \(expected)")
      }
    }
  }

  @Test func everyServerAndClientAnswersLikeTheLeader() async throws {
    var servers: [TestServer] = []
    for number in 1...3 {
      servers.append(
        try await TestServer(
          number, of: Self.hosts, accessControl: RightsWorld.settings,
          coordinatePeriod: GoDuration(nanoseconds: 20_000_000)))
    }
    while !servers.contains(where: \.node.isLeader) { await Task.yield() }
    servers.sort { $0.node.isLeader && !$1.node.isLeader }
    let leader = servers[0]
    let world = try await RightsWorld(leader)
    let client = RPCClient(group: leader.group)
    let remote = ClusterBackend(
      datacenter: "dc1", servers: ServerList([servers[1].address]), client: client)
    let backends = servers.map(\.backend) + [remote]
    let tokens = [
      "", "unknown", RightsWorld.management,
      try await world.token("key \"secret\" { policy = \"read\" }\nservice \"secret\" { policy = \"read\" }"),
      try await world.token("node \"secret\" { policy = \"read\" }\nquery \"secret\" { policy = \"read\" }"),
    ]
    let loop = leader.loop
    try await expectTheSame(KVGet(key: "secret"), tokens, backends, loop)
    try await expectTheSame(KVList(prefix: ""), tokens, backends, loop)
    try await expectTheSame(KVKeys(prefix: "s", separator: "e"), tokens, backends, loop)
    try await expectTheSame(HealthServiceNodes(service: "secret"), tokens, backends, loop)
    try await expectTheSame(HealthServiceNodes(service: "secret", connect: true), tokens, backends, loop)
    try await expectTheSame(CatalogServiceNodes(service: "secret", connect: true), tokens, backends, loop)
    try await expectTheSame(CatalogServices(), tokens, backends, loop)
    try await expectTheSame(CatalogNodeServices(node: "secret"), tokens, backends, loop)
    try await expectTheSame(NodeDetailsList(), tokens, backends, loop)
    try await expectTheSame(SessionList(), tokens, backends, loop)
    try await expectTheSame(PreparedQueryGet(id: world.query), tokens, backends, loop)
    try await expectTheSame(PreparedQueryList(), tokens, backends, loop)
    try await expectTheSame(TokenRead(.accessor(world.token), datacenter: "dc1"), tokens, backends, loop)
    try await expectTheSame(TokenRead(.secret(Secret(tokens[3])), datacenter: "dc1"), tokens, backends, loop)
    try await expectTheSame(PolicyResolve([world.policy]), tokens, backends, loop)
    // What a token may write, it may write through any of them.
    let writer = try await world.token("key_prefix \"app/\" { policy = \"write\" }")
    for backend in backends {
      var entry = KVEntry()
      entry.key = "app/a"
      try await backend.write(KVApply(.set, entry), token: writer, on: loop)
      entry.key = "other"
      let refused = entry
      await #expect(throws: ServerError.self) {
        try await backend.write(KVApply(.set, refused), token: writer, on: loop)
      }
    }
    client.shutdown()
    for server in servers { await server.stop() }
  }
}
