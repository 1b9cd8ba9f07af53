import AccessControl
import GRPC
import Model
import NIOCore
import Synchronization
import Testing

@testable import Server
@testable import State

/// What a subscriber was told, for tests that wait.
final class Told: GRPCResponses {
  private struct State {
    var events: [StreamEvent] = []
    var status: GRPCStatus?
    var waiting: [(condition: @Sendable ([StreamEvent]) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
  }
  private let state = Mutex(State())

  var events: [StreamEvent] { state.withLock { $0.events } }
  var status: GRPCStatus? { state.withLock { $0.status } }

  /// In words: `+node/id@index`, `end@index`, `anew`.
  var words: [String] { events.flatMap { Self.words($0) } }

  private static func words(_ event: StreamEvent) -> [String] {
    if event.newSnapshotToFollow { return ["anew"] }
    if event.endOfSnapshot { return ["end"] }
    if let service = event.service { return ["\(service.op == 0 ? "+" : "-")\(service.name)"] }
    if let batch = event.batch { return batch.events.flatMap { words($0) } }
    let instance = event.serviceHealth?.instance
    let statuses = (instance?.checks ?? []).map { String($0.value.status.prefix(4)) }.joined(separator: ",")
    let sign = event.serviceHealth?.op == 0 ? "+" : "-"
    return ["\(sign)\(instance?.node?.value.node ?? "")/\(instance?.service?.value.id ?? "") \(statuses)"]
  }

  func received(_ message: ByteBuffer) {
    guard let event = try? StreamEvent(message) else { return }
    change { $0.events.append(event) }
  }

  func ended(_ status: GRPCStatus) { change { $0.status = status } }

  private func change(_ body: (inout State) -> Void) {
    let woken = state.withLock { state in
      body(&state)
      let (events, isOver) = (state.events, state.status != nil)
      let woken = state.waiting.filter { isOver || $0.condition(events) }
      state.waiting.removeAll { isOver || $0.condition(events) }
      return woken
    }
    for waiting in woken { waiting.continuation.resume() }
  }

  /// Waits until what was told meets the condition, or the stream is over.
  func wait(_ condition: @escaping @Sendable ([StreamEvent]) -> Bool) async {
    await withCheckedContinuation { continuation in
      let isMet = state.withLock { state in
        if state.status != nil || condition(state.events) { return true }
        state.waiting.append((condition, continuation))
        return false
      }
      if isMet { continuation.resume() }
    }
  }

  func wait(_ count: Int) async { await wait { $0.count >= count } }

  func end() async -> GRPCStatus? {
    await wait { _ in false }
    return status
  }
}

extension TestServer {
  func connection() async throws -> GRPCConnection {
    try await withCheckedThrowingContinuation { continuation in
      streams.connection(to: address) { continuation.resume(with: $0.mapError { $0 as any Error }) }
    }
  }

  /// Subscribes to the health of a service.
  func subscribe(
    _ service: String, _ change: (inout SubscribeRequest) -> Void = { _ in }
  ) async throws -> (Told, GRPCClientCall) {
    var request = SubscribeRequest()
    request.topic = StreamTopic.serviceHealth.rawValue
    var subject = NamedSubject()
    subject.key = service
    request.namedSubject = subject
    change(&request)
    let (told, message) = (Told(), request.protobuf())
    let connection = try await connection()
    let call = try await connection.loop.submit { connection.call(SubscribeService.path, message, told) }.get()
    return (told, call)
  }

  func register(_ request: RegisterRequest) async throws {
    _ = try await backend.write(CatalogRegister(request), on: loop)
  }

  func deregister(node: String, service: String = "") async throws {
    var request = DeregisterRequest()
    request.node = node
    request.serviceID = service
    _ = try await backend.write(CatalogDeregister(request), on: loop)
  }

  /// What is written straight into the state, as if it had been logged.
  func apply(_ command: Command) {
    node.store.apply(index: node.store.current.appliedIndex + 1, command)
  }
}

/// Subscriptions at the port of a server.
@Suite struct SubscriptionTests {
  @Test func aSubscriberGetsEverythingAndThenEveryChange() async throws {
    let server = try await TestServer(1, of: ["127.88.1.1"])
    try await server.register(.instance("web", node: "a"))
    try await server.register(.instance("web", node: "b"))
    let (told, _) = try await server.subscribe("web")
    await told.wait(2)
    #expect(told.words == ["+a/web pass", "+b/web pass", "end"])
    #expect(told.events[0].batch != nil)
    try await server.register(.instance("web", node: "b", status: "critical"))
    await told.wait(3)
    try await server.register(.instance("other", node: "b"))
    try await server.deregister(node: "a")
    await told.wait(4)
    #expect(told.words.suffix(2) == ["+b/web crit", "-a/web "])
    let current = try await server.query(HealthServiceNodes(service: "web"))
    #expect(told.events.last?.index == current.index)
    await server.stop()
  }

  @Test func aServiceWithoutInstancesIsAnEmptySnapshot() async throws {
    let server = try await TestServer(1, of: ["127.88.2.1"])
    try await server.register(.instance("db", node: "a"))
    let (told, _) = try await server.subscribe("web")
    await told.wait(1)
    #expect(told.words == ["end"])
    #expect(try await server.query(HealthServiceNodes(service: "web")).index == told.events.first?.index)
    await server.stop()
  }

  @Test func namesOfServicesCanBeFollowed() async throws {
    let server = try await TestServer(1, of: ["127.88.3.1"])
    try await server.register(.instance("web", node: "a"))
    let (told, _) = try await server.subscribe("") {
      ($0.topic, $0.namedSubject, $0.wildcardSubject) = (StreamTopic.serviceList.rawValue, nil, true)
    }
    await told.wait(2)
    try await server.register(.instance("db", node: "a"))
    await told.wait(3)
    try await server.deregister(node: "a", service: "web")
    await told.wait(4)
    #expect(told.words == ["+consul", "+web", "end", "+db", "-web"])
    await server.stop()
  }

  @Test func whoComesBackIsToldWhatItMissed() async throws {
    let server = try await TestServer(1, of: ["127.88.4.1"])
    try await server.register(.instance("web", node: "a"))
    let (first, call) = try await server.subscribe("web")
    await first.wait(2)
    let seen = try #require(first.events.last?.index)
    call.cancel()
    try await server.register(.instance("web", node: "b"))
    let (second, _) = try await server.subscribe("web") { $0.index = seen }
    await second.wait(1)
    #expect(second.words == ["+b/web pass"])
    let (tooOld, _) = try await server.subscribe("web") { $0.index = 1 }
    await tooOld.wait(3)
    #expect(tooOld.words == ["anew", "+a/web pass", "+b/web pass", "end"])
    await server.stop()
  }

  @Test func topicsThatAreNotOfferedAndUnknownServicesAreRefused() async throws {
    let server = try await TestServer(1, of: ["127.88.5.1"])
    let (told, _) = try await server.subscribe("web") { $0.topic = StreamTopic.ingressGateway.rawValue }
    #expect(await told.end()?.code == .unimplemented)
    let (far, _) = try await server.subscribe("web") { $0.datacenter = "dc9" }
    #expect(await far.end() == GRPCStatus(.unavailable, "No path to datacenter"))
    let other = Told()
    let connection = try await server.connection()
    _ = try await connection.loop.submit {
      connection.call("/hashicorp.consul.internal.peering.PeeringService/PeeringList", [], other)
    }.get()
    #expect(await other.end()?.code == .unimplemented)
    #expect(!connection.isOver)
    await server.stop()
  }

  @Test func whatIsAskedOfAnotherDatacenterIsAnsweredThere() async throws {
    let hosts = ["127.88.10.1", "127.88.10.2"]
    let near = try await TestServer(1, of: [hosts[0]])
    let far = try await TestServer(1, of: [hosts[1]], datacenter: "dc2")
    near.node.members.put(TestServer.member(1, hosts[1], datacenter: "dc2").named("s1.dc2"), in: .wan)
    // One that does not answer.
    near.node.members.put(TestServer.member(2, "127.88.10.3", datacenter: "dc2").named("s2.dc2"), in: .wan)
    try await far.register(.instance("web", node: "a"))
    let (told, call) = try await near.subscribe("web") { $0.datacenter = "dc2" }
    await told.wait(2)
    try await far.register(.instance("web", node: "b"))
    await told.wait(3)
    #expect(told.words == ["+a/web pass", "end", "+b/web pass"])
    call.cancel()
    let (second, _) = try await near.subscribe("web") { $0.datacenter = "dc2" }
    await second.wait(2)
    await far.stop()
    #expect(await second.end()?.code == .unavailable)
    await near.stop()
  }

  @Test func aServerWithoutStreamsSaysSo() async throws {
    let server = try await TestServer(1, of: ["127.88.6.1"], streams: false)
    let (told, _) = try await server.subscribe("web")
    #expect(await told.end() == GRPCStatus(.unimplemented, "unknown service subscribe.StateChangeSubscription"))
    await server.stop()
  }

  @Test func aRestoredStateEndsTheStream() async throws {
    let server = try await TestServer(1, of: ["127.88.7.1"])
    try await server.register(.instance("web", node: "a"))
    let archive = try await server.archive()
    let (told, _) = try await server.subscribe("web")
    await told.wait(2)
    try await server.restore(archive)
    #expect(await told.end()?.code == .aborted)
    await server.stop()
  }

  // MARK: Rights

  private static let secret = "11111111-2222-3333-4444-555555555555"

  private static func token(_ server: TestServer, _ rules: String) {
    var policy = ACLPolicy()
    (policy.id, policy.name, policy.rules) = ("p", "p", rules)
    server.apply(.accessControl(.setPolicies(ACLPolicyBatchSetRequest([policy]))))
    var token = ACLToken()
    (token.accessorID, token.secretID) = ("accessor", Secret(secret))
    token.policies = [ACLLink(id: "p", name: "p")]
    var request = ACLTokenBatchSetRequest()
    request.tokens = [token]
    server.apply(.accessControl(.setTokens(request)))
  }

  @Test func aTokenSeesWhatItMaySeeAndBeginsAnewWhenThatChanges() async throws {
    var settings = AccessControlSettings(nodeName: "s1")
    settings.fallback = .deny
    let server = try await TestServer(1, of: ["127.88.8.1"], accessControl: settings)
    _ = try? await server.value("wait for a leader")
    for node in ["a", "b"] { server.apply(.register(.instance("web", node: node))) }
    Self.token(server, #"service "web" { policy = "read" } node "a" { policy = "read" }"#)
    let (told, _) = try await server.subscribe("web") { $0.token = Self.secret }
    await told.wait(2)
    server.apply(.register(.instance("web", node: "b", status: "critical")))
    server.apply(.register(.instance("web", node: "a", status: "critical")))
    await told.wait(3)
    #expect(told.words == ["+a/web pass", "end", "+a/web crit"])
    // That there is more is told with what there is.
    #expect(told.events.prefix(2).map(\.isFiltered) == [false, true])
    let (unknown, _) = try await server.subscribe("web") { $0.token = "nobody" }
    #expect(await unknown.end() == GRPCStatus(.permissionDenied, "ACL not found"))
    let (anonymous, _) = try await server.subscribe("web")
    await anonymous.wait(1)
    #expect(anonymous.words == ["end"] && anonymous.events.allSatisfy { !$0.isFiltered })
    Self.token(server, #"service "web" { policy = "read" } node_prefix "" { policy = "read" }"#)
    #expect(await told.end()?.code == .aborted)
    #expect(anonymous.status == nil)
    await server.stop()
  }

  // MARK: Slow subscribers

  @Test func whoTakesNothingIsEndedAndCostsNobodyElseAnything() async throws {
    let server = try await TestServer(1, of: ["127.88.9.1"])
    try await server.register(.instance("web", node: "a"))
    let (slow, call) = try await server.subscribe("web")
    let (quick, _) = try await server.subscribe("web")
    await slow.wait(2)
    await quick.wait(2)
    call.setReading(false)
    var request = RegisterRequest.instance("web", node: "a")
    request.checks[0].output = String(repeating: "x", count: 400_000)
    for round in 0..<40 {
      request.checks[0].notes = "\(round)"
      server.apply(.register(request))
      await quick.wait(3 + round)
    }
    #expect(quick.status == nil)
    call.setReading(true)
    #expect(await slow.end()?.code == .aborted)
    #expect(slow.events.count < quick.events.count)
    await server.stop()
  }
}
