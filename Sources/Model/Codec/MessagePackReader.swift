/// Why bytes are not the MessagePack value that was expected.
public enum MessagePackError: Error, Equatable {
  /// The value goes on behind the end of the bytes.
  case incomplete
  case mismatch(expected: String, found: UInt8, offset: Int)
  /// An integer outside the range of its field.
  case outOfRange(offset: Int)
  case tooDeep(limit: Int)
  /// A count of elements that the rest of the bytes cannot hold.
  case impossibleCount(Int, offset: Int)
}

/// Reads MessagePack of every profile in wire/messagepack.md from bytes that outlive it. It never reads past the value it
/// returns, so that `offset` tells where the next one starts.
public struct MessagePackReader {
  static let depthLimit = 128

  private let bytes: UnsafeRawBufferPointer
  public private(set) var offset = 0
  private var depth = 0

  public init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  public var isAtEnd: Bool { offset >= bytes.count }

  func mismatch(_ expected: String) -> MessagePackError {
    .mismatch(expected: expected, found: offset < bytes.count ? bytes[offset] : 0, offset: offset)
  }

  /// Runs `read` one level deeper.
  mutating func nested(
    _ read: (inout MessagePackReader) throws(MessagePackError) -> Void
  ) throws(MessagePackError) {
    depth += 1
    guard depth <= Self.depthLimit else { throw .tooDeep(limit: Self.depthLimit) }
    defer { depth -= 1 }
    try read(&self)
  }

  private func peek() throws(MessagePackError) -> UInt8 {
    guard offset < bytes.count else { throw .incomplete }
    return bytes[offset]
  }

  private mutating func fixed<T: FixedWidthInteger>(_ type: T.Type) throws(MessagePackError) -> T {
    let size = MemoryLayout<T>.size
    guard bytes.count - offset >= size else { throw .incomplete }
    let value = T(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
    offset += size
    return value
  }

  /// Skips a nil and tells whether there was one.
  public mutating func skipNull() throws(MessagePackError) -> Bool {
    guard try peek() == 0xC0 else { return false }
    offset += 1
    return true
  }

  public mutating func bool() throws(MessagePackError) -> Bool {
    let byte = try peek()
    switch byte {
    case 0xC3, 0x01:
      offset += 1
      return true
    case 0xC2, 0xC0, 0x00:
      offset += 1
      return false
    default: throw mismatch("bool")
    }
  }

  public mutating func integer<T: FixedWidthInteger>() throws(MessagePackError) -> T {
    let start = offset
    let byte = try peek()
    offset += 1
    let value: T?
    switch byte {
    case 0x00...0x7F: value = T(exactly: byte)
    case 0xE0...0xFF: value = T(exactly: Int8(bitPattern: byte))
    case 0xCC: value = T(exactly: try fixed(UInt8.self))
    case 0xCD: value = T(exactly: try fixed(UInt16.self))
    case 0xCE: value = T(exactly: try fixed(UInt32.self))
    case 0xCF: value = T(exactly: try fixed(UInt64.self))
    case 0xD0: value = T(exactly: try fixed(Int8.self))
    case 0xD1: value = T(exactly: try fixed(Int16.self))
    case 0xD2: value = T(exactly: try fixed(Int32.self))
    case 0xD3: value = T(exactly: try fixed(Int64.self))
    case 0xC0: value = 0
    default:
      offset = start
      throw mismatch("integer")
    }
    guard let value else { throw .outOfRange(offset: start) }
    return value
  }

  public mutating func double() throws(MessagePackError) -> Double {
    switch try peek() {
    case 0xCB:
      offset += 1
      return Double(bitPattern: try fixed(UInt64.self))
    case 0xCA:
      offset += 1
      return Double(Float(bitPattern: try fixed(UInt32.self)))
    default:
      let value: Int64 = try integer()
      return Double(value)
    }
  }

  /// The content of a string of any family, in place; empty for nil.
  public mutating func rawString() throws(MessagePackError) -> UnsafeRawBufferPointer {
    try raw(allowsBinary: true)
  }

  private mutating func raw(allowsBinary: Bool) throws(MessagePackError) -> UnsafeRawBufferPointer {
    let start = offset
    let byte = try peek()
    offset += 1
    let count: Int
    switch byte {
    case 0xA0...0xBF: count = Int(byte & 0x1F)
    case 0xD9: count = Int(try fixed(UInt8.self))
    case 0xDA: count = Int(try fixed(UInt16.self))
    case 0xDB: count = Int(try fixed(UInt32.self))
    case 0xC4 where allowsBinary: count = Int(try fixed(UInt8.self))
    case 0xC5 where allowsBinary: count = Int(try fixed(UInt16.self))
    case 0xC6 where allowsBinary: count = Int(try fixed(UInt32.self))
    case 0xC0: count = 0
    default:
      offset = start
      throw mismatch("string")
    }
    guard bytes.count - offset >= count else { throw .incomplete }
    defer { offset += count }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
  }

  /// Reads a value that was put into a string. The string is whole: a value that goes on behind its end is wrong, and
  /// more bytes would not help.
  mutating func wrapped<Value>(
    _ read: (inout MessagePackReader) throws(MessagePackError) -> Value
  ) throws(MessagePackError) -> Value {
    let start = offset
    var inner = MessagePackReader(try rawString())
    inner.depth = depth
    do throws(MessagePackError) {
      return try read(&inner)
    } catch {
      switch error {
      case .incomplete, .impossibleCount:
        throw .mismatch(expected: "string with a whole value", found: bytes[start], offset: start)
      default: throw error
      }
    }
  }

  public mutating func string() throws(MessagePackError) -> String {
    String(decoding: try raw(allowsBinary: false), as: UTF8.self)
  }

  public mutating func binary() throws(MessagePackError) -> [UInt8] {
    if let count = try arrayOfSmallIntegers() {
      var result: [UInt8] = []
      for _ in 0..<count { result.append(try integer()) }
      return result
    }
    return Array(try raw(allowsBinary: true))
  }

  private mutating func arrayOfSmallIntegers() throws(MessagePackError) -> Int? {
    let byte = try peek()
    guard byte & 0xF0 == 0x90 || byte == 0xDC || byte == 0xDD else { return nil }
    return try arrayHeader()
  }

  /// The number of elements that follow, or nil for a nil.
  public mutating func arrayHeader() throws(MessagePackError) -> Int? {
    try header(fixed: 0x90, small: 0xDC, large: 0xDD, "array", bytesPerElement: 1)
  }

  /// The number of key-value pairs that follow, or nil for a nil.
  public mutating func mapHeader() throws(MessagePackError) -> Int? {
    try header(fixed: 0x80, small: 0xDE, large: 0xDF, "map", bytesPerElement: 2)
  }

  private mutating func header(
    fixed mark: UInt8, small: UInt8, large: UInt8, _ expected: String, bytesPerElement: Int
  ) throws(MessagePackError) -> Int? {
    let start = offset
    let byte = try peek()
    offset += 1
    let count: Int
    switch byte {
    case mark...(mark | 0x0F): count = Int(byte & 0x0F)
    case small: count = Int(try fixed(UInt16.self))
    case large: count = Int(try fixed(UInt32.self))
    case 0xC0: return nil
    default:
      offset = start
      throw mismatch(expected)
    }
    guard count * bytesPerElement <= bytes.count - offset else { throw .impossibleCount(count, offset: start) }
    return count
  }

  /// Passes over one value of any kind.
  public mutating func skip() throws(MessagePackError) {
    let byte = try peek()
    switch byte {
    case 0x80...0x8F, 0xDE, 0xDF:
      guard let count = try mapHeader() else { return }
      try nested { (reader) throws(MessagePackError) in
        for _ in 0..<count * 2 { try reader.skip() }
      }
    case 0x90...0x9F, 0xDC, 0xDD:
      guard let count = try arrayHeader() else { return }
      try nested { (reader) throws(MessagePackError) in
        for _ in 0..<count { try reader.skip() }
      }
    case 0xA0...0xBF, 0xC4...0xC6, 0xD9...0xDB: _ = try raw(allowsBinary: true)
    case 0xC7, 0xC8, 0xC9, 0xD4...0xD8: try skipExtension(byte)
    case 0xCA, 0xCB: _ = try double()
    case 0xC0, 0xC2, 0xC3: offset += 1
    case 0xC1: throw mismatch("value")
    default: try skipInteger(byte)
    }
  }

  private mutating func skipInteger(_ byte: UInt8) throws(MessagePackError) {
    let size =
      switch byte {
      case 0xCC, 0xD0: 1
      case 0xCD, 0xD1: 2
      case 0xCE, 0xD2: 4
      case 0xCF, 0xD3: 8
      default: 0
      }
    guard bytes.count - offset >= size + 1 else { throw .incomplete }
    offset += size + 1
  }

  private mutating func skipExtension(_ byte: UInt8) throws(MessagePackError) {
    offset += 1
    let size: Int
    switch byte {
    case 0xC7: size = Int(try fixed(UInt8.self))
    case 0xC8: size = Int(try fixed(UInt16.self))
    case 0xC9: size = Int(try fixed(UInt32.self))
    default: size = 1 << Int(byte - 0xD4)
    }
    guard bytes.count - offset >= size + 1 else { throw .incomplete }
    offset += size + 1
  }

  /// One value of any kind. Strings are text; map keys that are not text are shown as JSON.
  public mutating func dynamic() throws(MessagePackError) -> Dynamic {
    let byte = try peek()
    switch byte {
    case 0xC0:
      offset += 1
      return .null
    case 0xC2, 0xC3: return .bool(try bool())
    case 0xCA, 0xCB: return .double(try double())
    case 0xCF:
      let value: UInt64 = try integer()
      return Int64(exactly: value).map { .int($0) } ?? .uint(value)
    case 0x00...0x7F, 0xE0...0xFF, 0xCC...0xCE, 0xD0...0xD3: return .int(try integer())
    case 0xA0...0xBF, 0xD9...0xDB, 0xC4...0xC6: return .string(String(decoding: try rawString(), as: UTF8.self))
    case 0x90...0x9F, 0xDC, 0xDD: return try dynamicArray()
    case 0x80...0x8F, 0xDE, 0xDF: return try dynamicObject()
    default: throw mismatch("value")
    }
  }

  private mutating func dynamicArray() throws(MessagePackError) -> Dynamic {
    var elements: [Dynamic] = []
    let count = try arrayHeader() ?? 0
    try nested { (reader) throws(MessagePackError) in
      for _ in 0..<count { elements.append(try reader.dynamic()) }
    }
    return .array(elements)
  }

  private mutating func dynamicObject() throws(MessagePackError) -> Dynamic {
    var members = DynamicObject()
    let count = try mapHeader() ?? 0
    try nested { (reader) throws(MessagePackError) in
      for _ in 0..<count {
        members.append(try reader.dynamicKey(), try reader.dynamic())
      }
    }
    return .object(members)
  }

  /// Lists and maps are no keys: shown as JSON inside JSON they would double in size with every level.
  private mutating func dynamicKey() throws(MessagePackError) -> String {
    let isContainer =
      switch try peek() {
      case 0x80...0x9F, 0xDC...0xDF: true
      default: false
      }
    if isContainer { throw mismatch("map key") }
    let key = try dynamic()
    return key.string ?? key.json
  }
}
