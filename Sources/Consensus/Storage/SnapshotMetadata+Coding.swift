// The file `meta` of a snapshot.
//
//   0  8 bytes  "PCRAFTSN"
//   8  u32      format version
//  12  u32      CRC-32C of the content
//  16  u64      index
//  24  u64      term
//  32  u64      index of the configuration
//  40  u64      size of the content
//  48  u32      length of the configuration
//  52           configuration as in a log entry, then u32 CRC-32C of everything before

extension SnapshotMetadata {
  private static let magic: [UInt8] = Array("PCRAFTSN".utf8)
  private static let version: UInt32 = 1
  static let encodedBytesMax = 1 << 20

  func encoded() -> [UInt8] {
    let configuration = position.configuration.encoded()
    var bytes = Self.magic
    bytes.appendLittleEndian(Self.version)
    bytes.appendLittleEndian(checksum)
    bytes.appendLittleEndian(position.index)
    bytes.appendLittleEndian(position.term)
    bytes.appendLittleEndian(position.configurationIndex)
    bytes.appendLittleEndian(size)
    bytes.appendLittleEndian(UInt32(clamping: configuration.count))
    bytes.append(contentsOf: configuration)
    bytes.appendLittleEndian(bytes.withUnsafeBytes { CRC32C.of($0) })
    return bytes
  }

  init(decoding bytes: UnsafeRawBufferPointer, name: String, path: String) throws(StorageError) {
    guard bytes.count >= 56, bytes[0..<8].elementsEqual(Self.magic) else {
      throw .corrupt(file: path, offset: 0, reason: "not the description of a snapshot")
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
    guard Int(load(48, as: UInt32.self)) == bytes.count - 56,
      let configuration = try? RaftConfiguration(decoding: Array(bytes[52..<bytes.count - 4]))
    else { throw .corrupt(file: path, offset: 52, reason: "the configuration cannot be read") }
    self.name = name
    checksum = load(12, as: UInt32.self)
    size = load(40, as: UInt64.self)
    position = SnapshotPosition(
      index: load(16, as: UInt64.self), term: load(24, as: UInt64.self), configuration: configuration,
      configurationIndex: load(32, as: UInt64.self))
  }
}
