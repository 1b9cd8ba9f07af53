import AccessControl
import Model
import NIOCore
import Testing

@testable import Server
@testable import State

/// Two datacenters of one server each, the first of which is the primary of the second.
struct Federation {
  static let management = "11111111-2222-3333-4444-555555555555"

  let first: TestServer
  let second: TestServer

  /// - Parameters:
  ///   - net: of the addresses, which no other test has.
  ///   - replicatesTokens: whether the second keeps global tokens.
  ///   - log: gets what the second logs.
  ///   - change: of what the second is told about the first.
  init(
    _ net: Int, replicatesTokens: Bool = true, log: LogLines? = nil,
    change: (inout PrimaryDatacenter) -> Void = { _ in }
  ) async throws {
    let hosts = ["127.142.\(net).1", "127.142.\(net).2"]
    var settings = AccessControlSettings(nodeName: "s1")
    settings.initialManagement = Secret(Self.management)
    first = try await TestServer(1, of: [hosts[0]], datacenter: "dc1", accessControl: settings)
    var primary = PrimaryDatacenter("dc1")
    primary.replicatesTokens = replicatesTokens
    primary.replicationToken = Secret(Self.management)
    primary.pace.pause = .milliseconds(5)
    primary.pace.retry = .milliseconds(5)
    primary.pace.longestRetry = .milliseconds(50)
    change(&primary)
    settings = AccessControlSettings(nodeName: "s1")
    settings.primary = primary
    second = try await TestServer(1, of: [hosts[1]], datacenter: "dc2", accessControl: settings, log: log)
    for server in [first, second] {
      server.node.members.put(TestServer.member(1, hosts[0], datacenter: "dc1").named("s1.dc1"), in: .wan)
      server.node.members.put(TestServer.member(1, hosts[1], datacenter: "dc2").named("s1.dc2"), in: .wan)
    }
    try await eventually { first.node.isLeader && second.node.isLeader }
    try await eventually { first.node.tokens?.knowsToken(Self.management) ?? false }
  }

  func stop() async {
    await second.stop()
    await first.stop()
  }

  /// Whether everything that is to be replicated is.
  var isEqual: Bool {
    let (here, there) = (second.node.store.current, first.node.store.current)
    func same<Kind: ReplicatedKind>(_ kind: Kind.Type) -> Bool {
      ReplicationPlan(here: Kind.outlines(here), there: Kind.outlines(there)).isEmpty
    }
    let tokens = second.node.secondary?.primary.replicatesTokens ?? false
    return same(ReplicatedPolicies.self) && same(ReplicatedRoles.self) && (!tokens || same(ReplicatedTokens.self))
  }

  // MARK: what operators do

  /// A token with these rules, made in the primary.
  func token(_ rules: String, datacenters: [String] = []) async throws -> ACLToken {
    var policy = ACLPolicy()
    (policy.name, policy.rules, policy.datacenters) = (Identifier.random(), rules, datacenters)
    var token = ACLToken()
    token.policies = [ACLLink(id: try await first.manage(PolicySet(policy)).id)]
    return try await first.manage(TokenSet(token, creates: true))
  }
}

extension TestServer {
  /// Writes with the token that may do everything.
  @discardableResult
  func manage<Request: WriteRequest>(_ request: Request, _ token: String = Federation.management) async throws
    -> Request.Reply
  {
    try await backend.write(request, token: token, on: loop)
  }

  /// Reads with a token.
  func read<Query: ReadQuery>(
    _ query: Query, _ token: String = Federation.management, in datacenter: String = ""
  ) async throws -> Query.Reply {
    var options = QueryOptions()
    (options.token, options.datacenter) = (token, datacenter)
    return try await self.query(query, options).value
  }
}

/// Waits until something is so; a busy machine may take its time.
func eventually(
  _ comment: Comment? = nil, at place: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
  let clock = ContinuousClock()
  let deadline = clock.now + .seconds(60)
  while try await !condition() {
    guard clock.now < deadline else {
      Issue.record(comment ?? "it did not become so", sourceLocation: place)
      return
    }
    try await Task.sleep(for: .milliseconds(2))
  }
}
