import Logging
import NIOCore
import NIOPosix
import Wire

/// Asks upstream servers, one after the other until one answers. Each query has its own socket and number, so that
/// nobody can guess where to send a forged answer (RFC 5452). Confined to its loop.
final class UpstreamClient {
  private let loop: any EventLoop
  private let logger: Logger

  init(loop: any EventLoop, logger: Logger) {
    self.loop = loop
    self.logger = logger
  }

  /// Passes a client's query on, as it is.
  /// - Parameter completion: gets the response under the client's number; nil if no server gave a usable one.
  func forward(
    _ message: [UInt8], _ question: DNSQuestion, over transport: DNSTransport, _ configuration: ResolverConfiguration,
    _ completion: @escaping ([UInt8]?) -> Void
  ) {
    guard message.count >= DNSHeader.byteCount else { return completion(nil) }
    let number = (message[0], message[1])
    ask(message, question, over: transport, configuration) { response in
      guard var response else { return completion(nil) }
      (response[0], response[1]) = number
      completion(response)
    }
  }

  /// Asks for the IPv4 addresses of a name.
  /// - Parameter completion: gets the records of the answer; none if there is no usable one.
  func addresses(
    of name: DNSName, _ configuration: ResolverConfiguration, _ completion: @escaping ([DNSRecord]) -> Void
  ) {
    let question = DNSQuestion(name: name, type: .a)
    let message = DNSQuery(id: 0, flags: .recursionDesired, question: question).encoded()
    ask(message, question, over: .datagram, configuration) { response in
      guard let read = response.flatMap({ try? DNSMessage($0) }) else { return completion([]) }
      guard read.header.flags.contains(.truncated) else { return completion(read.answers) }
      self.ask(message, question, over: .stream, configuration) { response in
        completion(response.flatMap { try? DNSMessage($0) }?.answers ?? read.answers)
      }
    }
  }

  private func ask(
    _ message: [UInt8], _ question: DNSQuestion, over transport: DNSTransport, _ configuration: ResolverConfiguration,
    _ completion: @escaping ([UInt8]?) -> Void
  ) {
    let servers =
      switch configuration.settings.recursorStrategy {
      case .sequential: configuration.recursors
      case .random: configuration.recursors.shuffled()
      }
    ask(servers[...], message, question, transport, configuration.settings.recursorTimeout, completion)
  }

  private func ask(
    _ servers: ArraySlice<RecursorAddress>, _ message: [UInt8], _ question: DNSQuestion, _ transport: DNSTransport,
    _ timeout: Duration, _ completion: @escaping ([UInt8]?) -> Void
  ) {
    guard let server = servers.first else { return completion(nil) }
    var message = message
    let id = UInt16.random(in: .min ... .max)
    message[0] = UInt8(truncatingIfNeeded: id >> 8)
    message[1] = UInt8(truncatingIfNeeded: id)
    let exchange = UpstreamExchange(message: message, question: question, timeout: TimeAmount(timeout))
    exchange.start(with: server, over: transport, on: loop).assumeIsolated().whenComplete { result in
      switch result {
      case .success(let response):
        let code = response.withUnsafeBytes { DNSFlags(rawValue: UInt16($0[2]) << 8 | UInt16($0[3])).responseCode }
        if code == .noError || code == .nameError { return completion(response) }
        self.logger.debug(
          "recursor refused",
          metadata: ["recursor": "\(server)", "name": "\(question.name)", "rcode": "\(code.rawValue)"])
      case .failure(let error):
        self.logger.debug(
          "recursor failed", metadata: ["recursor": "\(server)", "name": "\(question.name)", "error": "\(error)"])
      }
      self.ask(servers.dropFirst(), message, question, transport, timeout, completion)
    }
  }
}

/// One query to one server.
private struct UpstreamExchange: Sendable {
  let message: [UInt8]
  let question: DNSQuestion
  let timeout: TimeAmount

  struct TimedOut: Error {}
  struct Closed: Error {}

  /// - Returns: the response, with at least a header.
  func start(with server: RecursorAddress, over transport: DNSTransport, on loop: any EventLoop) -> EventLoopFuture<
    [UInt8]
  > {
    let promise = loop.makePromise(of: [UInt8].self)
    let exchange = self
    let address: SocketAddress
    do {
      address = try SocketAddress(ipAddress: server.address.description, port: Int(server.port))
    } catch {
      promise.fail(error)
      return promise.futureResult
    }
    let timer = loop.scheduleTask(in: timeout) { promise.fail(TimedOut()) }
    let connected: EventLoopFuture<any Channel>
    switch transport {
    case .datagram:
      connected = DatagramBootstrap(group: loop)
        .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: DNSMessageWriter.byteLimit))
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(UpstreamDatagramHandler(exchange, address, promise))
          }
        }
        .connect(to: address)
    case .stream:
      connected = ClientBootstrap(group: loop)
        .connectTimeout(timeout)
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandlers(
              ByteToMessageHandler(DNSFrameDecoder()), UpstreamStreamHandler(exchange, promise))
          }
        }
        .connect(to: address)
    }
    connected.whenFailure { promise.fail($0) }
    promise.futureResult.whenComplete { _ in
      timer.cancel()
      connected.whenSuccess { $0.close(promise: nil) }
    }
    return promise.futureResult
  }

  /// Whether these bytes answer the query; nil if they have nothing to do with it.
  func response(in bytes: UnsafeRawBufferPointer) -> [UInt8]? {
    var reader = DNSMessageReader(bytes)
    guard
      let header = try? reader.readHeader(), header.flags.contains(.response),
      bytes[0] == message[0], bytes[1] == message[1]
    else { return nil }
    if header.questionCount == 1, let asked = try? reader.readQuestion() {
      guard asked.name.isEqual(to: question.name), asked.type == question.type, asked.class == question.class else {
        return nil
      }
    } else if header.flags.responseCode == .noError {
      // Only errors may come without the question.
      return nil
    }
    return Array(bytes)
  }
}

private final class UpstreamDatagramHandler: ChannelInboundHandler {
  typealias InboundIn = AddressedEnvelope<ByteBuffer>
  typealias OutboundOut = AddressedEnvelope<ByteBuffer>

  private let exchange: UpstreamExchange
  private let server: SocketAddress
  private let promise: EventLoopPromise<[UInt8]>

  init(_ exchange: UpstreamExchange, _ server: SocketAddress, _ promise: EventLoopPromise<[UInt8]>) {
    self.exchange = exchange
    self.server = server
    self.promise = promise
  }

  func channelActive(context: ChannelHandlerContext) {
    let buffer = context.channel.allocator.buffer(bytes: exchange.message)
    context.writeAndFlush(wrapOutboundOut(AddressedEnvelope(remoteAddress: server, data: buffer))).whenFailure {
      [promise] in promise.fail($0)
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let buffer = unwrapInboundIn(data).data
    if let response = buffer.withUnsafeReadableBytes(exchange.response) { promise.succeed(response) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    promise.fail(error)
  }

  func channelInactive(context: ChannelHandlerContext) {
    promise.fail(UpstreamExchange.Closed())
  }
}

private final class UpstreamStreamHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let exchange: UpstreamExchange
  private let promise: EventLoopPromise<[UInt8]>

  init(_ exchange: UpstreamExchange, _ promise: EventLoopPromise<[UInt8]>) {
    self.exchange = exchange
    self.promise = promise
  }

  func channelActive(context: ChannelHandlerContext) {
    var buffer = context.channel.allocator.buffer(capacity: exchange.message.count + 2)
    buffer.writeInteger(UInt16(truncatingIfNeeded: exchange.message.count))
    buffer.writeBytes(exchange.message)
    context.writeAndFlush(wrapOutboundOut(buffer)).whenFailure { [promise] in promise.fail($0) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if let response = unwrapInboundIn(data).withUnsafeReadableBytes(exchange.response) {
      promise.succeed(response)
    } else {
      promise.fail(UpstreamExchange.Closed())
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    promise.fail(error)
  }

  func channelInactive(context: ChannelHandlerContext) {
    promise.fail(UpstreamExchange.Closed())
  }
}

/// Cuts a stream into messages, each preceded by its length in two bytes (RFC 1035, section 4.2.2).
struct DNSFrameDecoder: ByteToMessageDecoder {
  typealias InboundOut = ByteBuffer

  mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) -> DecodingState {
    guard
      let length = buffer.getInteger(at: buffer.readerIndex, as: UInt16.self),
      let message = buffer.getSlice(at: buffer.readerIndex + 2, length: Int(length))
    else { return .needMoreData }
    buffer.moveReaderIndex(forwardBy: 2 + Int(length))
    context.fireChannelRead(wrapInboundOut(message))
    return .continue
  }

  mutating func decodeLast(context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool) -> DecodingState {
    decode(context: context, buffer: &buffer)
  }
}
