import Model
import Testing

@testable import State

private let second: UInt64 = 1_000_000_000

@Suite struct KVTests {
  let catalog = Catalog()

  private func entry(_ key: String) -> KVEntry? { catalog.state.kvEntry(key).value?.value }
  private func keys(_ prefix: String, _ separator: String = "") -> [String] {
    catalog.state.kvKeys(prefix: prefix, separator: separator).value
  }

  @Test func setCreatesAndChangesAndLeavesEqualOnesAlone() {
    catalog.kv(.set, "a", "1")
    #expect(catalog.raised { catalog.kv(.set, "a", "1") }.isEmpty)
    #expect(catalog.raised { catalog.kv(.set, "a", "1", flags: 1) } == ["kvs"])
    #expect(entry("a")?.createIndex == 1 && entry("a")?.modifyIndex == 3 && entry("a")?.flags == 1)
  }

  @Test func deletesLeaveTombstonesAndOnlyOfWhatExisted() {
    #expect(catalog.raised { catalog.kv(.delete, "never") }.isEmpty)
    catalog.kv(.set, "a", "1")
    #expect(catalog.raised { catalog.kv(.delete, "a") } == ["kvs", "tombstones"])
    #expect(catalog.state.kvEntry("a").index == 3)
    #expect(catalog.raised { catalog.kv(.delete, "a") }.isEmpty)
  }

  @Test func compareAndSetComparesTheModifyIndex() {
    #expect(catalog.kv(.cas, "c", "no", modifyIndex: 7) == .bool(false))
    #expect(catalog.kv(.cas, "c", "one") == .bool(true))
    #expect(catalog.kv(.cas, "c", "two") == .bool(false))
    #expect(catalog.kv(.cas, "c", "one", modifyIndex: 2) == .bool(true))
    #expect(entry("c")?.modifyIndex == 2)
    #expect(catalog.kv(.cas, "c", "two", modifyIndex: 2) == .bool(true))
    #expect(entry("c")?.modifyIndex == 5)
    #expect(catalog.kv(.deleteCAS, "c", modifyIndex: 2) == .bool(false))
    #expect(catalog.kv(.deleteCAS, "c", modifyIndex: 0) == .bool(false))
    #expect(catalog.kv(.deleteCAS, "c", modifyIndex: 5) == .bool(true))
    #expect(catalog.kv(.deleteCAS, "c", modifyIndex: 5) == .bool(true))
    #expect(entry("c") == nil)
  }

  @Test func treesAreDeletedByTheirPrefix() {
    for key in ["web", "web/1", "website", "Web"] { catalog.kv(.set, key, "x") }
    catalog.kv(.deleteTree, "web/")
    #expect(keys("") == ["Web", "web", "website"])
    #expect(catalog.raised { catalog.kv(.deleteTree, "none") }.isEmpty)
    #expect(catalog.raised { catalog.kv(.deleteTree, "web") } == ["kvs", "tombstones"])
    #expect(catalog.raised { catalog.kv(.deleteTree, "") } == ["kvs"])
    #expect(keys("").isEmpty && catalog.state.usage().kvEntries == 0)
    #expect(catalog.state.kvKeys(prefix: "", separator: "").index == 8)
  }

  @Test(arguments: [
    ("", "", ["app", "app-x/y", "app/cache/ttl", "app/db/host", "app/db/port", "app/name", "application"]),
    ("", "/", ["app", "app-x/", "app/", "application"]),
    ("app", "/", ["app", "app-x/", "app/", "application"]),
    ("app/", "/", ["app/cache/", "app/db/", "app/name"]),
    ("app/db", "/", ["app/db/"]),
    ("app/db/host", "/", ["app/db/host"]),
    ("", "-", ["app", "app-", "app/cache/ttl", "app/db/host", "app/db/port", "app/name", "application"]),
    ("", "app", ["app"]),
    ("", "db/", ["app", "app-x/y", "app/cache/ttl", "app/db/", "app/name", "application"]),
    ("zzz", "/", []),
  ])
  func keysAreCutBehindTheSeparator(prefix: String, separator: String, expected: [String]) {
    for key in ["app/db/host", "app/db/port", "app/cache/ttl", "app", "application", "app/name", "app-x/y"] {
      catalog.kv(.set, key, "x")
    }
    #expect(keys(prefix, separator) == expected)
  }

  @Test func listsAreAsNewAsTheirEntriesAndTombstones() {
    catalog.kv(.set, "conf/a", "1")
    catalog.kv(.set, "other", "1")
    #expect(catalog.state.kvEntries(prefix: "conf/").index == 1)
    #expect(catalog.state.kvEntries(prefix: "").index == 2)
    #expect(catalog.state.kvEntries(prefix: "none").index == 2)
    catalog.kv(.set, "conf/b", "2")
    catalog.kv(.delete, "conf/b")
    catalog.kv(.set, "other", "2")
    #expect(catalog.state.kvEntries(prefix: "conf/").index == 4)
    var reap = TombstoneRequest()
    reap.op = "reap"
    reap.reapIndex = 4
    #expect(catalog.raised { catalog.apply(.tombstone(reap)) } == ["tombstones"])
    #expect(catalog.state.kvEntries(prefix: "conf/").index == 1)
    #expect(catalog.raised { catalog.apply(.tombstone(reap)) }.isEmpty)
  }
}

@Suite struct LockTests {
  final class Clock: @unchecked Sendable {
    // Only one test at a time uses a clock.
    var now: UInt64 = 0
  }
  let clock = Clock()
  let catalog: Catalog

  init() {
    let clock = clock
    catalog = Catalog(now: { clock.now })
    catalog.register("n", checks: [check(CheckID.serfHealth), check("alive"), check("bad", .critical)])
  }

  private func entry(_ key: String) -> KVEntry? { catalog.state.kvEntry(key).value?.value }

  @Test func aLockIsHeldByOneSessionAndCounted() {
    catalog.session("one")
    catalog.session("two")
    #expect(catalog.kv(.lock, "k", "a", session: "one") == .bool(true))
    #expect(catalog.kv(.lock, "k", "b", session: "two") == .bool(false))
    #expect(catalog.kv(.lock, "k", "c", session: "one") == .bool(true))
    #expect(entry("k")?.lockIndex == 1 && entry("k")?.session == "one")
    catalog.kv(.set, "k", "anybody")
    #expect(entry("k")?.lockIndex == 0 && entry("k")?.session == "one")
    #expect(catalog.kv(.unlock, "k", "x", session: "two") == .bool(false))
    #expect(catalog.kv(.unlock, "k", "x", session: "one", flags: 4) == .bool(true))
    #expect(entry("k")?.session == "" && entry("k")?.flags == 4)
    #expect(catalog.kv(.unlock, "k", "x", session: "one") == .bool(false))
    #expect(catalog.kv(.unlock, "absent", "x", session: "one") == .bool(false))
    #expect(catalog.kv(.lock, "k", session: "two") == .bool(true))
    #expect(entry("k")?.lockIndex == 1)
  }

  @Test func locksNeedASessionThatExists() {
    #expect(catalog.kv(.lock, "k", session: "") == .failed("missing session"))
    #expect(catalog.kv(.unlock, "k", session: "") == .failed("missing session"))
    #expect(catalog.kv(.lock, "k", session: "nope") == .failed("invalid session \"nope\""))
    #expect(catalog.kv(.unlock, "k", session: "nope") == .bool(false))
  }

  @Test func sessionsNeedTheirNodeAndHealthyChecks() {
    #expect(catalog.session("s", node: "none") == .failed("Missing node registration"))
    #expect(catalog.session("s", checks: ["none"]) == .failed("Missing check 'none' registration"))
    #expect(catalog.session("s", checks: ["alive", "bad"]) == .failed("Check 'bad' is in critical state"))
    #expect(catalog.session("s", checks: ["alive"]) == .text("s"))
    #expect(catalog.state.session("S").value?.value.behavior == "release")
    #expect(catalog.state.sessions(node: "N").value.count == 1)
  }

  @Test func anEndingSessionReleasesOrDeletesItsKeys() {
    catalog.session("r")
    catalog.session("d", behavior: SessionBehavior.delete)
    for (key, session) in [("r/1", "r"), ("r/2", "r"), ("d/1", "d"), ("d/2", "d")] {
      catalog.kv(.lock, key, key, session: session)
    }
    catalog.kv(.unlock, "d/2", "d/2", session: "d")
    #expect(catalog.raised { catalog.endSession("r") } == ["kvs", "sessions"])
    #expect(entry("r/1")?.session == "" && entry("r/1")?.lockIndex == 1 && entry("r/1")?.modifyIndex == catalog.index)
    #expect(catalog.raised { catalog.endSession("d") } == ["kvs", "sessions", "tombstones"])
    #expect(entry("d/1") == nil && entry("d/2") != nil)
    #expect(catalog.raised { catalog.endSession("d") }.isEmpty)
  }

  @Test func sessionsEndWithTheirChecksServicesAndNodes() {
    catalog.register("n", service: service("web"), checks: [check("w", service: "web")])
    catalog.session("a", checks: ["alive"])
    catalog.session("w", checks: ["w"])
    catalog.session("free")
    catalog.register("n", checks: [check("alive", .warning)])
    #expect(catalog.state.sessions().value.count == 3)
    catalog.register("n", checks: [check("alive", .critical)])
    #expect(catalog.state.session("a").value == nil)
    catalog.deregister("n", service: "web")
    #expect(catalog.state.sessions().value.map(\.value.id) == ["free"])
    catalog.deregister("n")
    #expect(catalog.state.sessions().value.isEmpty)
  }

  @Test func locksOfEndedSessionsAreDelayed() {
    catalog.session("s", lockDelay: .seconds(2))
    catalog.session("other")
    catalog.kv(.lock, "k", session: "s")
    catalog.kv(.lock, "given-back", session: "s")
    catalog.kv(.unlock, "given-back", session: "s")
    catalog.kv(.lock, "undelayed", session: "other")
    clock.now = 10 * second
    catalog.endSession("s")
    catalog.endSession("other")
    #expect(catalog.store.isLockDelayed("k", now: 12 * second - 1))
    #expect(!catalog.store.isLockDelayed("k", now: 12 * second))
    #expect(!catalog.store.isLockDelayed("given-back") && !catalog.store.isLockDelayed("undelayed"))
  }
}
