import AccessControl
import Model
import NIOCore
import Synchronization
import Testing

@testable import Server

/// Requests that servers cannot answer out of their own state: those about other datacenters, and those about gossip.
@Suite struct DatacenterTests {
  /// Two datacenters of one server each that know each other.
  private struct Pair {
    let first: TestServer
    let second: TestServer
    let gossip = [TestGossip("dc1"), TestGossip("dc2")]

    /// - Parameter dead: How many servers of the second datacenter do not answer.
    init(_ net: Int, dead: Int = 0, accessControl: AccessControlSettings? = nil) async throws {
      let hosts = ["127.141.\(net).1", "127.141.\(net).2"]
      first = try await TestServer(1, of: [hosts[0]], datacenter: "dc1", accessControl: accessControl)
      second = try await TestServer(1, of: [hosts[1]], datacenter: "dc2", accessControl: accessControl)
      for server in [first, second] {
        server.node.members.put(TestServer.member(1, hosts[0], datacenter: "dc1").named("s1.dc1"), in: .wan)
        server.node.members.put(TestServer.member(1, hosts[1], datacenter: "dc2").named("s1.dc2"), in: .wan)
      }
      for number in 0..<dead {
        let host = "127.141.\(net).\(100 + number)"
        first.node.members.put(TestServer.member(2, host, datacenter: "dc2").named("d\(number).dc2"), in: .wan)
      }
      first.backend.gossip.set(gossip[0])
      second.backend.gossip.set(gossip[1])
      while !first.node.isLeader || !second.node.isLeader { await Task.yield() }
    }

    func stop() async {
      await first.stop()
      await second.stop()
    }
  }

  private static func result<Value: Sendable>(
    _ start: (@escaping @Sendable (Result<Value, ServerError>) -> Void) -> Void
  ) async -> Result<Value, ServerError> {
    await withCheckedContinuation { continuation in start { continuation.resume(returning: $0) } }
  }

  @Test func aDatacenterIsReachedThroughWhicheverOfItsServersAnswers() async throws {
    let pair = try await Pair(1, dead: 3)
    try await pair.second.put("there", "x")
    var options = QueryOptions()
    options.datacenter = "dc2"
    // Which server is asked first is random.
    for _ in 0..<20 {
      let answer = try await pair.first.query(KVGet(key: "there"), options)
      #expect(answer.value != nil)
    }
    options.datacenter = "dc9"
    await #expect(throws: ServerError.noPathToDatacenter("dc9")) {
      try await pair.first.query(KVGet(key: "there"), options)
    }
    await pair.stop()
  }

  @Test func aDatacenterWithoutALivingServerSaysWhyAtOnce() async throws {
    let pair = try await Pair(2)
    await pair.second.stop()
    var options = QueryOptions()
    options.datacenter = "dc2"
    do {
      _ = try await pair.first.query(KVGet(key: "a"), options)
      Issue.record("there was an answer")
    } catch let error as ServerError {
      #expect(error.description.contains("failed to get conn: dial tcp") || error.description.contains("EOF"))
    }
    await pair.first.stop()
  }

  @Test func whoLeadsIsAskedInEveryDatacenter() async throws {
    let pair = try await Pair(3)
    let (backend, loop) = (pair.first.backend, pair.first.loop)
    let leader = await Self.result { backend.leaderAddress(in: "dc2", on: loop, $0) }
    #expect(leader == .success(pair.second.address))
    let peers = await Self.result { backend.peerAddresses(in: "dc2", on: loop, $0) }
    #expect(peers == .success([pair.second.address]))
    #expect(await Self.result { backend.leaderAddress(in: "", on: loop, $0) } == .success(pair.first.address))
    await pair.stop()
  }

  @Test func keysAreChangedInAllPoolsOnce() async throws {
    let pair = try await Pair(4)
    let (backend, loop) = (pair.first.backend, pair.first.loop)
    let request = KeyringRequest(.install("key"), token: "")
    let all = try await Self.result { backend.keyring(request, on: loop, $0) }.get()
    #expect(all.map { "\($0.isWAN) \($0.datacenter)" } == ["true dc1", "false dc1", "false dc2"])
    #expect(pair.gossip[0].operations == [.install("key"), .install("key")])
    #expect(pair.gossip[1].operations == [.install("key")])

    var local = KeyringRequest(.list, token: "")
    local.localOnly = true
    let own = try await Self.result { backend.keyring(local, on: loop, $0) }.get()
    #expect(own.map { "\($0.isWAN) \($0.datacenter)" } == ["false dc1"])
    local.operation = "install"
    #expect(await Self.result { backend.keyring(local, on: loop, $0) }.isFailure)
    local.operation = "rename"
    #expect(await Self.result { backend.keyring(local, on: loop, $0) }.isFailure)
    await pair.stop()
  }

  @Test func aDatacenterThatCannotBeAskedShowsAsAnErrorOfItsOwn() async throws {
    let pair = try await Pair(5)
    await pair.second.stop()
    let (backend, loop) = (pair.first.backend, pair.first.loop)
    let all = try await Self.result { backend.keyring(KeyringRequest(.list, token: ""), on: loop, $0) }.get()
    #expect(all.count == 3)
    #expect(all.last?.datacenter == "dc2" && all.last?.error.isEmpty == false)
    await pair.first.stop()
  }

  @Test func eventsAreFiredWhereTheyAreMeant() async throws {
    let pair = try await Pair(6)
    let (backend, loop) = (pair.first.backend, pair.first.loop)
    let sent: Result<Void, ServerError> = await Self.result {
      backend.fireEvent("deploy", payload: [1, 2], datacenter: "dc2", token: "", on: loop, $0)
    }
    #expect(!sent.isFailure)
    #expect(pair.gossip[1].events == ["deploy 2"] && pair.gossip[0].events.isEmpty)
    await pair.stop()
  }

  @Test func gossipAsksForRightsAtThePort() async throws {
    var settings = AccessControlSettings(nodeName: "s1")
    settings.initialManagement = Secret("11111111-2222-3333-4444-555555555555")
    let pair = try await Pair(7, accessControl: settings)
    var event = EventFireRequest()
    event.name = "deploy"
    let requests: [(String, [UInt8])] = [
      ("Internal.KeyringOperation", KeyringRequest(.list, token: "").messagePack),
      ("Internal.KeyringOperation", KeyringRequest(.use("key"), token: "").messagePack),
      ("Internal.EventFire", event.messagePack),
    ]
    for (method, body) in requests {
      do {
        _ = try await pair.first.client.call(method, body, to: pair.first.address, on: pair.first.loop)
        Issue.record("\(method) was carried out")
      } catch {
        #expect("\(error)".contains("Permission denied"), "\(method): \(error)")
      }
    }
    #expect(pair.gossip[0].operations.isEmpty && pair.gossip[0].events.isEmpty)
    await pair.stop()
  }

  @Test func aPreparedQueryFailsOverAtTheServerThatIsAsked() async throws {
    let pair = try await Pair(8)
    var registration = RegisterRequest()
    registration.node = "n"
    registration.address = "10.0.0.1"
    var service = NodeService()
    service.service = "web"
    registration.service = service
    _ = try await pair.second.backend.write(CatalogRegister(registration), on: pair.second.loop)
    var query = PreparedQuery()
    query.name = "geo"
    query.service.service = "web"
    query.service.failover.nearestN = 1
    _ = try await pair.first.backend.write(PreparedQueryApply(.create, query), on: pair.first.loop)

    var request = PreparedQueryExecuteRequest()
    request.queryIDOrName = "geo"
    let bytes = try await pair.first.client.call(
      "PreparedQuery.Execute", request.messagePack, to: pair.first.address, on: pair.first.loop)
    let answer = try PreparedQueryExecuteResponse(decoding: ByteBuffer(bytes: bytes))
    #expect(answer.nodes.count == 1 && answer.datacenter == "dc2" && answer.failovers == 1)
    await pair.stop()
  }

  // MARK: Order

  private static func coordinate(_ seconds: Double) -> Coordinate {
    var coordinate = Coordinate()
    coordinate.vec = [seconds, 0, 0, 0, 0, 0, 0, 0]
    return coordinate
  }

  private static func map(_ datacenter: String, _ distances: [Double]) -> DatacenterMap {
    var map = DatacenterMap()
    map.datacenter = datacenter
    map.coordinates = distances.map { distance in
      var place = NodeCoordinate()
      place.coord = coordinate(distance)
      return place
    }
    return map
  }

  @Test func nearDatacentersComeFirst() {
    let maps = [
      Self.map("far", [0.5, 0.6, 0.7]), Self.map("near", [0.1, 9, 0.2]), Self.map("own", [3]), Self.map("silent", []),
    ]
    let distances = DatacenterOrder.distances(maps, from: Self.coordinate(0))
    #expect(distances["near"] == 0.2 && distances["far"] == 0.6 && distances["silent"] == nil)
    let names = ["far", "mute", "near", "own", "silent"]
    #expect(
      DatacenterOrder.sorted(names, own: "own", distances: distances) == ["own", "near", "far", "mute", "silent"])
    #expect(DatacenterOrder.sorted(["b", "a"], own: "own", distances: [:]) == ["own", "a", "b"])
  }

  // MARK: Staleness

  @Test(arguments: [(0, false), (200, false), (201, true), (UInt64.max, true)] as [(UInt64, Bool)])
  func anAnswerIsTooOldBeyondItsLimit(milliseconds: UInt64, isOlder: Bool) {
    var answer = Answer(value: 0, index: 1)
    answer.lastContactMilliseconds = milliseconds
    #expect(answer.isOlder(than: .milliseconds(200)) == isOlder)
  }

  @Test func whoeverGoesAwayCancelsTheReadThatTookThePlace() {
    final class Pending: PendingQuery {
      let cancelled = Mutex(false)
      func cancel() { cancelled.withLock { $0 = true } }
    }
    let (first, second, late) = (Pending(), Pending(), Pending())
    let handle = ReplaceableQuery()
    handle.begin(with: first)
    handle.replace(by: second)
    handle.cancel()
    #expect(second.cancelled.withLock { $0 } && !first.cancelled.withLock { $0 })
    handle.replace(by: late)
    #expect(late.cancelled.withLock { $0 })
  }
}

extension Result {
  fileprivate var isFailure: Bool { if case .failure = self { true } else { false } }
}

extension ClusterMember {
  func named(_ name: String) -> ClusterMember {
    var copy = self
    copy.name = name
    return copy
  }
}
