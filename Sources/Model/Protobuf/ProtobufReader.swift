/// Why bytes are not the message that was expected.
public enum ProtobufError: Error, Equatable {
  /// The message ends within a value.
  case truncated(offset: Int)
  /// A number of more than 64 bits.
  case overlongNumber(offset: Int)
  /// A field number of 0, or a wire type that does not exist or is not spoken any more.
  case badTag(offset: Int)
  /// A field of the right number with a wire type that its type does not have.
  case mismatch(number: UInt32, offset: Int)
  /// Text that is not UTF-8.
  case badText(number: UInt32, offset: Int)
  case tooDeep(limit: Int)
}

/// Reads messages of Protocol Buffers from bytes that outlive it. Unknown fields are skipped.
public struct ProtobufReader {
  /// Messages in messages.
  static let depthLimit = 64

  private let bytes: UnsafeRawBufferPointer
  private var offset: Int
  private let end: Int
  private let depth: Int
  /// The field whose value comes next.
  public private(set) var number: UInt32 = 0
  private var type = ProtobufWireType.varint

  public init(_ bytes: UnsafeRawBufferPointer) {
    self.init(bytes, from: 0, to: bytes.count, depth: 0)
  }

  private init(_ bytes: UnsafeRawBufferPointer, from start: Int, to end: Int, depth: Int) {
    self.bytes = bytes
    offset = start
    self.end = end
    self.depth = depth
  }

  /// Goes to the next field; false at the end of the message.
  public mutating func next() throws(ProtobufError) -> Bool {
    guard offset < end else { return false }
    let start = offset
    let tag = try rawVarint()
    guard let number = UInt32(exactly: tag >> 3), number > 0, number < 1 << 29,
      let type = ProtobufWireType(rawValue: UInt8(tag & 7))
    else { throw .badTag(offset: start) }
    self.number = number
    self.type = type
    return true
  }

  /// Passes the value of the current field over.
  public mutating func skip() throws(ProtobufError) {
    switch type {
    case .varint: _ = try rawVarint()
    case .fixed64: _ = try take(8)
    case .fixed32: _ = try take(4)
    case .bytes: _ = try range()
    }
  }

  public mutating func varint() throws(ProtobufError) -> UInt64 {
    try expect(.varint)
    return try rawVarint()
  }

  public mutating func fixed64() throws(ProtobufError) -> UInt64 {
    try expect(.fixed64)
    let place = try take(8)
    return UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
  }

  public mutating func string() throws(ProtobufError) -> String {
    try expect(.bytes)
    let start = offset
    let range = try range()
    guard let text = String(validating: UnsafeRawBufferPointer(rebasing: bytes[range]), as: UTF8.self) else {
      throw .badText(number: number, offset: start)
    }
    return text
  }

  /// The bytes of a field, valid as long as those that are read.
  public mutating func slice() throws(ProtobufError) -> UnsafeRawBufferPointer {
    try expect(.bytes)
    return UnsafeRawBufferPointer(rebasing: bytes[try range()])
  }

  /// A reader of the message that the current field holds.
  public mutating func message() throws(ProtobufError) -> ProtobufReader {
    try expect(.bytes)
    guard depth < Self.depthLimit else { throw .tooDeep(limit: Self.depthLimit) }
    let range = try range()
    return ProtobufReader(bytes, from: range.lowerBound, to: range.upperBound, depth: depth + 1)
  }

  private func expect(_ type: ProtobufWireType) throws(ProtobufError) {
    guard self.type == type else { throw .mismatch(number: number, offset: offset) }
  }

  private mutating func range() throws(ProtobufError) -> Range<Int> {
    let start = offset
    let length = try rawVarint()
    guard let count = Int(exactly: length) else { throw .truncated(offset: start) }
    let first = try take(count)
    return first..<first + count
  }

  /// - Returns: where the bytes begin.
  private mutating func take(_ count: Int) throws(ProtobufError) -> Int {
    guard count >= 0, count <= end - offset else { throw .truncated(offset: offset) }
    defer { offset += count }
    return offset
  }

  private mutating func rawVarint() throws(ProtobufError) -> UInt64 {
    let start = offset
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      guard offset < end else { throw .truncated(offset: start) }
      let byte = bytes[offset]
      offset += 1
      if shift == 63, byte > 1 { throw .overlongNumber(offset: start) }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
  }
}
