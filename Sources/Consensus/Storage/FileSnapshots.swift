import Synchronization

/// Snapshots on disk: a directory each, with `meta` and `state.bin`. A directory gets its final name only when both files
/// are durable, so an unfinished one is recognised by its name.
public final class FileSnapshots: SnapshotStorage {
  /// How many are kept: the newest, and one to fall back to.
  private static let keptCount = 2
  private static let temporarySuffix = ".tmp"

  fileprivate let disk: any Disk
  fileprivate let directory: String
  private let state: Mutex<State>

  private struct State {
    var nextNumber: UInt64
    /// Names that turned out to be unusable.
    var bad: Set<String> = []
  }

  /// Opens the snapshots in `directory`, creating it if it does not exist, and removes unfinished ones.
  public init(disk: any Disk, directory: String) throws(StorageError) {
    self.disk = disk
    self.directory = directory
    try onDisk { () throws(DiskError) in try disk.createDirectory(directory) }
    var nextNumber: UInt64 = 1
    for name in try onDisk({ () throws(DiskError) in try disk.list(directory) }) {
      if let parsed = SnapshotName(name) {
        nextNumber = max(nextNumber, parsed.number &+ 1)
      } else if name.hasSuffix(Self.temporarySuffix) {
        try onDisk { () throws(DiskError) in try Self.removeTree(disk, directory + "/" + name) }
      }
    }
    // Whoever died after a rename may not have made it durable, and the log is shortened relying on it.
    try onDisk { () throws(DiskError) in try disk.synchronizeDirectory(directory) }
    state = Mutex(State(nextNumber: nextNumber))
  }

  public func newestUsable() throws(StorageError) -> (snapshot: SnapshotMetadata?, skipped: [StorageError]) {
    var skipped: [StorageError] = []
    for name in try names() {
      do {
        let metadata = try load(name)
        try verify(metadata)
        return (metadata, skipped)
      } catch {
        if case .newerFormat = error { throw error }
        skipped.append(error)
        state.withLock { _ = $0.bad.insert(name) }
      }
    }
    if let last = skipped.last {
      throw .noUsableSnapshot(directory: directory, reason: last.description)
    }
    return (nil, [])
  }

  /// Names of finished snapshots, newest first.
  private func names() throws(StorageError) -> [String] {
    let names = try onDisk { () throws(DiskError) in try disk.list(directory) }
    return names.compactMap { name in SnapshotName(name).map { (name, $0) } }
      .sorted { $0.1 > $1.1 }.map { $0.0 }
  }

  private func load(_ name: String) throws(StorageError) -> SnapshotMetadata {
    let path = directory + "/" + name + "/meta"
    let bytes = try onDisk { () throws(DiskError) in
      try disk.open(path, .read).read(SnapshotMetadata.encodedBytesMax, at: 0)
    }
    return try bytes.withUnsafeBytesTyped { bytes throws(StorageError) in
      try SnapshotMetadata(decoding: bytes, name: name, path: path)
    }
  }

  /// Reads the content once; the reader reports what does not match.
  private func verify(_ metadata: SnapshotMetadata) throws(StorageError) {
    let reader = try FileReader(disk: disk, directory: directory + "/" + metadata.name, metadata: metadata)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 << 10, alignment: 16)
    defer { buffer.deallocate() }
    while try reader.readChecked(into: buffer) > 0 {}
  }

  public func open(_ snapshot: SnapshotMetadata) throws(StorageError) -> any SnapshotReader {
    try FileReader(disk: disk, directory: directory + "/" + snapshot.name, metadata: snapshot)
  }

  public func create(_ position: SnapshotPosition) throws(StorageError) -> any SnapshotSink {
    let number = state.withLock { state in
      defer { state.nextNumber &+= 1 }
      return state.nextNumber
    }
    let name = SnapshotName(index: position.index, term: position.term, number: number).text
    let temporary = directory + "/" + name + Self.temporarySuffix
    let file = try onDisk { () throws(DiskError) in
      try disk.createDirectory(temporary)
      return try disk.open(temporary + "/state.bin", .create)
    }
    return FileSink(storage: self, position: position, name: name, temporary: temporary, file: file)
  }

  /// Removes what is neither among the newest nor usable.
  fileprivate func reap() throws(StorageError) {
    let bad = state.withLock { $0.bad }
    var kept = 0
    for name in try names() {
      if !bad.contains(name), kept < Self.keptCount {
        kept += 1
        continue
      }
      let doomed = directory + "/" + name + Self.temporarySuffix
      try onDisk { () throws(DiskError) in
        try disk.rename(directory + "/" + name, to: doomed)
        // Not before it lost its name may it lose its files.
        try disk.synchronizeDirectory(directory)
        try Self.removeTree(disk, doomed)
      }
    }
  }

  fileprivate static func removeTree(_ disk: any Disk, _ path: String) throws(DiskError) {
    for name in try disk.list(path) { try disk.remove(path + "/" + name) }
    try disk.remove(path)
  }
}

/// `term-index-number`; ordered by what it stands for.
struct SnapshotName: Comparable {
  var index: LogIndex
  var term: Term
  /// Distinguishes snapshots of the same position.
  var number: UInt64

  init(index: LogIndex, term: Term, number: UInt64) {
    self.index = index
    self.term = term
    self.number = number
  }

  init?(_ name: String) {
    let parts = name.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, let term = UInt64(parts[0]), let index = UInt64(parts[1]), let number = UInt64(parts[2])
    else { return nil }
    self.init(index: index, term: term, number: number)
  }

  var text: String { "\(term)-\(index)-\(number)" }

  static func < (left: Self, right: Self) -> Bool {
    (left.index, left.term, left.number) < (right.index, right.term, right.number)
  }
}

private final class FileSink: SnapshotSink {
  private let storage: FileSnapshots
  private let position: SnapshotPosition
  private let name: String
  private let temporary: String
  private let file: any DiskFile
  private let progress = Mutex(Progress())

  private struct Progress {
    var size: UInt64 = 0
    var sum = CRC32C()
    var buffer: [UInt8] = []
    var metadata: SnapshotMetadata?
  }

  private static let bufferBytes = 128 << 10

  init(storage: FileSnapshots, position: SnapshotPosition, name: String, temporary: String, file: any DiskFile) {
    self.storage = storage
    self.position = position
    self.name = name
    self.temporary = temporary
    self.file = file
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    // One writer at a time; the lock only publishes progress to the thread that seals. Buffered bytes are taken out
    // so that no pointer crosses it.
    var buffer = progress.withLock { progress in
      progress.size += UInt64(bytes.count)
      let buffer = progress.buffer
      progress.buffer = []
      return buffer
    }
    buffer.append(contentsOf: bytes)
    if buffer.count >= Self.bufferBytes {
      try flush(buffer)
      buffer.removeAll(keepingCapacity: true)
    }
    progress.withLock { $0.buffer = buffer }
  }

  private func flush(_ buffer: [UInt8]) throws(StorageError) {
    guard !buffer.isEmpty else { return }
    let offset = progress.withLock { progress in
      buffer.withUnsafeBytes { progress.sum.update($0) }
      return progress.size - UInt64(buffer.count)
    }
    try onDisk { () throws(DiskError) in try file.write(buffer, at: offset) }
  }

  func seal() throws(StorageError) -> SnapshotMetadata {
    let rest = progress.withLock { progress in
      defer { progress.buffer = [] }
      return progress.buffer
    }
    try flush(rest)
    let metadata = progress.withLock { progress in
      let metadata = SnapshotMetadata(
        position: position, size: progress.size, checksum: progress.sum.value, name: name)
      progress.metadata = metadata
      return metadata
    }
    let disk = storage.disk
    try onDisk { () throws(DiskError) in
      try file.synchronize()
      let meta = try disk.open(temporary + "/meta", .create)
      try meta.write(metadata.encoded(), at: 0)
      try meta.synchronize()
      try disk.synchronizeDirectory(temporary)
    }
    return metadata
  }

  func reader() throws(StorageError) -> any SnapshotReader {
    guard let metadata = progress.withLock({ $0.metadata }) else { throw .missing(path: temporary + "/meta") }
    return try FileReader(disk: storage.disk, directory: temporary, metadata: metadata)
  }

  func publish() throws(StorageError) {
    try onDisk { () throws(DiskError) in
      try storage.disk.rename(temporary, to: storage.directory + "/" + name)
      try storage.disk.synchronizeDirectory(storage.directory)
    }
    try storage.reap()
  }

  func abort() {
    // What cannot be removed now is removed at the next start.
    try? FileSnapshots.removeTree(storage.disk, temporary)
  }
}

private final class FileReader: SnapshotReader {
  let metadata: SnapshotMetadata
  private let file: any DiskFile
  private let path: String
  private let progress = Mutex<(offset: UInt64, sum: CRC32C)>((0, CRC32C()))

  init(disk: any Disk, directory: String, metadata: SnapshotMetadata) throws(StorageError) {
    self.metadata = metadata
    let path = directory + "/state.bin"
    self.path = path
    let file = try onDisk { () throws(DiskError) in try disk.open(path, .read) }
    let size = try onDisk { () throws(DiskError) in try file.size() }
    guard size == metadata.size else {
      throw .corrupt(file: path, offset: size, reason: "the file should have \(metadata.size) bytes")
    }
    self.file = file
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int { try readChecked(into: buffer) }

  func readChecked(into buffer: UnsafeMutableRawBufferPointer) throws(StorageError) -> Int {
    var (offset, sum) = progress.withLock { $0 }
    let count = try onDisk { () throws(DiskError) in try file.read(into: buffer, at: offset) }
    sum.update(UnsafeRawBufferPointer(rebasing: buffer[0..<count]))
    offset += UInt64(count)
    if count < buffer.count || offset >= metadata.size {
      guard offset == metadata.size, sum.value == metadata.checksum else {
        throw .corrupt(file: path, offset: offset, reason: "the content's checksum does not match")
      }
    }
    progress.withLock { $0 = (offset, sum) }
    return count
  }
}
