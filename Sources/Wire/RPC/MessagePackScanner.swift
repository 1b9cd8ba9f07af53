import Model

/// Finds where MessagePack values end, without looking at what they say. The wire puts values one behind the other without
/// lengths, and they arrive in pieces: the scanner goes on where it stopped, so that no byte is looked at twice.
public struct MessagePackScanner: Sendable {
  /// Levels of lists and maps in each other.
  public static let depthLimit = 128

  /// Bytes of the value that were looked at, or are known to belong to it.
  public private(set) var offset = 0
  /// How many values are still missing, per open level.
  private var missing: [UInt64] = [1]
  private let bytesMax: Int

  /// - Parameter bytesMax: bytes of one value; more are refused before they arrive.
  public init(bytesMax: Int) { self.bytesMax = bytesMax }

  /// Looks at the value from where the last call stopped.
  ///
  /// - Parameter bytes: what has arrived of the value, from its first byte on.
  /// - Returns: the length of the value if it is complete.
  public mutating func scan(_ bytes: UnsafeRawBufferPointer) throws(MessageFramingError) -> Int? {
    while !missing.isEmpty {
      guard offset < bytes.count, try step(bytes) else { return nil }
      while let last = missing.last, last == 0 { missing.removeLast() }
    }
    return offset <= bytes.count ? offset : nil
  }

  /// Passes over one scalar, or over the header of a list or map.
  /// - Returns: false if its length is not there yet.
  private mutating func step(_ bytes: UnsafeRawBufferPointer) throws(MessageFramingError) -> Bool {
    let tag = bytes[offset]
    switch tag {
    case 0x00...0x7F, 0xE0...0xFF, 0xC0, 0xC2, 0xC3: try take(1)
    case 0x80...0x8F: try open(Int(tag & 0x0F) * 2, header: 1)
    case 0x90...0x9F: try open(Int(tag & 0x0F), header: 1)
    case 0xA0...0xBF: try take(1 + Int(tag & 0x1F))
    case 0xCC, 0xD0: try take(2)
    case 0xCD, 0xD1: try take(3)
    case 0xCE, 0xD2, 0xCA: try take(5)
    case 0xCF, 0xD3, 0xCB: try take(9)
    case 0xD4...0xD8: try take(2 + (1 << Int(tag - 0xD4)))
    case 0xC4, 0xD9, 0xC7: return try sized(bytes, width: 1, extra: tag == 0xC7 ? 1 : 0)
    case 0xC5, 0xDA, 0xC8: return try sized(bytes, width: 2, extra: tag == 0xC8 ? 1 : 0)
    case 0xC6, 0xDB, 0xC9: return try sized(bytes, width: 4, extra: tag == 0xC9 ? 1 : 0)
    case 0xDC, 0xDE: return try container(bytes, width: 2, perElement: tag == 0xDE ? 2 : 1)
    case 0xDD, 0xDF: return try container(bytes, width: 4, perElement: tag == 0xDF ? 2 : 1)
    default: throw .malformed(byte: tag, offset: offset)
    }
    return true
  }

  private mutating func sized(
    _ bytes: UnsafeRawBufferPointer, width: Int, extra: Int
  ) throws(MessageFramingError) -> Bool {
    guard let count = number(bytes, width: width) else { return false }
    try take(1 + width + extra + count)
    return true
  }

  private mutating func container(
    _ bytes: UnsafeRawBufferPointer, width: Int, perElement: Int
  ) throws(MessageFramingError) -> Bool {
    guard let count = number(bytes, width: width) else { return false }
    try open(count * perElement, header: 1 + width)
    return true
  }

  /// The big-endian number behind the tag; at most 32 bits, so that sums of it cannot overflow.
  private func number(_ bytes: UnsafeRawBufferPointer, width: Int) -> Int? {
    guard bytes.count - offset > width else { return nil }
    return bytes[(offset + 1)...(offset + width)].reduce(0) { $0 << 8 | Int($1) }
  }

  private mutating func take(_ count: Int) throws(MessageFramingError) {
    offset += count
    guard offset <= bytesMax else { throw .tooLarge(limit: bytesMax) }
    missing[missing.count - 1] -= 1
  }

  private mutating func open(_ count: Int, header: Int) throws(MessageFramingError) {
    try take(header)
    if count == 0 { return }
    // Every element takes a byte at least.
    guard count <= bytesMax - offset else { throw .tooLarge(limit: bytesMax) }
    guard missing.count < Self.depthLimit else { throw .tooDeep(limit: Self.depthLimit) }
    missing.append(UInt64(count))
  }
}

/// Why a stream of messages cannot be read on.
public enum MessageFramingError: Error, Equatable, CustomStringConvertible {
  /// A byte that no value begins with.
  case malformed(byte: UInt8, offset: Int)
  case tooLarge(limit: Int)
  case tooDeep(limit: Int)
  /// The header of a message is no header.
  case header(MessagePackError)

  public var description: String {
    switch self {
    case .malformed(let byte, let offset): "no value begins with byte \(byte) (at \(offset))"
    case .tooLarge(let limit): "a message exceeds the limit of \(limit) bytes"
    case .tooDeep(let limit): "a message nests deeper than \(limit) levels"
    case .header(let error): "malformed header: \(error)"
    }
  }
}
