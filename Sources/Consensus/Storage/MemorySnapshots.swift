import Synchronization

/// Keeps the newest snapshot in memory (`agent -dev`).
public final class MemorySnapshots: SnapshotStorage {
  fileprivate struct Stored {
    var metadata: SnapshotMetadata
    var content: [UInt8]
  }

  fileprivate let newest = Mutex<Stored?>(nil)

  public init() {}

  public func newestUsable() throws(StorageError) -> (snapshot: SnapshotMetadata?, skipped: [StorageError]) {
    (newest.withLock { $0?.metadata }, [])
  }

  public func create(_ position: SnapshotPosition) throws(StorageError) -> any SnapshotSink {
    MemorySink(position: position, storage: self)
  }

  public func open(_ snapshot: SnapshotMetadata) throws(StorageError) -> any SnapshotReader {
    guard let stored = newest.withLock({ $0 }), stored.metadata == snapshot else {
      throw .missing(path: "memory: snapshot \(snapshot.name)")
    }
    return MemoryReader(metadata: stored.metadata, content: stored.content)
  }
}

private final class MemorySink: SnapshotSink {
  private let position: SnapshotPosition
  private let storage: MemorySnapshots
  private let content = Mutex<[UInt8]>([])

  init(position: SnapshotPosition, storage: MemorySnapshots) {
    self.position = position
    self.storage = storage
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    // The pointer is only read before this returns.
    let copy = Array(bytes)
    content.withLock { $0.append(contentsOf: copy) }
  }

  func seal() throws(StorageError) -> SnapshotMetadata { stored.metadata }

  private var stored: MemorySnapshots.Stored {
    let bytes = content.withLock { $0 }
    let metadata = SnapshotMetadata(
      position: position, size: UInt64(bytes.count), checksum: bytes.withUnsafeBytes { CRC32C.of($0) },
      name: "\(position.term)-\(position.index)")
    return MemorySnapshots.Stored(metadata: metadata, content: bytes)
  }

  func reader() throws(StorageError) -> any SnapshotReader {
    let stored = stored
    return MemoryReader(metadata: stored.metadata, content: stored.content)
  }

  func publish() throws(StorageError) {
    let stored = stored
    storage.newest.withLock { $0 = stored }
  }

  func abort() { content.withLock { $0 = [] } }
}

private final class MemoryReader: SnapshotReader {
  let metadata: SnapshotMetadata
  private let content: [UInt8]
  private let offset = Mutex(0)

  init(metadata: SnapshotMetadata, content: [UInt8]) {
    self.metadata = metadata
    self.content = content
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    let start = offset.withLock { offset in
      defer { offset = min(content.count, offset + buffer.count) }
      return offset
    }
    let count = min(buffer.count, content.count - start)
    buffer.copyBytes(from: content[start..<start + count])
    return count
  }
}
