import Testing

@testable import Consensus

/// Whatever a file contains, reading it never crashes, and never yields a log with holes.
@Suite struct LogRecoveryFuzzTests {
  private static func segment(_ random: inout SeededRandom) throws -> (SimulatedDisk, String) {
    let disk = SimulatedDisk(seed: random.next())
    let log = try FileLog(
      disk: disk, directory: "/log",
      options: .init(firstSegmentBytes: 12 << 10, segmentBytes: 12 << 10, seed: 3) { $0() })
    var next: LogIndex = 1
    for _ in 0..<Int.random(in: 1...8, using: &random) {
      var batch = LogBatch()
      if next > 3, Int.random(in: 0..<4, using: &random) == 0 {
        next -= 2
        batch.add(.truncate(from: next, previousTerm: 1))
      }
      let count = LogIndex.random(in: 1...4, using: &random)
      batch.add(
        .append(
          (next..<next + count).map {
            LogEntry(index: $0, term: 1, kind: .command, data: [UInt8](repeating: 1, count: Int($0 * 13 % 200)))
          }[...]))
      next += count
      try log.write(batch)
    }
    disk.losePower()
    return (disk, "/log/" + LogSegment.name(sequence: 1))
  }

  @Test func noFileCrashesRecovery() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    var refused = 0
    var accepted = 0
    for _ in 0..<1500 {
      let (disk, path) = try Self.segment(&random)
      var content = disk.content(of: path) ?? []
      switch Int.random(in: 0..<5, using: &random) {
      case 0:
        for _ in 0..<Int.random(in: 1...8, using: &random) {
          content[Int.random(in: 4096..<6000, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
      case 1: content[Int.random(in: 0..<64, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 2: content.removeLast(Int.random(in: 0..<content.count, using: &random))
      case 3:
        let start = Int.random(in: 4096..<8000, using: &random)
        let from = Int.random(in: 4096..<8000, using: &random)
        let count = Int.random(in: 1..<500, using: &random)
        content.replaceSubrange(start..<start + count, with: Array(content[from..<from + count]))
      default:
        // Lengths are what parsers trust too much.
        let offset = LogSegment.recordsStart + 56 * Int.random(in: 0..<10, using: &random)
        for position in offset..<offset + 4 { content[position] = UInt8.random(in: 0...255, using: &random) }
      }
      disk.setContent(content, of: path)
      do throws(StorageError) {
        let log = try FileLog(
          disk: disk, directory: "/log",
          options: .init(firstSegmentBytes: 12 << 10, segmentBytes: 12 << 10, seed: 4) { $0() })
        let found = log.recovered()
        if !found.isEmpty {
          let entries = try log.entries(first: found.baseIndex + 1, last: found.lastIndex, bytesMax: .max)
          #expect(entries.map { $0.index } == Array(found.baseIndex + 1...found.lastIndex), "seed \(seed)")
        }
        accepted += 1
      } catch {
        refused += 1
      }
    }
    #expect(refused > 0 && accepted > 0, "seed \(seed)")
  }

  @Test func noBytesCrashTheRecordParser() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    for _ in 0..<20_000 {
      var bytes = (0..<Int.random(in: 0..<200, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      if bytes.count > 4 { bytes.replaceSubrange(1..<4, with: [0, 0, 0]) }
      bytes.withUnsafeBytes { buffer in
        for position in [-1, 0, 1, 8, 100] {
          _ = LogRecord.parse(buffer, at: position, salt: 1)
        }
        _ = try? LogSegment.Header(decoding: buffer, file: "x")
        _ = try? FileTermStorage.decode(buffer, path: "x")
        _ = try? SnapshotMetadata(decoding: buffer, name: "x", path: "x")
      }
    }
  }

  @Test func mutatedTermFilesAndDescriptionsAreRefused() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    let metadata = SnapshotMetadata(
      position: SnapshotPosition(
        index: 9, term: 2, configuration: RaftConfiguration(servers: [RaftServer(id: "a", address: "a:1")]),
        configurationIndex: 1), size: 77, checksum: 5, name: "2-9-1")
    let term = HardState(term: 7, votedFor: "127.0.0.1:8300")
    #expect(try FileTermStorage.encode(term).withUnsafeBytes { try FileTermStorage.decode($0, path: "x") } == term)
    #expect(
      try metadata.encoded().withUnsafeBytes { try SnapshotMetadata(decoding: $0, name: "2-9-1", path: "x") }
        == metadata)
    for _ in 0..<5000 {
      var bytes = FileTermStorage.encode(term)
      bytes[Int.random(in: bytes.indices, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      #expect(throws: StorageError.self, "seed \(seed)") {
        try bytes.withUnsafeBytes { try FileTermStorage.decode($0, path: "x") }
      }
      var description = metadata.encoded()
      description[Int.random(in: description.indices, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      #expect(throws: StorageError.self, "seed \(seed)") {
        try description.withUnsafeBytes { try SnapshotMetadata(decoding: $0, name: "x", path: "x") }
      }
    }
  }
}
