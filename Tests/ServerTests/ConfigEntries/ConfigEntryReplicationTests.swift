import Model
import Testing

@testable import Server
@testable import State

/// Config entries of a datacenter that takes them over from another one.
@Suite struct ConfigEntryReplicationTests {
  private static func defaults(_ name: String, _ transport: String = "") -> ConfigEntry {
    var defaults = ServiceDefaults(name: name)
    defaults.protocol = transport
    return ConfigEntry(defaults)
  }

  private static func splitter(_ name: String, to other: String) -> ConfigEntry {
    var splitter = ServiceSplitter(name: name)
    var split = ServiceSplit()
    (split.weight, split.service) = (100, other)
    splitter.splits = [split]
    return ConfigEntry(splitter)
  }

  private static func steps(here: [ConfigEntry], there: [ConfigEntry]) -> [String] {
    ConfigEntryReplicationPlan(here: here, there: there, datacenter: "dc2").changes.map {
      "\($0.op) \($0.entry.kind.rawValue)/\($0.entry.name)"
    }
  }

  @Test func whatOthersBuildOnIsWrittenFirstAndDeletedLast() {
    let entries = [Self.splitter("web", to: "api"), Self.defaults("web", "http"), Self.defaults("api", "http")]
    #expect(
      Self.steps(here: [], there: entries)
        == ["upsert service-defaults/api", "upsert service-defaults/web", "upsert service-splitter/web"])
    #expect(
      Self.steps(here: entries, there: [])
        == ["delete service-splitter/web", "delete service-defaults/web", "delete service-defaults/api"])
    #expect(Self.steps(here: entries, there: entries) == [])
  }

  @Test func whereEntriesCameFromAndWhatBecameOfThemDoesNotCount() {
    var here = Self.defaults("web", "http")
    here.record.common.modifyIndex = 7
    here.record.common.hash = 1
    #expect(Self.steps(here: [here], there: [Self.defaults("WEB", "http")]) == ["upsert service-defaults/WEB"])
    #expect(Self.steps(here: [here], there: [Self.defaults("web", "http")]) == [])
    #expect(Self.steps(here: [here], there: [Self.defaults("web", "grpc")]) == ["upsert service-defaults/web"])
    var route = TCPRoute(name: "r")
    let plain = ConfigEntry(route)
    route.status.conditions = [GatewayCondition()]
    #expect(Self.steps(here: [ConfigEntry(route)], there: [plain]) == [])
    #expect(Self.steps(here: [], there: [ConfigEntry(BoundAPIGateway(name: "gw"))]) == [])
  }

  @Test func entriesFollowThePrimaryAndAreWrittenThere() async throws {
    let pair = try await Federation(41)
    try await pair.first.manage(ConfigEntryApply(Self.defaults("api", "http")))
    try await pair.first.manage(ConfigEntryApply(Self.defaults("web", "http")))
    // Written in the second, stored in the first, from where it comes back.
    try await pair.second.manage(ConfigEntryApply(Self.splitter("web", to: "api")))
    #expect(pair.first.node.store.current.configEntry(.serviceSplitter, "web").value != nil)
    func names() -> [String] {
      pair.second.node.store.current.configEntries(ConfigEntryKind.allCases).value.map { "\($0.kind) \($0.name)" }
    }
    try await eventually {
      names() == ["serviceDefaults api", "serviceDefaults web", "serviceSplitter web"]
    }
    try await pair.second.manage(ConfigEntryDelete(.serviceSplitter, "web"))
    try await pair.first.manage(ConfigEntryDelete(.serviceDefaults, "api"))
    try await eventually { names() == ["serviceDefaults web"] }
    await pair.stop()
  }

  /// What a token may not read, or nobody without one, must not look like what was deleted.
  @Test(arguments: [(42, true), (43, false)])
  func whoMayNotReadEverythingDeletesNothing(_ net: Int, hasToken: Bool) async throws {
    let log = LogLines()
    let pair = try await Federation(net, log: log)
    try await pair.first.manage(ConfigEntryApply(Self.defaults("web", "http")))
    func hasEntry() -> Bool { pair.second.node.store.current.configEntry(.serviceDefaults, "web").value != nil }
    try await eventually { hasEntry() }
    let weak = try await pair.token("service \"other\" { policy = \"read\" } acl = \"read\"")
    pair.second.node.secondary?.replicationToken = hasToken ? weak.secretID : Secret()
    // Ends the query that waits with the token before.
    try await pair.first.manage(ConfigEntryApply(Self.defaults("other", "http")))
    let reason = hasToken ? "may not read all config entries" : "acl.tokens.replication is not set"
    try await eventually { log.lines.contains { $0.contains(reason) } }
    #expect(hasEntry())
    await pair.stop()
  }
}
