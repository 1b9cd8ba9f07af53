import Mesh
import Model
import Testing

@testable import State

/// What a leader does for API gateways, on the state: look, write what follows, look again.
@Suite struct GatewaySettlingTests {
  let catalog = Catalog()

  /// Writes what follows from the entries until nothing does.
  ///
  /// - Returns: how often something was written.
  private func settle(limit: Int = 10) throws -> Int {
    for round in 0..<limit {
      let changes = APIGatewayBinding.changes(in: catalog.state, datacenter: "dc1", now: Timestamp(unixSeconds: 1))
      if changes.isEmpty { return round }
      for change in changes {
        let index = catalog.configEntry(change.kind, change.name)?.modifyIndex ?? 0
        switch change {
        case .put(var entry):
          entry.record.common.modifyIndex = index
          #expect(catalog.write(entry, .upsertStatusIfUnchanged) == .bool(true))
        case .delete(let kind, let name):
          var record = kind.type.init()
          (record.common.name, record.common.modifyIndex) = (name, index)
          #expect(catalog.write(ConfigEntry(record), .deleteIfUnchanged) == .bool(true))
        }
      }
    }
    Issue.record("gateways do not settle")
    return limit
  }

  private func boundRoutes() -> [String]? {
    catalog.state.entry(BoundAPIGateway.self, "gateway")?.listeners.flatMap { $0.routes.map(\.name) }
  }

  @Test func gatewaysAndRoutesSettleAfterEachChange() throws {
    for text in SampleEntries.texts { try catalog.write(text) }
    #expect(try settle() == 1)
    #expect(boundRoutes() == ["http", "tcp"])
    #expect(catalog.state.entry(APIGateway.self, "gateway")?.status.conditions.isEmpty == false)
    #expect(catalog.state.entry(HTTPRoute.self, "http")?.status.conditions.isEmpty == false)
    // A user who writes the same again does not undo what was found out.
    for text in SampleEntries.texts { try catalog.write(text) }
    #expect(try settle() == 0)
    #expect(catalog.delete(.httpRoute, "http") == .done)
    #expect(try settle() > 0)
    #expect(boundRoutes() == ["tcp"])
    #expect(catalog.delete(.apiGateway, "gateway") == .done)
    #expect(try settle() > 0)
    #expect(catalog.state.entries(BoundAPIGateway.self).isEmpty)
    #expect(try settle() == 0)
  }

  @Test func gatewaysStaySettledThroughASnapshot() throws {
    for text in SampleEntries.texts { try catalog.write(text) }
    _ = try settle()
    let copy = try restored(stream(of: catalog.state)).current
    let changes = APIGatewayBinding.changes(in: copy, datacenter: "dc1", now: Timestamp(unixSeconds: 9))
    #expect(changes.isEmpty)
  }

  @Test(.enabled(if: Recorded.isPresent, "the recorded snapshots are not beside the project"))
  func whatTheReferenceSettledStaysAsItIs() throws {
    let state = try restored(Recorded.stream("full")).current
    let changes = APIGatewayBinding.changes(in: state, datacenter: "dc1", now: Timestamp(unixSeconds: 9))
    for change in changes {
      guard case .put(let entry) = change else {
        Issue.record("\(change.kind) \(change.name) would be deleted")
        continue
      }
      let before = state.configEntry(change.kind, change.name).value
      #expect(entry.record.json == before?.record.json)
    }
    #expect(changes.isEmpty)
  }
}
