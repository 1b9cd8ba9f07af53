import Mesh
import Model
import Testing

/// What the API shows can be written again, so that entries can be read, edited and put back.
@Suite struct EntryRoundTripTests {
  static let shown: [String] =
    (ServiceDefaultsRulesTests.normalized + ProxyDefaultsRulesTests.normalized + MeshDefaultsRulesTests.normalized
    + ServiceResolverRulesTests.normalized + ServiceRouterRulesTests.normalized + ServiceSplitterRulesTests.normalized
    + ServiceIntentionsRulesTests.normalized + GatewaysRulesTests.normalized + ExportedServicesRulesTests.normalized
    + APIGatewaysRulesTests.normalized + JWTProvidersRulesTests.normalized).map(\.stored)

  @Test("an entry as it is shown is a body that stores the same", arguments: shown)
  func reads(_ text: String) throws { #expect(try stored(text) == compact(text)) }

  @Test("every kind reads what it writes", arguments: ConfigEntryKind.allCases)
  func readsEmpty(_ kind: ConfigEntryKind) throws {
    var record = kind.type.init()
    if kind != .mesh { record.common.name = "a" }
    record.common.meta["b"] = "c"
    let entry = ConfigEntry(record)
    #expect(try ConfigEntry(body: try json(record.json)) == entry)
  }
}
