import AccessControl
import Model
import State
import Testing

@testable import Server

@Suite struct PreparedQueryServerTests {
  private static func change(_ change: (inout PreparedQuery) -> Void) -> PreparedQuery {
    var query = PreparedQuery()
    query.name = "q"
    query.service.service = "web"
    change(&query)
    return query
  }

  @Test func queriesHaveToMakeSense() {
    let problems: [(String?, PreparedQuery)] = [
      (nil, Self.change { _ in }),
      ("Must be bound to a session", Self.change { $0.name = "" }),
      (
        nil,
        Self.change {
          $0.name = ""; $0.session = "s"
        }
      ),
      (
        nil,
        Self.change {
          $0.name = ""; $0.template.type = "name_prefix_match"
        }
      ),
      ("Must provide a Service name to query", Self.change { $0.service.service = "" }),
      ("Bad NearestN '-1', must be >= 0", Self.change { $0.service.failover.nearestN = -1 }),
      ("Bad DNS TTL 'abc': time: invalid duration \"abc\"", Self.change { $0.dns.ttl = "abc" }),
      ("DNS TTL '-5000000000', must be >=0", Self.change { $0.dns.ttl = "-5s" }),
      (nil, Self.change { $0.service.nodeMeta = ["consul-network-segment": "x"] }),
      (
        "Couldn't load metadata pair ('', 'v'): Key cannot be blank", Self.change { $0.service.nodeMeta = ["": "v"] }
      ),
      (
        "Bad Token '<hidden>', it looks like a query definition with a redacted token was submitted",
        Self.change { $0.token = "<hidden>" }
      ),
      (
        "Targets cannot be populated with NearestN or Datacenters",
        Self.change {
          $0.service.failover.targets = [QueryFailoverTarget()]
          $0.service.failover.nearestN = 1
        }
      ),
    ]
    for (problem, query) in problems { #expect(PreparedQueryRules.problem(query) == problem) }
  }

  @Test func idsAreCheckedBeforeTheyAreLookedUp() {
    let lookup = "failed prepared query lookup: index error: "
    #expect(PreparedQueryRules.problem(ofID: "11111111-1111-1111-1111-111111111111") == nil)
    #expect(PreparedQueryRules.problem(ofID: "x") == lookup + "UUID must be 36 characters")
    #expect(PreparedQueryRules.problem(ofID: "1111111z-1111-1111-1111-111111111111")?.hasPrefix(lookup) == true)
  }

  @Test func failoverAsksTheNearestThenTheNamedOnesEachOnce() {
    let known = ["dc1", "dc2", "dc3", "dc4"]
    var failover = QueryFailoverOptions()
    failover.nearestN = 2
    failover.datacenters = ["dc3", "dc4", "dc9"]
    #expect(FailoverTargets(failover, datacenters: known, own: "dc1").list.map(\.datacenter) == ["dc2", "dc3", "dc4"])
    var peer = QueryFailoverTarget()
    peer.peer = "p"
    var unknown = QueryFailoverTarget()
    unknown.datacenter = "dc9"
    failover = QueryFailoverOptions()
    failover.targets = [unknown, peer]
    #expect(FailoverTargets(failover, datacenters: known, own: "dc1").list == [peer])
  }

  // MARK: Execution

  private static func store() -> StateStore {
    let store = StateStore(now: { 0 })
    let instances: [(String, CheckStatus, [String])] = [
      ("a", .passing, ["blue", "V1"]), ("b", .warning, ["blue", "v2"]), ("c", .critical, ["green"]),
    ]
    for (index, (node, status, tags)) in instances.enumerated() {
      var request = RegisterRequest()
      request.node = node
      request.address = "192.0.2.\(index + 1)"
      request.nodeMeta = ["rack": node]
      var service = NodeService()
      service.id = "web"
      service.service = "web"
      service.tags = tags
      request.service = service
      var check = HealthCheck()
      check.node = node
      check.checkID = "alive"
      check.status = status.rawValue
      check.serviceID = "web"
      request.check = check
      store.apply(index: UInt64(index + 1), .register(request))
    }
    return store
  }

  private func found(
    _ query: PreparedQuery, _ reader: Reader? = nil, _ change: (inout PreparedQueryExecute) -> Void = { _ in }
  ) throws -> PreparedQueryResult {
    let store = Self.store()
    var query = query
    query.id = "11111111-1111-1111-1111-111111111111"
    store.apply(index: 9, .preparedQuery(PreparedQueryRequest(op: .create, query: query)))
    let source = QuerySource(datacenter: "dc1", node: "", ip: "192.0.2.2")
    var execute = PreparedQueryExecute(
      "q", agent: QuerySource(datacenter: "dc1", node: "a"), source: source, datacenter: "dc1")
    change(&execute)
    return try execute.answer(store.current, for: reader).result.value.get()
  }

  private func nodes(_ query: PreparedQuery) throws -> [String] {
    try found(query).instances.map(\.node.value.node).sorted()
  }

  @Test func onlyWhatTheQueryWantsIsFound() throws {
    #expect(try nodes(Self.change { _ in }) == ["a", "b"])
    #expect(try nodes(Self.change { $0.service.onlyPassing = true }) == ["a"])
    #expect(try nodes(Self.change { $0.service.ignoreCheckIDs = ["alive"] }) == ["a", "b", "c"])
    #expect(try nodes(Self.change { $0.service.tags = ["BLUE", "!v2"] }) == ["a"])
    #expect(try nodes(Self.change { $0.service.nodeMeta = ["rack": "b"] }) == ["b"])
    #expect(try nodes(Self.change { $0.service.serviceMeta = ["team": "x"] }) == [])
    #expect(try nodes(Self.change { $0.service.connect = true }) == [])
    #expect(try nodes(Self.change { $0.service.peer = "other" }) == [])
  }

  @Test func theNodeThatWasAskedForIsFirstAndTheLimitIsKept() throws {
    for _ in 0..<20 {
      let near = try found(Self.change { $0.service.near = "_agent" }) { $0.limit = 1 }
      #expect(near.instances.map(\.node.value.node) == ["a"])
      let client = try found(Self.change { $0.service.near = "_ip" }) { $0.limit = 1 }
      #expect(client.instances.map(\.node.value.node) == ["b"])
      let asked = try found(Self.change { $0.service.near = "_ip" }) { $0.source.node = "A" }
      #expect(asked.instances.first?.node.value.node == "a" && asked.instances.count == 2)
    }
  }

  @Test func whatTheTokenMayNotSeeIsLeftOut() throws {
    let some = Allowing([.nodeRead("b"), .serviceRead("web")])
    let seen = try found(Self.change { $0.token = "own" }, RequestAccess("", some).reader())
    #expect(seen.instances.map(\.node.value.node) == ["b"] && seen.isFiltered)
    #expect(try found(Self.change { _ in }, RequestAccess("", Allowing([])).reader()).instances.isEmpty)
    // The query's own token decides, if it is one.
    #expect(try found(Self.change { $0.token = "unknown" }, RequestAccess("", some).reader()).instances.isEmpty)
  }
}
