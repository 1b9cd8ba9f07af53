import Testing

@testable import Consensus
@testable import Simulation

/// The write-ahead log on a disk that loses whatever was not synchronised.
@Suite struct FileLogTests {
  private func open(_ disk: SimulatedDisk, segmentBytes: Int = 24 << 10) throws(StorageError) -> FileLog {
    try FileLog(
      disk: disk, directory: "/log",
      options: .init(firstSegmentBytes: 8 << 10, segmentBytes: segmentBytes, seed: 1) { $0() })
  }

  private func entries(_ range: ClosedRange<LogIndex>, term: Term, bytes: Int = 10) -> ArraySlice<LogEntry> {
    range.map { index in
      LogEntry(
        index: index, term: term, kind: .command,
        data: [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: bytes), extensions: [9, 8],
        appendedAt: WallTime(seconds: 1000, nanoseconds: 5))
    }[...]
  }

  private func all(_ log: FileLog) throws -> [LogEntry] {
    let found = log.recovered()
    return found.isEmpty ? [] : try log.entries(first: found.baseIndex + 1, last: found.lastIndex, bytesMax: .max)
  }

  private func afterPowerLoss(_ disk: SimulatedDisk) throws -> FileLog {
    disk.losePower()
    return try open(disk)
  }

  @Test func entriesComeBackAsTheyWereWritten() throws {
    let disk = SimulatedDisk(seed: 1)
    let log = try open(disk)
    let written = entries(1...3, term: 1) + entries(4...5, term: 2, bytes: 0)
    try log.write(LogBatch([.append(written)]))
    let again = try afterPowerLoss(disk)
    #expect(try all(again) == Array(written))
    #expect(again.recovered().terms == [.init(first: 1, term: 1), .init(first: 4, term: 2)])
  }

  @Test func segmentsFollowEachOtherAndOldOnesGo() throws {
    let disk = SimulatedDisk(seed: 1)
    let log = try open(disk)
    for index in stride(from: LogIndex(1), through: 400, by: 4) {
      try log.write(LogBatch([.append(entries(index...index + 3, term: 1, bytes: 500))]))
    }
    let before = try disk.list("/log").count
    #expect(before > 5)
    try log.write(LogBatch([.compact(through: 390)]))
    #expect(try disk.list("/log").count <= 3)
    let again = try afterPowerLoss(disk)
    let found = again.recovered()
    #expect(found.lastIndex == 400 && found.baseIndex <= 390 && found.baseTerm == 1)
    #expect(try again.entries(first: 391, last: 400, bytesMax: .max) == Array(entries(391...400, term: 1, bytes: 500)))
    #expect(throws: StorageError.self) { try again.entries(first: 1, last: 2, bytesMax: .max) }
  }

  @Test func conflictingEntriesAreReplacedInOneWrite() throws {
    let disk = SimulatedDisk(seed: 1)
    let log = try open(disk)
    try log.write(LogBatch([.append(entries(1...50, term: 1, bytes: 100))]))
    try log.write(LogBatch([.truncate(from: 20, previousTerm: 1), .append(entries(20...30, term: 2))]))
    try log.write(LogBatch([.truncate(from: 5, previousTerm: 1)]))
    try log.write(LogBatch([.append(entries(5...8, term: 3))]))
    let expected = Array(entries(1...4, term: 1, bytes: 100) + entries(5...8, term: 3))
    #expect(try log.entries(first: 1, last: 8, bytesMax: .max) == expected)
    #expect(try all(try afterPowerLoss(disk)) == expected)
  }

  @Test func aResetStartsTheLogAnew() throws {
    let disk = SimulatedDisk(seed: 1)
    let log = try open(disk)
    try log.write(LogBatch([.append(entries(1...5, term: 1))]))
    try log.write(LogBatch([.reset(next: 100, previousTerm: 4), .append(entries(100...101, term: 4))]))
    let again = try afterPowerLoss(disk)
    #expect(again.recovered().baseIndex == 99 && again.recovered().baseTerm == 4)
    #expect(try all(again) == Array(entries(100...101, term: 4)))
  }

  /// A snapshot of the leader may end within a log whose entries are in conflict with it.
  @Test func aResetWithinTheLogKeepsNothingOfAnotherTerm() throws {
    let disk = SimulatedDisk(seed: 1)
    let log = try open(disk)
    try log.write(LogBatch([.append(entries(1...5, term: 1))]))
    try log.write(LogBatch([.reset(next: 5, previousTerm: 2), .append(entries(5...6, term: 2))]))
    #expect(throws: StorageError.self) { try log.entries(first: 4, last: 4, bytesMax: .max) }
    let again = try afterPowerLoss(disk)
    #expect(again.recovered().baseIndex == 4 && again.recovered().baseTerm == 2)
    #expect(try all(again) == Array(entries(5...6, term: 2)))
  }

  /// After a failed sync the cache of the operating system shows what the disk does not have, until power is lost.
  @Test func leftoversOfAFailedBatchNeverComeBack() throws {
    for seed in UInt64(0)..<200 {
      let disk = SimulatedDisk(seed: seed)
      let log = try open(disk)
      try log.write(LogBatch([.append(entries(1...3, term: 1))]))
      disk.setFaults(.init(syncFailure: 1000, writeFailure: 500))
      _ = try? log.write(LogBatch([.append(entries(4...12, term: 1, bytes: 900))]))
      // The start that wipes the leftovers fails to synchronise.
      disk.killProcess()
      _ = try? open(disk)
      disk.setFaults(.init())
      disk.killProcess()
      let second = try open(disk)
      var next = second.recovered().lastIndex + 1
      let reached = next + 40
      while next < reached {
        try second.write(LogBatch([.append(entries(next...next, term: 1, bytes: 700))]))
        next += 1
      }
      #expect(try afterPowerLoss(disk).recovered().lastIndex == reached - 1, "seed \(seed)")
    }
  }

  @Test func aBatchLargerThanASegmentGetsOneOfItsOwn() throws {
    let disk = SimulatedDisk(seed: 1)
    let log = try open(disk)
    try log.write(LogBatch([.append(entries(1...1, term: 1))]))
    try log.write(LogBatch([.append(entries(2...2, term: 1, bytes: 100_000))]))
    try log.write(LogBatch([.append(entries(3...3, term: 1))]))
    let again = try afterPowerLoss(disk)
    #expect(try all(again).map { $0.data.count } == [10, 100_000, 10])
  }

  @Test func readsAreLimitedByBytesButGiveAtLeastOneEntry() throws {
    let log = try open(SimulatedDisk(seed: 1))
    try log.write(LogBatch([.append(entries(1...10, term: 1, bytes: 400))]))
    #expect(try log.entries(first: 1, last: 10, bytesMax: 1).count == 1)
    #expect(try log.entries(first: 1, last: 10, bytesMax: 1500).count == 3)
  }

  @Test func nothingIsWrittenAfterAFailedSync() throws {
    let disk = SimulatedDisk(seed: 1)
    let log = try open(disk)
    try log.write(LogBatch([.append(entries(1...1, term: 1))]))
    disk.setFaults(.init(syncFailure: 1000))
    #expect(throws: StorageError.self) { try log.write(LogBatch([.append(entries(2...2, term: 1))])) }
    disk.setFaults(.init())
    do throws(StorageError) {
      try log.write(LogBatch([.append(entries(2...2, term: 1))]))
      #expect(Bool(false), "a later sync must not be taken for success")
    } catch {
      guard case .failedBefore = error else { return #expect(Bool(false), "\(error)") }
    }
    #expect(try all(try afterPowerLoss(disk)).first?.index == 1)
  }

  @Test func aFullDiskIsNamedAndLosesNothing() throws {
    let disk = SimulatedDisk(seed: 1, faults: .init(capacity: 20 << 10))
    let log = try open(disk)
    var count: LogIndex = 0
    do throws(StorageError) {
      while count < 1000 {
        try log.write(LogBatch([.append(entries(count + 1...count + 1, term: 1, bytes: 300))]))
        count += 1
      }
    } catch {
      guard case .full(let reason) = error else { return #expect(Bool(false), "\(error)") }
      #expect(reason.path.hasPrefix("/log/"))
    }
    #expect(count > 3 && count < 1000)
    disk.setFaults(.init())
    #expect(try all(try afterPowerLoss(disk)).count == Int(count))
  }

  // MARK: What a start accepts and what it refuses

  /// A log of five batches and the path of its only segment.
  private func sample() throws -> (SimulatedDisk, String) {
    let disk = SimulatedDisk(seed: 1)
    let log = try open(disk)
    for index in LogIndex(1)...5 { try log.write(LogBatch([.append(entries(index...index, term: 1))])) }
    disk.losePower()
    return (disk, "/log/" + LogSegment.name(sequence: 1))
  }

  private func offsets(_ disk: SimulatedDisk, _ path: String) throws -> [Int] {
    var offsets: [Int] = []
    let content = disk.content(of: path) ?? []
    try content.withUnsafeBytes { bytes in
      let header = try LogSegment.Header(decoding: bytes, file: path)
      _ = try LogRecovery.scan(bytes, salt: header.salt) { record throws(StorageError) in offsets.append(record.offset)
      }
    }
    return offsets
  }

  @Test func aTornLastRecordIsDropped() throws {
    let (disk, path) = try sample()
    let last = try offsets(disk, path).last ?? 0
    for cut in stride(from: last + 1, to: last + 56, by: 5) {
      var content = disk.content(of: path) ?? []
      for position in cut..<content.count { content[position] = 0 }
      let torn = SimulatedDisk(seed: 1)
      _ = try open(torn)
      torn.setContent(content, of: path)
      let log = try open(torn)
      #expect(log.recovered().lastIndex == 4)
      try log.write(LogBatch([.append(entries(5...5, term: 2))]))
      #expect(try afterPowerLoss(torn).recovered().lastTerm == 2)
    }
  }

  @Test func damageBeforeTheLastBatchIsRefusedWithFileAndOffset() throws {
    let (disk, path) = try sample()
    let third = try offsets(disk, path)[3]
    disk.flip(bit: 3, at: third + 50, of: path)
    do throws(StorageError) {
      _ = try open(disk)
      #expect(Bool(false), "damage must be noticed")
    } catch {
      guard case .corrupt(let file, let offset, _) = error else { return #expect(Bool(false), "\(error)") }
      #expect(file == path && offset == UInt64(third))
      #expect(error.description.contains("\(path) is corrupt at offset \(third)"))
    }
  }

  @Test func damageInTheLastBatchIsRefusedAfterAnOrderlyEnd() throws {
    let disk = SimulatedDisk(seed: 1)
    let log = try open(disk)
    try log.write(LogBatch([.append(entries(1...1, term: 1))]))
    log.close()
    disk.losePower()
    let path = "/log/" + LogSegment.name(sequence: 1)
    #expect(try all(try open(disk)).count == 1)
    disk.losePower()
    disk.flip(bit: 0, at: LogSegment.recordsStart + 100, of: path)
    #expect(throws: StorageError.self) { try open(disk) }
  }

  @Test func aDamagedHeaderIsRefused() throws {
    for offset in [0, 9, 17, 30, 35, 61] {
      let (disk, path) = try sample()
      disk.flip(bit: 1, at: offset, of: path)
      #expect(throws: StorageError.self) { try open(disk) }
    }
  }

  @Test func aNewerFormatIsNamed() throws {
    let (disk, path) = try sample()
    var content = disk.content(of: path) ?? []
    content[8] = 9
    let sum = content[0..<60].withUnsafeBytes { CRC32C.of($0) }
    withUnsafeBytes(of: sum.littleEndian) { content.replaceSubrange(60..<64, with: $0) }
    disk.setContent(content, of: path)
    #expect(throws: StorageError.newerFormat(file: path, version: 9, supported: 1)) { try open(disk) }
  }

  @Test func aMissingSegmentIsNamed() throws {
    let disk = SimulatedDisk(seed: 1)
    let log = try open(disk)
    for index in LogIndex(1)...100 {
      try log.write(LogBatch([.append(entries(index...index, term: 1, bytes: 700))]))
    }
    disk.losePower()
    let missing = "/log/" + LogSegment.name(sequence: 2)
    try disk.remove(missing)
    do throws(StorageError) {
      _ = try open(disk)
      #expect(Bool(false), "a gap must be noticed")
    } catch {
      guard case .corrupt(let file, _, _) = error else { return #expect(Bool(false), "\(error)") }
      #expect(file == missing)
    }
  }

  @Test func aFileThatWasCutOffIsRefused() throws {
    let (disk, path) = try sample()
    disk.setContent(Array((disk.content(of: path) ?? []).dropLast(100)), of: path)
    #expect(throws: StorageError.self) { try open(disk) }
  }

  @Test func recordsCopiedFromElsewhereAreNotTakenForRecords() throws {
    let (source, path) = try sample()
    let copied = Array((source.content(of: path) ?? [])[LogSegment.recordsStart..<LogSegment.recordsStart + 800])
    let disk = SimulatedDisk(seed: 1)
    let log = try open(disk)
    let entry = LogEntry(index: 1, term: 1, kind: .command, data: copied)
    try log.write(LogBatch([.append([entry])]))
    // Torn in the middle of the record: the copies behind the damage must not count as evidence of later batches.
    var content = disk.content(of: path) ?? []
    for position in 4200..<4264 { content[position] = 0 }
    disk.setContent(content, of: path)
    #expect(try open(disk).recovered().isEmpty)
  }
}
