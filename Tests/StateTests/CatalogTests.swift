import Model
import Testing

@testable import State

private let alphaID = "11111111-1111-1111-1111-111111111111"
private let betaID = "22222222-2222-2222-2222-222222222222"

@Suite struct RegistrationTests {
  let catalog = Catalog()

  @Test func nodesServicesAndChecksGetTheIndexOfTheirCommand() throws {
    catalog.register("n", service: service("web", port: 80), checks: [check("c", .warning, service: "web")])
    catalog.register("n", service: service("web", port: 81))
    let instance = try #require(catalog.state.healthServiceNodes("web").value.first)
    #expect(instance.node.value.createIndex == 1 && instance.node.value.modifyIndex == 1)
    #expect(instance.service.value.createIndex == 1 && instance.service.value.modifyIndex == 2)
    #expect(instance.checks.map(\.value.modifyIndex) == [1])
  }

  @Test func equalRegistrationsMoveNoIndex() {
    let write = {
      _ = self.catalog.register(
        "n", id: alphaID, meta: ["a": "b"], service: service("web", tags: ["x", "y"]),
        checks: [check("c", service: "web"), check("node")])
    }
    write()
    #expect(catalog.raised(write).isEmpty)
    #expect(catalog.raised { catalog.register("N", id: alphaID, meta: ["a": "b"]) }.isEmpty)
  }

  @Test func checksTakeNameAndTagsFromTheirServiceAndAreCriticalByDefault() throws {
    catalog.register("n", service: service("web", id: "w1", tags: ["a"]))
    var sent = check("c", service: "w1")
    sent.status = ""
    catalog.register("n", checks: [sent])
    let stored = try #require(catalog.state.checks(node: "n").value.first?.value)
    #expect(stored.serviceName == "web" && stored.serviceTags == ["a"] && stored.status == "critical")
    #expect(stored.node == "n")
  }

  @Test func skippedNodesStayAsTheyAreButAreCreated() {
    catalog.register("n", address: "192.0.2.1")
    catalog.register("n", address: "192.0.2.2", service: service("web"), skipNodeUpdate: true)
    #expect(catalog.state.node(named: "n")?.value.address == "192.0.2.1")
    #expect(catalog.state.serviceNodes("web").value.count == 1)
    catalog.register("fresh", address: "192.0.2.5", skipNodeUpdate: true)
    #expect(catalog.state.node(named: "fresh")?.value.createIndex == 3)
  }

  @Test func checksOfUnknownServicesAreRefusedAndNothingElseHappens() {
    let result = catalog.register("n", service: service("web"), checks: [check("c", service: "nosuch")])
    #expect(result == .failed("Unknown service ID 'nosuch' for check ID 'c'"))
    #expect(catalog.state.nodes().value.isEmpty && catalog.indexes.isEmpty)
  }

  @Test func incompleteRegistrationsAreRefused() {
    var other = check("c")
    other.node = "other"
    #expect(
      catalog.register("n", checks: [other])
        == .failed("Node 'other' for check 'c' doesn't match register request node 'n'"))
    #expect(
      catalog.register("ext", checks: [check("")])
        == .failed(
          "failed inserting check on node \"ext\": failed health check lookup: index error: "
            + "object is missing a value for this index"))
    #expect(catalog.register("") == .failed("failed inserting node: Must provide node"))
    #expect(catalog.indexes.isEmpty)
  }

  @Test func namesAreFoundWithoutRegardToCase() {
    catalog.register("Node", service: service("Web", id: "W1", tags: ["Primary"]), checks: [check("C", service: "w1")])
    #expect(catalog.state.nodeServices("NODE").value?.node.value.node == "Node")
    #expect(catalog.state.serviceNodes("web", tags: ["PRIMARY"]).value.count == 1)
    #expect(catalog.state.checks(node: "node").value.count == 1)
    #expect(catalog.state.checks(service: "WEB").value.count == 1)
    catalog.deregister("node", service: "w1")
    #expect(catalog.state.services().value.isEmpty)
  }

  @Test func aCheckThatMovesToAnotherServiceLeavesTheFirst() {
    catalog.register("n", service: service("a"), checks: [check("c", service: "a")])
    catalog.register("n", service: service("b"))
    catalog.register("n", checks: [check("c", service: "b")])
    #expect(catalog.state.checks(service: "a").value.isEmpty)
    #expect(catalog.state.checks(service: "b").value.map(\.value.checkID) == ["c"])
    catalog.register("n", checks: [check("c")])
    #expect(catalog.state.checks(service: "b").value.isEmpty)
    #expect(catalog.state.healthServiceNodes("a").value.first?.checks.map(\.value.checkID) == ["c"])
  }

  @Test func rowsOfOtherClustersAreRefused() {
    var request = RegisterRequest()
    request.node = "n"
    request.peerName = "east"
    #expect(catalog.apply(.register(request)) == .failed("rows imported from peer \"east\" cannot be registered"))
  }
}

@Suite struct NodeIdentityTests {
  let catalog = Catalog()

  @Test func aNodeWithAKnownIdIsRenamedAndLosesWhatItHad() {
    catalog.register("alpha", id: alphaID, service: service("web"), checks: [check("c")])
    catalog.register("beta", id: alphaID)
    #expect(catalog.state.node(named: "alpha") == nil)
    #expect(catalog.state.nodeServices("alpha").index == 2)
    let renamed = catalog.state.node(id: alphaID)?.value
    #expect(renamed?.node == "beta" && renamed?.createIndex == 1 && renamed?.modifyIndex == 2)
    #expect(catalog.state.nodeServices("beta").value?.services.isEmpty == true)
  }

  @Test func aNameWithoutALivingAgentMayBeTakenOver() {
    catalog.register("beta", id: alphaID)
    #expect(catalog.register("beta", id: betaID) == .done)
    #expect(catalog.state.node(id: alphaID) == nil)
    #expect(catalog.state.node(id: betaID)?.value.createIndex == 1)
    catalog.register("beta", id: betaID, checks: [check(CheckID.serfHealth, .critical)])
    #expect(catalog.register("beta", id: alphaID) == .done)
    #expect(catalog.register("beta") == .done)
    #expect(catalog.state.node(named: "beta")?.value.id == "")
  }

  @Test func aNameOfALivingAgentIsReserved() {
    catalog.register("s1", id: alphaID, address: "192.0.2.7", checks: [check(CheckID.serfHealth)])
    let text = "Node name s1 is reserved by node \(alphaID) with name s1 (192.0.2.7)"
    #expect(
      catalog.register("s1", id: betaID)
        == .failed("failed inserting node: Error while renaming Node ID: \"\(betaID)\": \(text)"))
    catalog.register("other", id: betaID, service: service("web"))
    #expect(
      catalog.register("s1", id: betaID, address: "192.0.2.8")
        == .failed("failed inserting node: Error while renaming Node ID: \"\(betaID)\" (192.0.2.8): \(text)"))
    #expect(catalog.state.nodeServices("other").value?.services.count == 1)
  }

  @Test func aLivingAgentWithoutAnIdMayGetOne() {
    catalog.register("plain", checks: [check(CheckID.serfHealth)])
    #expect(catalog.register("plain", id: alphaID) == .done)
    #expect(catalog.state.node(id: alphaID)?.value.node == "plain")
  }

  @Test func aRenamedNodeMustNotTakeTheNameOfALivingOneWithoutId() {
    catalog.register("plain", address: "192.0.2.3", checks: [check(CheckID.serfHealth)])
    catalog.register("old", id: alphaID)
    #expect(
      catalog.register("plain", id: alphaID, address: "192.0.2.4")
        == .failed(
          "failed inserting node: Error while renaming Node ID: \"\(alphaID)\" (192.0.2.4): "
            + "Node name plain is reserved by node  with name plain (192.0.2.3)"))
  }

  @Test func nodesAreFoundByTheirIdAndByABeginningOfItThatIsTheirsAlone() {
    catalog.register("a", id: alphaID)
    catalog.register("b", id: "11222222-2222-2222-2222-222222222222")
    #expect(catalog.state.nodeServices(alphaID).value?.node.value.node == "a")
    #expect(catalog.state.nodeServices("112").value?.node.value.node == "b")
    #expect(catalog.state.nodeServices("11").value == nil)
    #expect(catalog.state.nodeServices("1").value == nil)
  }
}

@Suite struct DeregistrationTests {
  let catalog = Catalog()

  init() {
    catalog.register(
      "n", service: service("web", id: "w1"),
      checks: [check("n1"), check("s1", service: "w1"), check("s2", service: "w1")])
  }

  @Test func aServiceGoesBeforeACheckAndTakesItsChecksAlong() {
    catalog.deregister("n", service: "w1", check: "n1")
    #expect(catalog.state.checks(node: "n").value.map(\.value.checkID) == ["n1"])
    #expect(catalog.state.serviceNodes("web").value.isEmpty)
  }

  @Test func aCheckGoesAlone() {
    catalog.deregister("n", check: "s1")
    #expect(catalog.state.healthServiceNodes("web").value.first?.checks.map(\.value.checkID) == ["n1", "s2"])
  }

  @Test func aNodeTakesEverythingAlong() {
    catalog.session("s")
    var coordinate = NodeCoordinate()
    coordinate.node = "n"
    coordinate.coord = Coordinate()
    catalog.apply(.coordinates([coordinate]))
    catalog.deregister("n")
    let state = catalog.state
    #expect(state.nodes().value.isEmpty && state.services().value.isEmpty && state.checks(state: "any").value.isEmpty)
    #expect(state.sessions().value.isEmpty && state.coordinates().value.isEmpty)
    #expect(state.usage().services == 0 && state.usage().serviceInstances == 0)
    #expect(state.serviceNames(kind: "").value.isEmpty)
  }

  @Test func whatDoesNotExistMovesNoIndex() {
    let raised = catalog.raised {
      catalog.deregister("absent")
      catalog.deregister("n", service: "absent")
      catalog.deregister("n", check: "absent")
      catalog.deregister("absent", check: "n1")
    }
    #expect(raised.isEmpty)
  }
}

@Suite struct ServiceQueryTests {
  let catalog = Catalog()

  @Test func servicesAreListedWithAllTheirTagsOnce() {
    catalog.register("n1", service: service("web", tags: ["a", "b"]))
    catalog.register("n2", service: service("web", tags: ["b", "c"]))
    catalog.register("n2", service: service("WEB", id: "upper", tags: ["z"]))
    catalog.register("n3", meta: ["env": "prod"], service: service("web", tags: ["a", "d"]))
    catalog.register("n1", service: service("api"))
    let summaries = Dictionary(uniqueKeysWithValues: catalog.state.services().value.map { ($0.name, $0.tags) })
    #expect(summaries == ["api": [], "web": ["a", "b", "c", "d"], "WEB": ["z"]])
    #expect(catalog.state.services(nodeMeta: ["env": "prod"]).value == [ServiceSummary(name: "web", tags: ["a", "d"])])
  }

  @Test func meshInstancesAreProxiesAndNativeServices() {
    catalog.register("n1", service: service("web"))
    catalog.register("n1", service: service("web-proxy", kind: ServiceKind.connectProxy, destination: "web"))
    catalog.register("n2", service: service("api", native: true), checks: [check("node")])
    let state = catalog.state
    #expect(state.connectServiceNodes("WEB").value.map(\.service.value.id) == ["web-proxy"])
    #expect(state.healthServiceNodes("api", connect: true).value.map(\.checks.count) == [1])
    #expect(state.healthServiceNodes("web", tags: ["none"], connect: true).value.count == 1)
    #expect(state.healthServiceNodes("web", connect: true).index == 2)
    #expect(state.healthServiceNodes("nothing", connect: true).index == 3)
    #expect(state.serviceNames(kind: KindOf.connectEnabled).value == ["api", "web"])
    #expect(state.serviceNames(kind: ServiceKind.connectProxy).value == ["web-proxy"])
    #expect(state.serviceNames(kind: ServiceKind.typical).value == ["api", "web"])
    catalog.deregister("n1", service: "web-proxy")
    #expect(catalog.state.serviceNames(kind: KindOf.connectEnabled).value == ["api"])
    #expect(catalog.state.connectServiceNodes("web").value.isEmpty)
  }

  @Test func checksOfAServiceAreInTheOrderOfNodesAndIds() {
    catalog.register(
      "n1", service: service("web", id: "a"), checks: [check("z", service: "a"), check("b", service: "a")])
    catalog.register("n1", service: service("web", id: "b"), checks: [check("m", service: "b"), check("node")])
    catalog.register("n0", service: service("web"), checks: [check("x", service: "web")])
    #expect(catalog.state.checks(service: "web").value.map(\.value.checkID) == ["x", "b", "m", "z"])
    #expect(catalog.state.checks(node: "n1").value.map(\.value.checkID) == ["b", "m", "node", "z"])
  }

  @Test func checksAreFoundByStatus() {
    catalog.register("n", checks: [check("p"), check("w", .warning), check("c", .critical)])
    #expect(catalog.state.checks(state: "warning").value.map(\.value.checkID) == ["w"])
    #expect(catalog.state.checks(state: "passing").value.map(\.value.checkID) == ["p"])
    #expect(catalog.state.checks(state: "any").value.map(\.value.checkID) == ["c", "p", "w"])
    catalog.register("n", checks: [check("w")])
    #expect(catalog.state.checks(state: "warning").value.isEmpty)
    #expect(catalog.state.checks(state: "odd").value.isEmpty)
  }

  @Test func dumpsAndCountsShowEverything() {
    catalog.register("n1", service: service("web"), checks: [check("c", service: "web")])
    catalog.register("n1", service: service("gw", kind: ServiceKind.meshGateway))
    catalog.register("n2", service: service("api", native: true))
    catalog.kv(.set, "a", "1")
    let state = catalog.state
    #expect(state.nodeDetails().value.map { [$0.services.count, $0.checks.count] } == [[2, 1], [1, 0]])
    #expect(state.nodeDetails("n1").value?.services.count == 2)
    #expect(state.serviceDump().value.count == 3)
    #expect(state.serviceDump(kind: ServiceKind.meshGateway).value.map(\.service.value.id) == ["gw"])
    #expect(state.serviceDump(kind: ServiceKind.typical).value.count == 2)
    #expect(state.serviceDump().index == 3)
    let usage = state.usage()
    #expect(usage.nodes == 2 && usage.services == 3 && usage.serviceInstances == 3 && usage.kvEntries == 1)
    #expect(usage.instancesByKind["mesh-gateway"] == 1 && usage.instancesByKind["connect-native"] == 1)
    #expect(usage.instancesByKind["typical"] == 2)
  }

  @Test func coordinatesOfUnknownNodesAndThoseThatAreNoNumbersAreDropped() {
    catalog.register("n")
    func coordinate(_ node: String, _ height: Double) -> NodeCoordinate {
      var coordinate = NodeCoordinate()
      coordinate.node = node
      var position = Coordinate()
      position.vec = [1, 2]
      position.height = height
      coordinate.coord = position
      return coordinate
    }
    catalog.apply(.coordinates([coordinate("n", .nan), coordinate("absent", 1)]))
    #expect(catalog.indexes["coordinates"] == nil)
    catalog.apply(.coordinates([coordinate("n", 3), coordinate("absent", 1)]))
    #expect(catalog.state.coordinates().value.map(\.value.node) == ["n"])
    #expect(catalog.state.coordinate(of: "N")?.height == 3)
    #expect(catalog.state.coordinates(node: "n").index == 3)
  }
}

@Suite struct AddressIndexTests {
  private func store() -> StateStore {
    let store = StateStore()
    for (index, node) in [("n1", "192.0.2.1"), ("n2", "2001:DB8::0:1"), ("n0", "host.example")].enumerated() {
      var request = RegisterRequest()
      (request.node, request.address) = node
      var service = NodeService()
      (service.id, service.service, service.address) = ("w", "web", "198.51.100.\(index)")
      request.service = service
      store.apply(index: UInt64(10 + index), .register(request))
    }
    return store
  }

  @Test func nodesAndInstancesAreFoundByTheirAddresses() {
    let state = store().current
    #expect(state.owners(ofAddress: "192.0.2.1").value.node?.value.node == "n1")
    #expect(state.owners(ofAddress: "2001:db8::1").value.node?.value.node == "n2")
    #expect(state.owners(ofAddress: "192.0.2.10").value.node == nil)
    #expect(state.owners(ofAddress: "host.example").value.node == nil)
    let instances = state.owners(ofAddress: "198.51.100.1").value
    #expect(instances.node == nil && instances.services.map(\.value.service) == ["web"])
  }

  @Test func theIndexFollowsChanges() {
    let store = store()
    var request = RegisterRequest()
    (request.node, request.address) = ("n1", "192.0.2.9")
    store.apply(index: 20, .register(request))
    #expect(store.current.owners(ofAddress: "192.0.2.1").value.node == nil)
    #expect(store.current.owners(ofAddress: "192.0.2.9").value.node?.value.node == "n1")
    var removal = DeregisterRequest()
    removal.node = "n1"
    store.apply(index: 21, .deregister(removal))
    #expect(store.current.owners(ofAddress: "192.0.2.9").value.node == nil)
    #expect(store.current.owners(ofAddress: "198.51.100.0").value.services.isEmpty)
  }
}
