import Mesh
import Model
import Testing

@Suite struct IntentionTests {
  // MARK: Entries of tests

  static func source(_ name: String, _ action: String = "allow", peer: String = "", id: String = "") -> SourceIntention
  {
    var source = SourceIntention()
    source.name = name
    source.action = action
    source.peer = peer
    source.legacyID = id
    return source
  }

  /// One that judges by requests.
  static func sourceOfRequests(_ name: String, permissions: Int) -> SourceIntention {
    var source = source(name, "")
    source.permissions = (0..<permissions).map { number in
      var permission = IntentionPermission()
      permission.action = "deny"
      permission.http = IntentionHTTPPermission()
      permission.http?.pathExact = "/\(number)"
      return permission
    }
    return source
  }

  /// As it is stored.
  static func entry(_ destination: String, _ sources: SourceIntention...) throws -> ServiceIntentions {
    var entry = ServiceIntentions(name: destination)
    entry.sources = sources
    return try #require(ConfigEntry(entry).prepared().as(ServiceIntentions.self))
  }

  private func ends(_ intentions: [Intention]) -> [String] {
    intentions.map { "\($0.sourcePeer.isEmpty ? "" : "\($0.sourcePeer)/")\($0.sourceName) > \($0.destinationName)" }
  }

  // MARK: Order

  static let precedences = [("web", "db", 9), ("*", "db", 8), ("web", "*", 6), ("*", "*", 5)]

  @Test("an exact destination counts more than an exact source", arguments: precedences)
  func precedence(source: String, destination: String, expected: Int) throws {
    #expect(SourceIntention.precedence(source: source, destination: destination) == expected)
    let stored = try Self.entry(destination, Self.source(source))
    #expect(stored.sources.map(\.precedence) == [expected])
    #expect(stored.intentions.map(\.precedence) == [expected])
  }

  @Test func `lists are in the order of precedence, then of source, peer and destination`() throws {
    let entries = [
      try Self.entry("*", Self.source("*"), Self.source("web")),
      try Self.entry("db", Self.source("web", peer: "east"), Self.source("web"), Self.source("*"), Self.source("api")),
      try Self.entry("cache", Self.source("web"), Self.source("Web")),
    ]
    let expected = [
      "Web > cache", "api > db", "web > cache", "web > db", "east/web > db", "* > db", "web > *", "* > *",
    ]
    for order in [entries, entries.reversed()] {
      #expect(ends(order.flatMap(\.intentions).inOrder()) == expected)
    }
  }

  // MARK: What an intention says

  @Test func `an intention shows its source and what its entry says`() throws {
    var entry = ServiceIntentions(name: "db")
    entry.common.meta["team"] = "data"
    (entry.common.createIndex, entry.common.modifyIndex) = (3, 5)
    entry.jwt = IntentionJWTRequirement()
    var source = Self.source("web", "deny", peer: "east")
    (source.description, source.samenessGroup, source.type, source.precedence) = ("why", "group", "consul", 9)
    entry.sources = [source]
    let intention = try #require(entry.intentions.first)
    var expected = Intention()
    (expected.sourceName, expected.sourcePeer, expected.sourceSamenessGroup) = ("web", "east", "group")
    (expected.destinationName, expected.action, expected.sourceType) = ("db", "deny", "consul")
    (expected.description, expected.precedence, expected.jwt) = ("why", 9, entry.jwt)
    (expected.meta, expected.createIndex, expected.modifyIndex) = (entry.common.meta, 3, 5)
    #expect(intention == expected)
    #expect(intention.sourceNS == "default" && intention.destinationNS == "default")
  }

  @Test func `an intention of the older endpoints has its own id, notes, times and hash`() throws {
    var entry = ServiceIntentions(name: "db")
    entry.common.meta["entry"] = "1"
    var source = Self.source("web", id: "id-1")
    source.legacyMeta["own"] = "2"
    source.legacyCreateTime = Timestamp(seconds: 100, nanoseconds: 0)
    source.legacyUpdateTime = Timestamp(seconds: 200, nanoseconds: 0)
    entry.sources = [source]
    #expect(entry.isLegacy)
    let intention = try #require(entry.intentions.first)
    #expect(intention.id == "id-1" && intention.meta == ["own": "2"])
    #expect(intention.createdAt == source.legacyCreateTime && intention.updatedAt == source.legacyUpdateTime)
    #expect(intention.hash.bytes.count == 32)
  }

  @Test func `the hash of an intention tells equal content, not equal times`() throws {
    func hash(_ change: (inout SourceIntention) -> Void) -> Bytes? {
      var entry = ServiceIntentions(name: "db")
      entry.common.modifyIndex = 4
      entry.sources = [Self.source("web", id: "id-1")]
      change(&entry.sources[0])
      return entry.intentions.first?.hash
    }
    let original = hash { _ in }
    #expect(hash { $0.legacyUpdateTime = Timestamp(seconds: 9, nanoseconds: 0) } == original)
    for different in [
      hash { $0.action = "deny" }, hash { $0.legacyID = "id-2" }, hash { $0.description = "x" },
      hash { $0.legacyMeta["a"] = "b" }, hash { $0.name = "api" }, hash { $0.precedence = 8 },
    ] {
      #expect(different != nil && different != original)
    }
  }

  @Test func `an entry is one of the older endpoints only if every source is`() throws {
    #expect(try Self.entry("db", Self.source("a", id: "1"), Self.source("b", id: "2")).isLegacy)
    #expect(try !Self.entry("db", Self.source("a", id: "1"), Self.source("b")).isLegacy)
    #expect(!ServiceIntentions(name: "db").isLegacy)
  }

  // MARK: Decisions

  static let concerned: [(intention: (String, String, peer: String), side: IntentionSide, service: String, Bool)] = [
    (("web", "db", ""), .source, "web", true), (("web", "db", ""), .source, "db", false),
    (("web", "db", ""), .destination, "db", true), (("web", "db", ""), .destination, "web", false),
    (("*", "db", ""), .source, "anything", true), (("web", "*", ""), .destination, "anything", true),
    (("web", "*", ""), .destination, "*", true), (("web", "db", ""), .destination, "*", false),
    (("web", "db", ""), .source, "*", false), (("*", "db", ""), .source, "*", true),
    (("web", "db", "east"), .source, "web", false), (("*", "db", "east"), .source, "web", false),
    (("web", "db", "east"), .destination, "db", true), (("web", "*", "east"), .destination, "db", true),
  ]

  @Test("wildcards are about every service; sources at peers are not local ones", arguments: concerned.indices)
  func concerns(place: Int) {
    let (ends, side, service, expected) = Self.concerned[place]
    var intention = Intention()
    (intention.sourceName, intention.destinationName, intention.sourcePeer) = ends
    #expect(intention.concerns(service, as: side) == expected, "\(ends) \(side) \(service)")
  }

  struct Decision: CustomTestStringConvertible, Sendable {
    let source: String
    let destination: String
    let isAllowed: Bool
    let reason: String

    var testDescription: String { "\(source) > \(destination)" }
  }

  static let decisions: [Decision] = [
    Decision(
      source: "web", destination: "db", isAllowed: false,
      reason: "Matched L4 intention: default/web => default/db (Precedence: 9, Action: DENY)"),
    Decision(
      source: "api", destination: "db", isAllowed: true,
      reason: "Matched L4 intention: default/* => default/db (Precedence: 8, Action: ALLOW)"),
    Decision(
      source: "web", destination: "other", isAllowed: true,
      reason: "Matched L4 intention: default/web => default/* (Precedence: 6, Action: ALLOW)"),
    Decision(
      source: "api", destination: "other", isAllowed: false,
      reason: "Matched L4 intention: default/* => default/* (Precedence: 5, Action: DENY)"),
    Decision(
      source: "*", destination: "db", isAllowed: true,
      reason: "Matched L4 intention: default/* => default/db (Precedence: 8, Action: ALLOW)"),
    Decision(
      source: "far", destination: "db", isAllowed: true,
      reason: "Matched L4 intention: default/* => default/db (Precedence: 8, Action: ALLOW)"),
  ]

  @Test("the most exact intention decides", arguments: decisions, [true, false])
  func decides(_ row: Decision, allowsByDefault: Bool) throws {
    let all = try [
      Self.entry("*", Self.source("*", "deny"), Self.source("web", "allow")),
      Self.entry("db", Self.source("*", "allow"), Self.source("web", "deny"), Self.source("far", "deny", peer: "east")),
    ].flatMap(\.intentions)
    let intentions = all.filter { $0.concerns(row.destination, as: .destination) }.inOrder()
    let decision = IntentionDecision(source: row.source, among: intentions, allowsByDefault: allowsByDefault)
    #expect(decision.isAllowed == row.isAllowed)
    #expect(decision.reason == row.reason)
  }

  @Test("where nothing is said the default decides", arguments: [true, false])
  func defaultDecides(allowsByDefault: Bool) throws {
    // What is said of callers at a peer says nothing of local ones.
    let intentions = try Self.entry("db", Self.source("web", peer: "east"), Self.source("*", "deny", peer: "west"))
      .intentions
    for list in [[], intentions] {
      let decision = IntentionDecision(source: "web", among: list, allowsByDefault: allowsByDefault)
      #expect(decision.isAllowed == allowsByDefault && decision.intention == nil)
      #expect(decision.reason == "Default behavior configured by ACLs")
    }
  }

  @Test("where it depends on requests, the asker says what to take it for", arguments: [true, false])
  func permissionsDecide(allowsPermissions: Bool) throws {
    let intentions = try Self.entry("db", Self.sourceOfRequests("web", permissions: 2), Self.source("*", "deny"))
      .intentions
    let decision = IntentionDecision(
      source: "web", among: intentions, allowsByDefault: !allowsPermissions, allowsPermissions: allowsPermissions)
    #expect(decision.isAllowed == allowsPermissions)
    #expect(
      decision.reason == "Matched L7 intention: default/web => default/db (Precedence: 9, Permissions: 2)")
    #expect(!IntentionDecision(source: "web", among: intentions, allowsByDefault: true).isAllowed)
  }
}
