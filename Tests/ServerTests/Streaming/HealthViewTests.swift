import Model
import Testing

@testable import Server
@testable import State

/// The view of an agent, as events make it. No clocks, no connections.
@Suite final class HealthViewTests {
  private var view = HealthView()

  private func receive(_ event: StreamEvent) -> Bool { view.receive(event) }

  private static func event(_ index: UInt64, _ op: Int, _ node: String, _ id: String = "web") -> StreamEvent {
    var place = Node()
    place.node = node
    var service = NodeService()
    service.id = id
    service.service = "web"
    service.modifyIndex = index
    var event = StreamEvent()
    event.index = index
    event.serviceHealth = ServiceHealthUpdate(
      op: op, instance: CheckServiceNode(ServiceInstance(node: Row(place), service: Row(service), checks: [])))
    return event
  }

  private static func end(_ index: UInt64) -> StreamEvent {
    var event = StreamEvent()
    (event.index, event.endOfSnapshot) = (index, true)
    return event
  }

  private static var anew: StreamEvent {
    var event = StreamEvent()
    event.newSnapshotToFollow = true
    return event
  }

  private var shown: [String] {
    view.instances.map { "\($0.node.value.node)/\($0.service.value.id)@\($0.service.value.modifyIndex)" }
  }

  @Test func nothingIsShownBeforeTheFirstSnapshotIsWhole() {
    view.subscribed()
    #expect(!receive(Self.event(5, CatalogOp.register, "b")))
    #expect(!view.isComplete)
    #expect(!receive(Self.event(5, CatalogOp.register, "a")))
    #expect(receive(Self.end(5)))
    #expect(view.isComplete)
    #expect(view.index == 5)
    #expect(shown == ["a/web@5", "b/web@5"])
  }

  @Test func aServiceWithoutInstancesIsAnAnswer() {
    view.subscribed()
    #expect(receive(Self.end(9)))
    #expect(view.isComplete && view.instances.isEmpty && view.resumeIndex == 9)
  }

  @Test func whatATokenMayNotSeeIsKnownToBeMissingUntilTheNextSnapshot() {
    view.subscribed()
    var end = Self.end(5)
    end.isFiltered = true
    #expect(receive(end) && view.isFiltered)
    #expect(receive(Self.event(6, CatalogOp.register, "a")) && view.isFiltered)
    #expect(!receive(Self.anew))
    #expect(receive(Self.end(7)) && !view.isFiltered)
    var event = Self.event(8, CatalogOp.register, "a")
    event.isFiltered = true
    #expect(receive(event) && view.isFiltered)
    #expect(FoundView(view).isFiltered)
  }

  @Test func eventsReplaceAndRemoveInstances() {
    view.subscribed()
    _ = view.receive(Self.end(5))
    #expect(receive(Self.event(6, CatalogOp.register, "a")))
    #expect(receive(Self.event(7, CatalogOp.register, "A", "WEB")))
    #expect(shown == ["A/WEB@7"])
    #expect(receive(Self.event(8, CatalogOp.register, "a", "other")))
    #expect(shown == ["a/other@8", "A/WEB@7"])
    #expect(receive(Self.event(9, CatalogOp.deregister, "a")))
    #expect(shown == ["a/other@8"])
    #expect(receive(Self.event(10, CatalogOp.deregister, "nobody")))
    #expect(view.index == 10)
  }

  @Test func aBatchCountsAsOne() {
    view.subscribed()
    _ = view.receive(Self.end(5))
    var batch = StreamEvent()
    batch.index = 8
    batch.batch = EventBatch(events: [
      Self.event(8, CatalogOp.register, "a"), Self.event(8, CatalogOp.register, "b"),
      Self.event(8, CatalogOp.deregister, "a"),
    ])
    #expect(receive(batch))
    #expect(shown == ["b/web@8"])
    #expect(view.index == 8)
  }

  @Test func whatIsKnownIsShownUntilANewSnapshotIsWhole() {
    view.subscribed()
    _ = view.receive(Self.event(5, CatalogOp.register, "a"))
    _ = view.receive(Self.end(5))
    #expect(view.resumeIndex == 5)
    view.subscribed()
    #expect(!receive(Self.anew))
    #expect(!receive(Self.event(3, CatalogOp.register, "b")))
    #expect(shown == ["a/web@5"])
    // The state was restored: its index may be lower.
    #expect(receive(Self.end(3)))
    #expect(shown == ["b/web@3"])
    #expect(view.index == 3)
  }

  @Test func aStreamThatBreaksWithinASnapshotLeavesNothingBehind() {
    view.subscribed()
    _ = view.receive(Self.event(5, CatalogOp.register, "a"))
    view.subscribed()
    #expect(view.resumeIndex == 0)
    _ = view.receive(Self.event(6, CatalogOp.register, "b"))
    _ = view.receive(Self.end(6))
    #expect(shown == ["b/web@6"])
    view.startAnew()
    #expect(view.resumeIndex == 0)
    #expect(shown == ["b/web@6"])
    view.clear()
    #expect(!view.isComplete)
  }

  @Test func eventsOfUnknownKindsChangeNothing() {
    view.subscribed()
    var event = StreamEvent()
    event.index = 4
    #expect(!receive(event))
    _ = view.receive(Self.end(5))
    event.index = 6
    _ = view.receive(event)
    #expect(view.instances.isEmpty)
  }
}
