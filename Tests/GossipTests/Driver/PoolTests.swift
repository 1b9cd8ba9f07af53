import Foundation
import Logging
import Model
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Gossip

/// What a pool told its listener.
final class EventLog: Sendable {
  private let events = Mutex<[GossipEvent]>([])

  func add(_ event: GossipEvent) { events.withLock { $0.append(event) } }
  var all: [GossipEvent] { events.withLock { $0 } }

  var userEvents: [String] { all.compactMap { if case .userEvent(let event) = $0 { event.name } else { nil } } }
  var left: [String] { all.compactMap { if case .left(let member) = $0 { member.name } else { nil } } }
  var failed: [String] { all.compactMap { if case .failed(let member) = $0 { member.name } else { nil } } }
}

/// A pool on a loopback address of its own.
struct TestPool: Sendable {
  let pool: GossipPool
  let log: EventLog

  var name: String { pool.settings.name }
  var address: String { "\(pool.settings.advertised)" }

  static func start(
    _ name: String, _ ip: String, snapshotPath: String? = nil, _ adjust: (inout GossipSettings) -> Void = { _ in }
  ) async throws -> TestPool {
    let address = NodeAddress(try #require(IPAddress(ip)), 8301)
    var settings = GossipSettings.local(name: name, advertised: address)
    settings.leavePropagateDelay = .milliseconds(200)
    adjust(&settings)
    var options = GossipPool.Options(settings, bind: address)
    options.snapshotPath = snapshotPath
    let log = EventLog()
    var logger = Logger(label: name)
    logger.logLevel = .critical
    let pool = try await GossipPool.start(
      options, group: MultiThreadedEventLoopGroup.singleton, logger: logger, listener: { log.add($0) })
    return TestPool(pool: pool, log: log)
  }

  func status(of name: String) -> MemberStatus? { pool.members.first { $0.name == name }?.status }
}

struct NotReached: Error {}

/// Waits until something holds; the limit only bounds a failing test.
func eventually(_ limit: Duration = .seconds(30), _ condition: @Sendable () async throws -> Bool) async throws {
  let end = ContinuousClock.now + limit
  while ContinuousClock.now < end {
    if try await condition() { return }
    try await Task.sleep(for: .milliseconds(20))
  }
  throw NotReached()
}

@Suite struct PoolTests {
  @Test func poolsJoinTalkAndLeave() async throws {
    let a = try await TestPool.start("a", "127.61.1.1") { $0.tags = ["role": "x"] }
    let b = try await TestPool.start("b", "127.61.1.2")
    let result = await b.pool.join([a.address])
    #expect(result.joinedCount == 1)
    #expect(result.failures.isEmpty)
    #expect(b.status(of: "a") == .alive)
    try await eventually { a.status(of: "b") == .alive }
    #expect(b.pool.members.first?.tags == ["role": "x"])

    try b.pool.fire("deploy", payload: [1, 2])
    try await eventually { a.log.userEvents == ["deploy"] && b.log.userEvents == ["deploy"] }

    try a.pool.setTags(["role": "y"])
    try await eventually { b.pool.members.first?.tags == ["role": "y"] }

    await b.pool.leave()
    try await eventually { a.status(of: "b") == .left }
    #expect(a.log.left == ["b"])
    #expect(a.log.failed == [])
    await a.pool.stop()
    await b.pool.stop()
  }

  @Test func queriesAreAnswered() async throws {
    let a = try await TestPool.start("a", "127.61.2.1")
    let b = try await TestPool.start("b", "127.61.2.2")
    _ = await b.pool.join(["127.61.2.1"])
    let outcomes = Mutex<[QueryOutcome]>([])
    var options = QueryOptions()
    options.wantsAcknowledgement = true
    options.filters = [.nodes(["a"])]
    // Longer than a busy machine may take; the query ends when it is over.
    options.timeout = .seconds(5)
    try await eventually { a.status(of: "b") == .alive }
    try await b.pool.query("uptime", payload: [1], options: options) { outcome in
      outcomes.withLock { $0.append(outcome) }
    }
    try await eventually { a.log.all.contains { if case .query = $0 { true } else { false } } }
    for case .query(let query) in a.log.all { try await a.pool.respond(to: query, payload: [9]) }
    try await eventually { outcomes.withLock { $0.last } == .finished }
    #expect(
      outcomes.withLock { $0 } == [.acknowledged(by: "a"), .answered(by: "a", payload: [9]), .finished])
    await a.pool.stop()
    await b.pool.stop()
  }

  @Test func keysAreExchanged() async throws {
    let first = [UInt8](repeating: 1, count: 16)
    let second = [UInt8](repeating: 2, count: 32)
    let keyring = try GossipKeyring(keys: [first])
    let a = try await TestPool.start("a", "127.61.3.1") { $0.keyring = keyring }
    let b = try await TestPool.start("b", "127.61.3.2") { $0.keyring = keyring }
    let stranger = try await TestPool.start("c", "127.61.3.3")
    #expect(await b.pool.join([a.address]).joinedCount == 1)
    #expect(await stranger.pool.join([a.address]).joinedCount == 0)
    try await eventually { a.status(of: "b") == .alive }
    for operation in [KeyOperation.install(second), .use(second), .remove(first)] {
      let result = try await a.pool.keys(operation)
      #expect(result.responseCount == 2)
      #expect(result.errorCount == 0)
    }
    #expect(b.pool.keyring.keys == [second])
    #expect(try await b.pool.keys(.list).primaryKeys == [Base64.encode(second): 2])
    for pool in [a, b, stranger] { await pool.pool.stop() }
  }

  @Test func whatCannotBeReachedIsNamed() async throws {
    let a = try await TestPool.start("a", "127.61.4.1")
    let result = await a.pool.join(["127.61.4.9", "no such name.invalid"])
    #expect(result.joinedCount == 0)
    #expect(
      result.failures.map(\.description).sorted() == [
        "Failed to join 127.61.4.9:8301: dial tcp 127.61.4.9:8301: connect: connection refused",
        "Failed to resolve no such name.invalid: lookup no such name.invalid: no such host",
      ])
    await a.pool.stop()
  }

  @Test func aDeadNodeIsFoundAndReturnsByItsSnapshot() async throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "gossip-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let path = directory.appending(path: "local.snapshot").path
    let quick: (inout GossipSettings) -> Void = {
      $0.probeInterval = .milliseconds(200)
      $0.probeTimeout = .milliseconds(100)
    }
    let a = try await TestPool.start("a", "127.61.5.1", quick)
    let b = try await TestPool.start("b", "127.61.5.2", snapshotPath: path, quick)
    _ = await b.pool.join([a.address])
    try await eventually { a.status(of: "b") == .alive }
    await b.pool.stop()
    try await eventually { a.status(of: "b") == .failed }
    let again = try await TestPool.start("b", "127.61.5.2", snapshotPath: path, quick)
    try await eventually { a.status(of: "b") == .alive && again.status(of: "a") == .alive }
    await a.pool.stop()
    await again.pool.stop()
  }

  @Test func poolsSpeakVersion6() async throws {
    var settings = GossipSettings.local(name: "six", advertised: try #require(NodeAddress("[::1]:18361")))
    var options = GossipPool.Options(settings, bind: settings.advertised)
    let logger = Logger(label: "six")
    let group = MultiThreadedEventLoopGroup.singleton
    let six = try await GossipPool.start(options, group: group, logger: logger) { _ in }
    settings.name = "other"
    settings.advertised = try #require(NodeAddress("[::1]:18362"))
    options = GossipPool.Options(settings, bind: settings.advertised)
    let other = try await GossipPool.start(options, group: group, logger: logger) { _ in }
    #expect(await other.join(["[::1]:18361"]).joinedCount == 1)
    try await eventually { six.members.map(\.status) == [.alive, .alive] }
    await six.stop()
    await other.stop()
  }

  @Test func anAddressThatIsTakenIsNamed() async throws {
    let a = try await TestPool.start("a", "127.61.6.1")
    let error = await #expect(throws: GossipError.self) { try await TestPool.start("b", "127.61.6.1") }
    #expect(error?.description.hasPrefix("failed to listen on 127.61.6.1:8301") == true)
    await a.pool.stop()
  }

  @Test func addressesAreUnderstoodAsUsersWriteThem() {
    let cases: [(String, String, UInt16)] = [
      ("10.0.0.1", "10.0.0.1", 8301), ("host:9", "host", 9), ("::1", "::1", 8301), ("[::1]:7", "::1", 7),
      ("[::1]", "::1", 8301), ("node.dc1/10.0.0.1:8302", "10.0.0.1", 8302), ("", "", 8301),
    ]
    for (text, host, port) in cases {
      let address = JoinAddress(text, defaultPort: 8301)
      #expect(address.host == host && address.port == port, "\(text)")
    }
  }
}
