import Mesh
import Model
import Testing

@testable import State

@Suite struct ConfigEntryTests {
  let catalog = Catalog()

  // MARK: Writing

  @Test func anEntryKeepsWhenItWasMadeAndTellsWhenItChanged() throws {
    catalog.kv(.set, "other", "1")
    #expect(catalog.write(defaults("web", "http")) == .bool(true))
    let first = try #require(catalog.configEntry(.serviceDefaults, "web")?.record.common)
    #expect(first.createIndex == 2 && first.modifyIndex == 2 && first.hash != 0)
    catalog.kv(.set, "other", "2")
    #expect(catalog.write(defaults("web", "grpc")) == .bool(true))
    let second = try #require(catalog.configEntry(.serviceDefaults, "web")?.record.common)
    #expect(second.createIndex == 2 && second.modifyIndex == 4 && second.hash != first.hash)
    #expect(catalog.state.configEntry(.serviceDefaults, "web").index == 4)
  }

  @Test func onlyTheIndexOfConfigEntriesIsRaised() throws {
    let entry = ConfigEntry(MeshDefaults())
    #expect(catalog.raised { catalog.write(entry) } == ["config-entries"])
    #expect(catalog.raised { catalog.delete(.mesh, "mesh") } == ["config-entries"])
    #expect(catalog.raised { catalog.delete(.mesh, "mesh") } == [])
  }

  @Test func aServiceHasAVirtualAddressAsLongAsAnEntrySaysHowItIsReached() throws {
    let address = { catalog.state.virtualAddress(of: "web").value }
    #expect(catalog.raised { catalog.write(defaults("web", "http")) } == ["config-entries", "service-virtual-ips"])
    let first = try #require(address())
    #expect(catalog.raised { catalog.write(splitter("web")) } == ["config-entries"])
    #expect(address() == first)
    // A refused change does not take it away, nor does one of another service.
    #expect(catalog.delete(.serviceDefaults, "web") != .done)
    catalog.write(defaults("db"))
    #expect(address() == first && catalog.state.virtualAddress(of: "db").value != first)
    #expect(catalog.delete(.serviceSplitter, "WEB") == .done)
    #expect(address() == first)
    #expect(catalog.delete(.serviceDefaults, "WEB") == .done)
    #expect(address() == nil)
    // What was given back is given to the next.
    catalog.write(defaults("api"))
    #expect(catalog.state.virtualAddress(of: "api").value == first)
  }

  @Test func onlyEntriesThatSayHowAServiceIsReachedGiveItAnAddress() throws {
    let reaching: Set<ConfigEntryKind> = [.serviceDefaults, .serviceResolver, .serviceSplitter, .serviceRouter]
    for entry in try SampleEntries.all() {
      let before = catalog.state.tables.virtualIPs.count
      let isNew = catalog.state.virtualAddress(of: entry.name).value == nil
      catalog.write(entry)
      let count = reaching.contains(entry.kind) && isNew ? 1 : 0
      #expect(catalog.state.tables.virtualIPs.count == before + count, "\(entry.kind) \(entry.name)")
    }
    for entry in try SampleEntries.all().reversed() { catalog.delete(entry.kind, entry.name) }
    #expect(catalog.state.tables.virtualIPs.count == 0)
  }

  @Test func anInstanceInTheMeshKeepsTheAddressOfItsService() throws {
    catalog.write(defaults("web"))
    let first = try #require(catalog.state.virtualAddress(of: "web").value)
    catalog.register("n", service: service("web", native: true))
    catalog.delete(.serviceDefaults, "web")
    #expect(catalog.state.virtualAddress(of: "web").value == first)
    catalog.write(defaults("web"))
    catalog.deregister("n", service: "web")
    #expect(catalog.state.virtualAddress(of: "web").value == first)
    catalog.delete(.serviceDefaults, "web")
    #expect(catalog.state.virtualAddress(of: "web").value == nil)
  }

  @Test func entriesOfAllKindsCanBeWrittenReadAndDeleted() throws {
    let entries = try SampleEntries.all()
    #expect(Set(entries.map(\.kind)) == Set(ConfigEntryKind.allCases))
    for entry in entries {
      #expect(catalog.write(entry) == .bool(true), "\(entry.kind) \(entry.name)")
      var expected = entry.hashed()
      expected.record.common.createIndex = catalog.index
      expected.record.common.modifyIndex = catalog.index
      #expect(catalog.configEntry(entry.kind, entry.name) == expected)
    }
    for entry in entries.reversed() {
      #expect(catalog.delete(entry.kind, entry.name) == .done, "\(entry.kind) \(entry.name)")
      #expect(catalog.configEntry(entry.kind, entry.name) == nil)
    }
    #expect(catalog.entries.isEmpty)
  }

  @Test func writingWhatIsThereChangesNothing() throws {
    for entry in try SampleEntries.all() { catalog.write(entry) }
    let before = catalog.entries
    for entry in try SampleEntries.all() {
      var again = entry
      // What writers say of its history does not count.
      again.record.common.modifyIndex = 999
      again.record.common.createIndex = 998
      again.record.common.hash = 997
      var result = CommandResult.done
      #expect(catalog.raised { result = catalog.write(again) } == [], "\(entry.kind)")
      #expect(result == .bool(true))
    }
    #expect(catalog.entries == before)
  }

  @Test func anEntryOfAnotherServerWithAHashOfItsOwnIsNotChangedByWritingItAgain() throws {
    var entry = defaults("web", "http")
    (entry.record.common.hash, entry.record.common.createIndex, entry.record.common.modifyIndex) = (77, 5, 6)
    catalog.store.write { $0.store(entry) }
    #expect(catalog.raised { catalog.write(defaults("web", "http")) } == [])
    #expect(catalog.configEntry(.serviceDefaults, "web") == entry)
    catalog.write(defaults("web", "grpc"))
    #expect(catalog.configEntry(.serviceDefaults, "web")?.record.common.createIndex == 5)
  }

  @Test func boundGatewaysHaveNoHash() throws {
    catalog.write(ConfigEntry(BoundAPIGateway(name: "gw")))
    #expect(catalog.configEntry(.boundAPIGateway, "gw")?.record.common.hash == 0)
  }

  @Test func unknownOperationsFailWithoutEffect() {
    var request = ConfigEntryRequest(.upsert, defaults("web"))
    request.op = "jump"
    #expect(catalog.apply(.configEntry(request)) == .failed("Invalid config entry operation 'jump'"))
    #expect(catalog.indexes.isEmpty && catalog.entries.isEmpty)
  }

  // MARK: Only if unchanged

  struct Comparison: CustomTestStringConvertible, Sendable {
    let op: ConfigEntryOp
    /// Whether there is an entry, with index 1.
    let exists: Bool
    let index: UInt64
    let succeeds: Bool
    var testDescription: String { "\(op.rawValue) \(index) \(exists ? "of 1" : "of none")" }
  }

  static let comparisons: [Comparison] =
    [ConfigEntryOp.upsertIfUnchanged, .upsertStatusIfUnchanged].flatMap { op in
      [
        Comparison(op: op, exists: true, index: 1, succeeds: true),
        Comparison(op: op, exists: true, index: 0, succeeds: false),
        Comparison(op: op, exists: true, index: 2, succeeds: false),
        Comparison(op: op, exists: false, index: 0, succeeds: true),
        Comparison(op: op, exists: false, index: 1, succeeds: false),
      ]
    } + [
      Comparison(op: .deleteIfUnchanged, exists: true, index: 1, succeeds: true),
      Comparison(op: .deleteIfUnchanged, exists: true, index: 0, succeeds: false),
      Comparison(op: .deleteIfUnchanged, exists: true, index: 2, succeeds: false),
      // What somebody wants to be gone is gone.
      Comparison(op: .deleteIfUnchanged, exists: false, index: 3, succeeds: true),
    ]

  @Test(arguments: comparisons) func conditionalWritesCompareTheModifyIndex(row: Comparison) {
    if row.exists { catalog.write(defaults("web", "http")) } else { catalog.kv(.set, "other", "1") }
    let before = catalog.entries
    let raised = catalog.raised {
      #expect(catalog.write(defaults("web", "grpc", index: row.index), row.op) == .bool(row.succeeds))
    }
    guard row.succeeds else {
      #expect(raised == [] && catalog.entries == before)
      return
    }
    let protocols = catalog.entries.map { $0.as(ServiceDefaults.self)?.protocol }
    #expect(protocols == (row.op == .deleteIfUnchanged ? [] : ["grpc"]))
  }

  // MARK: Refusals

  @Test func whatDoesNotGoTogetherIsRefusedAndLeavesTheStateAsItWas() {
    catalog.write(defaults("web", "http"))
    catalog.write(splitter("web"))
    let (before, indexes) = (catalog.entries, catalog.indexes)
    let text =
      "discovery chain \"web\" uses a protocol \"tcp\" that does not permit advanced routing or splitting behavior"
    #expect(catalog.write(defaults("web", "tcp")) == .failed(text))
    #expect(catalog.write(defaults("web", "tcp", index: 1), .upsertIfUnchanged) == .failed(text))
    #expect(catalog.write(defaults("web", index: 1), .deleteIfUnchanged) == .failed(text))
    #expect(catalog.delete(.serviceDefaults, "web") == .failed(text))
    #expect(catalog.entries == before && catalog.indexes == indexes)
    // One that was overtaken is not even looked at.
    #expect(catalog.write(defaults("web", "tcp", index: 9), .upsertIfUnchanged) == .bool(false))
    #expect(catalog.delete(.serviceSplitter, "web") == .done)
    #expect(catalog.delete(.serviceDefaults, "web") == .done)
  }

  @Test func aNameIsTheSameInAnyCase() {
    catalog.write(defaults("web", "http"))
    catalog.write(defaults("alpha", "http"))
    catalog.write(splitter("web"))
    #expect(catalog.configEntry(.serviceDefaults, "WEB")?.name == "web")
    let text =
      "discovery chain \"web\" uses a protocol \"tcp\" that does not permit advanced routing or splitting behavior"
    #expect(catalog.delete(.serviceDefaults, "WEB") == .failed(text))
    #expect(catalog.write(defaults("Web", "grpc", index: 1), .upsertIfUnchanged) == .bool(true))
    #expect(catalog.state.configEntries([.serviceDefaults]).value.map(\.name) == ["alpha", "Web"])
    #expect(catalog.delete(.serviceSplitter, "WEB") == .done)
    #expect(catalog.delete(.serviceDefaults, "web") == .done)
    #expect(catalog.entries.map(\.name) == ["alpha"])
  }

  // MARK: Lists

  @Test func listsAreInTheOrderOfTheKindsThatWereAskedForAndOfNames() {
    for name in ["b", "c", "a", "ab"] { catalog.write(defaults(name, "http")) }
    catalog.write(splitter("b"))
    catalog.write(ConfigEntry(MeshDefaults()))
    let list = catalog.state.configEntries([.serviceSplitter, .serviceDefaults, .serviceRouter])
    #expect(list.value.map(\.name) == ["b", "a", "ab", "b", "c"])
    #expect(list.index == 6)
    #expect(catalog.state.configEntries([]).value.isEmpty)
    #expect(catalog.state.entries(ServiceDefaults.self).map(\.name) == ["a", "ab", "b", "c"])
    #expect(
      catalog.state.entry(ServiceSplitter.self, "b") != nil && catalog.state.entry(ServiceRouter.self, "b") == nil)
  }

  // MARK: What became of gateways and routes

  private static func with(_ status: String, _ entry: ConfigEntry) -> ConfigEntry {
    var condition = GatewayCondition()
    condition.type = status
    var result = entry
    switch entry.record {
    case var record as APIGateway:
      record.status.conditions = [condition]
      result.record = record
    case var record as HTTPRoute:
      record.status.conditions = [condition]
      result.record = record
    case var record as TCPRoute:
      record.status.conditions = [condition]
      result.record = record
    default: Issue.record("\(entry.kind) has no status")
    }
    return result
  }

  private func status(_ kind: ConfigEntryKind, _ name: String) -> [String]? {
    let entry = catalog.configEntry(kind, name)
    let status =
      entry?.as(APIGateway.self)?.status ?? entry?.as(HTTPRoute.self)?.status ?? entry?.as(TCPRoute.self)?.status
    return status?.conditions.map(\.type)
  }

  @Test(arguments: [ConfigEntryKind.apiGateway, .httpRoute, .tcpRoute])
  func usersDoNotChangeAStatusAndControllersDo(kind: ConfigEntryKind) throws {
    var entry = try #require(SampleEntries.all().first { $0.kind == kind })
    let name = entry.name
    #expect(catalog.write(Self.with("Mine", entry)) == .bool(true))
    #expect(status(kind, name) == [])
    entry.record.common.modifyIndex = 1
    #expect(catalog.write(Self.with("Accepted", entry), .upsertStatusIfUnchanged) == .bool(true))
    #expect(status(kind, name) == ["Accepted"])
    let hash = catalog.configEntry(kind, name)?.record.common.hash
    // The same content again, with another status or none: nothing happens.
    for again in [Self.with("Mine", entry), entry] {
      #expect(catalog.raised { catalog.write(again) } == [])
    }
    entry.record.common.meta["new"] = "1"
    entry.record.common.modifyIndex = 2
    #expect(catalog.write(Self.with("Mine", entry), .upsertIfUnchanged) == .bool(true))
    #expect(status(kind, name) == ["Accepted"])
    #expect(catalog.configEntry(kind, name)?.record.common.meta == ["new": "1"])
    #expect(catalog.configEntry(kind, name)?.record.common.hash != hash)
    // A controller that saw an older version is too late.
    #expect(catalog.write(Self.with("Late", entry), .upsertStatusIfUnchanged) == .bool(false))
    catalog.delete(kind, name)
    #expect(catalog.write(Self.with("Mine", entry)) == .bool(true))
    #expect(status(kind, name) == [])
  }

  @Test func aStatusIsNotPartOfTheHash() throws {
    let entry = try #require(SampleEntries.all().first { $0.kind == .apiGateway })
    catalog.write(entry)
    let hash = catalog.configEntry(.apiGateway, entry.name)?.record.common.hash
    var next = Self.with("Accepted", entry)
    next.record.common.modifyIndex = 1
    catalog.write(next, .upsertStatusIfUnchanged)
    #expect(catalog.configEntry(.apiGateway, entry.name)?.record.common.hash == hash)
    #expect(catalog.configEntry(.apiGateway, entry.name)?.modifyIndex == 2)
  }
}
