import NIOCore
import NIOHTTP2

/// What answers one call: it is told what arrives, on the event loop of the connection.
public protocol GRPCCallHandler: AnyObject {
  /// A message of the caller.
  func received(_ message: ByteBuffer)
  /// The caller sends nothing more.
  func receivedEnd()
  /// More may be sent, after `GRPCServerCall.isWritable` was false.
  func becameWritable()
  /// The call is over: answered, given up by the caller, or its connection broken. Nothing follows.
  func ended()
}

extension GRPCCallHandler {
  public func receivedEnd() {}
  public func becameWritable() {}
  public func ended() {}
}

/// The methods that a server offers, and the handlers of connections that call them.
public struct GRPCServer: Sendable {
  /// Begins a call. It is made on the event loop of the connection, and given everything that follows.
  public typealias Method = @Sendable (GRPCRequest, GRPCServerCall) -> any GRPCCallHandler

  let settings: GRPCSettings
  private var methods: [String: Method] = [:]
  private var services: Set<Substring> = []

  public init(settings: GRPCSettings = GRPCSettings()) { self.settings = settings }

  /// Offers a method. `path` is `/package.Service/Method`.
  public mutating func register(_ path: String, _ method: @escaping Method) {
    precondition(methods[path] == nil, "\(path) is registered twice")
    methods[path] = method
    if let parts = Self.split(path) { services.insert(parts.service) }
  }

  /// Offers a method with one request that has one answer.
  ///
  /// - Parameter answer: calls its last argument once, on any thread.
  public mutating func unary(
    _ path: String,
    _ answer:
      @escaping @Sendable (
        GRPCRequest, ByteBuffer, any EventLoop, @escaping @Sendable (Result<[UInt8], GRPCStatus>) -> Void
      ) -> Void
  ) {
    register(path) { request, call in
      SingleRequest(call) { message in
        answer(request, message, call.loop) { result in
          call.onLoop {
            switch result {
            case .success(let message):
              call.send(ByteBuffer(grpcMessage: message))
              call.finish(.ok)
            case .failure(let status): call.finish(status)
            }
          }
        }
      }
    }
  }

  /// Offers a method with one request that is answered by a stream of messages.
  ///
  /// - Parameter begin: returns what follows the call from there on; nil if it ended the call.
  public mutating func serverStreaming(
    _ path: String, _ begin: @escaping @Sendable (GRPCRequest, ByteBuffer, GRPCServerCall) -> (any GRPCCallHandler)?
  ) {
    register(path) { request, call in SingleRequest(call, begin: { begin(request, $0, call) }) }
  }

  /// The method of a path, or why there is none.
  func method(_ path: String) throws(GRPCStatus) -> Method {
    if let method = methods[path] { return method }
    guard let parts = Self.split(path) else {
      throw GRPCStatus(.unimplemented, "malformed method name: \"\(path)\"")
    }
    throw GRPCStatus(
      .unimplemented,
      services.contains(parts.service)
        ? "unknown method \(parts.method) for service \(parts.service)" : "unknown service \(parts.service)")
  }

  private static func split(_ path: String) -> (service: Substring, method: Substring)? {
    guard path.hasPrefix("/"), let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return nil }
    return (path[path.index(after: path.startIndex)..<slash], path[path.index(after: slash)...])
  }

  /// The handlers of a new connection, which begins with the HTTP/2 preface of the other side.
  public func handlers(on loop: any EventLoop) -> [any ChannelHandler] {
    let keepalive = GRPCKeepalive(settings, isServer: true)
    let http2 = NIOHTTP2Handler(
      mode: .server, eventLoop: loop, connectionConfiguration: settings.connection,
      streamConfiguration: settings.stream
    ) { [self] channel in
      channel.eventLoop.makeCompletedFuture {
        try channel.pipeline.syncOperations.addHandler(GRPCServerCallHandler(self, keepalive))
      }
    }
    return [http2, keepalive]
  }
}

extension GRPCSettings {
  var connection: NIOHTTP2Handler.ConnectionConfiguration {
    var configuration = NIOHTTP2Handler.ConnectionConfiguration()
    configuration.initialSettings = [
      HTTP2Setting(parameter: .maxConcurrentStreams, value: callsMax),
      HTTP2Setting(parameter: .maxHeaderListSize, value: 64 << 10),
      HTTP2Setting(parameter: .initialWindowSize, value: 256 << 10),
    ]
    configuration.targetWindowSize = 1 << 20
    // Peers measure the way with a ping for every burst of data; a flood is another order of magnitude.
    configuration.controlFrameRateLimit.maximumCount = 20_000
    return configuration
  }

  var stream: NIOHTTP2Handler.StreamConfiguration {
    var configuration = NIOHTTP2Handler.StreamConfiguration()
    configuration.targetWindowSize = 256 << 10
    configuration.outboundBufferSizeHighWatermark = outboundBytesMax
    configuration.outboundBufferSizeLowWatermark = outboundBytesMax / 2
    // An agent may give up all of its calls at once.
    configuration.streamResetFrameRateLimit.maximumCount = callsMax
    configuration.streamErrorRateLimit.maximumCount = callsMax
    return configuration
  }
}

/// Waits for the one request of a call, and hands everything after it on.
private final class SingleRequest: GRPCCallHandler {
  private let call: GRPCServerCall
  private let begin: (ByteBuffer) -> (any GRPCCallHandler)?
  private var hasBegun = false
  private var follower: (any GRPCCallHandler)?

  init(_ call: GRPCServerCall, begin: @escaping (ByteBuffer) -> (any GRPCCallHandler)?) {
    self.call = call
    self.begin = begin
  }

  convenience init(_ call: GRPCServerCall, _ answer: @escaping (ByteBuffer) -> Void) {
    self.init(
      call,
      begin: {
        answer($0)
        return nil
      })
  }

  func received(_ message: ByteBuffer) {
    guard !hasBegun else { return call.finish(GRPCStatus(.internal, "grpc: more than one request")) }
    hasBegun = true
    follower = begin(message)
    if !call.isOpen {
      follower?.ended()
      follower = nil
    }
  }

  func receivedEnd() {
    if !hasBegun { call.finish(GRPCStatus(.internal, "grpc: no request")) }
  }

  func becameWritable() { follower?.becameWritable() }

  func ended() {
    follower?.ended()
    follower = nil
  }
}
