import Model
import NIOCore
import NIOPosix
import Synchronization
import Testing
import Wire

@testable import Server

@Suite struct RPCClientTests {
  private let group = MultiThreadedEventLoopGroup.singleton

  @Test func aServerThatIsNotThereCannotBeConnected() async throws {
    let client = RPCClient(group: group)
    do {
      _ = try await client.call("Status.Ping", RPCBody.empty, to: "127.84.1.1:28300", on: group.any())
      Issue.record("somebody answered")
    } catch let error as RPCError {
      #expect(
        error.description
          == "rpc error getting client: failed to get conn: dial tcp 127.84.1.1:28300: connect: connection refused")
    }
    await #expect(throws: RPCError.self) {
      _ = try await client.call("Status.Ping", RPCBody.empty, to: "nowhere", on: group.any())
    }
    client.shutdown()
    await #expect(throws: RPCError.shutDown) {
      _ = try await client.call("Status.Ping", RPCBody.empty, to: "127.84.1.1:28300", on: group.any())
    }
  }

  /// While servers fail in turn, and at once, there is no pause between attempts, but each makes the next pause longer.
  @Test func requestsOutliveServersThatFailOneAfterTheOther() async throws {
    var settings = RPCClient.Settings()
    settings.refusal = { "nobody may connect" }
    let client = RPCClient(group: group, settings: settings)
    let backend = ClusterBackend(
      datacenter: "dc1", servers: ServerList(["127.84.1.2:1", "127.84.1.3:1"]), client: client,
      holdTimeout: .milliseconds(800))
    await #expect(
      throws: ServerError.rejected("rpc error getting client: failed to get conn: nobody may connect")
    ) { try await backend.query(KVGet(key: "a"), QueryOptions(), on: group.any()) }
    client.shutdown()
  }

  /// Accepts connections and never says anything.
  private func silentServer(_ host: String) async throws -> any Channel {
    try await ServerBootstrap(group: group).bind(host: host, port: TestServer.port).get()
  }

  @Test func aCallWithoutAnswerEndsWhenItsTimeIsOver() async throws {
    let silent = try await silentServer("127.84.2.1")
    let client = RPCClient(group: group)
    await #expect(throws: RPCError.timeout) {
      _ = try await client.call(
        "Status.Ping", RPCBody.empty, to: "127.84.2.1:28300", timeout: .milliseconds(30), on: group.any())
    }
    client.shutdown()
    try await silent.close()
  }

  @Test func callsBeyondTheRateAreNotSent() async throws {
    var settings = RPCClient.Settings()
    settings.rate = 0.001
    settings.burst = 1
    let client = RPCClient(group: group, settings: settings)
    for expected in [false, true] {
      do {
        _ = try await client.call("Status.Ping", RPCBody.empty, to: "127.84.3.1:28300", on: group.any())
      } catch let error as RPCError {
        #expect((error == .rateLimited) == expected)
      }
    }
    client.shutdown()
  }

  @Test func manyCallsShareOneConnection() async throws {
    let host = "127.84.4.1"
    let server = try await TestServer(1, of: [host]) { $0.connectionsPerClientMax = 1 }
    try await server.put("a", "1")
    let client = RPCClient(group: group)
    var request = KeyRequest()
    request.key = "a"
    let body = request.messagePack
    try await withThrowingTaskGroup(of: Void.self) { calls in
      for _ in 0..<400 {
        calls.addTask {
          let answer = try await client.call("KVS.Get", body, to: server.address, on: server.loop)
          #expect(try IndexedDirEntries(messagePack: answer).entries.count == 1)
        }
      }
      try await calls.waitForAll()
    }
    client.shutdown()
    await server.stop()
  }

  @Test func aCancelledCallIsNotAnsweredAndDisturbsNoOther() async throws {
    let host = "127.84.5.1"
    let server = try await TestServer(1, of: [host])
    try await server.put("a", "1")
    var request = KeyRequest()
    request.key = "a"
    request.options.minIndex = 1 << 40
    let answered = Flag()
    let waiting = server.client.call(
      "KVS.Get", .messagePack(request), to: server.address, on: server.loop
    ) { _ in answered.raise() }
    waiting?.cancel()
    request.options.minIndex = 0
    for _ in 0..<3 {
      _ = try await server.client.call("KVS.Get", request.messagePack, to: server.address, on: server.loop)
    }
    #expect(!answered.isRaised)
    await server.stop()
    #expect(!answered.isRaised)
  }

  @Test func callsUnderWayFailWhenTheConnectionBreaks() async throws {
    let host = "127.84.6.1"
    let server = try await TestServer(1, of: [host])
    try await server.put("a", "1")
    let client = RPCClient(group: group)
    var request = KeyRequest()
    request.key = "a"
    request.options.minIndex = 1 << 40
    let body = request.messagePack
    let ping = try await client.call("Status.Ping", RPCBody.empty, to: server.address, on: server.loop)
    #expect(ping == RPCBody.empty)
    let waiting = Task { try await client.call("KVS.Get", body, to: server.address, on: server.loop) }
    await server.stop()
    await #expect(throws: RPCError.self) { _ = try await waiting.value }
    client.shutdown()
  }

  // MARK: Errors

  @Test(arguments: [
    (RPCError.remote("rpc error making call: No cluster leader"), ServerError.noLeader),
    (.remote("ACL not found"), .tokenNotFound),
    (
      .remote("rpc error making call: Permission denied: token lacks 'key:read'"),
      .permissionDenied("token lacks 'key:read'")
    ),
    (.remote("Permission denied"), .permissionDenied("")),
    (.remote("rate limit exceeded, try again later or against a different server"), .rateLimited(elsewhere: true)),
    (
      .remote("rate limit exceeded for operation that can only be performed by the leader, try again later"),
      .rateLimited(elsewhere: false)
    ),
    (.rateLimited, .tooManyCalls),
    (.remote("rpc error making call: RPC rate limit exceeded"), .tooManyCalls),
    (.remote("Must provide key"), .rejected("rpc error making call: Must provide key")),
    (.timeout, .rejected("rpc error making call: i/o deadline reached")),
  ])
  func errorsOfOtherServersAreTheSameHere(error: RPCError, expected: ServerError) {
    #expect(ServerError(error) == expected)
  }

  @Test func onlyWhatCannotHaveBeenCarriedOutIsTriedAgain() {
    let read = Wish("KVS.Get", QueryOptions())
    let write = Wish(write: "KVS.Apply", datacenter: "")
    let cases: [(RouteError, read: Bool, write: Bool)] = [
      (.here(.noLeader), true, true), (.here(.rejected("x")), false, false), (.there(.connecting("x")), true, true),
      (.there(.broken("EOF")), true, false), (.there(.timeout), false, false),
      (.there(.remote("No cluster leader")), true, true), (.there(.remote("Must provide key")), false, false),
      (.there(.remote("leadership lost while committing log")), false, false),
    ]
    for (error, isRead, isWrite) in cases {
      for byClient in [true, false] {
        #expect(error.allowsRetry(of: read, byClient: byClient) == isRead, "\(error)")
        #expect(error.allowsRetry(of: write, byClient: byClient) == isWrite, "\(error)")
      }
    }
  }

  @Test func aServerThatFailedIsAskedLast() {
    let list = ServerList(["a"])
    list.update(["a", "b"])
    #expect(Set(list.addresses) == ["a", "b"])
    let first = list.addresses[0]
    list.failed(list.addresses[1])
    #expect(list.addresses[0] == first)
    list.failed(first)
    #expect(list.addresses[1] == first)
    list.adopt(["b"])
    #expect(list.addresses.count == 2)
    list.update(["b"])
    #expect(list.addresses == ["b"])
    list.failed("b")
    #expect(list.addresses == ["b"])
  }
}

/// Something that happens once.
private final class Flag: Sendable {
  private let flag = Atomic<Bool>(false)
  var isRaised: Bool { flag.load(ordering: .acquiring) }
  func raise() { flag.store(true, ordering: .releasing) }
}
