import Model
import NIOCore
import NIOHPACK
import NIOHTTP1
import NIOHTTP2
import NIOPosix
import NIOSSL
import Synchronization

@testable import Checks

let group = MultiThreadedEventLoopGroup.singleton

/// A server on a loopback address of its own.
struct TestServer {
  let channel: any Channel

  var place: String { channel.localAddress?.hostPortText ?? "" }
  var port: Int { channel.localAddress?.port ?? 0 }

  static func tcp(
    _ host: String, tls: TLSConfiguration? = nil, _ handlers: @escaping @Sendable (any Channel) throws -> Void
  ) async throws -> TestServer {
    let context = try tls.map { try NIOSSLContext(configuration: $0) }
    let bootstrap = ServerBootstrap(group: group).childChannelInitializer { channel in
      channel.eventLoop.makeCompletedFuture {
        if let context { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context)) }
        try handlers(channel)
      }
    }
    return TestServer(channel: try await bootstrap.bind(host: host, port: 0).get())
  }

  /// An HTTP server; `answer` gets method, target, header fields and body.
  static func http(
    _ host: String, tls: TLSConfiguration? = nil, _ answer: @escaping @Sendable (HTTPRequest) -> HTTPAnswer
  ) async throws -> TestServer {
    try await tcp(host, tls: tls) { channel in
      try channel.pipeline.syncOperations.configureHTTPServerPipeline()
      try channel.pipeline.syncOperations.addHandler(HTTPResponder(answer))
    }
  }

  /// Writes some bytes as soon as anything arrives, or does nothing.
  static func raw(_ host: String, answer: String?, closes: Bool = false) async throws -> TestServer {
    try await tcp(host) { channel in
      try channel.pipeline.syncOperations.addHandler(RawResponder(answer, closes))
    }
  }

  static func udp(_ host: String, answers: Flag) async throws -> TestServer {
    let bootstrap = DatagramBootstrap(group: group).channelInitializer { channel in
      channel.eventLoop.makeCompletedFuture {
        try channel.pipeline.syncOperations.addHandler(DatagramResponder(answers))
      }
    }
    return TestServer(channel: try await bootstrap.bind(host: host, port: 0).get())
  }

  /// A gRPC health service with a status for each of some services.
  static func grpc(_ host: String, tls: TLSConfiguration? = nil, _ states: [String: UInt8]) async throws -> TestServer {
    try await tcp(host, tls: tls) { channel in
      try channel.pipeline.syncOperations.addHandlers([NIOHTTP2Handler(mode: .server), HealthResponder(states)])
    }
  }

  func close() async throws { try await channel.close() }
}

/// A flag that tests and servers share.
final class Flag: Sendable {
  private let flag: Mutex<Bool>

  init(_ value: Bool) { flag = Mutex(value) }

  var value: Bool { flag.withLock { $0 } }
  func set(_ value: Bool) { flag.withLock { $0 = value } }
}

struct HTTPRequest: Sendable {
  var head: HTTPRequestHead
  var body: String
}

struct HTTPAnswer: Sendable {
  var status = HTTPResponseStatus.ok
  var headers = HTTPHeaders()
  var body: [UInt8] = []
  /// Leaves the answer unfinished.
  var stalls = false
  /// Says nothing at all.
  var isSilent = false

  static func text(_ status: HTTPResponseStatus, _ text: String, _ headers: HTTPHeaders = [:]) -> HTTPAnswer {
    HTTPAnswer(status: status, headers: headers, body: Array(text.utf8))
  }
}

private final class HTTPResponder: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let answer: @Sendable (HTTPRequest) -> HTTPAnswer
  private var request: HTTPRequest?

  init(_ answer: @escaping @Sendable (HTTPRequest) -> HTTPAnswer) { self.answer = answer }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): request = HTTPRequest(head: head, body: "")
    case .body(let buffer): request?.body += String(buffer: buffer)
    case .end:
      guard let request else { return }
      let answer = answer(request)
      if answer.isSilent { return }
      var headers = answer.headers
      if !answer.stalls { headers.replaceOrAdd(name: "Content-Length", value: String(answer.body.count)) }
      let head = HTTPResponseHead(version: .http1_1, status: answer.status, headers: headers)
      context.write(wrapOutboundOut(.head(head)), promise: nil)
      if request.head.method != .HEAD {
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: answer.body)))), promise: nil)
      }
      if answer.stalls { context.flush() } else { context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil) }
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

private final class RawResponder: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let answer: String?
  private let closes: Bool

  init(_ answer: String?, _ closes: Bool) {
    self.answer = answer
    self.closes = closes
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if let answer { context.writeAndFlush(NIOAny(ByteBuffer(string: answer)), promise: nil) }
    if closes { context.close(promise: nil) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

private final class DatagramResponder: ChannelInboundHandler {
  typealias InboundIn = AddressedEnvelope<ByteBuffer>

  private let answers: Flag

  init(_ answers: Flag) { self.answers = answers }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard answers.value else { return }
    let peer = unwrapInboundIn(data).remoteAddress
    context.writeAndFlush(
      NIOAny(AddressedEnvelope(remoteAddress: peer, data: ByteBuffer(string: "pong"))), promise: nil)
  }
}

private final class HealthResponder: ChannelInboundHandler {
  typealias InboundIn = HTTP2Frame

  private let states: [String: UInt8]

  init(_ states: [String: UInt8]) { self.states = states }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let frame = unwrapInboundIn(data)
    guard case .data(let part) = frame.payload, part.endStream, case .byteBuffer(let buffer) = part.data else { return }
    let message = Array(buffer.readableBytesView.dropFirst(5))
    let service = message.isEmpty ? "" : String(decoding: message.dropFirst(2), as: UTF8.self)
    func send(_ payload: HTTP2Frame.FramePayload) {
      context.write(NIOAny(HTTP2Frame(streamID: frame.streamID, payload: payload)), promise: nil)
    }
    if let state = states[service] {
      send(.headers(.init(headers: [":status": "200", "content-type": "application/grpc"])))
      send(.data(.init(data: .byteBuffer(ByteBuffer(bytes: GRPCMessage.framed([8, state]))))))
      send(.headers(.init(headers: ["grpc-status": "0"], endStream: true)))
    } else {
      let trailers: HPACKHeaders = [
        ":status": "200", "content-type": "application/grpc", "grpc-status": "5", "grpc-message": "unknown%20service",
      ]
      send(.headers(.init(headers: trailers, endStream: true)))
    }
    context.flush()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
