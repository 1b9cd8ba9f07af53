import Mesh
import Model
import Testing

@testable import State

@Suite struct IntentionStateTests {
  let catalog = Catalog()

  private func entry(_ destination: String) -> ServiceIntentions? {
    catalog.state.entry(ServiceIntentions.self, destination)
  }

  private func ends(_ intentions: [Intention]) -> [String] {
    intentions.map { "\($0.sourcePeer.isEmpty ? "" : "\($0.sourcePeer)/")\($0.sourceName) > \($0.destinationName)" }
  }

  // MARK: Both ways

  @Test func intentionsAndConfigEntriesAreTheSameThing() throws {
    try catalog.write(
      #"""
      {"Kind": "service-intentions", "Name": "db", "Meta": {"a": "b"},
      "Sources": [{"Name": "web", "Action": "allow"}]}
      """#
    )
    #expect(catalog.intention(.upsert, "api", "db", value: intentionSource("api", "deny")) == .done)
    let stored = try #require(entry("db"))
    #expect(stored.sources.map(\.name) == ["web", "api"] && stored.sources.map(\.action) == ["allow", "deny"])
    #expect(stored.sources.map(\.precedence) == [9, 9] && stored.sources.map(\.type) == ["consul", "consul"])
    #expect(stored.meta == ["a": "b"] && stored.common.createIndex == 1 && stored.common.modifyIndex == 2)
    #expect(catalog.state.intention(source: "web", destination: "db").value?.action == "allow")
    #expect(catalog.state.intention(source: "api", destination: "db").value?.action == "deny")
    #expect(catalog.intention(.delete, "web", "db") == .done)
    #expect(entry("db")?.sources.map(\.name) == ["api"])
  }

  @Test func bothWaysMakeTheSameEntry() throws {
    let other = Catalog()
    other.intention(.upsert, "*", "db", value: intentionSource("*", "deny"))
    other.intention(.upsert, "web", "db", value: intentionSource("web"))
    let text =
      #"""
      {"Kind": "service-intentions", "Name": "db",
      "Sources": [{"Name": "*", "Action": "deny"}, {"Name": "web", "Action": "allow"}]}
      """#
    catalog.kv(.set, "other", "1")
    try catalog.write(text)
    var expected = try #require(entry("db"))
    expected.common.createIndex = 1
    #expect(other.state.entry(ServiceIntentions.self, "db") == expected)
    #expect(expected.sources.map(\.name) == ["web", "*"])
    let again = try SampleEntries.entry(text)
    #expect(other.raised { other.write(again) } == [])
  }

  @Test func theLastIntentionTakesItsEntryWithIt() {
    catalog.intention(.upsert, "web", "db", value: intentionSource("web"))
    #expect(catalog.raised { catalog.intention(.delete, "web", "db") } == ["config-entries"])
    #expect(catalog.entries.isEmpty)
    #expect(catalog.raised { catalog.intention(.delete, "web", "db") } == [])
    #expect(catalog.state.intentions().value.isEmpty)
  }

  @Test func writingTheSameIntentionAgainChangesNothing() {
    catalog.intention(.upsert, "web", "db", value: intentionSource("web"))
    #expect(catalog.raised { catalog.intention(.upsert, "web", "db", value: intentionSource("web")) } == [])
    #expect(entry("db")?.common.modifyIndex == 1)
  }

  // MARK: Refusals

  static let refusals: [(op: IntentionOp, id: String, value: SourceIntention?, text: String)] = [
    (.create, "", intentionSource("web", "deny"), "Sources[1] defines \"web\" more than once"),
    (.upsert, "", intentionSource("api", "maybe"), "Sources[1].Action must be set to 'allow' or 'deny'"),
    (.upsert, "", intentionSource(""), "Sources[1].Name is required"),
    (
      .upsert, "", intentionSource("a*"),
      "Sources[1].Name: wildcard character '*' cannot be used with partial values"
    ),
    (.upsert, "", nil, "Intention mutation has no value"),
    (.update, "none", intentionSource("web"), "Cannot modify non-existent intention: 'none'"),
  ]

  @Test(arguments: refusals.indices) func refusedChangesLeaveTheStateAsItWas(place: Int) {
    let (op, id, value, text) = Self.refusals[place]
    catalog.intention(.upsert, "web", "db", value: intentionSource("web"))
    let (before, indexes) = (catalog.entries, catalog.indexes)
    #expect(catalog.intention(op, "web", "db", id: id, value: value) == .failed(text))
    #expect(catalog.entries == before && catalog.indexes == indexes)
  }

  @Test func permissionsNeedAServiceThatHasRequests() {
    var source = intentionSource("web", "")
    var permission = IntentionPermission()
    (permission.action, permission.http) = ("allow", IntentionHTTPPermission())
    permission.http?.pathPrefix = "/"
    source.permissions = [permission]
    let text = "service \"db\" has protocol \"tcp\", which is incompatible with L7 intentions permissions"
    #expect(catalog.intention(.upsert, "web", "db", value: source) == .failed(text))
    catalog.write(defaults("db", "http"))
    #expect(catalog.intention(.upsert, "web", "db", value: source) == .done)
    #expect(catalog.delete(.serviceDefaults, "db") == .failed(text))
    #expect(catalog.intention(.delete, "web", "db") == .done)
    #expect(catalog.delete(.serviceDefaults, "db") == .done)
  }

  @Test func commandsOfOldMigrationsChangeNothing() {
    catalog.intention(.upsert, "web", "db", value: intentionSource("web"))
    var request = IntentionRequest()
    let raised = catalog.raised {
      request.op = "delete-all"
      #expect(catalog.apply(.intention(request)) == .done)
      // What servers wrote before config entries held intentions.
      (request.op, request.intention) = ("create", Intention())
      #expect(catalog.apply(.intention(request)) == .done)
      request.op = "jump"
      #expect(catalog.apply(.intention(request)) == .failed("Invalid Intention operation 'jump'"))
    }
    #expect(raised == [] && catalog.entries.count == 1)
  }

  // MARK: The older endpoints

  @Test func intentionsOfTheOlderEndpointsAreFoundByTheirIDs() throws {
    catalog.intention(.create, "web", "db", value: intentionSource("web", id: "id-1"))
    catalog.intention(.create, "api", "db", value: intentionSource("api", id: "id-2"))
    #expect(catalog.state.intention(id: "id-2").value?.sourceName == "api")
    #expect(catalog.state.intention(id: "").value == nil && catalog.state.intention(id: "id").value == nil)
    // Its own name may change.
    #expect(
      catalog.intention(.update, "zz", "db", id: "id-2", value: intentionSource("zz", "deny", id: "id-2")) == .done)
    #expect(catalog.state.intention(id: "id-2").value?.sourceName == "zz")
    #expect(entry("db")?.sources.map(\.name) == ["web", "zz"] && entry("db")?.isLegacy == true)
    #expect(catalog.intention(.delete, id: "id-1") == .done)
    #expect(catalog.state.intention(id: "id-1").value == nil)
    #expect(catalog.intention(.delete, id: "id-2") == .done)
    #expect(catalog.entries.isEmpty)
    #expect(catalog.raised { catalog.intention(.delete, id: "id-2") } == [])
  }

  @Test func twoEntriesWithTheSameIDAreFoundInTheSameOrderEverywhere() throws {
    func put(_ destination: String, _ description: String) {
      var entry = ServiceIntentions(name: destination)
      entry.sources = [intentionSource("web", id: "id-1")]
      entry.sources[0].description = description
      catalog.write(ConfigEntry(entry))
    }
    for (destination, description) in [("a", "1"), ("b", "1"), ("a", "2")] { put(destination, description) }
    for destination in ["a", "b"] {
      let copy = try restored(stream(of: catalog.state))
      #expect(catalog.state.intention(id: "id-1").value?.destinationName == destination)
      #expect(copy.current.intention(id: "id-1").value?.destinationName == destination)
      #expect(catalog.intention(.delete, id: "id-1") == .done)
    }
    #expect(catalog.state.intention(id: "id-1").value == nil && catalog.entries.isEmpty)
  }

  @Test func anEntryThatUsersWriteForgetsTheIDs() throws {
    catalog.intention(.create, "web", "db", value: intentionSource("web", id: "id-1"))
    try catalog.write(#"{"Kind": "service-intentions", "Name": "db", "Sources": [{"Name": "web", "Action": "deny"}]}"#)
    #expect(catalog.state.intention(id: "id-1").value == nil)
    #expect(catalog.state.intention(source: "web", destination: "db").value?.id == "")
    catalog.intention(.create, "api", "cache", value: intentionSource("api", id: "id-3"))
    #expect(catalog.delete(.serviceIntentions, "cache") == .done)
    #expect(catalog.state.intention(id: "id-3").value == nil)
  }

  // MARK: Queries

  private func writeSome() throws {
    for text in [
      #"""
      {"Kind": "service-intentions", "Name": "*",
      "Sources": [{"Name": "*", "Action": "deny"}, {"Name": "web", "Action": "allow"}]}
      """#,
      #"""
      {"Kind": "service-intentions", "Name": "db", "Sources": [{"Name": "*", "Action": "allow"},
      {"Name": "web", "Action": "deny"}, {"Name": "web", "Action": "deny", "Peer": "east"},
      {"Name": "api", "Action": "allow"}]}
      """#,
      #"{"Kind": "service-intentions", "Name": "cache", "Sources": [{"Name": "web", "Action": "allow"}]}"#,
    ] { try catalog.write(text) }
  }

  static let questions: [(service: String, side: IntentionSide, answer: [String])] = [
    ("db", .destination, ["api > db", "web > db", "east/web > db", "* > db", "web > *", "* > *"]),
    ("unknown", .destination, ["web > *", "* > *"]), ("*", .destination, ["web > *", "* > *"]),
    ("web", .source, ["web > cache", "web > db", "* > db", "web > *", "* > *"]),
    ("api", .source, ["api > db", "* > db", "* > *"]), ("*", .source, ["* > db", "* > *"]),
  ]

  @Test(arguments: questions.indices) func intentionsAboutAServiceAreListedInTheOrderOfDecisions(place: Int) throws {
    let (service, side, answer) = Self.questions[place]
    try writeSome()
    let found = catalog.state.intentions(about: service, as: side)
    #expect(ends(found.value) == answer && found.index == 3)
  }

  @Test func allIntentionsAreListedInTheOrderOfDecisions() throws {
    #expect(catalog.state.intentions().value.isEmpty)
    try writeSome()
    let all = catalog.state.intentions()
    let expected = [
      "api > db", "web > cache", "web > db", "east/web > db", "* > db", "web > *", "* > *",
    ]
    #expect(ends(all.value) == expected && all.index == 3)
    #expect(all.value.map(\.createIndex) == [2, 3, 2, 2, 2, 1, 1])
  }

  @Test func anIntentionIsFoundByItsEndsAsTheyAreWritten() throws {
    try writeSome()
    #expect(catalog.state.intention(source: "web", destination: "*").value?.precedence == 6)
    #expect(catalog.state.intention(source: "*", destination: "cache").value == nil)
    #expect(catalog.state.intention(source: "x", destination: "db").value == nil)
    try catalog.write(
      #"{"Kind": "service-intentions", "Name": "far", "Sources": [{"Name": "web", "Action": "allow", "Peer": "east"}]}"#
    )
    #expect(catalog.state.intention(source: "web", destination: "far").value == nil)
  }

  @Test func whatAChangeWouldMakeIsToldWithoutMakingIt() throws {
    var mutation = IntentionMutation()
    (mutation.destination, mutation.source) = (ServiceName("db"), ServiceName("web"))
    mutation.value = intentionSource("web")
    guard case .write(let entry) = try catalog.state.outcome(of: .upsert, mutation) else {
      Issue.record("no entry would be written")
      return
    }
    #expect(entry.sources.map(\.precedence) == [9] && entry.common.hash != 0)
    #expect(catalog.entries.isEmpty)
    mutation.value = intentionSource("web", "maybe")
    #expect(throws: ConfigEntryError.self) { try catalog.state.outcome(of: .upsert, mutation) }
  }
}
