import Model
import Testing

@testable import LocalAgent

@Suite struct LocalStateTests {
  private static let minute: UInt64 = 60_000_000_000

  private func state(reapAfter: GoDuration = .zero, status: CheckStatus = .passing) throws -> LocalState {
    var state = LocalState(node: OwnNode(name: "n1", address: "127.0.0.1"))
    state.put(.make("web", tags: ["a"]), token: "", origin: .api)
    var definition = CheckType()
    definition.ttl = .minutes(1)
    definition.deregisterCriticalServiceAfter = reapAfter
    try state.put(
      .make("c", of: "web", status: status), definition: definition, token: "", origin: .api, now: 0)
    return state
  }

  /// Pretends that the catalog has everything.
  private func settle(_ state: inout LocalState) {
    for action in state.pendingActions() { state.completed(action, revisions: state.revisions(of: action)) }
    _ = state.takeChanges()
  }

  @Test("a check of a service that is not there is refused")
  func noService() throws {
    var state = try state()
    #expect(throws: LocalAgentError.noSuchService(id: "absent")) {
      try state.put(.make("x", of: "absent"), definition: nil, token: "", origin: .api, now: 0)
    }
    #expect(LocalAgentError.noSuchService(id: "absent").description == "ServiceID \"absent\" does not exist")
  }

  @Test("checks follow the tags of their service, and move between services")
  func ownership() throws {
    var state = try state()
    #expect(state.check("c")?.check.serviceTags == ["a"])
    state.put(.make("web", tags: ["b"]), token: "", origin: .api)
    #expect(state.check("c")?.check.serviceTags == ["b"])
    try state.put(.make("c"), definition: nil, token: "", origin: .api, now: 0)
    #expect(state.checks(of: "web").isEmpty)
    #expect(state.checks(of: "").map(\.check.checkID) == ["c"])
    #expect(state.removeService("web").isEmpty)
    #expect(state.check("c") != nil)
  }

  @Test("a new status is sent, a new output alone waits")
  func deferredOutput() throws {
    var state = try state()
    settle(&state)
    let delay = 5 * Self.minute
    #expect(state.update(check: "c", status: .passing, output: "", now: 1, outputDelay: delay) == .none)
    #expect(state.update(check: "c", status: .passing, output: "a", now: 1, outputDelay: delay) == .deferred)
    #expect(state.update(check: "c", status: .passing, output: "b", now: 9, outputDelay: delay) == .deferred)
    #expect(state.check("c")?.check.output == "b")
    #expect(state.pendingActions() == [])
    #expect(state.nextDeadline(minimum: .minutes(1)) == delay + 1)
    state.releaseOutputs(now: delay)
    #expect(state.pendingActions() == [])
    state.releaseOutputs(now: delay + 1)
    #expect(state.pendingActions() == [.registerCheck(id: "c")])
    settle(&state)
    #expect(state.nextDeadline(minimum: .minutes(1)) == nil)
    _ = state.update(check: "c", status: .passing, output: "c", now: 1, outputDelay: delay)
    #expect(state.update(check: "c", status: .warning, output: "d", now: 1, outputDelay: delay) == .changed)
    #expect(state.pendingActions() == [.registerCheck(id: "c")])
    #expect(state.nextDeadline(minimum: .minutes(1)) == nil)
  }

  @Test("without a delay every output is sent")
  func immediateOutput() throws {
    var state = try state()
    settle(&state)
    #expect(state.update(check: "c", status: .passing, output: "a", now: 1, outputDelay: 0) == .changed)
  }

  @Test("an output that waits does not count as a difference")
  func waitingOutputInComparison() throws {
    var state = try state()
    settle(&state)
    let known = try #require(state.check("c")?.check)
    state.update(check: "c", status: .passing, output: "new", now: 1, outputDelay: 10)
    #expect(state.check("c")?.check.agrees(with: known, outputWaits: true) == true)
    #expect(state.check("c")?.check.agrees(with: known, outputWaits: false) == false)
  }

  @Test("results of checks that are gone are ignored")
  func lateResult() throws {
    var state = try state()
    state.removeCheck("c")
    #expect(state.update(check: "c", status: .critical, output: "", now: 1, outputDelay: 0) == .none)
    #expect(state.update(check: "absent", status: .critical, output: "", now: 1, outputDelay: 0) == .none)
  }

  @Test("a service goes when its check was critical for too long, and not before")
  func reaping() throws {
    var state = try state(reapAfter: .minutes(2))
    #expect(state.nextDeadline(minimum: .minutes(1)) == nil)
    state.update(check: "c", status: .critical, output: "x", now: 10 * Self.minute, outputDelay: 0)
    #expect(state.nextDeadline(minimum: .minutes(1)) == 12 * Self.minute)
    #expect(state.servicesToReap(now: 12 * Self.minute - 1, minimum: .minutes(1)) == [])
    #expect(state.servicesToReap(now: 12 * Self.minute, minimum: .minutes(1)) == ["web"])
    // Another critical result does not start the time anew, a good one ends it.
    state.update(check: "c", status: .critical, output: "y", now: 11 * Self.minute, outputDelay: 0)
    #expect(state.servicesToReap(now: 12 * Self.minute, minimum: .minutes(1)) == ["web"])
    state.update(check: "c", status: .warning, output: "y", now: 11 * Self.minute, outputDelay: 0)
    #expect(state.servicesToReap(now: 99 * Self.minute, minimum: .minutes(1)) == [])
  }

  @Test("the time counts from the registration of a check that starts critical, and is at least the minimum")
  func reapingMinimum() throws {
    var state = try state(reapAfter: .seconds(5), status: .critical)
    #expect(state.servicesToReap(now: Self.minute - 1, minimum: .minutes(1)) == [])
    #expect(state.servicesToReap(now: Self.minute, minimum: .minutes(1)) == ["web"])
    state.removeService("web")
    #expect(state.servicesToReap(now: 99 * Self.minute, minimum: .minutes(1)) == [])
  }

  @Test("checks of the node remove nothing")
  func reapingNode() throws {
    var state = try state()
    var definition = CheckType()
    definition.deregisterCriticalServiceAfter = .minutes(1)
    try state.put(.make("n", status: .critical), definition: definition, token: "", origin: .api, now: 0)
    #expect(state.servicesToReap(now: 99 * Self.minute, minimum: .minutes(1)) == [])
  }

  @Test("the hash of a service follows its content")
  func contentHash() throws {
    var state = try state()
    let hash = try #require(state.service("web")?.contentHash)
    #expect(hash.count <= 16 && UInt64(hash, radix: 16) != nil)
    state.put(.make("web", tags: ["b"]), token: "", origin: .api)
    #expect(state.service("web")?.contentHash != hash)
    state.put(.make("web", tags: ["a"]), token: "", origin: .api)
    #expect(state.service("web")?.contentHash == hash)
  }

  @Test(
    "the health of a service is that of its worst check, maintenance above all",
    arguments: [
      ([], CheckStatus.passing), ([("c", "passing")], .passing), ([("c", "passing"), ("d", "warning")], .warning),
      ([("c", "critical"), ("d", "warning")], .critical), ([("c", "odd")], .critical),
      ([("c", "critical"), ("_node_maintenance", "critical")], .maintenance),
      ([("_service_maintenance:web", "critical"), ("c", "passing")], .maintenance),
    ] as [([(String, String)], CheckStatus)])
  func aggregation(checks: [(String, String)], expected: CheckStatus) {
    let rows = checks.map { id, status in
      var check = HealthCheck.make(id)
      check.status = status
      return check
    }
    #expect(CheckStatus.aggregate(rows) == expected)
  }

  @Test("exposed checks get ports, HTTP first, and lose them with their proxy")
  func exposure() throws {
    var state = LocalState(node: OwnNode(name: "n1", address: "127.0.0.1"))
    state.put(.make("api"), token: "", origin: .api)
    let targets = [("a", "", "127.0.0.1:9/svc"), ("h", "http://127.0.0.1:8081/health?x=1", ""), ("t", "", "")]
    for (id, http, grpc) in targets {
      var definition = CheckType()
      definition.http = http
      definition.grpc = grpc
      try state.put(.make(id, of: "api"), definition: definition, token: "", origin: .api, now: 0)
    }
    var proxy = NodeService.make("api-proxy")
    proxy.kind = ServiceKind.connectProxy
    var config = ConnectProxyConfig()
    config.destinationServiceID = "api"
    config.expose.checks = true
    proxy.proxy = Boxed(config)
    #expect(ExposurePlan.plans(state, ports: 21500...21501) == [])
    state.put(proxy, token: "", origin: .api)
    let plans = ExposurePlan.plans(state, ports: 21500...21501)
    #expect(plans.map(\.checkID) == ["h", "a"])
    #expect(plans.map(\.port) == [21500, 21501])
    #expect(plans.first?.definition.proxyHTTP == "http://127.0.0.1:21500/health?x=1")
    #expect(plans.last?.definition.proxyGRPC == "127.0.0.1:21501/svc")
    for plan in plans { state.expose(check: plan.checkID, port: plan.port, definition: plan.definition) }
    #expect(ExposurePlan.plans(state, ports: 21500...21501) == [])
    state.removeService("api-proxy")
    let back = ExposurePlan.plans(state, ports: 21500...21501)
    #expect(back.map(\.port) == [0, 0])
    #expect(back.allSatisfy { $0.definition.proxyHTTP.isEmpty && $0.definition.proxyGRPC.isEmpty })
  }
}
