import Testing

@testable import Consensus
@testable import Simulation

/// Whatever a file contains, reading it never crashes, and never yields a log with holes.
@Suite struct LogRecoveryFuzzTests {
  /// A log of several segments, as a crash leaves it, and everything that was ever written to it.
  private struct Sample {
    let disk: SimulatedDisk
    var written: Set<[UInt8]> = []
    var last: LogIndex = 0

    init(_ random: inout SeededRandom) throws {
      disk = SimulatedDisk(seed: random.next())
      let log = try Self.open(disk)
      for number in 0..<Int.random(in: 1...40, using: &random) {
        var batch = LogBatch()
        if last > 3, Int.random(in: 0..<6, using: &random) == 0 {
          last -= 2
          batch.add(.truncate(from: last + 1, previousTerm: 1))
        }
        let count = LogIndex.random(in: 1...4, using: &random)
        var entries: [LogEntry] = []
        for index in last + 1...last + count {
          var data: [UInt8] = []
          data.appendLittleEndian(index)
          data.appendLittleEndian(UInt64(number))
          data += [UInt8](repeating: 1, count: Int.random(in: 0...700, using: &random))
          entries.append(LogEntry(index: index, term: 1, kind: .command, data: data))
          written.insert(data)
        }
        batch.add(.append(entries[...]))
        last += count
        try log.write(batch)
      }
      if Bool.random(using: &random) { log.close() }
      disk.losePower()
    }

    static func open(_ disk: SimulatedDisk) throws(StorageError) -> FileLog {
      try FileLog(
        disk: disk, directory: "/log",
        options: .init(firstSegmentBytes: 12 << 10, segmentBytes: 12 << 10, seed: 3) { $0() })
    }
  }

  /// Damages a file in one of the ways that break parsers.
  private static func damage(_ content: inout [UInt8], _ random: inout SeededRandom) {
    func anywhere(_ random: inout SeededRandom) -> Int { Int.random(in: content.indices, using: &random) }
    switch Int.random(in: 0..<6, using: &random) {
    case 0:
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        content[anywhere(&random)] = UInt8.random(in: 0...255, using: &random)
      }
    case 1: content[Int.random(in: 0..<64, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 2: content.removeLast(Int.random(in: 0...content.count, using: &random))
    case 3:
      // A piece of the file where it does not belong.
      let count = Int.random(in: 1..<500, using: &random)
      let from = Int.random(in: 0..<content.count - count, using: &random)
      let start = Int.random(in: 0..<content.count - count, using: &random)
      content.replaceSubrange(start..<start + count, with: Array(content[from..<from + count]))
    case 4:
      // Lengths are what parsers trust too much.
      let offset = LogSegment.recordsStart + 8 * Int.random(in: 0..<200, using: &random)
      for position in offset..<offset + 4 { content[position] = UInt8.random(in: 0...255, using: &random) }
    default:
      // A sector that was never written.
      let sector = anywhere(&random) / 512 * 512
      for position in sector..<min(sector + 512, content.count) { content[position] = 0 }
    }
  }

  @Test func damagedLogsAreReadAsFarAsTheyAreWholeOrRefusedByName() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    var refused = 0
    var accepted = 0
    for _ in 0..<1500 {
      let sample = try Sample(&random)
      let names = try sample.disk.list("/log")
      for _ in 0..<Int.random(in: 1...2, using: &random) {
        let path = "/log/" + (names.randomElement(using: &random) ?? "")
        var content = sample.disk.content(of: path) ?? []
        guard content.count > 6000 else { continue }
        Self.damage(&content, &random)
        sample.disk.setContent(content, of: path)
      }
      do throws(StorageError) {
        let log = try Sample.open(sample.disk)
        accepted += 1
        let found = log.recovered()
        guard !found.isEmpty else { continue }
        let entries = try log.entries(first: found.baseIndex + 1, last: found.lastIndex, bytesMax: .max)
        #expect(entries.map { $0.index } == Array(found.baseIndex + 1...found.lastIndex), "seed \(seed)")
        #expect(entries.allSatisfy { sample.written.contains($0.data) }, "seed \(seed)")
        // And it goes on from there.
        try log.write(LogBatch([.append([LogEntry(index: found.lastIndex + 1, term: 1, kind: .noop)])]))
        sample.disk.losePower()
        #expect(try Sample.open(sample.disk).recovered().lastIndex == found.lastIndex + 1, "seed \(seed)")
      } catch {
        refused += 1
        switch error {
        case .corrupt(let file, let offset, _):
          #expect(file.hasPrefix("/log/") && offset <= 64 << 10, "seed \(seed): \(error)")
        case .gap(let file, _, _), .newerFormat(let file, _, _): #expect(file.hasPrefix("/log/"), "seed \(seed)")
        default: Issue.record("seed \(seed): \(error)")
        }
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
