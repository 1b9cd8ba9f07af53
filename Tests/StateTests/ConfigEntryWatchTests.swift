import Mesh
import Model
import Synchronization
import Testing

@testable import State

@Suite struct ConfigEntryWatchTests {
  let catalog = Catalog()

  init() throws {
    for name in ["web", "db"] { catalog.write(defaults(name, "http")) }
    catalog.write(splitter("web"))
    for (source, destination) in [("web", "db"), ("api", "cache"), ("*", "*")] {
      catalog.intention(.upsert, source, destination, value: intentionSource(source))
    }
  }

  static let queries: [(name: String, points: @Sendable (StateSnapshot) -> [WatchPoint])] = [
    ("defaults web", { $0.configEntry(.serviceDefaults, "web").watch }),
    ("defaults WEB", { $0.configEntry(.serviceDefaults, "WEB").watch }),
    ("defaults new", { $0.configEntry(.serviceDefaults, "new").watch }),
    ("splitter web", { $0.configEntry(.serviceSplitter, "web").watch }),
    ("all defaults", { $0.configEntries([.serviceDefaults]).watch }),
    ("all routers", { $0.configEntries([.serviceRouter]).watch }),
    ("defaults and splitters", { $0.configEntries([.serviceDefaults, .serviceSplitter]).watch }),
    ("intentions", { $0.intentions().watch }),
    ("to db", { $0.intentions(about: "db", as: .destination).watch }),
    ("to cache", { $0.intentions(about: "cache", as: .destination).watch }),
    ("from web", { $0.intentions(about: "web", as: .source).watch }),
    ("web to db", { $0.intention(source: "web", destination: "db").watch }),
    ("web to new", { $0.intention(source: "web", destination: "new").watch }),
    ("by id", { $0.intention(id: "id-1").watch }),
  ]

  private static let ofAll: Set<String> = ["all defaults", "defaults and splitters"]
  private static let ofIntentions: Set<String> = ["intentions", "from web", "by id"]

  static let writes: [(name: String, write: @Sendable (Catalog) -> Void, wakes: Set<String>)] = [
    ("changed", { $0.write(defaults("web", "grpc")) }, ofAll.union(["defaults web", "defaults WEB"])),
    ("another one", { $0.write(defaults("db", "grpc")) }, ofAll),
    ("a name that begins alike", { $0.write(defaults("web-2", "grpc")) }, ofAll),
    ("a new one", { $0.write(defaults("New", "grpc")) }, ofAll.union(["defaults new"])),
    ("deleted", { $0.delete(.serviceDefaults, "DB") }, ofAll),
    ("another kind", { $0.delete(.serviceSplitter, "web") }, ["splitter web", "defaults and splitters"]),
    ("the same again", { $0.write(defaults("web", "http")) }, []),
    ("what does not exist", { $0.delete(.serviceDefaults, "none") }, []),
    ("a lost comparison", { $0.write(defaults("web", "grpc"), .upsertIfUnchanged) }, []),
    ("a refusal", { $0.write(defaults("web", "tcp")) }, []),
    (
      "an intention", { $0.intention(.upsert, "x", "db", value: intentionSource("x")) },
      ofIntentions.union(["to db", "web to db"])
    ),
    ("the same intention", { $0.intention(.upsert, "web", "db", value: intentionSource("web")) }, []),
    ("the last intention", { $0.intention(.delete, "web", "db") }, ofIntentions.union(["to db", "web to db"])),
    (
      "a first intention", { $0.intention(.upsert, "web", "new", value: intentionSource("web")) },
      ofIntentions.union(["web to new"])
    ),
    (
      "an intention about all destinations", { $0.intention(.delete, "*", "*") },
      ofIntentions.union(["to db", "to cache"])
    ),
    ("no intention", { $0.intention(.delete, "x", "db") }, []),
    ("a key", { $0.kv(.set, "a", "1") }, []),
  ]

  @Test(arguments: writes.indices) func eachWriteWakesExactlyThoseWhoseAnswerItMayChange(place: Int) {
    let (name, write, expected) = Self.writes[place]
    let state = catalog.state
    let woken = Woken()
    for query in Self.queries {
      let watch = catalog.store.register(query.points(state), seen: state) { _ in
        woken.names.withLock { $0.append(query.name) }
      }
      #expect(watch != nil, "\(query.name)")
    }
    write(catalog)
    let names = woken.names.withLock { $0 }
    #expect(Set(names) == expected && names.count == expected.count, "\(name): \(names)")
    #expect(catalog.store.watchCount == Self.queries.count - expected.count)
    // A change between looking and waiting is not missed, either.
    for query in Self.queries {
      let watch = catalog.store.register(query.points(state), seen: state) { _ in }
      #expect((watch == nil) == expected.contains(query.name), "\(name): \(query.name)")
    }
  }

  private final class Woken: Sendable {
    let names = Mutex<[String]>([])
  }
}
