import Model
import Synchronization
import Testing

@testable import State

private final class Wakes: Sendable {
  private let counts = Mutex((normal: 0, restored: 0))
  var count: Int { counts.withLock { $0.normal } }
  var restoredCount: Int { counts.withLock { $0.restored } }
  func note(_ restored: Bool) {
    counts.withLock { if restored { $0.restored += 1 } else { $0.normal += 1 } }
  }
}

@Suite struct WatchTests {
  let catalog = Catalog()

  init() {
    catalog.register("n1", service: service("web"), checks: [check("web", service: "web"), check("node")])
    catalog.register("n2", service: service("api"), checks: [check("api", service: "api")])
    catalog.register("n2", service: service("web-proxy", kind: ServiceKind.connectProxy, destination: "web"))
    catalog.session("s1", node: "n1")
    for key in ["a", "conf/a", "conf/b", "conf/sub/x", "other"] { catalog.kv(.set, key, "1") }
  }

  /// How often a watch of `points` wakes during `write`: 0 or 1.
  private func wakes(_ points: [WatchPoint], _ write: () -> Void) -> Int {
    let wakes = Wakes()
    let state = catalog.state
    let watch = catalog.store.register(points, seen: state) { wakes.note($0) }
    #expect(watch != nil)
    write()
    if let watch { catalog.store.cancel(watch) }
    #expect(catalog.store.watchCount == 0)
    return wakes.count
  }

  /// Named queries, for tables.
  static let queries: [(name: String, points: @Sendable (StateSnapshot) -> [WatchPoint])] = [
    ("key a", { $0.kvEntry("a").watch }), ("key never", { $0.kvEntry("never").watch }),
    ("list conf/", { $0.kvEntries(prefix: "conf/").watch }),
    ("keys conf/sub/", { $0.kvKeys(prefix: "conf/sub/", separator: "/").watch }),
    ("list all", { $0.kvEntries(prefix: "").watch }), ("nodes", { $0.nodes().watch }),
    ("services", { $0.services().watch }), ("node n1", { $0.nodeServices("n1").watch }),
    ("node new", { $0.nodeServices("new").watch }), ("service web", { $0.healthServiceNodes("web").watch }),
    ("service new", { $0.serviceNodes("new").watch }), ("connect web", { $0.connectServiceNodes("web").watch }),
    ("checks of web", { $0.checks(service: "web").watch }), ("checks of n2", { $0.checks(node: "n2").watch }),
    ("critical", { $0.checks(state: "critical").watch }), ("any", { $0.checks(state: "any").watch }),
    ("passing", { $0.checks(state: "passing").watch }),
    ("session s1", { $0.session("s1").watch }), ("sessions", { $0.sessions().watch }),
    ("sessions of n2", { $0.sessions(node: "n2").watch }), ("coordinates", { $0.coordinates().watch }),
  ]

  static let writes: [(name: String, write: @Sendable (Catalog) -> Void, wakes: Set<String>)] = [
    ("set a", { $0.kv(.set, "a", "2") }, ["key a", "list all"]),
    ("set equal", { $0.kv(.set, "a", "1") }, []),
    ("lost cas", { $0.kv(.cas, "a", "2", modifyIndex: 1) }, []),
    ("set a/child", { $0.kv(.set, "a/child", "2") }, ["list all"]),
    ("set conf/sub/y", { $0.kv(.set, "conf/sub/y", "2") }, ["list conf/", "keys conf/sub/", "list all"]),
    ("set conf", { $0.kv(.set, "conf", "2") }, ["list all"]),
    ("delete conf/a", { $0.kv(.delete, "conf/a") }, ["list conf/", "list all"]),
    ("delete tree conf/", { $0.kv(.deleteTree, "conf/") }, ["list conf/", "keys conf/sub/", "list all"]),
    ("delete tree conf/sub/x", { $0.kv(.deleteTree, "conf/sub/x") }, ["list conf/", "keys conf/sub/", "list all"]),
    ("delete tree con", { $0.kv(.deleteTree, "con") }, ["list conf/", "keys conf/sub/", "list all"]),
    ("delete tree none", { $0.kv(.deleteTree, "never") }, []),
    ("delete all", { $0.kv(.deleteTree, "") }, ["key a", "list conf/", "keys conf/sub/", "list all"]),
    ("new node", { $0.register("new") }, ["nodes", "node new"]),
    ("new service", { $0.register("n1", service: service("new")) }, ["services", "node n1", "service new"]),
    (
      "check of web", { $0.register("n1", checks: [check("web", .warning, service: "web")]) },
      ["service web", "checks of web", "any", "passing"]
    ),
    (
      "check of api", { $0.register("n2", checks: [check("api", .critical, service: "api")]) },
      ["checks of n2", "critical", "any", "passing"]
    ),
    (
      "node check of n1", { $0.register("n1", checks: [check("node", .critical)]) },
      ["service web", "checks of web", "critical", "any", "passing"]
    ),
    ("equal check", { $0.register("n1", checks: [check("node")]) }, []),
    ("node changed", { $0.register("n2", address: "192.0.2.9") }, ["nodes", "connect web"]),
    (
      "proxy changed",
      { $0.register("n2", service: service("web-proxy", kind: ServiceKind.connectProxy, port: 1, destination: "web")) },
      ["services", "connect web"]
    ),
    (
      "proxy moved away",
      { $0.register("n2", service: service("web-proxy", kind: ServiceKind.connectProxy, destination: "api")) },
      ["services", "connect web"]
    ),
    (
      "service gone", { $0.deregister("n1", service: "web") },
      ["services", "node n1", "service web", "checks of web", "any", "passing"]
    ),
    ("session created", { $0.session("s2", node: "n2") }, ["sessions", "sessions of n2"]),
    ("session destroyed", { $0.endSession("s1") }, ["session s1", "sessions"]),
    ("ignored", { $0.apply(.ignored(type: 41)) }, []),
  ]

  @Test(arguments: writes.indices) func eachWriteWakesExactlyThoseWhoseAnswerItMayChange(place: Int) {
    let (name, write, expected) = Self.writes[place]
    let state = catalog.state
    var woken: Set<String> = []
    var watches: [(name: String, wakes: Wakes)] = []
    for query in Self.queries {
      let wakes = Wakes()
      watches.append((query.name, wakes))
      #expect(catalog.store.register(query.points(state), seen: state) { wakes.note($0) } != nil)
    }
    write(catalog)
    for watch in watches where watch.wakes.count > 0 {
      #expect(watch.wakes.count == 1)
      woken.insert(watch.name)
    }
    #expect(woken == expected, "\(name)")
    #expect(catalog.store.watchCount == Self.queries.count - expected.count)
  }

  @Test(arguments: writes.indices) func aChangeBetweenLookingAndWaitingIsNotMissed(place: Int) {
    let (name, write, expected) = Self.writes[place]
    let seen = catalog.state
    write(catalog)
    for query in Self.queries where expected.contains(query.name) {
      #expect(catalog.store.register(query.points(seen), seen: seen) { _ in } == nil, "\(name) \(query.name)")
    }
    #expect(catalog.store.watchCount == 0)
  }

  @Test func aWatchWakesOnceForSeveralChangesOfOneTransaction() {
    let points: [WatchPoint] = [.key("a"), .keyPrefix("a"), .keyPrefix(""), .index("kvs")]
    let count = wakes(points) {
      catalog.store.write { transaction in
        transaction.index = 99
        for key in ["a", "ab", "a"] {
          transaction.deleteKey(key)
          var entry = KVEntry()
          entry.key = key
          transaction.setKey(entry)
        }
      }
    }
    #expect(count == 1)
  }

  @Test func aCancelledWatchDoesNotWake() {
    let wakes = Wakes()
    let watch = catalog.store.register([.key("a"), .nodes], seen: catalog.state) { wakes.note($0) }
    if let watch {
      catalog.store.cancel(watch)
      catalog.store.cancel(watch)
    }
    catalog.kv(.set, "a", "2")
    catalog.register("new")
    #expect(wakes.count == 0 && catalog.store.watchCount == 0)
  }

  @Test func aWakeSeesTheNewVersionAndMayWriteAndWaitAgain() {
    let wakes = Wakes()
    let store = catalog.store
    let watch = store.register([.key("a")], seen: store.current) { restored in
      wakes.note(restored)
      #expect(store.current.kvEntry("a").value?.value.value.bytes == Array("2".utf8))
      store.write { $0.deleteKey("other") }
      #expect(store.register([.key("a")], seen: store.current) { wakes.note($0) } != nil)
    }
    #expect(watch != nil)
    catalog.kv(.set, "a", "2")
    #expect(wakes.count == 1 && store.watchCount == 1)
  }

  @Test func concurrentWritersAndWaitersLoseNoWake() async {
    let store = catalog.store
    // Each waiter must see the counter reach its end; a lost wake would leave it waiting for ever.
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          var seen: UInt64 = 0
          while seen < 1300 {
            let state = store.current
            seen = state.kvEntry("counter").index
            if seen >= 1300 { return }
            await withCheckedContinuation { continuation in
              let watch = store.register([.key("counter")], seen: state) { _ in continuation.resume() }
              if watch == nil { continuation.resume() }
            }
          }
        }
      }
      group.addTask {
        for index in UInt64(1000)...1300 {
          var entry = KVEntry()
          entry.key = "counter"
          entry.flags = index
          store.apply(index: index, .kvs(KVSRequest(op: .set, entry: entry)))
        }
      }
    }
    #expect(store.watchCount == 0)
  }
}
