import AccessControl
import Model
import Synchronization
import Testing

@testable import Server
@testable import State

private func kv(_ verb: String, _ key: String) -> TxnOp {
  var op = TxnOp()
  var inner = TxnKVOp()
  inner.verb = verb
  inner.dirEnt.key = key
  op.kv = inner
  return op
}

private func node(_ verb: String, _ name: String, id: String = "") -> TxnOp {
  var op = TxnNodeOp()
  op.verb = verb
  op.node.node = name
  op.node.id = id
  var outer = TxnOp()
  outer.node = Boxed(op)
  return outer
}

private func service(_ verb: String, _ name: String, id: String = "", address: String = "") -> TxnOp {
  var op = TxnServiceOp()
  op.verb = verb
  op.node = "n"
  op.service.service = name
  op.service.id = id
  op.service.address = address
  var outer = TxnOp()
  outer.service = Boxed(op)
  return outer
}

private func check(
  _ verb: String, _ id: String, name: String = "", service: String = "", serviceName: String = ""
) -> TxnOp {
  var op = TxnCheckOp()
  op.verb = verb
  op.check.node = "n"
  op.check.checkID = id
  op.check.name = name
  op.check.serviceID = service
  op.check.serviceName = serviceName
  var outer = TxnOp()
  outer.check = Boxed(op)
  return outer
}

private func endSession(_ id: String) -> TxnOp {
  var op = TxnSessionOp()
  op.verb = "delete"
  op.session.id = id
  var outer = TxnOp()
  outer.session = Boxed(op)
  return outer
}

/// Node `n` with service `web` (id `w`), a check of each, and a session.
private func stateWithNode() -> StateSnapshot {
  let store = StateStore()
  var request = RegisterRequest()
  request.id = "11111111-2222-3333-4444-555555555555"
  request.node = "n"
  var web = NodeService()
  web.id = "w"
  web.service = "web"
  request.service = web
  var own = HealthCheck()
  own.checkID = "own"
  var ofService = HealthCheck()
  ofService.checkID = "of-service"
  ofService.serviceID = "w"
  request.checks = [own, ofService]
  store.apply(index: 1, .register(request))
  var session = SessionRequest()
  session.op = "create"
  session.session.id = "s"
  session.session.node = "n"
  store.apply(index: 2, .session(session))
  return store.current
}

private func context(_ state: StateSnapshot = StateSnapshot(), delayed: String = "") -> WriteContext {
  WriteContext(
    state: state, datacenter: "dc1", sessionTTLMinimum: .seconds(10), isLockDelayed: { $0 == delayed },
    renewSession: { _ in true })
}

@Suite struct TransactionRuleTests {
  @Test(arguments: [
    (kv("get", ""), "Must provide key"), (kv("get-tree", ""), "Must provide key"), (kv("", ""), "Must provide key"),
    (kv("SET", "a"), "unknown KV operation: SET"),
    (kv("lock", "late"), "failed to lock key \"late\" due to lock delay"),
    (node("set", ""), "Must provide node"), (node("delete", "", id: "x"), "Must provide node"),
    (node("set", "n", id: "short"), "Bad node ID: uuid string is wrong length"),
    (
      node("set", "n", id: "11111111-2222-3333-4444+555555555555"),
      "Bad node ID: uuid is improperly formatted"
    ),
    (node("frobnicate", "n"), "unknown node operation: frobnicate"),
    (service("set", ""), "Must provide service name (Service.Service)"),
    (service("delete", "", id: "w"), "Must provide service name (Service.Service) when service ID is provided"),
    (service("set", "web", address: "0.0.0.0"), "Invalid service address"),
    (service("turn", "web"), "unknown service operation: turn"),
    (check("inspect", "c"), "unknown check operation: inspect"),
  ])
  func whatCannotBeCarriedOutIsNotLogged(_ op: TxnOp, _ text: String) throws {
    let write = try TxnApply([kv("set", "a"), op]).prepare(context(delayed: "late"))
    guard case .immediate(let outcome) = write else {
      Issue.record("the transaction would be logged")
      return
    }
    #expect(outcome.response == TxnResponse(errors: [TxnError(opIndex: 1, what: text)]))
    #expect(!outcome.wasTried)
  }

  @Test func operationsAreCompletedBeforeTheyAreLogged() throws {
    let ops = [
      kv("delete-tree", ""), node("set", "n"), service("set", "web"), check("set", "", name: "only-a-name"), TxnOp(),
    ]
    guard case .command(.txn(let request), let reply) = try TxnApply(ops).prepare(context()) else {
      Issue.record("nothing is logged")
      return
    }
    #expect(request.datacenter == "dc1" && request.ops.count == 5)
    #expect(request.ops[1].node?.value.node.datacenter == "dc1")
    #expect(request.ops[2].service?.value.service.id == "web")
    #expect(request.ops[2].service?.value.service.weights == Weights())
    #expect(request.ops[3].check?.value.check.checkID == "only-a-name")
    #expect(try reply(.transaction(TxnResponse())) == TxnOutcome(TxnResponse()))
    #expect(throws: ServerError.rejected("raft apply failed: no")) { try reply(.failed("no")) }
  }

  @Test func readsNeedNoCompleteOperationsAndHaveNoIndex() {
    let state = stateWithNode()
    let id = "11111111-2222-3333-4444-555555555555"
    let read = TxnRead([node("get", "", id: id), service("get", "", id: "w"), check("get", "own")])
    let result = read.evaluate(state)
    #expect(result.index == 0 && result.watch.isEmpty)
    #expect(result.value.wasTried && result.value.response.results.count == 3)
    #expect(!TxnRead([kv("SET", "a")]).evaluate(state).value.wasTried)
  }

  @Test(arguments: [
    (kv("get", "a"), false), (kv("get-tree", "a"), false), (kv("check-index", "a"), false), (kv("SET", "a"), false),
    (kv("set", "a"), true), (kv("unlock", "a"), true), (kv("delete-tree", "a"), true), (node("get", "n"), false),
    (node("frobnicate", "n"), true), (service("get", "s"), false), (service("cas", "s"), true),
    (check("get", "c"), false), (check("delete-cas", "c"), true), (endSession("s"), true), (TxnOp(), false),
  ])
  func onlyChangesGoThroughTheLog(_ op: TxnOp, _ isWrite: Bool) {
    #expect(op.isWrite == isWrite)
  }
}

@Suite struct TransactionRightTests {
  static let cases: [(TxnOp, [Permission])] = [
    (kv("get", "a"), []), (kv("get-tree", "a"), []), (kv("get-or-empty", "a"), []),
    (kv("check-index", "a"), [.keyRead("a")]), (kv("check-session", "a"), [.keyRead("a")]),
    (kv("check-not-exists", "a"), [.keyWrite("a")]), (kv("set", "a"), [.keyWrite("a")]),
    (kv("delete-cas", "a"), [.keyWrite("a")]), (kv("delete-tree", "a/"), [.keyWritePrefix("a/")]),
    (node("get", "n"), []), (node("set", "new"), [.nodeWrite("new")]), (node("delete", "n"), [.nodeWrite("n")]),
    // A node that is renamed, a service under another name, a check of a service, whatever the request calls it.
    (node("set", "new", id: "11111111-2222-3333-4444-555555555555"), [.nodeWrite("new"), .nodeWrite("n")]),
    (service("get", "web", id: "w"), []),
    (service("set", "web", id: "w"), [.serviceWrite("web"), .serviceWrite("web")]),
    (service("set", "db", id: "W"), [.serviceWrite("db"), .serviceWrite("web")]),
    (service("delete", "db", id: "w"), [.serviceWrite("db"), .serviceWrite("web")]),
    (check("get", "own"), []), (check("set", "new"), [.nodeWrite("n")]),
    (check("delete", "own", service: "w"), [.nodeWrite("n")]),
    (check("delete", "of-service"), [.serviceWrite("web")]),
    (check("delete", "never"), [.nodeWrite("n")]),
    (check("set", "new", service: "w", serviceName: "mine"), [.serviceWrite("web")]),
    (check("set", "of-service"), [.serviceWrite("web"), .nodeWrite("n")]),
    (check("set", "new", service: "never", serviceName: "mine"), [.serviceWrite("mine")]),
    (endSession("s"), [.sessionWrite("n")]), (endSession("never"), []),
  ]

  @Test(arguments: cases.indices) func operationsNeedTheRightsOfAllTheyTouch(place: Int) {
    let (op, permissions) = Self.cases[place]
    let asked = Mutex<[Permission]>([])
    var rules = TxnRules(
      state: stateWithNode(), datacenter: "dc1",
      refusal: { permission in
        asked.withLock { $0.append(permission) }
        return nil
      })
    var ops = [op]
    rules.apply(to: &ops)
    #expect(asked.withLock { $0 } == permissions)
    #expect(rules.errors.isEmpty)
  }

  @Test func checksOfServicesThatComeWithTheTransactionNeedTheRightsOfThese() {
    var rules = TxnRules(state: StateSnapshot(), datacenter: "dc1") {
      $0 == .serviceWrite("db") ? AccessRefusal($0, accessor: "a", isAnonymous: false) : nil
    }
    var ops = [service("set", "web", id: "w"), check("set", "c", service: "w", serviceName: "db")]
    rules.apply(to: &ops)
    #expect(rules.errors.isEmpty)
    ops = [service("set", "db", id: "w"), check("set", "c", service: "w", serviceName: "web")]
    rules.apply(to: &ops)
    #expect(rules.errors.map(\.opIndex) == [0])
    #expect(rules.errors.first?.what.hasSuffix("lacks permission 'service:write' on \"db\"") == true)
  }

  @Test func resultsThatTheTokenMayNotSeeAreLeftOut() throws {
    let state = stateWithNode()
    let read = TxnRead([node("get", "n"), service("get", "", id: "w")])
    for (token, isFiltered) in [("token", true), ("", false)] {
      let reader = try RequestAccess(token, Allowing([.nodeRead("n")])).reader()
      let found = try read.answer(state, for: reader)
      #expect(found.result.value.response.results.map { $0.node != nil } == [true])
      #expect(found.isFiltered == isFiltered && found.tellsOrigin)
    }
  }

  @Test func missingRightsAreListedAmongTheOtherErrors() throws {
    let ops = [kv("set", "a"), kv("get", ""), kv("set", "b"), node("set", "n")]
    var context = context()
    context.access = RequestAccess("token", Allowing([.keyWrite("a")]))
    guard case .immediate(let outcome) = try TxnApply(ops).prepare(context) else {
      Issue.record("the transaction would be logged")
      return
    }
    #expect(outcome.response.errors.map(\.opIndex) == [1, 2, 3])
    let denied = outcome.response.errors.map { AccessRefusal(described: $0.what)?.permission }
    #expect(denied == [nil, .keyWrite("b"), .nodeWrite("n")])
  }
}

@Suite struct TransactionBatchTests {
  private func note(_ ops: [TxnOp], _ response: TxnResponse) -> AppliedBatch {
    var request = TxnRequest()
    request.ops = ops
    var batch = AppliedBatch()
    batch.note(.txn(request), .transaction(response), index: 7)
    return batch
  }

  @Test func aLeaderLearnsOfSessionsThatATransactionEnds() {
    let batch = note([kv("delete", "a"), endSession("s")], TxnResponse())
    #expect(batch.destroyedSessions == ["s"])
    #expect(batch.deletionIndex == 7)
  }

  @Test func aLaterCommandDoesNotHideADeletionOfItsBatch() {
    var request = TxnRequest()
    request.ops = [kv("delete", "a")]
    var batch = AppliedBatch()
    batch.note(.txn(request), .transaction(TxnResponse()), index: 7)
    batch.note(.register(RegisterRequest()), .done, index: 8)
    #expect(batch.deletionIndex == 7)
  }

  @Test func aTransactionThatFailedIsNothingToALeader() {
    let batch = note([endSession("s")], TxnResponse(errors: [TxnError(opIndex: 0, what: "no")]))
    #expect(batch.destroyedSessions.isEmpty && batch.deletionIndex == 0)
  }
}
