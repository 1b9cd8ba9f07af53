import Foundation
import Model
import Testing

@testable import Wire

/// Archives that the reference wrote. They lie beside the project.
private enum Recorded {
  static let folder = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "../shared/golden/snapshot").standardizedFileURL

  static var isPresent: Bool { FileManager.default.fileExists(atPath: folder.appending(path: "basic.snap").path) }
}

private func unpack(
  _ archive: [UInt8], pieces: Int = 1000
) throws -> (metadata: SnapshotArchiveMetadata, state: [UInt8]) {
  var state: [UInt8] = []
  let reader = try SnapshotArchiveReader { state.append(contentsOf: $0) }
  var rest = archive[...]
  while !rest.isEmpty {
    try Array(rest.prefix(pieces)).withUnsafeBytes { try reader.consume($0) }
    rest = rest.dropFirst(pieces)
  }
  return (try reader.finish(), state)
}

private func pack(_ state: [UInt8], _ change: (inout SnapshotArchiveMetadata) -> Void = { _ in }) throws -> [UInt8] {
  let servers = [SnapshotArchiveMetadata.Server(id: "i", address: "127.0.0.1:8300", isVoter: true)]
  var metadata = SnapshotArchiveMetadata(
    index: 17, term: 2, servers: servers, configurationIndex: 1, size: Int64(state.count), milliseconds: 5)
  change(&metadata)
  var rest = state[...]
  let writer = try SnapshotArchiveWriter(metadata, modified: 1_700_000_000) { buffer in
    let piece = rest.prefix(min(buffer.count, 777))
    rest = rest.dropFirst(piece.count)
    buffer.copyBytes(from: piece)
    return piece.count
  }
  var archive: [UInt8] = []
  while let piece = try writer.next() { archive += piece }
  return archive
}

@Suite struct SnapshotArchiveTests {
  @Test(arguments: [0, 1, 511, 512, 513, 200_000]) func whatWasPackedIsUnpacked(count: Int) throws {
    let state = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    for pieces in [1, 100, 1 << 20] where count < 1000 || pieces > 1 {
      let found = try unpack(pack(state), pieces: pieces)
      #expect(found.state == state)
      #expect(found.metadata.id == "2-17-5" && found.metadata.index == 17 && found.metadata.size == Int64(count))
    }
  }

  @Test func metadataIsThatOfTheReference() throws {
    let servers = [
      SnapshotArchiveMetadata.Server(
        id: "535b52aa-36ef-17a0-2eb6-2510d452afae", address: "127.0.0.31:21300", isVoter: true)
    ]
    let metadata = SnapshotArchiveMetadata(
      index: 41, term: 2, servers: servers, configurationIndex: 1, size: 84911, milliseconds: 1_795_220_725_333)
    #expect(
      metadata.json
        == #"{"Version":1,"ID":"2-41-1795220725333","Index":41,"Term":2,"Peers":"kbAxMjcuMC4wLjMxOjIxMzAw","#
        + #""Configuration":{"Servers":[{"Suffrage":0,"ID":"535b52aa-36ef-17a0-2eb6-2510d452afae","#
        + #""Address":"127.0.0.31:21300"}]},"ConfigurationIndex":1,"Size":84911}"#)
  }

  @Test(
    .enabled(if: Recorded.isPresent, "the recorded snapshots are not beside the project"),
    arguments: ["basic", "full", "cluster", "old-1.10"])
  func recordedArchivesAreRead(name: String) throws {
    let archive = try Data(contentsOf: Recorded.folder.appending(path: "\(name).snap"))
    let found = try unpack(Array(archive))
    let json = try Data(contentsOf: Recorded.folder.appending(path: "\(name).records.json"))
    let recorded = try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
    let meta = try #require(recorded["meta"] as? [String: Any])
    #expect(found.metadata.id == meta["ID"] as? String)
    #expect(found.state.count == meta["Size"] as? Int)
    var types: [Int] = []
    var size = 0
    var reader = SnapshotRecordReader()
    let note = { (element: SnapshotRecordReader.Element) in
      if let type = element.type { types.append(Int(type)) }
      size += element.size
    }
    for piece in stride(from: 0, to: found.state.count, by: 999) {
      try Array(found.state[piece..<min(piece + 999, found.state.count)]).withUnsafeBytes { bytes in
        try reader.consume(bytes, note)
      }
    }
    try reader.finish(note)
    #expect(types == (recorded["records"] as? [[String: Any]])?.compactMap { $0["type"] as? Int })
    #expect(size == found.state.count)
    #expect(try unpack(pack(found.state)).state == found.state)
  }

  @Test func archivesThatAreNoneAreRefused() throws {
    #expect(throws: SnapshotArchiveError.empty) { try unpack([]) }
    #expect(throws: SnapshotArchiveError.notCompressed) { try unpack(Array("not a snapshot".utf8)) }
    let archive = try pack([1, 2, 3])
    #expect(throws: SnapshotArchiveError.self) { try unpack(archive + [0]) }
    #expect(throws: SnapshotArchiveError.self) { try unpack(archive.dropLast(9)) }
    #expect(throws: SnapshotArchiveError.content("the state ends after 3 of 4 bytes")) {
      try pack([1, 2, 3]) { $0.size = 4 }
    }
    #expect(throws: SnapshotArchiveError.metadata("unsupported snapshot version 2")) {
      try unpack(pack([1]) { $0.version = 2 })
    }
  }

  @Test func membersOfOthersAreRefused() throws {
    let members = [("meta.json", "{}"), ("evil.sh", "x")]
    #expect(throws: SnapshotArchiveError.structure("unexpected file \"evil.sh\" in snapshot")) {
      try unpack(compress(tar(members)))
    }
    #expect(throws: SnapshotArchiveError.structure("the archive has no state")) {
      try unpack(compress(tar([("meta.json", "{}")])))
    }
    let sums = "\(String(repeating: "0", count: 64))  meta.json\n"
    #expect(throws: SnapshotArchiveError.wrongHash(member: "meta.json")) {
      try unpack(compress(tar([("SHA256SUMS", sums), ("state.bin", "x"), ("meta.json", "{}")])))
    }
    #expect(throws: SnapshotArchiveError.structure("archive/tar: invalid tar header")) {
      try unpack(compress([UInt8](repeating: 7, count: 1024)))
    }
  }

  private func tar(_ members: [(String, String)]) -> [UInt8] {
    var bytes: [UInt8] = []
    for (name, content) in members {
      bytes += TarHeader(name: name, size: UInt64(content.utf8.count)).encode(modified: 0) + content.utf8
      bytes += [UInt8](repeating: 0, count: TarHeader.padding(after: UInt64(content.utf8.count)))
    }
    return bytes + [UInt8](repeating: 0, count: 1024)
  }

  private func compress(_ bytes: [UInt8]) throws -> [UInt8] {
    let compressor = try GzipCompressor()
    var out: [UInt8] = []
    try compressor.compress(bytes, into: &out)
    try compressor.finish(into: &out)
    return out
  }

  @Test func sizesOfAnyLengthFitIntoAHeader() throws {
    for size in [0, 511, 1 << 33 - 1, 1 << 33, UInt64.max >> 1] as [UInt64] {
      let header = TarHeader(name: "state.bin", size: size)
      #expect(try TarHeader(header.encode(modified: 1_700_000_000)) == header)
    }
    #expect(try TarHeader([UInt8](repeating: 0, count: 512)) == nil)
  }

  @Test func damageIsAlwaysFound() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    let state = (0..<3000).map { _ in UInt8.random(in: 0...255, using: &random) }
    let archive = try pack(state)
    for _ in 0..<2_000 {
      var damaged = archive
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      if Bool.random(using: &random) { damaged.removeLast(Int.random(in: 0..<damaged.count, using: &random)) }
      // The header of gzip has a time and a system that do not matter.
      if let found = try? unpack(damaged, pieces: Int.random(in: 1...4000, using: &random)) {
        #expect(found.state == state, "seed \(seed)")
      }
    }
  }

  @Test func anyTarStructureIsReadOrRefused() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    let whole = tar([("meta.json", "{}"), ("state.bin", "content"), ("SHA256SUMS", "x  y\n")])
    for _ in 0..<2_000 {
      var damaged = whole
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      #expect(throws: SnapshotArchiveError.self, "seed \(seed)") { try unpack(compress(damaged)) }
    }
  }
}
