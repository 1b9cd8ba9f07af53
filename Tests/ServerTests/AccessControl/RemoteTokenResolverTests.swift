import AccessControl
import Model
import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import Server
@testable import State

/// Servers that know what they are told, and how often they were asked.
private final class TokenServers: Backend {
  struct State {
    var found: Result<TokenRead.Found?, ServerError> = .success(nil)
    var calls: [QueryOptions.Consistency] = []
    var tokens: [String] = []
  }

  let state = Mutex(State())
  private let nothing = NoServers(datacenter: "dc1")
  let datacenter = "dc1"
  var datacenters: [String] { ["dc1"] }
  var leaderAddress: String { "" }
  var peerAddresses: [String] { [] }

  func query<Query: ReadQuery>(
    _ query: Query, _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Answer<Query.Reply>, ServerError>) -> Void
  ) -> PendingQuery? {
    let found = state.withLock { state in
      state.calls.append(options.consistency)
      state.tokens.append(options.token)
      return state.found
    }
    switch found {
    case .failure(let error): completion(.failure(error))
    case .success(let found):
      guard let reply = found as? Query.Reply else { return nil }
      completion(.success(Answer(value: reply, index: 1)))
    }
    return nil
  }

  func write<Request: WriteRequest>(
    _ request: Request, datacenter: String, token: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Request.Reply, ServerError>) -> Void
  ) { nothing.write(request, datacenter: datacenter, token: token, on: loop, completion) }

  func saveSnapshot(
    _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Answer<any SnapshotArchiveStream>, ServerError>) -> Void
  ) { nothing.saveSnapshot(options, on: loop, completion) }

  func restoreSnapshot(
    _ archive: SpoolFile, datacenter: String, token: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Void, ServerError>) -> Void
  ) { nothing.restoreSnapshot(archive, datacenter: datacenter, token: token, on: loop, completion) }
}

/// Tokens become rights on an agent that has to ask the servers for them.
@Suite struct RemoteTokenResolverTests {
  private final class Time: Sendable {
    let now = Mutex(NIODeadline.uptimeNanoseconds(1_000_000_000))
    func advance(_ seconds: Int64) { now.withLock { $0 = $0 + .seconds(seconds) } }
  }

  private let servers = TokenServers()
  private let loop = EmbeddedEventLoop()
  private let time = Time()

  private func resolver(_ downPolicy: RemoteTokenResolver.DownPolicy = .extendCache) -> RemoteTokenResolver {
    var settings = RemoteTokenResolver.Settings(nodeName: "c1")
    settings.downPolicy = downPolicy
    let time = time
    return RemoteTokenResolver(
      settings, backend: servers, on: loop, clock: { time.now.withLock { $0 } },
      now: { Timestamp(unixSeconds: 1_000) })
  }

  private func found(_ rules: String, expires: Timestamp? = nil) -> TokenRead.Found {
    var token = ACLToken()
    (token.accessorID, token.secretID, token.expirationTime) = ("accessor", Secret("t"), expires)
    var policy = ACLPolicy()
    (policy.id, policy.name, policy.rules) = ("p", "p", rules)
    return TokenRead.Found(token: token, policies: [policy], roles: [])
  }

  private func answer(_ found: Result<TokenRead.Found?, ServerError>) {
    servers.state.withLock { $0.found = found }
  }

  private var calls: Int { servers.state.withLock { $0.calls.count } }

  /// What a request does that wants to know what its token may do.
  private func allows(_ resolver: RemoteTokenResolver, _ token: String, _ permission: Permission) -> Bool? {
    if !resolver.knows(token) {
      let isDone = Mutex(false)
      resolver.find(token) { isDone.withLock { $0 = true } }
      loop.run()
      #expect(isDone.withLock { $0 })
    }
    return (try? resolver.authorizer(for: token))?.allows(permission)
  }

  @Test func whatServersSaidIsRememberedForAWhile() {
    let resolver = resolver()
    answer(.success(found("node_prefix \"\" { policy = \"read\" }")))
    #expect(allows(resolver, "t", .nodeRead("n")) == true)
    #expect(allows(resolver, "t", .nodeWrite("n")) == false)
    #expect(calls == 1 && servers.state.withLock { $0.tokens } == ["t"])
    answer(.success(found("node_prefix \"\" { policy = \"write\" }")))
    time.advance(29)
    #expect(allows(resolver, "t", .nodeWrite("n")) == false)
    time.advance(2)
    // The policy has another index now.
    var changed = found("node_prefix \"\" { policy = \"write\" }")
    changed.policies[0].modifyIndex = 9
    answer(.success(changed))
    #expect(allows(resolver, "t", .nodeWrite("n")) == true)
    #expect(calls == 2)
  }

  @Test func whoWaitsForTheSameTokenSharesOneCall() {
    let resolver = resolver()
    answer(.success(found("")))
    let done = Mutex(0)
    for _ in 0..<3 { resolver.find("t") { done.withLock { $0 += 1 } } }
    loop.run()
    #expect(done.withLock { $0 } == 3)
    #expect(calls == 1)
  }

  /// A follower may not have heard of it yet.
  @Test func thatThereIsNoSuchTokenIsBelievedTheLeaderOnly() {
    let resolver = resolver()
    #expect(allows(resolver, "t", .nodeRead("n")) == nil)
    #expect(servers.state.withLock { $0.calls } == [.stale, .leaseBased])
    answer(.failure(.tokenNotFound))
    #expect(allows(resolver, "u", .nodeRead("n")) == nil)
    #expect(calls == 4)
    // Who has no token is not unknown.
    answer(.success(nil))
    #expect(allows(resolver, "", .nodeRead("n")) == false)
  }

  @Test func tokensEndInTime() {
    let resolver = resolver()
    answer(.success(found("node_prefix \"\" { policy = \"read\" }", expires: Timestamp(unixSeconds: 999))))
    #expect(allows(resolver, "t", .nodeRead("n")) == nil)
  }

  @Test(arguments: [
    // (policy, before the servers are gone, of a remembered token after its time, of one that nobody knows)
    (RemoteTokenResolver.DownPolicy.allow, true, true), (.deny, false, false), (.extendCache, true, false),
    (.asyncCache, true, false),
  ]) func withoutServersTheDownPolicyDecides(
    _ policy: RemoteTokenResolver.DownPolicy, _ remembered: Bool, _ unknown: Bool
  ) {
    let resolver = resolver(policy)
    answer(.success(found("node_prefix \"\" { policy = \"read\" }")))
    #expect(allows(resolver, "t", .nodeRead("n")) == true)
    answer(.failure(.noServers))
    #expect(allows(resolver, "t", .nodeRead("n")) == true)
    time.advance(31)
    #expect(allows(resolver, "t", .nodeRead("n")) == remembered || policy == .asyncCache)
    loop.run()
    #expect(allows(resolver, "t", .nodeRead("n")) == remembered)
    #expect(allows(resolver, "u", .nodeRead("n")) == unknown)
    answer(.success(found("node_prefix \"\" { policy = \"read\" }")))
    #expect(allows(resolver, "u", .nodeRead("n")) == true)
  }

  @Test func serversThatAreGoneAreAskedOncePerLifetime() {
    let resolver = resolver()
    answer(.success(found("node_prefix \"\" { policy = \"read\" }")))
    #expect(allows(resolver, "t", .nodeRead("n")) == true)
    answer(.failure(.noServers))
    for _ in 0..<3 {
      time.advance(20)
      #expect(allows(resolver, "t", .nodeRead("n")) == true)
    }
    #expect(calls == 2)
  }

  @Test func whatIsRememberedIsFetchedAnewBehindTheReadersBack() {
    let resolver = resolver(.asyncCache)
    answer(.success(found("node_prefix \"\" { policy = \"read\" }")))
    #expect(allows(resolver, "t", .nodeRead("n")) == true)
    time.advance(31)
    var changed = found("")
    changed.policies[0].modifyIndex = 9
    answer(.success(changed))
    #expect(resolver.knows("t"))
    #expect((try? resolver.authorizer(for: "t"))?.allows(.nodeRead("n")) == true)
    loop.run()
    #expect((try? resolver.authorizer(for: "t"))?.allows(.nodeRead("n")) == false)
  }

  @Test func theRecoveryTokenNeedsNoServers() {
    let resolver = resolver(.deny)
    answer(.failure(.noServers))
    resolver.setRecoveryToken(Secret("emergency"))
    #expect(resolver.knows("emergency"))
    #expect(allows(resolver, "emergency", .agentWrite("c1")) == true)
    #expect(allows(resolver, "emergency", .agentWrite("other")) == false)
    #expect(calls == 0)
  }
}
