import Model
import NIOCore
import Wire

/// Cuts what arrives on a connection of consensus into its parts: bytes, MessagePack values, and raw content between them.
struct RaftStreamReader {
  /// Bytes of one request: entries of the largest values, many at a time.
  static let valueBytesMax = 1 << 30

  private var received = ByteBuffer()
  private var scanner = MessagePackScanner(bytesMax: valueBytesMax)

  mutating func append(_ bytes: ByteBuffer) {
    if received.readableBytes == 0 {
      received = bytes
    } else {
      received.discardReadBytes()
      received.writeImmutableBuffer(bytes)
    }
  }

  mutating func byte() -> UInt8? { received.readInteger() }

  /// The next value, once it is complete.
  mutating func value() throws(MessageFramingError) -> ByteBuffer? {
    let length = received.withUnsafeReadableBytes { bytes in
      Result { () throws(MessageFramingError) in try scanner.scan(bytes) }
    }
    guard let length = try length.get() else { return nil }
    scanner = MessagePackScanner(bytesMax: Self.valueBytesMax)
    return received.readSlice(length: length)
  }

  /// At most `limit` bytes of what is there; nil if nothing is.
  mutating func content(_ limit: Int64) -> ByteBuffer? {
    guard received.readableBytes > 0, limit > 0 else { return nil }
    return received.readSlice(length: Int(min(limit, Int64(received.readableBytes))))
  }
}
