import Testing

@testable import Consensus
@testable import Simulation

/// What a start does with a data directory as a whole.
@Suite struct RaftStorageTests {
  private func open(_ disk: SimulatedDisk) throws(StorageError) -> RaftStorage {
    try RaftStorage.open(
      dataDirectory: "/data", disk: disk,
      log: .init(firstSegmentBytes: 8 << 10, segmentBytes: 8 << 10, seed: 1) { $0() })
  }

  private let alone = RaftConfiguration(servers: [RaftServer(id: "a", address: "a:1")])

  @Test func dataOfAnotherImplementationIsLeftAlone() throws {
    let disk = SimulatedDisk(seed: 1)
    try disk.createDirectory("/data/raft")
    _ = try disk.open("/data/raft/raft.db", .create)
    #expect(throws: StorageError.foreign(path: "/data/raft/raft.db")) { try open(disk) }
    #expect(try disk.list("/data/raft").sorted() == ["raft.db"])
  }

  @Test func seedingIsDoneOnce() throws {
    let disk = SimulatedDisk(seed: 1)
    let first = try Recovery(open(disk), bootstrap: alone)
    #expect(first.restored.membership.latest == alone && first.restored.hardState.term == 1)
    disk.losePower()
    let other = RaftConfiguration(servers: [RaftServer(id: "b", address: "b:1")])
    let again = try Recovery(open(disk), bootstrap: other)
    #expect(again.restored.membership.latest == alone)
    #expect(again.restored.log.lastIndex == 1)
  }

  @Test func aLogWithoutItsTermIsRefused() throws {
    let disk = SimulatedDisk(seed: 1)
    _ = try Recovery(open(disk), bootstrap: alone)
    disk.losePower()
    try disk.remove("/data/raft/term")
    #expect(throws: StorageError.self) { try Recovery(open(disk), bootstrap: alone) }
  }

  @Test func aLogThatBeginsAfterTheSnapshotIsRefused() throws {
    let disk = SimulatedDisk(seed: 1)
    let storage = try open(disk)
    try storage.term.store(HardState(term: 3))
    try storage.log.write(LogBatch([.reset(next: 50, previousTerm: 2)]))
    #expect(throws: StorageError.gap(file: "log", expected: 1, found: 50)) {
      try Recovery(storage, bootstrap: nil)
    }
  }

  @Test func aSnapshotAheadOfTheLogReplacesIt() throws {
    let disk = SimulatedDisk(seed: 1)
    let storage = try open(disk)
    _ = try Recovery(storage, bootstrap: alone)
    try storage.term.store(HardState(term: 4))
    let sink = try storage.snapshots.create(
      SnapshotPosition(index: 20, term: 4, configuration: alone, configurationIndex: 9))
    _ = try sink.seal()
    try sink.publish()
    let recovery = try Recovery(storage, bootstrap: alone)
    #expect(recovery.restored.log.lastIndex == 20 && recovery.restored.log.baseIndex == 20)
    #expect(recovery.restored.membership.latestIndex == 9)
    disk.losePower()
    #expect(try Recovery(open(disk), bootstrap: alone).restored.log.lastIndex == 20)
  }

  @Test func theTermFileIsNeverHalfWritten() throws {
    for crash in 0..<12 {
      let disk = SimulatedDisk(seed: UInt64(crash))
      try disk.createDirectory("/t")
      try disk.synchronizeDirectory("/")
      let storage = FileTermStorage(disk: disk, directory: "/t")
      try storage.store(HardState(term: 1, votedFor: "a"))
      disk.planCrash(afterOperations: crash)
      let isStored = (try? storage.store(HardState(term: 2, votedFor: "b"))) != nil
      disk.losePower()
      let found = try FileTermStorage(disk: disk, directory: "/t").load()
      #expect(found == HardState(term: 2, votedFor: "b") || (!isStored && found == HardState(term: 1, votedFor: "a")))
    }
  }
}
