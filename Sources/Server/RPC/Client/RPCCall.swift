import NIOCore
import Synchronization

/// One call under way. It is answered once, or cancelled.
final class RPCCall: PendingQuery, @unchecked Sendable {
  // Sendable: `completion` is behind a lock; `stream` and `timer` are used on the loop of the connection only.

  let method: String
  let body: ByteBuffer
  let timeout: TimeAmount
  /// Where the answer is wanted.
  private let loop: any EventLoop
  private weak var connection: RPCConnection?
  private let completion: Mutex<(@Sendable (Result<ByteBuffer, RPCError>) -> Void)?>

  /// The stream that it is under way on.
  var stream: UInt32?
  var timer: Scheduled<Void>?

  init(
    _ method: String, _ body: ByteBuffer, timeout: TimeAmount, on loop: any EventLoop, _ connection: RPCConnection,
    _ completion: @escaping @Sendable (Result<ByteBuffer, RPCError>) -> Void
  ) {
    self.method = method
    self.body = body
    self.timeout = timeout
    self.loop = loop
    self.connection = connection
    self.completion = Mutex(completion)
  }

  /// Whether nobody wants the answer any more.
  var isOver: Bool { completion.withLock { $0 == nil } }

  func finish(_ result: Result<ByteBuffer, RPCError>) {
    timer?.cancel()
    timer = nil
    let completion = completion.withLock { completion in
      defer { completion = nil }
      return completion
    }
    guard let completion else { return }
    if loop.inEventLoop { completion(result) } else { loop.execute { completion(result) } }
  }

  func cancel() {
    let wasWaiting = completion.withLock { completion in
      defer { completion = nil }
      return completion != nil
    }
    if wasWaiting { connection?.abandon(self) }
  }
}
