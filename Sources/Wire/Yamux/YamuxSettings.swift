/// Windows, limits and times of a yamux session. Times are nanoseconds.
public struct YamuxSettings: Sendable, Equatable {
  /// Bytes of one stream that may be under way without having been read. A number of the protocol: both sides begin with it.
  static let initialWindow: UInt32 = 256 << 10

  /// How often the connection is tested; 0 never does.
  public var keepAliveInterval: UInt64 = 30_000_000_000
  /// How long the answer of such a test may take.
  public var keepAliveTimeout: UInt64 = 10_000_000_000
  /// How long a stream may stay unaccepted before the whole session counts as broken.
  public var openTimeout: UInt64 = 75_000_000_000
  /// How long the peer may go on sending on a stream that this side has closed.
  public var closeTimeout: UInt64 = 300_000_000_000
  /// Opened streams that the peer has not accepted yet.
  public var unacceptedStreamsMax = 256
  /// Streams of the peer at a time; more are refused.
  public var incomingStreamsMax = 16384

  public init() {}
}

/// One stream of a session, as the session sees it.
struct YamuxStream: Sendable {
  /// Whether the peer opened it.
  var isIncoming = false
  /// Bytes that may still be sent.
  var sendWindow = UInt64(YamuxSettings.initialWindow)
  /// Bytes that the peer may still send.
  var receiveWindow = YamuxSettings.initialWindow
  /// Bytes that were read and that the peer has not been told of.
  var consumed: UInt32 = 0
  /// What waits for the peer to allow more.
  var unsent = YamuxSendQueue()
  /// Whether the end is to be sent behind what waits.
  var isClosing = false
  var hasSentEnd = false
  var hasReceivedEnd = false
  /// When the peer has to have accepted it; nil when it has.
  var acceptBefore: UInt64?
  /// When the peer has to have closed it, too; nil while this side has not.
  var closeBefore: UInt64?
}
