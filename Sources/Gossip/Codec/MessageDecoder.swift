import Model

/// Reads the messages of a datagram, behind its label, encryption and checksum.
///
/// A part that cannot be read does not take the others with it: what was wrong is reported beside them.
struct MessageDecoder {
  /// Compounds and compressed messages inside each other.
  private static let depthLimit = 4
  /// The most that a compressed datagram may hold.
  private static let inflatedLimit = 1 << 20

  private(set) var messages: [SwimMessage] = []
  private(set) var problems: [GossipError] = []

  init(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { bytes in
      do throws(GossipError) {
        try message(bytes, depth: 0)
      } catch {
        problems.append(error)
      }
    }
  }

  private mutating func message(_ bytes: UnsafeRawBufferPointer, depth: Int) throws(GossipError) {
    guard depth < Self.depthLimit else { throw .tooDeep(limit: Self.depthLimit) }
    guard let first = bytes.first else { throw .truncated(part: "message") }
    guard let type = MessageType(rawValue: first) else { throw .unknownType(first) }
    let body = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
    switch type {
    case .ping: messages.append(.ping(try Self.record(body)))
    case .indirectPing: messages.append(.indirectPing(try Self.record(body)))
    case .ack: messages.append(.ack(try Self.record(body)))
    case .nack: messages.append(.nack(try Self.record(body)))
    case .suspect: messages.append(.suspect(try Self.record(body)))
    case .alive: messages.append(.alive(try Self.record(body)))
    case .dead: messages.append(.dead(try Self.record(body)))
    case .user: messages.append(.user(Array(body)))
    case .compound: try compound(body, depth: depth)
    case .compress:
      let inflated = try Self.decompress(body, limit: Self.inflatedLimit)
      try inflated.withBytes { (bytes) throws(GossipError) in try message(bytes, depth: depth + 1) }
    case .pushPull, .encrypt, .hasChecksum, .error, .hasLabel: throw .unexpectedType(first)
    }
  }

  /// `count` lengths of two bytes, then the parts. Where the bytes end early, the complete parts count.
  private mutating func compound(_ body: UnsafeRawBufferPointer, depth: Int) throws(GossipError) {
    guard let count = body.first.map(Int.init), body.count > count * 2 else {
      throw .truncated(part: "compound message")
    }
    var offset = 1 + count * 2
    for index in 0..<count {
      let length = Int(body[1 + index * 2]) << 8 | Int(body[2 + index * 2])
      guard body.count - offset >= length else { throw .truncated(part: "compound message") }
      do throws(GossipError) {
        try message(UnsafeRawBufferPointer(rebasing: body[offset..<offset + length]), depth: depth + 1)
      } catch {
        problems.append(error)
      }
      offset += length
    }
  }

  static func record<R: Record>(_ body: UnsafeRawBufferPointer) throws(GossipError) -> R {
    var reader = MessagePackReader(body)
    return try record(&reader)
  }

  static func record<R: Record>(_ reader: inout MessagePackReader) throws(GossipError) -> R {
    do throws(MessagePackError) {
      return try R(from: &reader)
    } catch {
      throw .malformed(message: R.schema.name, error)
    }
  }

  static func decompress(_ body: UnsafeRawBufferPointer, limit: Int) throws(GossipError) -> [UInt8] {
    let compressed: Compressed = try record(body)
    guard compressed.algorithm == Compressed.lzw else { throw .unknownCompression(compressed.algorithm) }
    return try compressed.content.bytes.withBytes { (bytes) throws(GossipError) in
      try LZW.decompress(bytes, limit: limit)
    }
  }
}

/// Joins messages into one.
enum CompoundMessage {
  static let partsMaximum = 255
  /// Bytes that a compound adds, and each part.
  static let overhead = 2

  /// - Precondition: at most 255 parts below 64 KiB each; longer ones do not fit into a datagram anyway.
  static func encode(_ parts: [[UInt8]]) -> [UInt8] {
    var bytes: [UInt8] = [MessageType.compound.rawValue, UInt8(clamping: parts.count)]
    for part in parts {
      let length = UInt16(clamping: part.count)
      bytes.append(UInt8(length >> 8))
      bytes.append(UInt8(truncatingIfNeeded: length))
    }
    for part in parts { bytes += part }
    return bytes
  }

  /// One message as it is, several in compounds of at most 255.
  static func packets(_ messages: [[UInt8]]) -> [[UInt8]] {
    if messages.count == 1 { return messages }
    return stride(from: 0, to: messages.count, by: partsMaximum).map {
      encode(Array(messages[$0..<min($0 + partsMaximum, messages.count)]))
    }
  }
}

extension Array where Element == UInt8 {
  /// `withUnsafeBytes` that throws what its body throws.
  func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws(GossipError) -> R) throws(GossipError) -> R {
    let result: Result<R, GossipError> = withUnsafeBytes { bytes in
      do throws(GossipError) {
        return .success(try body(bytes))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }
}
