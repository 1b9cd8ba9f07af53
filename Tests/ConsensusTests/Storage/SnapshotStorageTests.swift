import Testing

@testable import Consensus
@testable import Simulation

@Suite struct SnapshotStorageTests {
  private func position(_ index: LogIndex) -> SnapshotPosition {
    SnapshotPosition(
      index: index, term: 2, configuration: RaftConfiguration(servers: [RaftServer(id: "a", address: "a:1")]),
      configurationIndex: 1)
  }

  @discardableResult
  private func store(_ index: LogIndex, _ text: String, in storage: FileSnapshots) throws -> SnapshotMetadata {
    let sink = try storage.create(position(index))
    for byte in text.utf8 { try sink.write([byte]) }
    let metadata = try sink.seal()
    try sink.publish()
    return metadata
  }

  private func text(_ reader: any SnapshotReader) throws -> String {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 3)
    while true {
      let count = try buffer.withUnsafeMutableBytes { try reader.read(into: $0) }
      if count == 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes += buffer[0..<count]
    }
  }

  @Test func theNewestIsFoundAfterARestartAndTwoAreKept() throws {
    let disk = SimulatedDisk(seed: 1)
    let storage = try FileSnapshots(disk: disk, directory: "/s")
    for index in LogIndex(1)...5 { try store(index, "state \(index)", in: storage) }
    disk.losePower()
    let again = try FileSnapshots(disk: disk, directory: "/s")
    let newest = try #require(try again.newestUsable().snapshot)
    #expect(newest.index == 5 && newest.position == position(5))
    #expect(try text(again.open(newest)) == "state 5")
    #expect(try disk.list("/s").count == 2)
  }

  @Test func anUnfinishedSnapshotDoesNotExist() throws {
    let disk = SimulatedDisk(seed: 1)
    let storage = try FileSnapshots(disk: disk, directory: "/s")
    try store(1, "one", in: storage)
    let unfinished = try storage.create(position(2))
    try unfinished.write(Array("half".utf8))
    _ = try unfinished.seal()
    disk.killProcess()
    let again = try FileSnapshots(disk: disk, directory: "/s")
    #expect(try again.newestUsable().snapshot?.index == 1)
    #expect(try disk.list("/s").count == 1)
  }

  @Test func aDamagedOneIsPassedOver() throws {
    for file in ["state.bin", "meta"] {
      let disk = SimulatedDisk(seed: 1)
      let storage = try FileSnapshots(disk: disk, directory: "/s")
      try store(1, "one", in: storage)
      let damaged = try store(2, "two", in: storage)
      disk.flip(bit: 0, at: 1, of: "/s/\(damaged.name)/\(file)")
      let found = try storage.newestUsable()
      #expect(found.snapshot?.index == 1)
      #expect(found.skipped.count == 1)
    }
  }

  @Test func ifAllAreDamagedNothingIsInvented() throws {
    let disk = SimulatedDisk(seed: 1)
    let storage = try FileSnapshots(disk: disk, directory: "/s")
    let only = try store(1, "one", in: storage)
    disk.flip(bit: 0, at: 0, of: "/s/\(only.name)/state.bin")
    do throws(StorageError) {
      _ = try storage.newestUsable()
      #expect(Bool(false))
    } catch {
      guard case .noUsableSnapshot = error else { return #expect(Bool(false), "\(error)") }
    }
  }

  @Test func readersOfADamagedSnapshotGetAnErrorNotAResult() throws {
    let disk = SimulatedDisk(seed: 1)
    let storage = try FileSnapshots(disk: disk, directory: "/s")
    let metadata = try store(1, "one two three", in: storage)
    disk.flip(bit: 0, at: 5, of: "/s/\(metadata.name)/state.bin")
    #expect(throws: StorageError.self) { try text(storage.open(metadata)) }
  }
}
