import Model
import Testing

@testable import LocalAgent

/// What the agent writes to make the catalog agree, case by case.
@Suite struct ReconciliationTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var local: @Sendable (inout LocalState) throws -> Void = { _ in }
    /// Changes a catalog that knows the node and nothing else.
    var remote: @Sendable (inout CatalogView) -> Void = { _ in }
    var expected: [SyncAction]

    init(
      _ name: String, local: @escaping @Sendable (inout LocalState) throws -> Void = { _ in },
      remote: @escaping @Sendable (inout CatalogView) -> Void = { _ in }, expected: [SyncAction]
    ) {
      testDescription = name
      self.local = local
      self.remote = remote
      self.expected = expected
    }
  }

  static let node: OwnNode = {
    var node = OwnNode(name: "n1", address: "10.0.0.1")
    node.id = "fe117506-e3d5-4c25-3047-c60e7594821a"
    node.meta = ["rack": "7"]
    return node
  }()

  static var row: Node {
    var row = Node()
    row.id = node.id
    row.node = node.name
    row.address = node.address
    row.meta = node.meta
    return row
  }

  static let cases: [Case] = [
    Case("nothing here, nothing there", expected: []),
    Case("an unknown node is registered", remote: { $0.node = nil }, expected: [.updateNode]),
    Case("a node with other metadata is updated", remote: { $0.node?.meta = [:] }, expected: [.updateNode]),
    Case("a node with another id is updated", remote: { $0.node?.id = "" }, expected: [.updateNode]),
    Case(
      "a new service goes with its checks, the check of the node alone",
      local: { state in
        state.put(.make("web"), token: "", origin: .api)
        try state.put(.make("c", of: "web"), definition: nil, token: "", origin: .api, now: 0)
        try state.put(.make("n"), definition: nil, token: "", origin: .api, now: 0)
      },
      expected: [.registerService(id: "web", checks: ["c"]), .registerCheck(id: "n")]),
    Case(
      "a check with a token of its own goes alone",
      local: { state in
        state.put(.make("web"), token: "a", origin: .api)
        try state.put(.make("c", of: "web"), definition: nil, token: "b", origin: .api, now: 0)
      },
      expected: [.registerService(id: "web", checks: []), .registerCheck(id: "c")]),
    Case(
      "what agrees is left alone",
      local: { state in
        state.put(.make("web"), token: "", origin: .api)
        try state.put(.make("c", of: "web"), definition: nil, token: "", origin: .api, now: 0)
      },
      remote: { view in
        view.services = [.make("web")]
        var check = HealthCheck.make("c", of: "web")
        check.serviceName = "web"
        check.modifyIndex = 17
        view.checks = [check]
      },
      expected: []),
    Case(
      "another port in the catalog is overwritten",
      local: { $0.put(.make("web"), token: "", origin: .api) },
      remote: { $0.services = [.make("web", port: 81)] },
      expected: [.registerService(id: "web", checks: [])]),
    Case(
      "other tags in the catalog are overwritten",
      local: { $0.put(.make("web", tags: ["a"]), token: "", origin: .api) },
      remote: { $0.services = [.make("web", tags: ["b"])] },
      expected: [.registerService(id: "web", checks: [])]),
    Case(
      "tags of a service that allows it are taken over",
      local: { state in
        var service = NodeService.make("web", tags: ["a"])
        service.enableTagOverride = true
        state.put(service, token: "", origin: .api)
      },
      remote: { view in
        var row = NodeService.make("web", tags: ["b"])
        row.enableTagOverride = true
        view.services = [row]
      },
      expected: []),
    Case(
      "foreign services and checks of the node go; those of the servers stay",
      remote: { view in
        view.services = [.make("consul"), .make("foreign")]
        view.checks = [.make(CheckID.serfHealth), .make("alien"), .make("f", of: "foreign")]
      },
      expected: [.deregisterService(id: "foreign"), .deregisterCheck(id: "alien")]),
    Case(
      "a removed service goes, its checks along with it",
      local: { state in
        state.put(.make("web"), token: "", origin: .api)
        try state.put(.make("c", of: "web"), definition: nil, token: "", origin: .api, now: 0)
        state.removeService("web")
      },
      remote: { view in
        view.services = [.make("web")]
        view.checks = [.make("c", of: "web")]
      },
      expected: [.deregisterService(id: "web")]),
    Case(
      "a removed service that the catalog does not have needs nothing",
      local: { state in
        state.put(.make("web"), token: "", origin: .api)
        state.removeService("web")
      },
      expected: []),
    Case(
      "a check that differs is written without its service",
      local: { state in
        state.put(.make("web"), token: "", origin: .api)
        try state.put(
          .make("c", of: "web", status: .critical), definition: nil, token: "", origin: .api, now: 0)
      },
      remote: { view in
        view.services = [.make("web")]
        view.checks = [.make("c", of: "web")]
      },
      expected: [.registerCheck(id: "c")]),
    Case(
      "weights that were never given are the usual ones, addresses in the mesh are the catalog's",
      local: { state in
        var service = NodeService.make("web")
        service.weights = nil
        state.put(service, token: "", origin: .api)
      },
      remote: { view in
        var row = NodeService.make("web")
        row.taggedAddresses["consul-virtual"] = ServiceAddress(address: "240.0.0.1", port: 80)
        view.services = [row]
      },
      expected: []),
  ]

  @Test("the catalog is made to agree", arguments: cases)
  func writes(_ testCase: Case) throws {
    var state = LocalState(node: Self.node)
    try testCase.local(&state)
    var view = CatalogView(node: Self.row)
    testCase.remote(&view)
    state.reconcile(with: view, adoptsVirtualAddresses: false)
    #expect(state.pendingActions() == testCase.expected)
  }

  @Test("tags from the catalog reach the service, its hash and its checks")
  func tagOverride() throws {
    var state = LocalState(node: Self.node)
    var service = NodeService.make("web", tags: ["a"])
    service.enableTagOverride = true
    state.put(service, token: "", origin: .api)
    try state.put(.make("c", of: "web"), definition: nil, token: "", origin: .api, now: 0)
    let before = state.service("web")?.contentHash
    _ = state.takeChanges()
    service.tags = ["b"]
    var view = CatalogView(node: Self.row)
    view.services = [service]
    state.reconcile(with: view, adoptsVirtualAddresses: false)
    #expect(state.service("web")?.service.tags == ["b"])
    #expect(state.check("c")?.check.serviceTags == ["b"])
    #expect(state.service("web")?.contentHash != before)
    #expect(state.takeChanges().services.contains("web"))
  }

  @Test("addresses in the mesh are adopted when asked for, and survive a new registration")
  func virtualAddress() {
    var state = LocalState(node: Self.node)
    state.put(.make("web"), token: "", origin: .api)
    var row = NodeService.make("web")
    row.taggedAddresses["consul-virtual"] = ServiceAddress(address: "240.0.0.1", port: 80)
    var view = CatalogView(node: Self.row)
    view.services = [row]
    state.reconcile(with: view, adoptsVirtualAddresses: false)
    #expect(state.service("web")?.service.taggedAddresses["consul-virtual"] == nil)
    state.reconcile(with: view, adoptsVirtualAddresses: true)
    #expect(state.service("web")?.service.taggedAddresses["consul-virtual"]?.address == "240.0.0.1")
    #expect(state.pendingActions() == [])
    state.put(.make("web"), token: "", origin: .api)
    #expect(state.service("web")?.service.taggedAddresses["consul-virtual"] != nil)
    #expect(state.pendingActions() == [])
  }

  @Test("a service that is removed and comes back unchanged causes no write")
  func unchangedReload() throws {
    var state = LocalState(node: Self.node)
    func load() throws {
      state.put(.make("web"), token: "", origin: .configurationFile)
      try state.put(.make("c", of: "web"), definition: nil, token: "", origin: .configurationFile, now: 0)
    }
    try load()
    var catalog = CatalogModel(view: CatalogView(node: Self.row))
    settle(&state, &catalog)
    state.removeService("web")
    #expect(state.pendingActions() == [.deregisterService(id: "web")])
    try load()
    #expect(state.pendingActions() == [])
  }

  @Test("what was registered first goes to the catalog first")
  func order() throws {
    var state = LocalState(node: Self.node)
    state.isNodeInSync = true
    for id in ["web", "native", "api"] { state.put(.make(id), token: "", origin: .api) }
    for id in ["z", "a"] { try state.put(.make(id), definition: nil, token: "", origin: .api, now: 0) }
    #expect(
      state.pendingActions() == [
        .registerService(id: "web", checks: []), .registerService(id: "native", checks: []),
        .registerService(id: "api", checks: []), .registerCheck(id: "z"), .registerCheck(id: "a"),
      ])
  }

  @Test("a change during a write is written again")
  func changeDuringWrite() throws {
    var state = LocalState(node: Self.node)
    state.isNodeInSync = true
    state.put(.make("web"), token: "", origin: .api)
    let action = SyncAction.registerService(id: "web", checks: [])
    let revisions = state.revisions(of: action)
    state.put(.make("web", port: 99), token: "", origin: .api)
    state.completed(action, revisions: revisions)
    #expect(state.pendingActions() == [action])
  }

  @Test("a service that comes back while its removal is under way is registered again")
  func returnDuringRemoval() throws {
    var state = LocalState(node: Self.node)
    state.isNodeInSync = true
    state.put(.make("web"), token: "", origin: .api)
    state.completed(
      .registerService(id: "web", checks: []), revisions: state.revisions(of: .registerService(id: "web", checks: [])))
    state.removeService("web")
    let removal = SyncAction.deregisterService(id: "web")
    let revisions = state.revisions(of: removal)
    state.put(.make("web"), token: "", origin: .api)
    state.completed(removal, revisions: revisions)
    #expect(state.pendingActions() == [.registerService(id: "web", checks: [])])
  }

  @Test("registrations use their own token, removals and the node fall back to the agent's")
  func tokens() throws {
    var state = LocalState(node: Self.node)
    var tokens = AgentTokens()
    tokens.user = "user"
    tokens.agent = "agent"
    state.put(.make("own"), token: "mine", origin: .api)
    state.put(.make("none"), token: "", origin: .api)
    #expect(state.write(for: .registerService(id: "own", checks: []), tokens: tokens)?.token == "mine")
    #expect(state.write(for: .registerService(id: "none", checks: []), tokens: tokens)?.token == "user")
    #expect(state.write(for: .updateNode, tokens: tokens)?.token == "agent")
    #expect(state.write(for: .deregisterService(id: "none"), tokens: tokens)?.token == "agent")
    #expect(state.write(for: .deregisterCheck(id: "unknown"), tokens: tokens)?.token == "agent")
    tokens.agent = ""
    #expect(state.write(for: .updateNode, tokens: tokens)?.token == "user")
  }

  /// Carries out everything that is missing.
  private func settle(_ state: inout LocalState, _ catalog: inout CatalogModel) {
    state.reconcile(with: catalog.view, adoptsVirtualAddresses: false)
    for action in state.pendingActions() {
      guard let write = state.write(for: action, tokens: AgentTokens()) else { continue }
      #expect(catalog.apply(write.request) == nil)
      state.completed(action, revisions: write.revisions)
    }
  }

  @Test("whatever both sides know: one round later they agree, and nothing is left to do", arguments: 0..<40)
  func convergence(round: Int) throws {
    let seed = UInt64(round) &* 7919 &+ 42
    var random = SeededGenerator(seed: seed)
    for _ in 0..<50 {
      var state = LocalState(node: Self.node)
      for _ in 0..<Int.random(in: 0..<30, using: &random) { try mutate(&state, &random) }
      var catalog = CatalogModel(view: randomView(&random))
      let hadServers = catalog.view.services.contains { $0.id == "consul" }
      settle(&state, &catalog)
      agree(state, catalog.view, seed)
      #expect(catalog.view.services.contains { $0.id == "consul" } == hadServers, "seed \(seed)")
      // Further changes on both sides, then again.
      for _ in 0..<5 { try mutate(&state, &random) }
      let lost = catalog.view.services.filter { $0.id != "consul" }.randomElement(using: &random)?.id
      catalog.view.services.removeAll { $0.id == lost }
      catalog.view.checks.removeAll { $0.serviceID == lost }
      settle(&state, &catalog)
      agree(state, catalog.view, seed)
    }
  }

  private func agree(_ state: LocalState, _ view: CatalogView, _ seed: UInt64) {
    var copy = state
    copy.reconcile(with: view, adoptsVirtualAddresses: false)
    #expect(copy.pendingActions() == [], "seed \(seed)")
    #expect(state.pendingActions() == [], "seed \(seed)")
    let services = view.services.map(\.id).filter { $0 != "consul" }.sorted(by: bytewiseLess)
    #expect(services == copy.presentServices.map(\.service.id), "seed \(seed)")
    let checks = view.checks.filter { $0.checkID != CheckID.serfHealth && $0.serviceID != "consul" }.map(\.checkID)
    #expect(checks.sorted(by: bytewiseLess) == copy.presentChecks.map(\.check.checkID), "seed \(seed)")
    for row in view.services where row.id != "consul" {
      #expect(copy.service(row.id)?.service.agrees(with: row) == true, "seed \(seed)")
    }
  }

  private func mutate(_ state: inout LocalState, _ random: inout SeededGenerator) throws {
    let id = "s\(Int.random(in: 0..<6, using: &random))"
    let checkID = "c\(Int.random(in: 0..<8, using: &random))"
    switch Int.random(in: 0..<6, using: &random) {
    case 0, 1: state.put(randomService(id, &random), token: Bool.random(using: &random) ? "" : "t", origin: .api)
    case 2, 3:
      let owner = state.service(id) == nil ? "" : id
      try state.put(
        .make(checkID, of: owner, status: CheckStatus.allCases.randomElement(using: &random) ?? .passing),
        definition: nil, token: Bool.random(using: &random) ? "" : "t", origin: .api, now: 0)
    case 4: state.removeService(id)
    default: state.removeCheck(checkID)
    }
  }

  private func randomService(_ id: String, _ random: inout SeededGenerator) -> NodeService {
    var service = NodeService.make(id, port: Int.random(in: 1...3, using: &random))
    service.tags = Bool.random(using: &random) ? ["a"] : []
    service.enableTagOverride = Bool.random(using: &random)
    var connect = ServiceConnect()
    connect.native = Int.random(in: 0..<4, using: &random) == 0
    service.connect = Boxed(connect)
    return service
  }

  private func randomView(_ random: inout SeededGenerator) -> CatalogView {
    var view = CatalogView(node: Bool.random(using: &random) ? Self.row : nil)
    if view.node == nil { return view }
    view.services = [.make("consul")]
    view.checks = [.make(CheckID.serfHealth)]
    for number in 0..<8 where Bool.random(using: &random) { view.services.append(randomService("s\(number)", &random)) }
    for number in 0..<10 where Bool.random(using: &random) {
      let owner = view.services.randomElement(using: &random).map { $0.id == "consul" ? "" : $0.id } ?? ""
      view.checks.append(.make("c\(number)", of: owner, status: .warning))
    }
    return view
  }
}
