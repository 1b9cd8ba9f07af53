/// The three stores of one server.
public struct RaftStorage: Sendable {
  public var log: any LogStorage
  public var term: any TermStorage
  public var snapshots: any SnapshotStorage
  /// Keeps other processes away from the files.
  private var lock: (any DiskLock)?

  public init(log: any LogStorage, term: any TermStorage, snapshots: any SnapshotStorage) {
    self.log = log
    self.term = term
    self.snapshots = snapshots
  }

  /// Everything in memory, gone with the process.
  public static func memory() -> RaftStorage {
    RaftStorage(log: MemoryLog(), term: MemoryTermStorage(), snapshots: MemorySnapshots())
  }

  /// Opens `<dataDirectory>/raft`, creating it on a first start.
  ///
  ///     raft/LOCK  raft/term  raft/log/…0001.log  raft/snapshots/<term>-<index>-<n>/{meta,state.bin}
  ///
  /// - Throws: if another process uses it, if it is damaged, or if it holds the state of another implementation. Nothing
  ///   is changed then.
  public static func open(
    dataDirectory: String, disk: any Disk = FileSystemDisk(), log options: FileLog.Options? = nil
  ) throws(StorageError) -> RaftStorage {
    let directory = dataDirectory + "/raft"
    try onDisk { () throws(DiskError) in try disk.createDirectory(directory) }
    guard let lock = try onDisk({ () throws(DiskError) in try disk.lock(directory + "/LOCK") }) else {
      throw .inUse(path: directory)
    }
    for name in ["raft.db", "wal"] {
      let path = directory + "/" + name
      if try onDisk({ () throws(DiskError) in try disk.exists(path) }) { throw .foreign(path: path) }
    }
    let term = FileTermStorage(disk: disk, directory: directory)
    let options =
      options
      ?? FileLog.Options(seed: UInt64.random(in: 0...UInt64.max)) { work in
        RaftThread.detached(name: "raft-prepare", work)
      }
    var storage = RaftStorage(
      log: try FileLog(disk: disk, directory: directory + "/log", options: options), term: term,
      snapshots: try FileSnapshots(disk: disk, directory: directory + "/snapshots"))
    storage.lock = lock
    return storage
  }

  func close() {
    log.close()
    lock?.release()
  }
}
