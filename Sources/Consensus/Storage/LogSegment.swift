// A segment: a file of fixed size, filled with zeros before its first use, so that writing records never changes the
// file's size or its allocation and one fdatasync of the data is all that durability costs.
//
//   0  8 bytes  "PCRAFTLG"
//   8  u32      format version
//  12  u32      0
//  16  u64      sequence number (also the file's name)
//  24  u64      size of the file
//  32  u64      salt of all checksums in the file
//  40  u8×20    0
//  60  u32      CRC-32C of bytes 0 ..< 60
//  4096         records; the gap keeps the header out of every later write
//
// A file gets its final name only when header and zeros are durable. So a damaged header is never the trace of a crash.

enum LogSegment {
  static let magic: [UInt8] = Array("PCRAFTLG".utf8)
  static let version: UInt32 = 1
  static let headerBytes = 64
  static let recordsStart = 4096
  static let suffix = ".log"
  static let temporaryName = "prepare.tmp"

  struct Header: Equatable {
    var sequence: UInt64
    var size: UInt64
    var salt: UInt64

    func encoded() -> [UInt8] {
      var bytes = LogSegment.magic
      bytes.appendLittleEndian(LogSegment.version)
      bytes.appendLittleEndian(UInt32(0))
      bytes.appendLittleEndian(sequence)
      bytes.appendLittleEndian(size)
      bytes.appendLittleEndian(salt)
      bytes.append(contentsOf: [UInt8](repeating: 0, count: 20))
      bytes.appendLittleEndian(bytes.withUnsafeBytes { CRC32C.of($0) })
      return bytes
    }

    init(sequence: UInt64, size: UInt64, salt: UInt64) {
      self.sequence = sequence
      self.size = size
      self.salt = salt
    }

    /// - Parameter bytes: the first `headerBytes` of `file`.
    init(decoding bytes: UnsafeRawBufferPointer, file: String) throws(StorageError) {
      guard bytes.count >= LogSegment.headerBytes else {
        throw .corrupt(file: file, offset: UInt64(bytes.count), reason: "the header is cut off")
      }
      guard bytes[0..<8].elementsEqual(LogSegment.magic) else {
        throw .corrupt(file: file, offset: 0, reason: "not a log segment")
      }
      func load<T: FixedWidthInteger>(_ offset: Int, as type: T.Type) -> T {
        T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
      }
      let version = load(8, as: UInt32.self)
      let sum = CRC32C.of(UnsafeRawBufferPointer(rebasing: bytes[0..<60]))
      guard sum == load(60, as: UInt32.self) else {
        throw .corrupt(file: file, offset: 0, reason: "the header's checksum does not match")
      }
      guard version <= LogSegment.version else {
        throw .newerFormat(file: file, version: version, supported: LogSegment.version)
      }
      sequence = load(16, as: UInt64.self)
      size = load(24, as: UInt64.self)
      salt = load(32, as: UInt64.self)
    }
  }

  static func name(sequence: UInt64) -> String {
    let digits = String(sequence)
    return String(repeating: "0", count: max(0, 20 - digits.count)) + digits + suffix
  }

  /// The sequence number in a file name; nil for names that are not those of segments.
  static func sequence(ofName name: String) -> UInt64? {
    guard name.hasSuffix(suffix), name.utf8.count == 20 + suffix.utf8.count else { return nil }
    return UInt64(name.dropLast(suffix.count))
  }

  /// Creates a segment that is ready to be written, durable including its name.
  static func create(
    on disk: any Disk, directory: String, header: Header
  ) throws(DiskError) -> any DiskFile {
    let temporary = directory + "/" + temporaryName
    let file = try disk.open(temporary, .create)
    try file.writeZeros(from: 0, to: header.size)
    try file.write(header.encoded(), at: 0)
    try file.synchronize()
    try disk.rename(temporary, to: directory + "/" + name(sequence: header.sequence))
    try disk.synchronizeDirectory(directory)
    return file
  }
}

extension DiskFile {
  func writeZeros(from start: UInt64, to end: UInt64) throws(DiskError) {
    let zeros = [UInt8](repeating: 0, count: 256 << 10)
    let result = zeros.withUnsafeBytes { bytes in
      Result { () throws(DiskError) in
        var offset = start
        while offset < end {
          let count = Int(min(UInt64(bytes.count), end - offset))
          try write(UnsafeRawBufferPointer(rebasing: bytes[0..<count]), at: offset)
          offset += UInt64(count)
        }
      }
    }
    try result.get()
  }
}
