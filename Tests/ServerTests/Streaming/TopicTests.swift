import Model
import NIOCore
import Testing

@testable import Server
@testable import State

extension RegisterRequest {
  /// An instance on a node, with a check in this status.
  static func instance(
    _ service: String, node: String, id: String? = nil, status: String = "passing", tags: [String] = []
  ) -> RegisterRequest {
    var request = RegisterRequest()
    request.node = node
    request.address = "10.0.0.1"
    var instance = NodeService()
    instance.id = id ?? service
    instance.service = service
    instance.tags = tags
    request.service = instance
    var check = HealthCheck()
    check.node = node
    check.checkID = "check:\(instance.id)"
    check.status = status
    check.serviceID = instance.id
    request.checks = [check]
    return request
  }
}

/// What topics show, and how their changes are told. No clocks, no connections.
@Suite struct TopicTests {
  private let store = StateStore()

  private func apply(_ index: UInt64, _ request: RegisterRequest) { store.apply(index: index, .register(request)) }

  private func remove(_ index: UInt64, node: String, service: String = "") {
    var request = DeregisterRequest()
    request.node = node
    request.serviceID = service
    store.apply(index: index, .deregister(request))
  }

  /// What a subscriber of a topic is told by a change, in words.
  private func told(_ subject: TopicSubject = .health("web", connect: false), _ change: () -> Void) throws -> [String] {
    let before = subject.content(store.current).value
    change()
    let updates = subject.content(store.current).value.updates(since: before)
    return try updates.map { update in
      let event = try StreamEvent(protobuf: update.payload)
      if let service = event.service { return "\(service.op == 0 ? "+" : "-")\(service.name)" }
      let health = try #require(event.serviceHealth)
      let instance = try #require(health.instance)
      let statuses = instance.checks.map(\.value.status).joined(separator: ",")
      let (node, id) = (instance.node?.value.node ?? "", instance.service?.value.id ?? "")
      return "\(health.op == 0 ? "+" : "-")\(node)/\(id) \(statuses)"
    }
  }

  @Test func onlyInstancesThatChangedAreTold() throws {
    apply(1, .instance("web", node: "a"))
    apply(2, .instance("web", node: "b"))
    apply(3, .instance("db", node: "b"))
    #expect(try told { apply(4, .instance("web", node: "c")) } == ["+c/web passing"])
    #expect(try told { apply(5, .instance("web", node: "B", status: "critical")) } == ["+b/web critical"])
    #expect(try told { apply(6, .instance("db", node: "b", status: "critical")) } == [])
    #expect(try told { apply(7, .instance("web", node: "a")) } == [])
    #expect(try told { remove(8, node: "a", service: "web") } == ["-a/web "])
  }

  @Test func aNodeTakesItsInstancesAlong() throws {
    apply(1, .instance("web", node: "a", id: "web1"))
    apply(2, .instance("web", node: "a", id: "web2"))
    apply(3, .instance("web", node: "b"))
    var node = RegisterRequest()
    node.node = "a"
    node.address = "10.0.0.9"
    #expect(try told { apply(4, node) } == ["+a/web1 passing", "+a/web2 passing"])
    var check = RegisterRequest()
    check.node = "a"
    check.skipNodeUpdate = true
    var health = HealthCheck()
    (health.node, health.checkID, health.status) = ("a", "serfHealth", "critical")
    check.checks = [health]
    #expect(try told { apply(5, check) } == ["+a/web1 critical,passing", "+a/web2 critical,passing"])
    #expect(try told { remove(6, node: "a") } == ["-a/web1 ", "-a/web2 "])
  }

  @Test func anInstanceThatTakesAnotherNameLeavesTheTopicOfTheOldOne() throws {
    apply(1, .instance("web", node: "a", id: "x"))
    #expect(try told { apply(2, .instance("api", node: "a", id: "x")) } == ["-a/x "])
  }

  @Test func proxiesAreToldUnderTheServiceTheySpeakFor() throws {
    func proxy(_ destination: String) -> RegisterRequest {
      var request = RegisterRequest.instance("web-proxy", node: "a")
      request.service?.kind = ServiceKind.connectProxy
      request.service?.proxy.value.destinationServiceName = destination
      return request
    }
    let subject = TopicSubject.health("web", connect: true)
    #expect(try told(subject) { apply(1, proxy("web")) } == ["+a/web-proxy passing"])
    #expect(try told(subject) { apply(2, proxy("other")) } == ["-a/web-proxy "])
  }

  @Test func namesComeWithTheFirstInstanceAndGoWithTheLast() throws {
    #expect(try told(.serviceNames) { apply(1, .instance("web", node: "a")) } == ["+web"])
    #expect(try told(.serviceNames) { apply(2, .instance("web", node: "b")) } == [])
    #expect(try told(.serviceNames) { remove(3, node: "a") } == [])
    #expect(try told(.serviceNames) { remove(4, node: "b") } == ["-web"])
  }

  @Test func aCommitOfSeveralChangesIsOneBatchWithOneIndex() throws {
    let updates = ["a", "b"].map { TopicUpdate(CatalogOp.register, name: $0) }
    let event = try #require(PublishedEvent(7, updates))
    var frame = event.frame
    frame.moveReaderIndex(forwardBy: 5)
    let message = try StreamEvent(frame)
    #expect(message.index == 7)
    #expect(message.batch?.events.map { $0.service?.name } == ["a", "b"])
    #expect(PublishedEvent(7, []) == nil)
  }

  @Test func snapshotsOfManyInstancesComeInSeveralMessages() throws {
    let name = String(repeating: "n", count: 1000)
    let updates = (0..<3000).map { TopicUpdate(CatalogOp.register, name: name + "\($0)") }
    let frames = StreamFrames.snapshot(5, updates)
    #expect(frames.count == 4)
    #expect(frames.allSatisfy { $0.readableBytes < 2 << 20 })
  }

  // MARK: EventBuffer

  private func event(_ index: UInt64) throws -> PublishedEvent {
    try #require(PublishedEvent(index, [TopicUpdate(CatalogOp.register, name: "n\(index)")]))
  }

  @Test(
    arguments: [
      (5, [7, 9, 12]), (6, [7, 9, 12]), (7, [9, 12]), (11, [12]), (12, []), (15, []), (4, nil), (16, nil), (1, nil),
    ] as [(UInt64, [UInt64]?)])
  func whoComesBackGetsWhatFollowsOrHasToBeginAnew(seen: UInt64, expected: [UInt64]?) throws {
    var buffer = EventBuffer(at: 5)
    for index in [7, 9, 12] as [UInt64] { buffer.append(try event(index)) }
    buffer.advance(to: 15)
    #expect(buffer.events(after: seen)?.map(\.index) == expected)
  }

  @Test func onlySoManyEventsAreKept() throws {
    var byCount = EventBuffer(at: 1, count: 3)
    var byBytes = EventBuffer(at: 1, bytes: 3 * (try event(50).frame.readableBytes))
    for index in 10...60 as ClosedRange<UInt64> {
      byCount.append(try event(index))
      byBytes.append(try event(index))
    }
    for buffer in [byCount, byBytes] {
      #expect(buffer.events(after: 56) == nil)
      #expect(buffer.events(after: 57)?.map(\.index) == [58, 59, 60])
    }
  }
}

/// What a request is about, or why nothing.
@Suite struct SubscriptionSubjectTests {
  private func subject(_ change: (inout SubscribeRequest) -> Void) -> Result<TopicSubject, GRPCStatusCode> {
    var request = SubscribeRequest()
    change(&request)
    do {
      return .success(try SubscribeService.subject(request))
    } catch {
      return .failure(GRPCStatusCode(code: error.code.rawValue))
    }
  }

  struct GRPCStatusCode: Error, Equatable { var code: Int }

  @Test func topicsHaveTheirSubjects() {
    var named = NamedSubject()
    named.key = "Web"
    #expect(subject { ($0.topic, $0.namedSubject) = (1, named) } == .success(.health("web", connect: false)))
    #expect(subject { ($0.topic, $0.namedSubject) = (2, named) } == .success(.health("web", connect: true)))
    #expect(subject { ($0.topic, $0.key) = (1, "old") } == .success(.health("old", connect: false)))
    #expect(subject { ($0.topic, $0.wildcardSubject) = (7, true) } == .success(.serviceNames))
  }

  @Test func otherRequestsAreRefused() {
    var named = NamedSubject()
    named.key = "web"
    named.peerName = "far"
    #expect(subject { _ in } == .failure(.init(code: 3)))
    #expect(subject { $0.topic = 99 } == .failure(.init(code: 3)))
    #expect(subject { $0.topic = 1 } == .failure(.init(code: 3)))
    #expect(subject { ($0.topic, $0.wildcardSubject) = (1, true) } == .failure(.init(code: 3)))
    #expect(subject { ($0.topic, $0.key) = (7, "web") } == .failure(.init(code: 3)))
    #expect(subject { ($0.topic, $0.namedSubject) = (1, named) } == .failure(.init(code: 12)))
    #expect(subject { ($0.topic, $0.wildcardSubject) = (3, true) } == .failure(.init(code: 12)))
  }
}
