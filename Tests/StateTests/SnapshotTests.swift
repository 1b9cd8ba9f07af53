import Foundation
import Model
import Testing

@testable import State

/// Snapshots that the reference wrote, with its answers to queries of the same state. They lie beside the project.
enum Recorded {
  static let folder = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "../shared/golden/snapshot").standardizedFileURL

  static var isPresent: Bool { FileManager.default.fileExists(atPath: folder.appending(path: "basic.snap").path) }

  struct CommandFailed: Error { let status: Int32 }

  /// The state stream within an archive.
  static func stream(_ name: String) throws -> [UInt8] {
    let tar = Process()
    tar.executableURL = URL(filePath: "/usr/bin/env")
    tar.arguments = ["tar", "-xzOf", folder.appending(path: "\(name).snap").path, "state.bin"]
    let output = Pipe()
    tar.standardOutput = output
    try tar.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    tar.waitUntilExit()
    guard tar.terminationStatus == 0 else { throw CommandFailed(status: tar.terminationStatus) }
    return Array(data)
  }

  /// Index and body of each recorded answer.
  static func answers(_ name: String) throws -> [String: [String: Any]] {
    let data = try Data(contentsOf: folder.appending(path: "\(name).api.json"))
    return try #require(JSONSerialization.jsonObject(with: data) as? [String: [String: Any]])
  }
}

func restored(_ stream: [UInt8], pieces: Int = 4096) throws -> StateStore {
  let store = StateStore()
  var rest = stream[...]
  try store.restore { buffer in
    let piece = rest.prefix(min(pieces, buffer.count))
    rest = rest.dropFirst(piece.count)
    buffer.copyBytes(from: piece)
    return piece.count
  }
  return store
}

func stream(of state: StateSnapshot) throws -> [UInt8] {
  var bytes: [UInt8] = []
  try state.write { bytes.append(contentsOf: $0) }
  return bytes
}

/// The records of a stream in their order, each with its type.
func records(of stream: [UInt8]) throws -> [(type: UInt8, bytes: [UInt8])] {
  try stream.withUnsafeBytes { bytes in
    var reader = MessagePackReader(bytes)
    try reader.skip()
    var offset = reader.offset
    var found: [(type: UInt8, bytes: [UInt8])] = []
    while offset < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[(offset + 1)...])
      var reader = MessagePackReader(rest)
      try reader.skip()
      found.append((bytes[offset], Array(rest[..<reader.offset])))
      offset += reader.offset + 1
    }
    return found
  }
}

/// The records of one type, as they are.
func records(_ stream: [UInt8], _ type: UInt8) throws -> [[UInt8]] {
  try records(of: stream).filter { $0.type == type }.map(\.bytes)
}

private func json(_ rows: [Row<some Record>]) -> String { "[" + rows.map(\.value.json).joined(separator: ",") + "]" }

func expectSame(
  _ found: String, _ index: UInt64, as answer: [String: Any]?, _ location: SourceLocation = #_sourceLocation
) throws {
  let answer = try #require(answer, sourceLocation: location)
  #expect(String(max(index, 1)) == answer["index"] as? String, sourceLocation: location)
  let value = try JSONSerialization.jsonObject(with: Data(found.utf8), options: .fragmentsAllowed)
  #expect(try canonical(value) == canonical(#require(answer["body"])), sourceLocation: location)
}

private func canonical(_ value: Any) throws -> String {
  let data = try JSONSerialization.data(withJSONObject: value, options: [.sortedKeys, .fragmentsAllowed])
  return String(decoding: data, as: UTF8.self)
}

@Suite(.enabled(if: Recorded.isPresent, "the recorded snapshots are not beside the project"))
struct RecordedSnapshotTests {
  @Test(arguments: ["basic", "full", "cluster"]) func answersAreThoseThatWereRecorded(name: String) throws {
    let state = try restored(Recorded.stream(name)).current
    let answers = try Recorded.answers(name)
    let list = state.kvEntries(prefix: "")
    try expectSame(json(list.value), list.index, as: answers["/v1/kv/?recurse"])
    let sessions = state.sessions()
    try expectSame(json(sessions.value), sessions.index, as: answers["/v1/session/list"])
    let nodes = state.nodes()
    try expectSame(json(nodes.value), nodes.index, as: answers["/v1/catalog/nodes"])
    let checks = state.checks(state: "any")
    try expectSame(json(checks.value), checks.index, as: answers["/v1/health/state/any"])
    if let keys = answers["/v1/kv/?keys"]?["body"] as? [String] {
      #expect(state.kvKeys(prefix: "", separator: "").value == keys)
    }
    let services = state.services()
    let summaries = Dictionary(uniqueKeysWithValues: services.value.map { ($0.name, Set($0.tags)) })
    let recorded = try #require(answers["/v1/catalog/services"]?["body"] as? [String: [String]])
    #expect(summaries == recorded.mapValues { Set($0) })
    #expect(answers["/v1/catalog/services"]?["index"] as? String == String(services.index))
  }

  @Test func answersAboutOneServiceAndOneNodeAreThoseThatWereRecorded() throws {
    let state = try restored(Recorded.stream("basic")).current
    let answers = try Recorded.answers("basic")
    let health = state.healthServiceNodes("db")
    let instances = health.value.map {
      "{\"Node\":\($0.node.value.json),\"Service\":\($0.service.value.json),\"Checks\":\(json($0.checks))}"
    }
    try expectSame("[\(instances.joined(separator: ","))]", health.index, as: answers["/v1/health/service/db"])
    let checks = state.checks(node: "ext1")
    try expectSame(json(checks.value), checks.index, as: answers["/v1/health/node/ext1"])
    for service in ["db", "six"] {
      let found = state.serviceNodes(service)
      let recorded = try #require(answers["/v1/catalog/service/\(service)"])
      #expect(recorded["index"] as? String == String(found.index))
      let body = try #require(recorded["body"] as? [[String: Any]])
      #expect(found.value.map(\.service.value.id) == body.map { $0["ServiceID"] as? String })
    }
    #expect(state.nodeServices("ext0").index == 34)
  }

  @Test(arguments: ["basic", "full", "cluster", "old-1.10"]) func nothingIsLostOnTheWayThroughTheStore(name: String)
    throws
  {
    let recorded = try Recorded.stream(name)
    let first = try restored(recorded).current
    let written = try stream(of: first)
    let second = try restored(written, pieces: 17).current
    #expect(try stream(of: second) == written)
    var (before, after) = (try counts(recorded), try counts(written))
    // Older releases had fewer rows in the index table; those that are missing are made.
    let indexes = SnapshotRecord.index
    #expect(after[indexes, default: 0] >= before[indexes, default: 0])
    if name != "old-1.10" { #expect(after[indexes] == before[indexes]) }
    (before[indexes], after[indexes]) = (nil, nil)
    #expect(after == before)
    #expect(second.usage() == first.usage())
  }

  @Test(arguments: ["basic", "full", "cluster"]) func theCertificateAuthorityIsWrittenAsItWasRead(
    name: String
  ) throws {
    let recorded = try Recorded.stream(name)
    let state = try restored(recorded).current
    let root = try #require(state.activeCARoot)
    let configuration = try #require(state.caConfiguration)
    #expect(root.externalTrustDomain == configuration.clusterID && configuration.provider == "consul")
    #expect(state.caProviderStates.map(\.rootCert) == [root.rootCert])
    let written = try stream(of: state)
    for type in [SnapshotRecord.caRoot, SnapshotRecord.caProviderState] {
      #expect(try records(recorded, type) == records(written, type))
    }
    // The reference writes the provider's options in any order.
    let type = SnapshotRecord.caConfiguration
    #expect(try records(recorded, type).map { $0.sorted() } == records(written, type).map { $0.sorted() })
    #expect(try restored(written).current.caConfiguration == configuration)
  }

  /// How many records of each type a stream has.
  private func counts(_ stream: [UInt8]) throws -> [UInt8: Int] {
    try Dictionary(grouping: records(of: stream), by: \.type).mapValues(\.count)
  }
}

@Suite struct SnapshotTests {
  let catalog = Catalog()

  init() {
    catalog.register("n", meta: ["a": "b"], service: service("web", tags: ["x"]), checks: [check("c", service: "web")])
    catalog.register(
      "n", service: service("p", kind: ServiceKind.connectProxy, destination: "web"), checks: [check("n")])
    catalog.session("s", checks: ["n"], lockDelay: .seconds(1))
    catalog.kv(.lock, "locked", "x", session: "s")
    catalog.kv(.set, "gone", "x")
    catalog.kv(.delete, "gone")
    var coordinate = NodeCoordinate()
    coordinate.node = "n"
    var position = Coordinate()
    position.vec = [1, 2, 3]
    coordinate.coord = position
    catalog.apply(.coordinates([coordinate]))
  }

  @Test(arguments: [1, 7, 1000, 1 << 20]) func aRestoredStateAnswersLikeTheOriginal(pieces: Int) throws {
    let copy = try restored(stream(of: catalog.state), pieces: pieces).current
    let original = catalog.state
    #expect(json(copy.nodes().value) == json(original.nodes().value))
    #expect(json(copy.kvEntries(prefix: "").value) == json(original.kvEntries(prefix: "").value))
    #expect(json(copy.sessions().value) == json(original.sessions().value))
    #expect(json(copy.checks(state: "any").value) == json(original.checks(state: "any").value))
    #expect(json(copy.coordinates().value) == json(original.coordinates().value))
    #expect(copy.kvEntries(prefix: "gone").index == original.kvEntries(prefix: "gone").index)
    #expect(copy.connectServiceNodes("web").value.count == 1)
    #expect(copy.serviceNames(kind: KindOf.connectEnabled).value == ["web"])
    let rows = Dictionary(uniqueKeysWithValues: copy.tables.index.rows.values.map { ($0.name, $0.value) })
    #expect(rows == catalog.indexes)
    #expect(try stream(of: copy) == stream(of: original))
  }

  @Test func restoredSessionsStillDependOnTheirChecks() throws {
    let store = try restored(stream(of: catalog.state))
    var request = RegisterRequest()
    request.node = "n"
    request.skipNodeUpdate = true
    request.checks = [check("n", .critical)]
    store.apply(index: 50, .register(request))
    #expect(store.current.sessions().value.isEmpty)
    #expect(store.current.kvEntry("locked").value?.value.session == "")
  }

  @Test func restoringWakesEverybodyAndStartsANewGeneration() throws {
    nonisolated(unsafe) var wakes: [Bool] = []  // Woken on this thread.
    for points in [[WatchPoint.key("absent")], [.keyPrefix("zzz")], [.session("nobody"), .nodes]] {
      #expect(catalog.store.register(points, seen: catalog.state) { wakes.append($0) } != nil)
    }
    var rest = try stream(of: catalog.state)[...]
    try catalog.store.restore { buffer in
      let piece = rest.prefix(buffer.count)
      rest = rest.dropFirst(piece.count)
      buffer.copyBytes(from: piece)
      return piece.count
    }
    #expect(wakes == [true, true, true] && catalog.store.watchCount == 0)
    #expect(catalog.state.generation == 1)
    catalog.kv(.set, "after", "x")
    #expect(catalog.state.generation == 1)
  }

  @Test func damagedStreamsLeaveTheStateAsItWas() throws {
    let whole = try stream(of: catalog.state)
    let before = catalog.state
    let damaged: [(bytes: [UInt8], problem: SnapshotError?)] = [
      ([], .truncated(offset: 0)), (Array(whole.dropLast()), nil), (whole + [16], nil),
      (whole + [64, 0xC0], .enterpriseRecord(type: 64)),
      ([0x80, 0, 0x80], .inconsistent("failed inserting node: Must provide node")),
    ]
    for (bytes, problem) in damaged {
      var rest = bytes[...]
      do {
        try catalog.store.restore { buffer in
          let piece = rest.prefix(buffer.count)
          rest = rest.dropFirst(piece.count)
          buffer.copyBytes(from: piece)
          return piece.count
        }
        Issue.record("accepted \(bytes.count) bytes")
      } catch let error as SnapshotError {
        if let problem { #expect(error == problem) }
      }
      #expect(catalog.state === before)
    }
  }

  @Test func recordsOfOtherTablesAreWrittenBackUnchanged() throws {
    var bytes = try stream(of: catalog.state)
    let record: [UInt8] = [12, 0x81, 0xA2, 0x49, 0x44, 0xA1, 0x78]
    bytes += record + record
    let written = try stream(of: restored(bytes).current)
    #expect(written.count == bytes.count)
    let place = written.indices.first { written[$0...].starts(with: record + record) }
    #expect(place != nil)
  }

  @Test(arguments: 1...40) func damagedStreamsNeverCrash(seed: Int) throws {
    var generator = SeededGenerator(seed: UInt64(seed))
    let whole = try stream(of: catalog.state)
    for _ in 0..<50 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...5, using: &generator) {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      guard let store = try? restored(bytes, pieces: 100) else { continue }
      // What was accepted can be used.
      #expect(
        store.current.usage().nodes >= 0 && !store.current.services().value.contains { $0.name.isEmpty }, "seed \(seed)"
      )
    }
  }
}
