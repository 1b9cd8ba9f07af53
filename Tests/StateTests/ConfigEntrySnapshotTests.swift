import Mesh
import Model
import Testing

@testable import State

/// A list as the API shows it.
private func json(_ entries: [ConfigEntry]) -> String { "[" + entries.map(\.record.json).joined(separator: ",") + "]" }

@Suite struct ConfigEntrySnapshotTests {
  let catalog = Catalog()

  init() throws {
    for entry in try SampleEntries.all() { catalog.write(entry) }
    catalog.intention(.create, "web", "old", value: intentionSource("web", id: "id-1"))
    catalog.kv(.set, "key", "1")
  }

  @Test(arguments: [1, 7, 1 << 20]) func entriesOfAllKindsAreReadAsTheyWereWritten(pieces: Int) throws {
    let copy = try restored(stream(of: catalog.state), pieces: pieces).current
    #expect(copy.tables.configEntries.rows.values.map(\.entry) == catalog.entries)
    #expect(catalog.entries.count == SampleEntries.texts.count + 3)
    #expect(copy.configEntry(.mesh, "mesh").index == catalog.state.configEntry(.mesh, "mesh").index)
    #expect(copy.intentions().value == catalog.state.intentions().value)
    #expect(copy.intention(id: "id-1").value?.destinationName == "old")
    #expect(try stream(of: copy) == stream(of: catalog.state))
  }

  @Test func proxyDefaultsAreWrappedTwice() throws {
    let defaults = try #require(catalog.configEntry(.proxyDefaults, "global")?.as(ProxyDefaults.self))
    let found = try records(stream(of: catalog.state), SnapshotRecord.configEntry).compactMap { record in
      try record.withUnsafeBytes { bytes -> [UInt8]? in
        var outer = MessagePackReader(bytes)
        var inner = MessagePackReader(try outer.rawString())
        guard try inner.string() == "proxy-defaults", try inner.mapHeader() == 4 else { return nil }
        #expect(try inner.string() == "Datacenter" && inner.string() == "" && inner.string() == "Entry")
        return Array(try inner.rawString())
      }
    }
    #expect(found == [defaults.messagePack])
    let read = try restored(stream(of: catalog.state)).current.configEntry(.proxyDefaults, "global").value
    #expect(read?.as(ProxyDefaults.self) == defaults)
    #expect(defaults.json.contains(#""deep":{"er":true}"#))
  }

  @Test func entriesStandInTheOrderOfKindsAndNamesBetweenTheAuthorityAndTheIndexes() throws {
    let all = try records(of: stream(of: catalog.state))
    let types = all.map(\.type)
    #expect(types == types.sorted { place($0) < place($1) })
    let kinds = try all.filter { $0.type == SnapshotRecord.configEntry }.map { record in
      try ConfigEntryRequest(messagePack: record.bytes).entry
    }
    #expect(kinds == catalog.entries)
    let names = kinds.map { "\($0.kind.rawValue)\u{0}\($0.name)" }
    #expect(names == names.sorted(by: bytewiseLess))
  }

  private func place(_ type: UInt8) -> Int { SnapshotRecord.order.firstIndex(of: type) ?? .max }

  @Test func aRestoredStateHasTheSameRules() throws {
    let store = try restored(stream(of: catalog.state))
    var request = ConfigEntryRequest(.delete, ConfigEntry(JWTProvider(name: "okta")))
    request.datacenter = "dc1"
    let result = store.apply(index: 100, .configEntry(request))
    #expect(catalog.delete(.jwtProvider, "okta") == result)
    guard case .failed = result else {
      Issue.record("what intentions refer to was deleted")
      return
    }
    #expect(store.current.configEntry(.jwtProvider, "okta").value != nil)
  }

  @Test func entriesThatAreCutOffWithinTheirWrappingAreMalformed() throws {
    let head: [UInt8] = [0x80]
    for entry in try SampleEntries.all() {
      var request = ConfigEntryRequest(.upsert, entry)
      request.datacenter = "dc1"
      let whole = try request.messagePack.withUnsafeBytes { bytes in
        var reader = MessagePackReader(bytes)
        return Array(try reader.rawString())
      }
      for length in stride(from: 0, to: whole.count, by: 7) {
        var writer = MessagePackWriter()
        Bytes(Array(whole[..<length])).encode(&writer)
        let bytes = head + [SnapshotRecord.configEntry] + writer.bytes
        #expect(throws: SnapshotError.self, "\(entry.kind) \(length)") { try restored(bytes + [0xC0]) }
        do {
          _ = try restored(bytes)
        } catch SnapshotError.malformed(let offset, _) {
          #expect(offset == 1)
        } catch {
          Issue.record("\(entry.kind) \(length): \(error)")
        }
      }
    }
  }
}

@Suite(.enabled(if: Recorded.isPresent, "the recorded snapshots are not beside the project"))
struct RecordedConfigEntryTests {
  @Test(arguments: ["full", "cluster"]) func entriesAreWrittenAsTheReferenceWroteThem(name: String) throws {
    let recorded = try Recorded.stream(name)
    let written = try stream(of: restored(recorded).current)
    let (before, after) = try (
      records(recorded, SnapshotRecord.configEntry), records(written, SnapshotRecord.configEntry)
    )
    #expect(before.count == (name == "full" ? 24 : 6) && before.count == after.count)
    for (old, new) in zip(before, after) {
      let entry = try ConfigEntryRequest(messagePack: old).entry
      // The reference writes the members of some maps in any order.
      #expect(old.sorted() == new.sorted(), "\(entry.kind) \(entry.name)")
      #expect(try ConfigEntryRequest(messagePack: new).entry == entry)
    }
  }

  @Test(arguments: ["full", "cluster"]) func recordsAreInTheOrderOfTheReference(name: String) throws {
    func order(_ stream: [UInt8]) throws -> [UInt8] {
      try records(of: stream).map(\.type).reduce(into: []) { if $0.last != $1 { $0.append($1) } }
    }
    let recorded = try Recorded.stream(name)
    #expect(try order(stream(of: restored(recorded).current)) == order(recorded))
  }

  @Test(arguments: ["full", "cluster"]) func listsAreThoseThatWereRecorded(name: String) throws {
    let state = try restored(Recorded.stream(name)).current
    let answers = try Recorded.answers(name)
    var count = 0
    for kind in ConfigEntryKind.allCases {
      guard let answer = answers["/v1/config/\(kind.rawValue)"] else { continue }
      let list = state.configEntries([kind])
      try expectSame(json(list.value), list.index, as: answer)
      count += list.value.count
    }
    #expect(count > 0)
    let intentions = state.intentions()
    try expectSame(
      "[" + intentions.value.map(\.json).joined(separator: ",") + "]", intentions.index,
      as: answers["/v1/connect/intentions"])
  }

  @Test func entriesOfAnOldReleaseAreKept() throws {
    let first = try restored(Recorded.stream("old-1.10")).current
    let names = first.tables.configEntries.rows.values.map { "\($0.entry.kind.rawValue)/\($0.entry.name)" }
    #expect(names.count == 6 && names.contains("proxy-defaults/global"))
    let second = try restored(stream(of: first)).current
    #expect(
      second.tables.configEntries.rows.values.map(\.entry) == first.tables.configEntries.rows.values.map(\.entry))
    let intentions = first.intentions().value
    #expect(intentions.map(\.destinationName) == ["web"] && intentions.map(\.action) == ["allow"])
  }

  /// Every entry can be written again by its user: nothing changes.
  @Test(arguments: ["full", "cluster"]) func writingWhatWasRestoredChangesNothing(name: String) throws {
    let store = try restored(Recorded.stream(name))
    let before = store.current
    let entries = before.tables.configEntries.rows.values.map(\.entry)
    for (place, entry) in entries.enumerated() {
      var request = ConfigEntryRequest(.upsert, entry)
      request.datacenter = "dc1"
      #expect(store.apply(index: 10_000 + UInt64(place), .configEntry(request)) == .bool(true))
    }
    #expect(store.current.tables.configEntries.rows.values.map(\.entry) == entries)
    #expect(store.current.tables.index(of: "config-entries") == before.tables.index(of: "config-entries"))
  }
}
