import Model
import Testing

@testable import State

@Suite struct PreparedQueryTests {
  private static let first = "11111111-1111-1111-1111-111111111111"
  private static let second = "22222222-2222-2222-2222-222222222222"

  private static func query(
    _ id: String, _ name: String = "", service: String = "web", template: String = "", regexp: String = "",
    session: String = "", tags: [String] = []
  ) -> PreparedQuery {
    var query = PreparedQuery()
    query.id = id
    query.name = name
    query.session = session
    query.template.type = template
    query.template.regexp = regexp
    query.service.service = service
    query.service.tags = tags
    return query
  }

  private static func template(_ id: String, _ name: String, service: String, regexp: String = "") -> PreparedQuery {
    query(id, name, service: service, template: "name_prefix_match", regexp: regexp)
  }

  @discardableResult
  private func put(_ catalog: Catalog, _ query: PreparedQuery, _ op: PreparedQueryOp = .create) -> CommandResult {
    catalog.apply(.preparedQuery(PreparedQueryRequest(op: op, query: query)))
  }

  @Test func queriesAreFoundByIdAndNameWithoutRegardToCase() throws {
    let catalog = Catalog()
    #expect(catalog.raised { put(catalog, Self.query(Self.first, "Web")) } == ["prepared-queries"])
    #expect(try catalog.state.resolvePreparedQuery("wEB")?.id == Self.first)
    #expect(try catalog.state.resolvePreparedQuery(Self.first)?.name == "Web")
    #expect(try catalog.state.resolvePreparedQuery("we") == nil)
    #expect(try catalog.state.resolvePreparedQuery("") == nil)
    put(catalog, Self.query(Self.first, "other"), .update)
    #expect(try catalog.state.resolvePreparedQuery("web") == nil)
    let found = try #require(catalog.state.preparedQuery(Self.first).value)
    #expect(found.value.createIndex == 1 && found.value.modifyIndex == 2)
    #expect(catalog.state.preparedQuery(Self.first).index == 2)
    put(catalog, Self.query(Self.first), .delete)
    #expect(catalog.state.preparedQueries().value.isEmpty && catalog.state.preparedQueries().index == 3)
  }

  @Test func namesThatMeanSomethingElseAreRefused() {
    let catalog = Catalog()
    put(catalog, Self.query(Self.first, "web"))
    #expect(put(catalog, Self.query(Self.second, "WEB")) == .failed("name 'WEB' aliases an existing query name"))
    #expect(
      put(catalog, Self.query(Self.second, Self.first)) == .failed("name '\(Self.first)' aliases an existing query ID"))
    put(catalog, Self.template(Self.first, "", service: "any"), .update)
    #expect(
      put(catalog, Self.template(Self.second, "", service: "any"))
        == .failed("a query template with an empty name already exists"))
    #expect(put(catalog, Self.query(Self.second, session: "x")) == .failed("invalid session \"x\""))
    #expect(catalog.state.preparedQueries().value.count == 1)
  }

  @Test func theTemplateWithTheLongestBeginningAnswers() throws {
    let catalog = Catalog()
    put(catalog, Self.template(Self.first, "geo-", service: "${name.suffix}"))
    put(catalog, Self.template(Self.second, "geo-db-", service: "db-${match(1)}", regexp: "^geo-db-([^-]+)"))
    #expect(try catalog.state.resolvePreparedQuery("geo-web")?.service.service == "web")
    #expect(try catalog.state.resolvePreparedQuery("geo-db-a-b")?.service.service == "db-a")
    #expect(try catalog.state.resolvePreparedQuery("GEO-Web")?.service.service == "Web")
    #expect(try catalog.state.resolvePreparedQuery("ge") == nil)
    put(catalog, Self.query("33333333-3333-3333-3333-333333333333", "geo-db-plain", service: "plain"))
    #expect(try catalog.state.resolvePreparedQuery("geo-db-plain")?.service.service == "plain")
  }

  @Test func everyTextOfTheServiceIsFilledIn() throws {
    let catalog = Catalog()
    var query = Self.template(Self.first, "q-", service: "${name.full}")
    query.template.removeEmptyTags = true
    query.service.tags = ["${match(0)}", "!${name.suffix}"]
    query.service.near = "${name.prefix}"
    query.service.nodeMeta = ["segment": "${agent.segment}"]
    query.service.failover.datacenters = ["${name.suffix}"]
    put(catalog, query)
    let made = try #require(try catalog.state.resolvePreparedQuery("q-x", segment: "s"))
    #expect(made.service.service == "q-x" && made.service.tags == ["!x"] && made.service.near == "q-")
    #expect(made.service.nodeMeta["segment"] == "s" && made.service.failover.datacenters == ["x"])
    #expect(made.name == "q-" && made.id == Self.first)
  }

  @Test(arguments: [
    ("bogus", "", "web", "failed compiling template: Bad Template.Type 'bogus'"),
    (
      "name_prefix_match", "(", "web",
      "failed compiling template: Bad Regexp: error parsing regexp: missing closing ): `(`"
    ),
    (
      "name_prefix_match", "", "${x}",
      "failed compiling template: Bad evaluation for '${x}' in Service.Service: 1:3: unknown variable accessed: x"
    ),
  ])
  func templatesThatMakeNoQueryAreRefused(type: String, regexp: String, service: String, reason: String) {
    let catalog = Catalog()
    let query = Self.query(Self.first, "t", service: service, template: type, regexp: regexp)
    #expect(put(catalog, query) == .failed(reason))
    #expect(catalog.state.preparedQueries().value.isEmpty)
  }

  @Test func queriesEndWithTheirSession() {
    let catalog = Catalog()
    catalog.register("n")
    catalog.session("s")
    put(catalog, Self.query(Self.first, session: "s"))
    put(catalog, Self.query(Self.second, "stays"))
    catalog.endSession("s")
    #expect(catalog.state.preparedQueries().value.map(\.value.id) == [Self.second])
    #expect(catalog.state.preparedQueries().index == catalog.index)
  }

  @Test func queriesSurviveASnapshot() throws {
    let catalog = Catalog()
    put(catalog, Self.template(Self.first, "geo-", service: "${name.suffix}"))
    var bytes: [UInt8] = []
    try catalog.state.write { bytes.append(contentsOf: $0) }
    var decoder = SnapshotDecoder()
    try bytes.withUnsafeBytes { try decoder.consume($0) }
    let restored = try decoder.finish().snapshot
    #expect(try restored.resolvePreparedQuery("geo-web")?.service.service == "web")
    #expect(restored.preparedQueries().index == 1)
  }
}
