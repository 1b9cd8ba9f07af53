import Synchronization

/// Term and vote in a small file that is replaced as a whole, so that it is never half-written: a checksum that does not
/// match is damage, and starting with an older vote could elect two leaders, so it is refused.
///
///   0  8 bytes  "PCRAFTTM"
///   8  u32      format version
///  12  u32      length of the vote; 0xFFFFFFFF for none
///  16  u64      term
///  24           vote (UTF-8), then u32 CRC-32C of everything before
public final class FileTermStorage: TermStorage {
  private static let magic: [UInt8] = Array("PCRAFTTM".utf8)
  private static let version: UInt32 = 1
  private static let noVote = UInt32.max
  private static let voteBytesMax = 4096

  private let disk: any Disk
  private let directory: String
  private let failure = Mutex<String?>(nil)

  private var path: String { directory + "/term" }

  /// The file is `term` in `directory`, which must exist.
  public init(disk: any Disk, directory: String) {
    self.disk = disk
    self.directory = directory
  }

  public func load() throws(StorageError) -> HardState? {
    let disk = self.disk
    let path = self.path
    guard try onDisk({ () throws(DiskError) in try disk.exists(path) }) else { return nil }
    let bytes = try onDisk { () throws(DiskError) in
      try disk.open(path, .read).read(Self.voteBytesMax + 64, at: 0)
    }
    // Whoever died after the rename may not have made it durable.
    try onDisk { () throws(DiskError) in try disk.synchronizeDirectory(directory) }
    return try bytes.withUnsafeBytesTyped { bytes throws(StorageError) in try Self.decode(bytes, path: path) }
  }

  public func store(_ state: HardState) throws(StorageError) {
    if let failure = failure.withLock({ $0 }) { throw .failedBefore(failure) }
    let temporary = path + ".tmp"
    do {
      try onDisk { () throws(DiskError) in
        let file = try disk.open(temporary, .create)
        try file.write(Self.encode(state), at: 0)
        try file.synchronize()
        try disk.rename(temporary, to: path)
        try disk.synchronizeDirectory(directory)
      }
    } catch {
      failure.withLock { $0 = error.description }
      throw error
    }
  }

  static func encode(_ state: HardState) -> [UInt8] {
    var bytes = magic
    let vote = state.votedFor.map { Array($0.utf8) }
    bytes.appendLittleEndian(version)
    bytes.appendLittleEndian(vote.map { UInt32(clamping: $0.count) } ?? noVote)
    bytes.appendLittleEndian(state.term)
    bytes.append(contentsOf: vote ?? [])
    bytes.appendLittleEndian(bytes.withUnsafeBytes { CRC32C.of($0) })
    return bytes
  }

  static func decode(_ bytes: UnsafeRawBufferPointer, path: String) throws(StorageError) -> HardState {
    guard bytes.count >= 28, bytes[0..<8].elementsEqual(magic) else {
      throw .corrupt(file: path, offset: 0, reason: "not a term file")
    }
    func load<T: FixedWidthInteger>(_ offset: Int, as type: T.Type) -> T {
      T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
    }
    let sum = CRC32C.of(UnsafeRawBufferPointer(rebasing: bytes[0..<bytes.count - 4]))
    guard sum == load(bytes.count - 4, as: UInt32.self) else {
      throw .corrupt(file: path, offset: 0, reason: "the checksum does not match")
    }
    let version = load(8, as: UInt32.self)
    guard version <= Self.version else {
      throw .newerFormat(file: path, version: version, supported: Self.version)
    }
    let voteLength = load(12, as: UInt32.self)
    guard voteLength != noVote else { return HardState(term: load(16, as: UInt64.self)) }
    guard Int(voteLength) == bytes.count - 28 else {
      throw .corrupt(file: path, offset: 12, reason: "the length of the vote is wrong")
    }
    let vote = String(decoding: bytes[24..<24 + Int(voteLength)], as: UTF8.self)
    return HardState(term: load(16, as: UInt64.self), votedFor: vote)
  }
}
