import Consensus
import Foundation
import Logging
import Model
import NIOCore
import NIOPosix
import State
import Testing
import Wire

@testable import Server

/// A server that leads a cluster of itself, in memory.
private final class LoneServer: Sendable {
  let node: ServerNode
  private let loop: any EventLoop

  init() async throws {
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let member = ClusterMember(
      name: "s1", address: "127.0.0.1", port: 8301,
      tags: ["role": "consul", "dc": "dc1", "id": "a", "port": "8300", "vsn": "2", "build": "1.21.4:1"])
    let settings = RaftSettings(
      heartbeatTimeout: .milliseconds(20), electionTimeout: .milliseconds(20), leaderLeaseTimeout: .milliseconds(20))
    loop = MultiThreadedEventLoopGroup.singleton.any()
    node = try ServerNode(
      settings: ServerNode.Settings(datacenter: "dc1", member: member, logger: logger),
      raftOptions: RaftOptions(
        id: "a", address: "127.0.0.1:8300", settings: settings, snapshots: .inMemory,
        bootstrap: RaftConfiguration(servers: [RaftServer(id: "a", address: "127.0.0.1:8300")]), logger: logger),
      storage: .memory(), loop: loop)
    // Waits until it leads: a write that is refused before is tried again.
    while (try? await put("started", "yes")) == nil { await Task.yield() }
  }

  func put(_ key: String, _ value: String) async throws {
    var entry = KVEntry()
    entry.key = key
    entry.value = Bytes(Array(value.utf8))
    _ = try await result { node.write(KVApply(.set, entry), datacenter: "", token: "", on: loop, $0) }
  }

  func value(_ key: String) -> String? {
    node.store.current.kvEntry(key).value.map { String(decoding: $0.value.value.bytes, as: UTF8.self) }
  }

  func save() async throws -> [UInt8] {
    let stream = try await result { node.saveSnapshot(QueryOptions(), on: loop, $0) }.value
    var archive: [UInt8] = []
    while let piece = try await result({ stream.next(on: loop, $0) }) { archive += piece }
    return archive
  }

  func restore(_ archive: [UInt8]) async throws {
    try await result {
      node.restoreSnapshot(SpoolFile(archive), datacenter: "dc1", token: "", on: loop, $0)
    }
  }

  private func result<Value: Sendable>(
    _ call: (@escaping @Sendable (Result<Value, ServerError>) -> Void) -> Void
  ) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      call { continuation.resume(with: $0.mapError { $0 as any Error }) }
    }
  }
}

/// The records of an archive, by type and in the order of their bytes.
private func records(_ archive: [UInt8]) throws -> [[UInt8]] {
  var found: [[UInt8]] = []
  var reader = SnapshotRecordReader()
  let note = { (element: SnapshotRecordReader.Element) in
    if let type = element.type { found.append([type] + element.value) }
  }
  let archiveReader = try SnapshotArchiveReader { try reader.consume($0, note) }
  try archive.withUnsafeBytes { try archiveReader.consume($0) }
  _ = try archiveReader.finish()
  try reader.finish(note)
  return found.sorted { $0.lexicographicallyPrecedes($1) }
}

@Suite struct ServerSnapshotTests {
  @Test func aRestoreBringsTheStateBackAndTheServerGoesOn() async throws {
    let server = try await LoneServer()
    defer { server.node.shutdown() }
    try await server.put("a", "before")
    let archive = try await server.save()
    try await server.put("a", "after")
    try await server.put("b", "new")
    let index = server.node.store.current.appliedIndex
    try await server.restore(archive)
    #expect(server.value("a") == "before" && server.value("b") == nil)
    try await server.put("b", "again")
    #expect(server.value("b") == "again")
    #expect(server.node.store.current.appliedIndex > index)
  }

  @Test func anArchiveThatIsDamagedChangesNothing() async throws {
    let server = try await LoneServer()
    defer { server.node.shutdown() }
    try await server.put("a", "kept")
    var archive = try await server.save()
    await #expect(throws: ServerError.rejected("failed to decompress snapshot: EOF")) { try await server.restore([]) }
    archive[archive.count / 2] ^= 0x55
    await #expect(throws: ServerError.self) { try await server.restore(archive) }
    await #expect(throws: ServerError.self) { try await server.restore(Array(archive.prefix(100))) }
    #expect(server.value("a") == "kept")
    try await server.put("a", "changed")
    #expect(server.value("a") == "changed")
  }

  private static let recorded = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "../shared/golden/snapshot").standardizedFileURL

  @Test(
    .enabled(
      if: FileManager.default.fileExists(atPath: recorded.appending(path: "full.snap").path),
      "the recorded snapshots are not beside the project"),
    arguments: ["basic", "full", "cluster"])
  func whatThisReleaseDoesNotKnowIsKept(name: String) async throws {
    let server = try await LoneServer()
    defer { server.node.shutdown() }
    let archive = Array(try Data(contentsOf: Self.recorded.appending(path: "\(name).snap")))
    try await server.restore(archive)
    // Types that only the restored state has, not this server's own duties.
    let access: Set<UInt8> = [15, 17, 19, 22, 23, 25, 27]
    let foreign: (([UInt8]) -> Bool) = { record in !access.union([0, 16]).contains(record.first ?? 0) }
    let (saved, original) = (try records(try await server.save()), try records(archive))
    #expect(saved.filter(foreign) == original.filter(foreign))
    // Access control has two ways of writing some times and empty lists that mean the same; the options of the certificate
    // authority and of proxies are written in any order.
    for type in access {
      #expect(saved.count { $0.first == type } == original.count { $0.first == type }, "records of type \(type)")
    }
  }
}
