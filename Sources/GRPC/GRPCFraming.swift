import NIOCore

/// Cuts what arrives on a call into messages: one byte that tells whether the message is compressed, four bytes of its length,
/// and the message (gRPC over HTTP/2, "Length-Prefixed-Message").
public struct GRPCMessageDecoder: Sendable {
  private let bytesMax: Int
  private var buffer = ByteBuffer()

  /// - Parameter bytesMax: bytes of one message.
  public init(bytesMax: Int) { self.bytesMax = bytesMax }

  /// Whether bytes are left that are no whole message.
  public var isWithinMessage: Bool { buffer.readableBytes > 0 }

  public mutating func append(_ bytes: ByteBuffer) {
    if buffer.readableBytes == 0 {
      buffer = bytes
    } else {
      var bytes = bytes
      buffer.writeBuffer(&bytes)
    }
  }

  /// The next message, once all of it is there.
  ///
  /// - Throws: what the call has to end with.
  public mutating func next() throws(GRPCStatus) -> ByteBuffer? {
    guard let flag = buffer.getInteger(at: buffer.readerIndex, as: UInt8.self),
      let length = buffer.getInteger(at: buffer.readerIndex + 1, as: UInt32.self)
    else { return nil }
    if flag == 1 { throw GRPCStatus(.unimplemented, "grpc: messages are not to be compressed") }
    if flag != 0 { throw GRPCStatus(.internal, "grpc: received unexpected payload format \(flag)") }
    guard length <= bytesMax else {
      throw GRPCStatus(.resourceExhausted, "grpc: received message larger than max (\(length) vs. \(bytesMax))")
    }
    guard buffer.readableBytes >= 5 + Int(length) else { return nil }
    buffer.moveReaderIndex(forwardBy: 5)
    return buffer.readSlice(length: Int(length))
  }
}

extension ByteBuffer {
  /// Writes a message with what stands before it.
  public mutating func writeGRPCMessage(_ message: some Collection<UInt8>) {
    writeInteger(UInt8(0))
    writeInteger(UInt32(truncatingIfNeeded: message.count))
    writeBytes(message)
  }

  /// A message with what stands before it.
  public init(grpcMessage message: some Collection<UInt8>) {
    self.init()
    reserveCapacity(5 + message.count)
    writeGRPCMessage(message)
  }
}

/// Status messages may hold any text; headers only what can be printed (gRPC over HTTP/2, "Status-Message").
enum StatusText {
  private static let digits = Array("0123456789ABCDEF".utf8)

  static func encode(_ text: String) -> String {
    if text.utf8.allSatisfy({ isPlain($0) }) { return text }
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      if isPlain(byte) {
        bytes.append(byte)
      } else {
        bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// What is no escape stays as it is.
  static func decode(_ text: String) -> String {
    guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), rest.count >= 2,
        let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func isPlain(_ byte: UInt8) -> Bool { (0x20...0x7E).contains(byte) && byte != UInt8(ascii: "%") }
}

/// How long a call may take: at most eight digits and a unit (gRPC over HTTP/2, "Timeout").
enum CallTimeout {
  static func parse(_ text: String) -> TimeAmount? {
    guard let unit = text.last, text.utf8.count <= 9, let count = Int64(text.dropLast()), count >= 0 else { return nil }
    return switch unit {
    case "H": .hours(count)
    case "M": .minutes(count)
    case "S": .seconds(count)
    case "m": .milliseconds(count)
    case "u": .microseconds(count)
    case "n": .nanoseconds(count)
    default: nil
    }
  }
}
