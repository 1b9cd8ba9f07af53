import Model
import NIOCore
import NIOPosix
import Wire

/// A call by an agent that has no certificate yet, on a connection of its own (first byte 7; wire/rpc.md, section 2.4).
public struct StrangerCall: Sendable {
  private let group: any EventLoopGroup
  private let security: OutgoingSecurity
  private let localAddress: String?
  /// For the whole call.
  private let timeout: TimeAmount

  public init(
    group: any EventLoopGroup, security: OutgoingSecurity, localAddress: String? = nil,
    timeout: TimeAmount = .seconds(30)
  ) {
    self.group = group
    self.security = security
    self.localAddress = localAddress
    self.timeout = timeout
  }

  /// Asks a server for the first certificate.
  public func autoEncrypt(
    signingRequest: String, datacenter: String, token: String, at address: String
  ) async throws -> AutoEncryptReply {
    var request = CASignRequest()
    request.csr = signingRequest
    request.datacenter = datacenter
    request.token = token
    return try AutoEncryptReply(decoding: try await call("AutoEncrypt.Sign", .messagePack(request), at: address))
  }

  /// Asks a server for the settings of an agent that somebody introduces.
  public func initialConfiguration(_ request: AutoConfigRequest, at address: String) async throws -> AutoConfigResponse
  {
    let body = ByteBuffer.messagePack(AutoConfigCall(request))
    return try AutoConfigAnswer(decoding: try await call(InitialConfiguration.method, body, at: address)).message
  }

  private func call(_ method: String, _ body: ByteBuffer, at address: String) async throws -> ByteBuffer {
    guard let (host, port) = RPCConnection.split(address) else {
      throw RPCError.connecting("address \(address): missing port in address")
    }
    var bootstrap = ClientBootstrap(group: group).connectTimeout(.seconds(10))
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
    if let localAddress, let bound = try? SocketAddress(ipAddress: localAddress, port: 0) {
      bootstrap = bootstrap.bind(to: bound)
    }
    let channel: any Channel
    do {
      channel = try await bootstrap.connect(host: host, port: port).get()
    } catch {
      throw RPCError.connecting(RPCConnection.failure(error, dialling: address))
    }
    let deadline = channel.eventLoop.scheduleTask(in: timeout) { channel.close(promise: nil) }
    defer {
      deadline.cancel()
      channel.close(promise: nil)
    }
    do {
      try await channel.writeAndFlush(ByteBuffer(bytes: [ServerProtocol.insecureTLS.rawValue]))
      try await channel.eventLoop.flatSubmit { security.secure(channel, to: address) }.get()
    } catch {
      throw RPCError.connecting(RPCConnection.failure(error, dialling: address))
    }
    return try await channel.eventLoop.flatSubmit {
      let promise = channel.eventLoop.makePromise(of: ByteBuffer.self)
      do {
        try channel.pipeline.syncOperations.addHandler(SingleAnswerHandler(promise))
        var bytes = ByteBuffer()
        bytes.writeRPCMessage(RPCRequestHeader(sequence: 1, method: method), body: body)
        channel.writeAndFlush(bytes, promise: nil)
      } catch {
        promise.fail(error)
      }
      return promise.futureResult
    }.get()
  }
}

/// Takes the one answer of a connection.
private final class SingleAnswerHandler: ChannelInboundHandler, @unchecked Sendable {
  // Sendable: used on the event loop of the channel only.
  typealias InboundIn = ByteBuffer

  /// Bytes of an answer; a chain of certificates and all roots are far smaller.
  private static let bytesMax = 4 << 20

  private var decoder = RPCMessageDecoder<RPCResponseHeader>(bodyBytesMax: bytesMax)
  private var promise: EventLoopPromise<ByteBuffer>?

  init(_ promise: EventLoopPromise<ByteBuffer>) { self.promise = promise }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    decoder.append(unwrapInboundIn(data))
    do throws(MessageFramingError) {
      guard let message = try decoder.next() else { return }
      let error = message.header.error
      finish(error.isEmpty ? .success(message.body) : .failure(.remote(error)))
    } catch {
      finish(.failure(.malformed("\(error)")))
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    finish(.failure(.broken("EOF")))
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) { finish(.failure(.broken("EOF"))) }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    finish(.failure(.broken("\(error)")))
    context.close(promise: nil)
  }

  private func finish(_ result: Result<ByteBuffer, RPCError>) {
    let promise = promise
    self.promise = nil
    promise?.completeWith(result.mapError { $0 as any Error })
  }
}
