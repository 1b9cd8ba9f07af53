import NIOCore
import NIOHPACK

/// # GRPC
///
/// gRPC over HTTP/2 on the event loops of connections: the framing of messages, calls with their metadata, status and flow
/// control, keep-alive; for servers (`GRPCServer`) and clients (`GRPCConnection`). Handlers are called on the event loop of
/// the connection, message by message, without a task per call. The room must not know what messages mean, nor where
/// connections come from.
///
///     channel ── NIOHTTP2Handler ── GRPCKeepalive          one per connection
///                     └── GRPCServerCall → GRPCCallHandler     one per call

/// Limits and times of a connection.
public struct GRPCSettings: Sendable {
  /// Bytes of a message that is received.
  public var messageBytesMax = 8 << 20
  /// Calls that the other side may have open at a time.
  public var callsMax = 16_384
  /// After how long without hearing anything the other side is asked whether it is there.
  public var pingInterval = TimeAmount.seconds(30)
  /// How long it may take to answer.
  public var pingTimeout = TimeAmount.seconds(10)
  /// How often the other side may ask, where nothing else happens. Who asks more often loses the connection.
  public var pingIntervalMin = TimeAmount.seconds(15)
  /// Bytes that a call may have waiting before it is told to send no more.
  public var outboundBytesMax = 256 << 10

  public init() {}
}

/// How calls end (gRPC, "Status codes").
public struct GRPCStatus: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Code: Int, Sendable {
    case ok = 0
    case cancelled, unknown, invalidArgument, deadlineExceeded, notFound, alreadyExists, permissionDenied
    case resourceExhausted, failedPrecondition, aborted, outOfRange, unimplemented, `internal`, unavailable, dataLoss
    case unauthenticated
  }

  public var code: Code
  public var message: String

  public init(_ code: Code, _ message: String = "") {
    self.code = code
    self.message = message
  }

  public static let ok = GRPCStatus(.ok)

  public var description: String { "rpc error: code = \(code) desc = \(message)" }
}

/// What a call begins with.
public struct GRPCRequest: Sendable {
  /// `/package.Service/Method`.
  public var path: String
  public var authority: String
  /// The headers that the caller added.
  public var metadata: HPACKHeaders

  public init(path: String, authority: String = "", metadata: HPACKHeaders = HPACKHeaders()) {
    self.path = path
    self.authority = authority
    self.metadata = metadata
  }
}
