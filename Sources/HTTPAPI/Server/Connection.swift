import AccessControl
import NIOCore
import Server

/// One client connection: takes requests out of the bytes that arrive, one at a time, hands each to its endpoint and sends
/// the answer. Later requests wait as bytes until the one before is answered, so answers keep the order of requests.
final class Connection: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private enum State {
    /// Before or inside the head of a request; so many of its bytes were already searched for its end.
    case head(scanned: Int)
    case body(IncomingBody)
    /// Nobody knows yet what the token of the request may do.
    case waitingForRights
    /// The answer is under way.
    case busy(Exchange)
    /// The rest of a refused body goes by.
    case skipping(SkippedBody)
    /// Answered for the last time: the client reads that and closes.
    case lingering
    case closed
  }

  /// Bytes of requests to come that are held while one is under way; beyond, nothing more is read.
  private static let heldLimit = 64 * 1024

  let resources: LoopResources
  private let gate: Gate
  private var context: ChannelHandlerContext?
  private var state = State.head(scanned: 0)
  private var input: ByteBuffer?
  private var isAdvancing = false
  private var isReading = false
  private var needsFlush = false
  private var heldRead = false
  private var isFinishing = false
  /// The sweep at which the last bytes of an incomplete request came.
  var lastProgress: UInt64 = 0

  init(gate: Gate, resources: LoopResources) {
    self.gate = gate
    self.resources = resources
  }

  var eventLoop: any EventLoop { resources.loop }

  /// The client's IP address, or "" for a unix socket.
  private(set) lazy var clientAddress = context?.channel.remoteAddress?.ipAddress ?? ""

  /// The same with the port, for the log.
  var clientEndpoint: String {
    guard let address = context?.channel.remoteAddress, let ip = address.ipAddress, let port = address.port else {
      return clientAddress
    }
    return ip.contains(":") ? "[\(ip)]:\(port)" : "\(ip):\(port)"
  }

  // MARK: channel events

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    resources.add(self)
  }

  func handlerRemoved(context: ChannelHandlerContext) { leave() }

  func channelInactive(context: ChannelHandlerContext) {
    leave()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    isReading = true
    if input == nil || input?.readableBytes == 0 { input = bytes } else { input?.writeBuffer(&bytes) }
    advance()
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    isReading = false
    flushIfNeeded()
    context.fireChannelReadComplete()
  }

  /// While an answer is under way and enough of the next requests is here, the client has to wait.
  func read(context: ChannelHandlerContext) {
    switch state {
    case .busy where isFull, .waitingForRights where isFull: heldRead = true
    case .body(let body) where body.isCongested: heldRead = true
    default: context.read()
    }
  }

  private var isFull: Bool { (input?.readableBytes ?? 0) > Self.heldLimit }

  private func leave() {
    if case .busy(let exchange) = state { exchange.cancel() }
    state = .closed
    input = nil
    context = nil
    resources.remove(self)
  }

  // MARK: requests

  /// Goes as far as the bytes that are here allow.
  private func advance() {
    guard !isAdvancing else { return }
    isAdvancing = true
    defer { isAdvancing = false }
    var goesOn = true
    while goesOn {
      switch state {
      case .head(let scanned): goesOn = readHead(scanned: scanned)
      case .body(let body): goesOn = readBody(body)
      case .skipping(let body): goesOn = skip(body)
      case .lingering:
        input = nil
        goesOn = false
      case .busy, .waitingForRights, .closed: goesOn = false
      }
    }
    if input?.readableBytes == 0 { input = nil }
  }

  private func readHead(scanned: Int) -> Bool {
    let limit = gate.api.settings.headLimit
    let parsed = input?.withUnsafeReadableBytes { RequestParser.parse($0, scanned: scanned, limit: limit) }
    guard let outcome = parsed else {
      resources.settled(self)
      return false
    }
    switch outcome {
    case .incomplete(let scanned):
      if scanned > 0 { resources.waits(self) } else { resources.settled(self) }
      state = .head(scanned: scanned)
      return false
    case .failed(let error):
      refuse(error)
      return false
    case .head(let head, let length):
      guard let bytes = input?.readSlice(length: length) else { return false }
      decide(head, bytes)
      return true
    }
  }

  private func decide(_ head: RequestHead, _ bytes: ByteBuffer) {
    switch gate.decide(head, bytes, clientAddress: clientAddress) {
    case .handle(let pending):
      switch head.body {
      case .none: handle(pending, ByteBuffer())
      case .length, .chunked:
        if head.expectsContinue { sendContinue() }
        state = .body(IncomingBody(pending, framing: head.body, spool: spool(for: pending)))
      }
    case .answer(let answer):
      // The client may or may not send the body that it announced: only closing makes the two sides agree.
      let closes = !head.keepAlive || head.expectsContinue
      send(answer, closes: closes, isHead: head.method == .head)
      if !closes, head.body != .none { state = .skipping(SkippedBody(framing: head.body)) }
    case .malformed: refuse(.malformed(""))
    }
  }

  /// Archives are too large for memory.
  private func spool(for pending: PendingRequest) -> BodySpool? {
    guard pending.route.bodyLimit == .snapshot else { return nil }
    let spool = BodySpool(in: gate.api.settings.temporaryDirectory, on: eventLoop)
    spool.onProgress = { [weak self] in
      guard let self, case .body = state else { return }
      if heldRead {
        heldRead = false
        context?.read()
      }
      advance()
      flushIfNeeded()
    }
    return spool
  }

  private func readBody(_ body: IncomingBody) -> Bool {
    do throws(RequestError) {
      switch try body.take(from: &input) {
      case .incomplete:
        resources.waits(self)
        return false
      case .complete(let bytes):
        handle(body.request, bytes)
      case .stored(let file):
        handle(body.request, ByteBuffer(), spooled: file)
      case .failed(let reason):
        send(FixedAnswer(.server(reason)), closes: true, isHead: false)
      case .tooLarge(let size):
        send(gate.tooLarge(body.request, size: size), closes: true, isHead: false)
      }
      return true
    } catch {
      refuse(error)
      return false
    }
  }

  private func skip(_ body: SkippedBody) -> Bool {
    guard input != nil else {
      resources.waits(self)
      return false
    }
    do throws(RequestError) {
      guard try body.skip(&input) else {
        resources.waits(self)
        return false
      }
      state = .head(scanned: 0)
      return true
    } catch {
      context?.close(promise: nil)
      return false
    }
  }

  private func handle(_ pending: PendingRequest, _ body: ByteBuffer, spooled: SpoolFile? = nil) {
    resources.settled(self)
    let request = pending.request(body: body, spooled: spooled)
    guard let token = gate.unknownToken(of: request, for: pending) else { return run(pending, request) }
    state = .waitingForRights
    let loop = eventLoop
    let waiting = NIOLoopBound((connection: self, pending: pending, request: request), eventLoop: loop)
    gate.api.resolver.find(token) {
      loop.execute {
        let (connection, pending, request) = waiting.value
        if case .waitingForRights = connection.state { connection.run(pending, request) }
      }
    }
  }

  private func run(_ pending: PendingRequest, _ request: Request) {
    var request = request
    let exchange: Exchange
    do throws(HTTPError) {
      exchange = try gate.exchange(for: pending, request, on: self)
    } catch {
      return send(FixedAnswer(error), closes: !pending.head.keepAlive, isHead: false)
    }
    state = .busy(exchange)
    gate.run(pending, &request, exchange)
  }

  // MARK: answers

  /// Sends what `resources.json` holds.
  func sendJSON(_ head: ResponseHead, _ exchange: Exchange) {
    let size = resources.json.bytes.count
    if exchange.isPretty, size > 0 {
      resources.layout.layOut(resources.json.bytes)
      send(head, resources.layout.bytes, exchange)
    } else {
      send(head, resources.json.bytes, exchange)
    }
    resources.trim(after: size)
  }

  /// Sends the answer of the request under way and goes on with the next.
  func send(_ head: ResponseHead, _ body: UnsafeRawBufferPointer, _ exchange: Exchange) {
    guard case .busy(let current) = state, current === exchange else { return }
    let closes = !exchange.keepsAlive || isFinishing
    if exchange.acceptsGzip, body.count >= Gzip.threshold, head.isFromAPI, let packed = Gzip.compress(body) {
      packed.withUnsafeBytes { write(head, $0, isCompressed: true, closes: closes, isHead: exchange.isHead) }
    } else {
      write(head, body, isCompressed: false, closes: closes, isHead: exchange.isHead)
    }
    answered(closes: closes)
  }

  /// Sends a body that other answers may share.
  func send(_ head: ResponseHead, _ body: AnswerMemo.Body, _ exchange: Exchange) {
    guard case .busy(let current) = state, current === exchange, let context else { return }
    let closes = !exchange.keepsAlive || isFinishing
    writeHead(head, contentLength: body.bytes.readableBytes, isCompressed: body.isCompressed, closes: closes)
    if !exchange.isHead { context.write(wrapOutboundOut(body.bytes), promise: nil) }
    answered(closes: closes)
  }

  /// Begins an answer without an end.
  func beginStream(_ head: ResponseHead, _ exchange: Exchange) {
    guard case .busy(let current) = state, current === exchange, let context else { return }
    resources.head.clear()
    head.write(
      to: &resources.head, settings: gate.api.settings, date: resources.dateText, contentLength: nil,
      isCompressed: false, closes: false)
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: resources.head.bytes)), promise: nil)
  }

  /// Sends one chunk (RFC 9112 section 7.1), unless the client has yet to read the ones before.
  func stream(_ text: String, _ exchange: Exchange) {
    guard case .busy(let current) = state, current === exchange, let context, context.channel.isWritable else { return }
    let size = text.utf8.count
    guard size > 0 else { return }
    var buffer = context.channel.allocator.buffer(capacity: size + 16)
    buffer.writeString(String(size, radix: 16))
    buffer.writeStaticString("\r\n")
    buffer.writeString(text)
    buffer.writeStaticString("\r\n")
    context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
  }

  /// Sends one chunk and tells when the system has taken it, or that the client is gone.
  func streamChunk(_ bytes: [UInt8], _ exchange: Exchange) -> EventLoopFuture<Void> {
    guard case .busy(let current) = state, current === exchange, let context, !bytes.isEmpty else {
      return eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel)
    }
    var buffer = context.channel.allocator.buffer(capacity: bytes.count + 16)
    buffer.writeString(String(bytes.count, radix: 16))
    buffer.writeStaticString("\r\n")
    buffer.writeBytes(bytes)
    buffer.writeStaticString("\r\n")
    return context.writeAndFlush(wrapOutboundOut(buffer))
  }

  /// Ends a stream of chunks and goes on with the next request.
  func endStream(_ exchange: Exchange) {
    guard case .busy(let current) = state, current === exchange, let context else { return }
    context.write(wrapOutboundOut(ByteBuffer(string: "0\r\n\r\n")), promise: nil)
    needsFlush = true
    answered(closes: !exchange.keepsAlive || isFinishing)
  }

  /// Sends an answer that was known before any endpoint was asked.
  private func send(_ answer: FixedAnswer, closes: Bool, isHead: Bool) {
    var text = answer.body
    text.withUTF8 {
      write(answer.head, UnsafeRawBufferPointer($0), isCompressed: false, closes: closes, isHead: isHead)
    }
    answered(closes: closes)
  }

  private func answered(closes: Bool) {
    if closes {
      linger()
    } else {
      state = .head(scanned: 0)
    }
    if heldRead {
      heldRead = false
      context?.read()
    }
    if !isReading { flushIfNeeded() }
    if !isAdvancing { advance() }
  }

  private func write(
    _ head: ResponseHead, _ body: UnsafeRawBufferPointer, isCompressed: Bool, closes: Bool, isHead: Bool
  ) {
    guard let context else { return }
    resources.head.clear()
    head.write(
      to: &resources.head, settings: gate.api.settings, date: resources.dateText, contentLength: body.count,
      isCompressed: isCompressed, closes: closes)
    let bodySize = isHead ? 0 : body.count
    var buffer = context.channel.allocator.buffer(capacity: resources.head.count + bodySize)
    buffer.writeBytes(resources.head.bytes)
    if bodySize > 0 { buffer.writeBytes(body) }
    context.write(wrapOutboundOut(buffer), promise: nil)
    needsFlush = true
  }

  private func writeHead(_ head: ResponseHead, contentLength: Int, isCompressed: Bool, closes: Bool) {
    guard let context else { return }
    resources.head.clear()
    head.write(
      to: &resources.head, settings: gate.api.settings, date: resources.dateText, contentLength: contentLength,
      isCompressed: isCompressed, closes: closes)
    var buffer = context.channel.allocator.buffer(capacity: resources.head.count)
    buffer.writeBytes(resources.head.bytes)
    context.write(wrapOutboundOut(buffer), promise: nil)
    needsFlush = true
  }

  private func sendContinue() {
    guard let context else { return }
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")), promise: nil)
  }

  private func flushIfNeeded() {
    guard needsFlush else { return }
    needsFlush = false
    context?.flush()
  }

  // MARK: endings

  private func refuse(_ error: RequestError) {
    var head = ResponseHead(error.status, .text)
    head.isFromAPI = false
    head.hasConfiguredHeaders = false
    send(FixedAnswer(head: head, body: error.text), closes: true, isHead: false)
  }

  /// Says that nothing more will come, and waits until the client closes: closing while it still sends would make its
  /// system throw our answer away.
  private func linger() {
    state = .lingering
    input = nil
    guard let context else { return }
    flushIfNeeded()
    resources.waits(self)
    context.close(mode: .output).assumeIsolated().whenFailure { [weak self] _ in self?.abort() }
  }

  /// The rest of a request did not come in time.
  func timedOut() {
    switch state {
    case .body, .head: refuse(.timeout)
    case .skipping, .lingering, .busy, .waitingForRights, .closed: abort()
    }
  }

  /// Closes as soon as no answer is under way. A query that waits for a change is given up.
  func finishUp() {
    isFinishing = true
    guard case .busy(let exchange) = state, exchange.pending == nil, exchange.onCancel == nil else { return abort() }
  }

  func abort() { context?.close(promise: nil) }
}
