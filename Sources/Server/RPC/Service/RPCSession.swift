import NIOCore
import Wire

/// The server's side of one net/rpc session: requests one after the other, each answered before the next is looked at
/// (wire/rpc.md, section 4).
final class RPCSession: @unchecked Sendable {
  // Sendable: everything is used on one event loop only, `loop`.

  private enum State {
    case idle
    /// A request is being carried out; `waiting` when it may be given up.
    case busy(waiting: (any PendingQuery)?)
    case over
  }

  private let methods: RPCMethods
  private let loop: any EventLoop
  /// Sends bytes to the caller.
  private let send: (ByteBuffer) -> Void
  /// Says that the session ends.
  private let end: () -> Void
  /// Says that received bytes were taken in.
  private let consume: (Int) -> Void
  private var decoder: RPCMessageDecoder<RPCRequestHeader>
  /// Told why the caller is not listened to any more.
  private let breach: (String) -> Void
  private var state = State.idle
  /// Bytes that were received and not reported as taken in, because a request was under way.
  private var unconsumed = 0
  private var isTaking = false

  init(
    _ methods: RPCMethods, on loop: any EventLoop, send: @escaping (ByteBuffer) -> Void,
    consume: @escaping (Int) -> Void, breach: @escaping (String) -> Void, end: @escaping () -> Void
  ) {
    self.methods = methods
    self.loop = loop
    self.send = send
    self.consume = consume
    self.breach = breach
    self.end = end
    decoder = RPCMessageDecoder(bodyBytesMax: methods.settings.requestBytesMax)
  }

  func receive(_ bytes: ByteBuffer) {
    if case .over = state { return consume(bytes.readableBytes) }
    decoder.append(bytes)
    if case .idle = state {
      consume(bytes.readableBytes)
      takeNext()
    } else {
      unconsumed += bytes.readableBytes
    }
  }

  /// The caller sends no more, and so waits for nothing.
  func callerEnded() {
    if case .over = state { return }
    abandon()
    end()
  }

  /// Gives up whatever is under way.
  func abandon() {
    guard case .busy(let waiting) = state else { return state = .over }
    state = .over
    waiting?.cancel()
  }

  private func takeNext() {
    // An answer that comes at once is inside the loop that took its request.
    guard !isTaking else { return }
    isTaking = true
    defer { isTaking = false }
    while case .idle = state {
      let message: RPCMessageDecoder<RPCRequestHeader>.Message?
      do throws(MessageFramingError) {
        message = try decoder.next()
      } catch {
        // Nothing is known of the request, so there is nobody to tell.
        state = .over
        breach("net/rpc: \(error)")
        return end()
      }
      guard let message else { return }
      state = .busy(waiting: nil)
      ServerMetrics.request.increment()
      let header = message.header
      let pending = methods.perform(header.method, message.body, on: loop) { [self] in answer(header, $0) }
      if case .busy = state { state = .busy(waiting: pending) }
    }
  }

  private func answer(_ header: RPCRequestHeader, _ result: Result<ByteBuffer, RPCFailure>) {
    guard case .busy = state else { return }
    var response = RPCResponseHeader(sequence: header.sequence, method: header.method)
    var bytes = ByteBuffer()
    switch result {
    case .success(let body):
      state = .idle
      bytes.writeRPCMessage(response, body: body)
    case .failure(let failure):
      ServerMetrics.requestError.increment()
      response.error = failure.text
      bytes.writeRPCMessage(response, body: RPCBody.empty)
      state = failure.endsSession ? .over : .idle
    }
    send(bytes)
    if case .over = state { return end() }
    consume(unconsumed)
    unconsumed = 0
    takeNext()
  }
}
