import Model
import NIOCore

/// What comes before the body of a request (wire/rpc.md, section 4).
public struct RPCRequestHeader: Record {
  /// Chosen by the caller, repeated by the answer.
  public var sequence: UInt64 = 0
  /// Such as `KVS.Get`.
  public var method = ""

  public init() {}
  public init(sequence: UInt64, method: String) {
    self.sequence = sequence
    self.method = method
  }

  public static let schema = Schema<RPCRequestHeader>("rpc.Request") {
    $0.field("ServiceMethod", \.method)
    $0.field("Seq", \.sequence)
  }
}

/// What comes before the body of an answer.
public struct RPCResponseHeader: Record {
  public var sequence: UInt64 = 0
  public var method = ""
  /// "" for success. A body follows in either case.
  public var error = ""

  public init() {}
  public init(sequence: UInt64, method: String, error: String = "") {
    self.sequence = sequence
    self.method = method
    self.error = error
  }

  public static let schema = Schema<RPCResponseHeader>("rpc.Response") {
    $0.field("ServiceMethod", \.method)
    $0.field("Seq", \.sequence)
    $0.field("Error", \.error)
  }
}

/// Bodies that carry nothing.
public enum RPCBody {
  /// What calls without an argument, without a result or with an error have for a body: an empty map.
  public static let empty: [UInt8] = [0x80]
}

extension ByteBuffer {
  /// Writes a message: its header, then its body, which is MessagePack already.
  public mutating func writeRPCMessage(_ header: some Record, body: some Collection<UInt8>) {
    writeBytes(header.messagePack)
    writeBytes(body)
  }

  public mutating func writeRPCMessage(_ header: some Record, body: ByteBuffer) {
    writeBytes(header.messagePack)
    writeImmutableBuffer(body)
  }
}

/// Cuts what arrives on one net/rpc session into messages.
public struct RPCMessageDecoder<Header: Record>: Sendable {
  public struct Message: Sendable {
    public var header: Header
    /// One MessagePack value.
    public var body: ByteBuffer
  }

  /// Headers are short; a method's name is the longest part.
  static var headerBytesMax: Int { 64 << 10 }

  private let bodyBytesMax: Int
  private var received = ByteBuffer()
  private var scanner: MessagePackScanner
  /// Of the message whose body is being awaited.
  private var header: Header?

  /// - Parameter bodyBytesMax: bytes of one body.
  public init(bodyBytesMax: Int) {
    self.bodyBytesMax = bodyBytesMax
    scanner = MessagePackScanner(bytesMax: Self.headerBytesMax)
  }

  /// Whether a message has begun and is not complete.
  public var isInsideMessage: Bool { header != nil || received.readableBytes > 0 }

  public mutating func append(_ bytes: ByteBuffer) {
    if received.readableBytes == 0 {
      received = bytes
    } else {
      received.discardReadBytes()
      received.writeImmutableBuffer(bytes)
    }
  }

  /// The next message that is complete.
  ///
  /// - Throws: `MessageFramingError` once: nothing that follows can be understood.
  public mutating func next() throws(MessageFramingError) -> Message? {
    while true {
      guard let value = try nextValue() else { return nil }
      if let header {
        self.header = nil
        scanner = MessagePackScanner(bytesMax: Self.headerBytesMax)
        return Message(header: header, body: value)
      }
      do throws(MessagePackError) {
        header = try Header(messagePack: value.readableBytesView)
      } catch {
        throw .header(error)
      }
      scanner = MessagePackScanner(bytesMax: bodyBytesMax)
    }
  }

  private mutating func nextValue() throws(MessageFramingError) -> ByteBuffer? {
    let length = received.withUnsafeReadableBytes { bytes in
      Result { () throws(MessageFramingError) in try scanner.scan(bytes) }
    }
    guard let length = try length.get() else { return nil }
    return received.readSlice(length: length)
  }
}
