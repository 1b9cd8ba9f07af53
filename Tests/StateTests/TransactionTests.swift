import Model
import Synchronization
import Testing

@testable import State

private func entry(
  _ key: String, _ value: String = "", flags: UInt64 = 0, session: String = "", index: UInt64 = 0
) -> KVEntry {
  var entry = KVEntry()
  entry.key = key
  entry.value = Bytes(Array(value.utf8))
  entry.flags = flags
  entry.session = session
  entry.modifyIndex = index
  return entry
}

private func kv(_ verb: String, _ entry: KVEntry) -> TxnOp {
  var op = TxnOp()
  var inner = TxnKVOp()
  inner.verb = verb
  inner.dirEnt = entry
  op.kv = inner
  return op
}

private func kv(_ verb: KVVerb, _ key: String, _ value: String = "", session: String = "", index: UInt64 = 0) -> TxnOp {
  kv(verb.rawValue, entry(key, value, session: session, index: index))
}

private func node(_ verb: CatalogVerb, _ name: String, id: String = "", index: UInt64 = 0) -> TxnOp {
  var node = Node()
  node.node = name
  node.id = id
  node.address = "192.0.2.7"
  node.modifyIndex = index
  var op = TxnOp()
  op.node = Boxed(TxnNodeOp(verb, node))
  return op
}

private func svc(_ verb: CatalogVerb, _ name: String, node: String = "n", port: Int = 0, index: UInt64 = 0) -> TxnOp {
  var row = service(name, port: port)
  row.modifyIndex = index
  var op = TxnOp()
  op.service = Boxed(TxnServiceOp(verb, node: node, row))
  return op
}

private func chk(
  _ verb: CatalogVerb, _ id: String, _ status: CheckStatus = .passing, node: String = "n", service: String = "",
  index: UInt64 = 0
) -> TxnOp {
  var row = check(id, status, service: service)
  row.node = node
  row.modifyIndex = index
  var op = TxnOp()
  op.check = Boxed(TxnCheckOp(verb, row))
  return op
}

extension Catalog {
  @discardableResult
  fileprivate func run(_ ops: TxnOp...) -> TxnResponse {
    var request = TxnRequest()
    request.ops = ops
    guard case .transaction(let response) = apply(.txn(request)) else {
      Issue.record("a transaction was answered by something else")
      return TxnResponse()
    }
    return response
  }
}

extension TxnResponse {
  fileprivate var texts: [String] { errors.map(\.what) }
}

@Suite struct KVTransactionTests {
  let catalog = Catalog()

  init() {
    catalog.register("n")
    catalog.session("one")
    catalog.session("two")
    catalog.kv(.set, "a", "1")  // index 4
    catalog.kv(.set, "a/b", "2")  // 5
    catalog.kv(.lock, "held", "x", session: "one")  // 6
  }

  @Test func readsShowValuesAndWritesDoNot() {
    let response = catalog.run(
      kv(.get, "a"), kv(.getTree, "a"), kv(.getOrEmpty, "none"), kv(.checkIndex, "a", index: 4), kv(.set, "a", "new"),
      kv(.get, "a"))
    #expect(response.errors.isEmpty)
    let results = response.results.compactMap(\.kv)
    #expect(results.map(\.key) == ["a", "a", "a/b", "none", "a", "a", "a"])
    #expect(results.map { String(decoding: $0.value.bytes, as: UTF8.self) } == ["1", "1", "2", "", "", "", "new"])
    #expect(results.map(\.modifyIndex) == [4, 4, 5, 0, 4, 7, 7])
  }

  @Test func deletionsAndChecksForAbsenceHaveNoResult() {
    let response = catalog.run(
      kv(.checkNotExists, "none"), kv(.delete, "a"), kv(.delete, "never"), kv(.deleteCAS, "never", index: 5),
      kv(.deleteCAS, "a/b", index: 5), kv(.deleteTree, "x"))
    #expect(response == TxnResponse())
    #expect(catalog.state.kvKeys(prefix: "", separator: "").value == ["held"])
  }

  @Test func locksAreTakenAndGivenBack() {
    let locked = catalog.run(kv(.lock, "l", "v", session: "one"), kv(.checkSession, "l", session: "one"))
    #expect(locked.results.compactMap(\.kv).map(\.session) == ["one", "one"])
    #expect(locked.results.compactMap(\.kv).map(\.lockIndex) == [1, 1])
    let unlocked = catalog.run(kv(.unlock, "l", "w", session: "one"), kv(.checkSession, "l"))
    #expect(unlocked.results.compactMap(\.kv).map(\.session) == ["", ""])
    #expect(catalog.state.kvEntry("l").value?.value.value == Bytes(Array("w".utf8)))
  }

  @Test(arguments: [
    (kv(.get, "none"), "key \"none\" doesn't exist"),
    (kv(.get, "no\"\n"), "key \"no\\\"\\n\" doesn't exist"),
    (kv(.checkNotExists, "a"), "key \"a\" exists"),
    (kv(.checkIndex, "none", index: 1), "failed to check index, key \"none\" doesn't exist"),
    (kv(.checkIndex, "a", index: 1), "failed index check for key \"a\", current modify index 4 != 1"),
    (kv(.checkSession, "none", session: "one"), "failed to check session, key \"none\" doesn't exist"),
    (
      kv(.checkSession, "held", session: "two"),
      "failed session check for key \"held\", current session \"one\" != \"two\""
    ),
    (kv(.cas, "a", "x", index: 1), "failed to set key \"a\", index is stale"),
    (kv(.cas, "a", "x", index: 0), "failed to set key \"a\", index is stale"),
    (kv(.cas, "none", "x", index: 7), "failed to set key \"none\", index is stale"),
    (kv(.deleteCAS, "a", index: 1), "failed to delete key \"a\", index is stale"),
    (kv(.lock, "held", session: "two"), "failed to lock key \"held\", lock is already held"),
    (kv(.lock, "held"), "missing session"), (kv(.lock, "held", session: "none"), "invalid session \"none\""),
    (
      kv(.unlock, "held", session: "two"),
      "failed to unlock key \"held\", lock isn't held, or is held by another session"
    ),
    (
      kv(.unlock, "none", session: "two"),
      "failed to unlock key \"none\", lock isn't held, or is held by another session"
    ),
    (kv("jump", entry("a")), "unknown KV operation: jump"), (TxnOp(), "unknown operation"),
  ])
  func failuresSayWhatAndWhereAndLeaveNoTrace(_ op: TxnOp, _ text: String) {
    let before = catalog.indexes
    let keys = catalog.state.kvEntries(prefix: "").value
    let response = catalog.run(kv(.set, "x", "1"), kv(.deleteTree, "a/"), kv(.lock, "y", session: "one"), op)
    #expect(response == TxnResponse(errors: [TxnError(opIndex: 3, what: text)]))
    #expect(catalog.indexes == before)
    #expect(catalog.state.kvEntries(prefix: "").value == keys)
  }

  @Test func allFailuresAreListedWithTheirPlaces() {
    let response = catalog.run(
      kv(.set, "x", "1"), kv(.get, "none"), kv(.get, "x"), kv(.cas, "x", "2"), kv(.checkIndex, "a", index: 9))
    #expect(response.results.isEmpty)
    #expect(response.errors.map(\.opIndex) == [1, 3, 4])
    #expect(catalog.state.kvEntry("x").value == nil)
  }

  @Test func aSnapshotAnswersReadsWithoutChanging() {
    let state = catalog.state
    #expect(state.answer([kv(.get, "a"), kv(.getTree, "a/")]).results.count == 2)
    #expect(state.answer([kv(.get, "none")]).texts == ["key \"none\" doesn't exist"])
    _ = state.answer([kv(.deleteTree, "")])
    #expect(catalog.state === state && state.kvEntries(prefix: "").value.count == 3)
  }

  @Test func endedSessionsFreeTheirLocks() {
    var op = TxnOp()
    var session = TxnSessionOp()
    session.verb = "delete"
    session.session.id = "one"
    op.session = Boxed(session)
    #expect(catalog.run(op) == TxnResponse())
    #expect(catalog.state.session("one").value == nil)
    #expect(catalog.state.kvEntry("held").value?.value.session == "")
    session.verb = "create"
    op.session = Boxed(session)
    #expect(catalog.run(op).texts == ["unknown session operation: create"])
  }
}

@Suite struct CatalogTransactionTests {
  private static let id = "11111111-2222-3333-4444-555555555555"
  let catalog = Catalog()

  @Test func aNodeWithServiceAndChecksAppearsInOneStep() {
    let response = catalog.run(
      node(.set, "n", id: Self.id), svc(.set, "web", port: 80), chk(.set, "c1"),
      chk(.set, "c2", .warning, service: "web"),
      node(.get, "", id: Self.id), svc(.get, "web"), chk(.get, "c2"))
    #expect(response.errors.isEmpty && response.results.count == 7)
    #expect(response.results[0].node?.value.createIndex == 1 && response.results[4].node?.value.node == "n")
    #expect(response.results[1].service?.value.port == 80 && response.results[5].service?.value.modifyIndex == 1)
    #expect(response.results[3].check?.value.serviceName == "web" && response.results[6].check?.value.checkID == "c2")
    #expect(catalog.state.healthServiceNodes("web").value.first?.checks.count == 2)
  }

  @Test func equalOnesKeepTheirIndexAndChangedOnesDoNot() {
    catalog.run(node(.set, "n"), svc(.set, "web", port: 80), chk(.set, "c"))
    let before = catalog.indexes
    let again = catalog.run(node(.set, "n"), svc(.set, "web", port: 80), chk(.set, "c"))
    #expect(again.results.compactMap { $0.service?.value.modifyIndex } == [1])
    #expect(catalog.indexes == before)
    #expect(catalog.run(svc(.cas, "web", port: 81, index: 1)).results.first?.service?.value.modifyIndex == 3)
    #expect(catalog.run(chk(.cas, "c", .critical, index: 1)).results.first?.check?.value.modifyIndex == 4)
    #expect(catalog.run(node(.cas, "n", id: Self.id, index: 1)).results.first?.node?.value.modifyIndex == 5)
  }

  @Test func removedOnesAreGoneWithWhatHangsOnThem() {
    catalog.run(node(.set, "n"), svc(.set, "web"), chk(.set, "c", service: "web"), chk(.set, "own"))
    #expect(catalog.run(chk(.delete, "never"), svc(.delete, "never"), node(.delete, "never")) == TxnResponse())
    #expect(catalog.run(svc(.deleteCAS, "web", index: 1)) == TxnResponse())
    #expect(catalog.state.check("c", node: "n") == nil && catalog.state.check("own", node: "n") != nil)
    #expect(catalog.run(chk(.deleteCAS, "own", index: 1), node(.deleteCAS, "n", index: 1)) == TxnResponse())
    #expect(catalog.state.nodes().value.isEmpty)
  }

  @Test(arguments: [
    (node(.get, "none"), "node \"none\" doesn't exist"), (node(.get, "", id: id), "node \"\(id)\" doesn't exist"),
    (node(.set, ""), "Must provide node"), (node(.cas, "n", index: 9), "failed to set node \"n\", index is stale"),
    (node(.cas, "n"), "failed to set node \"n\", index is stale"),
    (node(.cas, "n", id: id), "failed to set node \"n\", index is stale"),
    (node(.deleteCAS, "n", index: 9), "failed to delete node \"n\", index is stale"),
    (node(.deleteCAS, "none", index: 0), "failed to delete node \"none\", index is stale"),
    (svc(.get, "none"), "service \"none\" on node \"n\" doesn't exist"),
    (svc(.get, "web", node: "none"), "service \"web\" on node \"none\" doesn't exist"),
    (svc(.set, "web", node: "none"), "Missing node registration"),
    (svc(.set, "web", node: ""), "Missing node registration"),
    (svc(.set, ""), "Must provide service name (Service.Service)"),
    (svc(.cas, "web", index: 9), "failed to set service \"web\" on node \"n\", index is stale"),
    (svc(.cas, "web"), "failed to set service \"web\" on node \"n\", index is stale"),
    (svc(.deleteCAS, "web", index: 9), "failed to delete service \"web\" on node \"n\", index is stale"),
    (svc(.deleteCAS, "none"), "failed to delete service \"none\" on node \"n\", index is stale"),
    (chk(.get, "none"), "check \"none\" on node \"n\" doesn't exist"),
    (chk(.set, "c", node: "none"), "Missing node registration"),
    (chk(.set, "c", service: "none"), "Missing service registration"),
    (
      chk(.set, "c", node: ""),
      "failed health check lookup: index error: object is missing a value for this index"
    ),
    (
      chk(.set, ""), "failed health check lookup: index error: object is missing a value for this index"
    ),
    (chk(.cas, "c", index: 9), "failed to set check \"c\" on node \"n\", index is stale"),
    (chk(.deleteCAS, "c", index: 9), "failed to delete check \"c\" on node \"n\", index is stale"),
    (chk(.deleteCAS, "none"), "failed to delete check \"none\" on node \"n\", index is stale"),
  ])
  func failuresSayWhatAndLeaveNoTrace(_ op: TxnOp, _ text: String) {
    catalog.run(node(.set, "n"), svc(.set, "web"), chk(.set, "c", service: "web"))
    let before = catalog.indexes
    let response = catalog.run(
      svc(.set, "new"), svc(.set, "other"), chk(.set, "late", .critical), kv(.set, "k", "v"), op)
    #expect(response.errors == [TxnError(opIndex: 4, what: text)])
    #expect(catalog.indexes == before)
    #expect(catalog.state.usage().services == 1 && catalog.state.usage().kvEntries == 0)
    #expect(catalog.state.checks(node: "n").value.count == 1)
  }

  @Test func namesOfLivingNodesAreNotTaken() {
    catalog.register("n", id: Self.id, checks: [check(CheckID.serfHealth)])
    let response = catalog.run(node(.set, "n", id: "99999999-2222-3333-4444-555555555555"))
    #expect(
      response.texts == [
        "Error while renaming Node ID: \"99999999-2222-3333-4444-555555555555\": Node name n is reserved by node "
          + "\(Self.id) with name n (192.0.2.1)"
      ])
  }

  @Test func rowsOfOtherClustersAreNotPutIn() {
    catalog.run(node(.set, "n"))
    var row = service("web")
    row.peerName = "far"
    func op(_ verb: CatalogVerb) -> TxnOp {
      var op = TxnOp()
      op.service = Boxed(TxnServiceOp(verb, node: "n", row))
      return op
    }
    #expect(catalog.run(op(.set)).texts == ["rows imported from peer \"far\" cannot be registered"])
    #expect(catalog.run(op(.get)).texts == ["service \"web\" on node \"n\" doesn't exist"])
    #expect(catalog.run(op(.delete)) == TxnResponse())
    #expect(catalog.state.usage().services == 0)
  }
}

@Suite struct TransactionEffectTests {
  let catalog = Catalog()

  init() {
    catalog.register("n", service: service("web"), checks: [check("c", service: "web")])
    catalog.session("s", checks: ["c"], behavior: SessionBehavior.delete, lockDelay: .seconds(15))
    catalog.kv(.lock, "held", "x", session: "s")
    catalog.kv(.set, "conf/a", "1")
  }

  /// Whether a watch of everything that `ops` touch wakes.
  private func wakes(_ ops: TxnOp...) -> Bool {
    let state = catalog.state
    let points =
      state.kvEntry("held").watch + state.kvEntries(prefix: "conf/").watch + state.nodes().watch
      + state.healthServiceNodes("web").watch + state.sessions().watch + state.checks(state: "any").watch
    let isWoken = Mutex(false)
    let watch = catalog.store.register(points, seen: state) { _ in isWoken.withLock { $0 = true } }
    var request = TxnRequest()
    request.ops = ops
    catalog.apply(.txn(request))
    if let watch { catalog.store.cancel(watch) }
    return isWoken.withLock { $0 }
  }

  @Test func aTransactionThatFailsWakesNobodyAndEndsNothing() {
    let indexes = catalog.indexes
    #expect(
      !wakes(
        kv(.set, "conf/b", "1"), kv(.deleteTree, ""), chk(.set, "c", .critical, service: "web"), svc(.delete, "web"),
        node(.delete, "n"), kv(.get, "none")))
    #expect(catalog.indexes == indexes)
    #expect(catalog.state.session("s").value != nil && catalog.state.kvEntry("held").value?.value.session == "s")
    #expect(!catalog.store.isLockDelayed("held"))
    #expect(catalog.state.tombstoneIndex == 0)
  }

  @Test func aTransactionThatSucceedsWakesAndEndsWhatItTouches() {
    #expect(wakes(kv(.set, "conf/b", "1")))
    #expect(wakes(chk(.set, "c", .critical, service: "web")))
    #expect(catalog.state.session("s").value == nil && catalog.state.kvEntry("held").value == nil)
    #expect(catalog.store.isLockDelayed("held", now: 1))
    #expect(!wakes(kv(.get, "conf/b"), node(.get, "n")))
  }

  @Test func indexesMoveAsWithSingleCommands() {
    #expect(catalog.raised { catalog.run(kv(.set, "conf/a", "1"), kv(.get, "conf/a")) }.isEmpty)
    #expect(catalog.raised { catalog.run(kv(.set, "conf/a", "2")) } == ["kvs"])
    #expect(catalog.raised { catalog.run(kv(.deleteTree, "conf/")) } == ["kvs", "tombstones"])
  }

  @Test func anAbandonedTransactionDoesNotHideWhatItsBatchDid() {
    catalog.store.write { transaction in
      var request = TxnRequest()
      request.ops = [kv(.set, "kept", "1")]
      _ = transaction.apply(.txn(request), index: 100)
      request.ops = [kv(.delete, "kept"), kv(.get, "none")]
      _ = transaction.apply(.txn(request), index: 101)
    }
    #expect(catalog.state.kvEntry("kept").value?.value.modifyIndex == 100)
    #expect(catalog.state.appliedIndex == 101)
  }
}
