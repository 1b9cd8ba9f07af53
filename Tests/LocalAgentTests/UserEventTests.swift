import Logging
import Model
import Synchronization
import Testing

@testable import LocalAgent

@Suite struct UserEventTests {
  private static func event(node: String = "", service: String = "", tag: String = "") -> UserEvent {
    var event = UserEvent()
    event.name = "deploy"
    event.nodeFilter = node
    event.serviceFilter = service
    event.tagFilter = tag
    return event
  }

  @Test(arguments: [
    ("", "", "", true), ("^n[0-9]$", "", "", true), ("other", "", "", false), ("", "web", "", true),
    ("", "w.b", "blue", true), ("", "web", "green", false), ("", "db", "", false), ("n1", "db|web", "b", true),
  ])
  func filtersAreExpressionsForNodeServiceAndTag(node: String, service: String, tag: String, isMeant: Bool) throws {
    let audience = UserEventAudience(node: "n1", services: [("web", ["blue", "v2"]), ("cache", [])])
    #expect(try UserEventFilter(Self.event(node: node, service: service, tag: tag)).admits(audience) == isMeant)
  }

  @Test func filtersThatMakeNoSenseAreRefused() {
    #expect(throws: UserEventError.tagWithoutService) { try UserEventFilter(Self.event(tag: "blue")) }
    let problem = #expect(throws: UserEventError.self) { try UserEventFilter(Self.event(node: "[")) }
    #expect(problem?.description == "Invalid node filter: error parsing regexp: missing closing ]: `[`")
  }

  @Test func onlyTheNewestEventsAreKept() {
    var ring = UserEventRing()
    for number in 0..<300 {
      var event = UserEvent()
      event.lamportTime = UInt64(number)
      ring.add(event)
    }
    #expect(ring.events.map(\.lamportTime) == Array(44..<300))
  }

  @Test func eventsReachTheirSenderAndWhoeverWaits() throws {
    let events = UserEvents(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    events.setAudience { UserEventAudience(node: "n1") }
    let woken = Mutex(0)
    let observer = events.observe { woken.withLock { $0 += 1 } }
    let sent = try events.fire(Self.event())
    #expect(sent.lamportTime == 0 && Identifier.isValid(sent.id))
    #expect(events.all.map(\.id) == [sent.id] && events.all.map(\.lamportTime) == [2])
    _ = try events.fire(Self.event(node: "other"))
    #expect(events.all.count == 1)
    events.removeObserver(observer)
    _ = try events.fire(Self.event())
    #expect(woken.withLock { $0 } == 1 && events.all.map(\.lamportTime) == [2, 4])
    events.receive(name: "consul:event:x", payload: [0xC1], lamportTime: 9)
    events.receive(name: "other", payload: [], lamportTime: 9)
    #expect(events.all.count == 2)
  }

  @Test func theIndexOfAnEventIsMadeOfItsId() {
    #expect(UserEvent.index(ofID: "15628bb0-2f27-42d8-02ab-0aab6dd3c2d3") == 1_714_043_087_278_604_299)
    #expect(UserEvent.index(ofID: "x") == 0)
  }
}
