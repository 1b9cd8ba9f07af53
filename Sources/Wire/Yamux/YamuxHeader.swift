import NIOCore

/// What every yamux frame begins with: 12 bytes, big endian (wire/rpc.md, section 3).
public struct YamuxHeader: Sendable, Equatable {
  public enum Kind: UInt8, Sendable {
    /// `length` bytes follow.
    case data = 0
    /// Adds `length` to what the receiver of the frame may send.
    case windowUpdate = 1
    /// `length` is an opaque value.
    case ping = 2
    /// `length` is a `YamuxGoAway`.
    case goAway = 3
  }

  public struct Flags: OptionSet, Sendable {
    public let rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Opens a stream; of a ping: asks.
    public static let syn = Flags(rawValue: 1)
    /// Accepts a stream; of a ping: answers.
    public static let ack = Flags(rawValue: 2)
    /// No more data from this side.
    public static let fin = Flags(rawValue: 4)
    /// Refuses or aborts a stream.
    public static let rst = Flags(rawValue: 8)
  }

  public static let size = 12
  static let version: UInt8 = 0

  public var kind: Kind
  public var flags: Flags
  /// 0 is the session itself.
  public var stream: UInt32
  public var length: UInt32

  public init(_ kind: Kind, _ flags: Flags = [], stream: UInt32, length: UInt32 = 0) {
    self.kind = kind
    self.flags = flags
    self.stream = stream
    self.length = length
  }

  /// Reads a header; nil if not all of it has arrived.
  init?(reading buffer: inout ByteBuffer) throws(YamuxError) {
    guard buffer.readableBytes >= Self.size,
      let (version, kind, flags, stream, length) = buffer.readMultipleIntegers(
        as: (UInt8, UInt8, UInt16, UInt32, UInt32).self)
    else { return nil }
    guard version == Self.version else { throw .unknownVersion(version) }
    guard let kind = Kind(rawValue: kind) else { throw .unknownKind(kind) }
    self.init(kind, Flags(rawValue: flags), stream: stream, length: length)
  }

  func write(to buffer: inout ByteBuffer) {
    buffer.writeMultipleIntegers(Self.version, kind.rawValue, flags.rawValue, stream, length)
  }
}

/// Why one side opens no more streams.
public enum YamuxGoAway: UInt32, Sendable {
  case normal = 0
  case protocolError = 1
  case internalError = 2
}

/// What ends a session.
public enum YamuxError: Error, Equatable, CustomStringConvertible {
  case unknownVersion(UInt8)
  case unknownKind(UInt8)
  /// More data than was allowed.
  case windowExceeded(stream: UInt32)
  case streamExists(UInt32)
  /// A stream with number 0, or a second end of one.
  case unexpectedFrame(stream: UInt32)
  case unknownGoAway(UInt32)
  /// The peer went away because of an error.
  case goneAway(YamuxGoAway)
  /// No answer to a ping.
  case keepAliveTimeout
  /// No answer to an opened stream.
  case openTimeout(stream: UInt32)

  public var description: String {
    switch self {
    case .unknownVersion(let version): "unknown yamux version \(version)"
    case .unknownKind(let kind): "unknown yamux frame \(kind)"
    case .windowExceeded(let stream): "receive window exceeded (stream \(stream))"
    case .streamExists(let stream): "duplicate stream \(stream) initiated"
    case .unexpectedFrame(let stream): "unexpected frame (stream \(stream))"
    case .unknownGoAway(let reason): "unknown go-away reason \(reason)"
    case .goneAway(let reason): "the remote end went away: \(reason)"
    case .keepAliveTimeout: "keepalive timeout"
    case .openTimeout(let stream): "stream \(stream) was not accepted"
    }
  }
}
