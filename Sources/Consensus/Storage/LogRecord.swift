// A record of the write-ahead log. All numbers are little-endian; records start at multiples of 8.
//
//   0  u32  length of the record without padding; 0 where nothing has been written yet
//   4  u32  CRC-32C over the segment's salt, the record's offset, bytes 0 ..< 4 and 8 ..< length
//   8  u32  offset of the first record of the same batch (one batch = one write and one sync)
//  12  u8   kind: that of a log entry, or one of `Control`
//  13  u24  nonce of the batch, so that leftovers of an unfinished batch never pass for part of one written over it
//  16  u64  index
//  24  u64  term
//  32  i64  seconds of the leader's wall clock
//  40  u32  nanoseconds
//  44  u32  length of the extensions
//  48       extensions, data
//
// Salt and offset in the checksum make sure that bytes are only ever taken for a record at the very place where they were
// written as one: values that contain copies of log files do not confuse recovery.

enum LogRecord {
  static let headerBytes = 48

  /// Records that are not entries.
  enum Control: UInt8 {
    /// First record of a segment: the index that comes next and the term of the entry before it.
    case resume = 0x80
    /// What follows continues at `index`, after an entry of `term`; entries from there on are void.
    case jump = 0x81
    /// The log was closed in order. Proves that everything before it was complete.
    case closed = 0x82
  }

  /// A parsed header whose checksum was right.
  struct Parsed: Equatable {
    var offset: Int
    var length: Int
    var batch: UInt32
    var nonce: UInt32
    var kind: UInt8
    var index: LogIndex
    var term: Term
    var appendedAt: WallTime
    var extensionsLength: Int

    var next: Int { LogRecord.aligned(offset + length) }
  }

  static func aligned(_ count: Int) -> Int { (count + 7) & ~7 }

  static func bytes(of entry: LogEntry) -> Int {
    aligned(headerBytes + entry.extensions.count + entry.data.count)
  }

  /// Appends a record that will stand at `offset + (buffer.count - start)` … of the segment; `origin` is the offset in the
  /// segment of the buffer's first byte.
  static func append(
    to buffer: inout [UInt8], origin: Int, batch: UInt32, nonce: UInt32, salt: UInt64, kind: UInt8, index: LogIndex,
    term: Term,
    appendedAt: WallTime = WallTime(seconds: 0, nanoseconds: 0), extensions: [UInt8] = [], data: [UInt8] = []
  ) {
    let start = buffer.count
    let length = headerBytes + extensions.count + data.count
    buffer.appendLittleEndian(UInt32(length))
    buffer.appendLittleEndian(UInt32(0))
    buffer.appendLittleEndian(batch)
    buffer.appendLittleEndian(nonce << 8 | UInt32(kind))
    buffer.appendLittleEndian(index)
    buffer.appendLittleEndian(term)
    buffer.appendLittleEndian(UInt64(bitPattern: appendedAt.seconds))
    buffer.appendLittleEndian(appendedAt.nanoseconds)
    buffer.appendLittleEndian(UInt32(extensions.count))
    buffer.append(contentsOf: extensions)
    buffer.append(contentsOf: data)
    buffer.withUnsafeMutableBytes { bytes in
      let record = UnsafeRawBufferPointer(rebasing: bytes[start..<start + length])
      let sum = checksum(record, salt: salt, offset: origin + start)
      bytes.storeBytes(of: sum.littleEndian, toByteOffset: start + 4, as: UInt32.self)
    }
    for _ in length..<aligned(length) { buffer.append(0) }
  }

  private static func checksum(_ record: UnsafeRawBufferPointer, salt: UInt64, offset: Int) -> UInt32 {
    var sum = CRC32C()
    sum.update(salt)
    sum.update(UInt64(offset))
    sum.update(UnsafeRawBufferPointer(rebasing: record[0..<4]))
    sum.update(UnsafeRawBufferPointer(rebasing: record[8...]))
    return sum.value
  }

  /// The record at `position` of `bytes`, if there is a sound one. `origin` is the offset of `bytes` in the segment.
  static func parse(
    _ bytes: UnsafeRawBufferPointer, at position: Int, origin: Int = 0, salt: UInt64
  ) -> Parsed? {
    guard position >= 0, bytes.count - position >= headerBytes else { return nil }
    func load<T: FixedWidthInteger>(_ offset: Int, as type: T.Type) -> T {
      T(littleEndian: bytes.loadUnaligned(fromByteOffset: position + offset, as: type))
    }
    let length = Int(load(0, as: UInt32.self))
    guard length >= headerBytes, length <= bytes.count - position else { return nil }
    let extensionsLength = Int(load(44, as: UInt32.self))
    guard extensionsLength <= length - headerBytes else { return nil }
    let record = UnsafeRawBufferPointer(rebasing: bytes[position..<position + length])
    guard checksum(record, salt: salt, offset: origin + position) == load(4, as: UInt32.self) else { return nil }
    return Parsed(
      offset: origin + position, length: length, batch: load(8, as: UInt32.self),
      nonce: load(12, as: UInt32.self) >> 8, kind: load(12, as: UInt8.self),
      index: load(16, as: UInt64.self), term: load(24, as: UInt64.self),
      appendedAt: WallTime(
        seconds: Int64(bitPattern: load(32, as: UInt64.self)), nanoseconds: load(40, as: UInt32.self)),
      extensionsLength: extensionsLength)
  }

  /// The entry of a parsed record.
  static func entry(_ parsed: Parsed, in bytes: UnsafeRawBufferPointer, origin: Int = 0) -> LogEntry? {
    guard let kind = LogEntry.Kind(rawValue: parsed.kind) else { return nil }
    let start = parsed.offset - origin + headerBytes
    let middle = start + parsed.extensionsLength
    let end = parsed.offset - origin + parsed.length
    return LogEntry(
      index: parsed.index, term: parsed.term, kind: kind, data: Array(bytes[middle..<end]),
      extensions: Array(bytes[start..<middle]), appendedAt: parsed.appendedAt)
  }
}

extension [UInt8] {
  mutating func appendLittleEndian<T: FixedWidthInteger>(_ value: T) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }
}
