import Model
import Testing

@testable import State

/// Which rows of the index table each write raises, and which index each answer has.
@Suite struct IndexRuleTests {
  let catalog = Catalog()
  static let local = "peer.~:"

  /// Both forms of the names of whole tables and kinds.
  private func both(_ names: String...) -> Set<String> { Set(names.flatMap { [$0, Self.local + $0] }) }
  private func local(_ names: String...) -> Set<String> { Set(names.map { Self.local + $0 }) }
  private static let names: Set = ["kind_service_names.typical"]

  @Test func aNodeRaisesItsTableItselfAndItsServices() {
    #expect(catalog.raised { catalog.register("N") } == both("nodes").union(local("node.n")))
    catalog.register("N", service: service("Web"))
    #expect(
      catalog.raised { catalog.register("N", address: "192.0.2.2") }
        == both("nodes", "service_kind.typical").union(local("node.n", "service.web")))
  }

  @Test func aServiceRaisesItsTableItsNameItsKindAndItsNode() {
    catalog.register("n")
    let raised = both("services", "nodes", "service_kind.typical").union(local("service.web", "node.n"))
    #expect(catalog.raised { catalog.register("n", service: service("web")) } == raised.union(Self.names))
    #expect(catalog.raised { catalog.register("n", service: service("web", port: 1)) } == raised)
    let gateway = service("gw", kind: ServiceKind.meshGateway)
    #expect(
      catalog.raised { catalog.register("n", service: gateway) }
        == both("services", "nodes", "service_kind.mesh-gateway").union(local("service.gw", "node.n"))
        .union(["kind_service_names.mesh-gateway"]))
  }

  @Test func aServiceCheckRaisesItsTableAndItsService() {
    catalog.register("n", service: service("web"))
    catalog.register("n", service: service("other"))
    let raised = both("checks", "service_kind.typical").union(local("service.web"))
    #expect(catalog.raised { catalog.register("n", checks: [check("c", service: "web")]) } == raised)
    #expect(catalog.raised { catalog.register("n", checks: [check("c", .critical, service: "web")]) } == raised)
    #expect(catalog.raised { catalog.deregister("n", check: "c") } == raised)
  }

  @Test func aNodeCheckRaisesItsTableAndAllServicesOfTheNode() {
    catalog.register("n", service: service("a"))
    catalog.register("n", service: service("b"))
    catalog.register("m", service: service("c"))
    let raised = both("checks", "service_kind.typical").union(local("service.a", "service.b"))
    #expect(catalog.raised { catalog.register("n", checks: [check("c")]) } == raised)
    #expect(catalog.raised { catalog.deregister("n", check: "c") } == raised.union(both("services")))
  }

  @Test func aDeletedServiceRaisesItsNameOrLeavesAnExtinction() {
    catalog.register("n", service: service("web"))
    catalog.register("m", service: service("web"))
    let raised = both("checks", "services", "nodes", "service_kind.typical").union(local("service.web"))
    #expect(catalog.raised { catalog.deregister("n", service: "web") } == raised.union(local("node.n")))
    #expect(
      catalog.raised { catalog.deregister("m", service: "web") }
        == raised.union(local("node.m", "service_last_extinction")).union(Self.names))
    #expect(catalog.indexes["peer.~:service.web"] == nil)
    #expect(catalog.indexes["peer.~:service_last_extinction"] == 4)
  }

  @Test func aRenamedInstanceRaisesBothNames() {
    catalog.register("n", service: service("web", id: "i"))
    let raised = catalog.raised { catalog.register("n", service: service("new", id: "i")) }
    #expect(raised.isSuperset(of: local("service.web", "service.new", "service_last_extinction")))
    #expect(catalog.indexes["peer.~:service.web"] == nil)
    #expect(catalog.state.serviceNames(kind: "").value == ["new"])
  }

  @Test func aDeletedNodeLeavesAnExtinction() {
    catalog.register("n")
    #expect(catalog.raised { catalog.deregister("n") } == both("nodes").union(local("node.n", "node_last_extinction")))
    #expect(catalog.indexes["peer.~:node.n"] == nil)
  }

  @Test func sessionsAndCoordinatesRaiseTheirTables() {
    catalog.register("n")
    #expect(catalog.raised { catalog.session("s") } == ["sessions"])
    catalog.kv(.lock, "k", session: "s")
    #expect(catalog.raised { catalog.endSession("s") } == ["sessions", "kvs"])
    var coordinate = NodeCoordinate()
    coordinate.node = "n"
    coordinate.coord = Coordinate()
    #expect(catalog.raised { catalog.apply(.coordinates([coordinate])) } == ["coordinates"])
  }

  // MARK: Answers

  @Test func catalogAnswersHaveTheIndexOfWhatTheyShow() {
    #expect(catalog.state.nodes().index == 0 && catalog.state.nodeServices("n").index == 0)
    catalog.register("n", service: service("web"))  // 1
    catalog.register("m", service: service("api"))  // 2
    catalog.register("n", checks: [check("c", service: "web")])  // 3
    catalog.kv(.set, "k", "v")  // 4
    let state = catalog.state
    #expect(state.nodes().index == 2 && state.services().index == 2)
    #expect(state.nodeServices("n").index == 1 && state.nodeServices("m").index == 2)
    #expect(state.nodeServices("absent").index == 0)
    #expect(state.serviceNodes("web").index == 3 && state.healthServiceNodes("web").index == 3)
    #expect(state.serviceNodes("api").index == 2 && state.healthServiceNodes("api").index == 2)
    #expect(state.serviceNodes("absent").index == 2 && state.healthServiceNodes("absent").index == 3)
    #expect(state.checks(service: "web").index == 3 && state.checks(node: "m").index == 3)
    #expect(state.checks(service: "api", nodeMeta: ["a": "b"]).index == 2)
    #expect(state.checks(state: "any").index == 3 && state.sessions().index == 0)
    catalog.deregister("m")  // 5
    #expect(catalog.state.nodeServices("m").index == 5 && catalog.state.healthServiceNodes("api").index == 5)
    #expect(catalog.state.healthServiceNodes("never").index == 5)
    #expect(catalog.state.healthServiceNodes("web").index == 3)
  }

  @Test func keyAnswersHaveTheIndexOfTheKeyOrTheTable() {
    catalog.kv(.set, "a", "1")
    catalog.kv(.set, "b", "1")
    #expect(catalog.state.kvEntry("a").index == 1)
    #expect(catalog.state.kvEntry("never").index == 2)
    catalog.register("n")
    catalog.session("s")
    #expect(catalog.state.session("s").index == 4 && catalog.state.session("x").index == 4)
    #expect(catalog.state.sessions(node: "absent").index == 4)
  }

  @Test func failedAndIgnoredCommandsMoveNothingButTheAppliedIndex() {
    catalog.register("n")
    let raised = catalog.raised {
      catalog.apply(.ignored(type: 21))
      catalog.kv(.lock, "k", session: "nope")
      catalog.session("s", node: "absent")
    }
    #expect(raised.isEmpty && catalog.state.appliedIndex == 4)
  }
}

@Suite struct TransactionTests {
  let catalog = Catalog()

  private func entry(_ key: String) -> KVEntry {
    var entry = KVEntry()
    entry.key = key
    return entry
  }

  private struct Abandoned: Error {}

  @Test func anAbandonedTransactionLeavesNoTrace() {
    catalog.kv(.set, "a/1", "1")
    let before = catalog.state
    #expect(throws: Abandoned.self) {
      try catalog.store.write { (transaction) throws(Abandoned) in
        transaction.index = 9
        transaction.deleteKeys(prefix: "a/")
        transaction.setKey(entry("b"))
        throw Abandoned()
      }
    }
    #expect(catalog.state === before)
    #expect(catalog.state.kvKeys(prefix: "", separator: "").value == ["a/1"])
  }

  @Test func anAbandonedAttemptKeepsWhatTheTransactionDidBefore() {
    var woken: [String] = []
    catalog.store.write { transaction in
      transaction.index = 5
      for number in 0..<20 { transaction.setKey(entry("kept/\(number)")) }
      do throws(Abandoned) {
        try transaction.attempt { (inner) throws(Abandoned) in
          for number in 0..<20 { inner.deleteKey("kept/\(number)") }
          inner.setKey(entry("lost"))
          throw Abandoned()
        }
      } catch {
        woken.append("abandoned")
      }
      transaction.attempt { $0.setKey(entry("also")) }
    }
    #expect(woken == ["abandoned"])
    #expect(catalog.state.usage().kvEntries == 21)
    #expect(catalog.state.kvEntry("lost").value == nil && catalog.state.tombstoneIndex == 0)
  }

  @Test func aBatchBecomesVisibleAtOnceAndAnEarlierVersionStays() {
    let before = catalog.state
    var inside: StateSnapshot?
    catalog.store.write { transaction in
      transaction.index = 1
      transaction.setKey(entry("a"))
      let snapshot = transaction.snapshot()
      transaction.setKey(entry("b"))
      #expect(snapshot.kvEntry("a").value != nil && snapshot.kvEntry("b").value == nil)
      inside = snapshot
      #expect(catalog.state === before)
    }
    #expect(inside?.kvEntry("b").value == nil)
    #expect(catalog.state.usage().kvEntries == 2 && before.usage().kvEntries == 0)
  }
}
