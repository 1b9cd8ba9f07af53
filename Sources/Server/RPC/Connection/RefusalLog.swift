import Logging
import NIOCore
import Synchronization

/// Says why connections were refused, without letting those who are refused fill the log.
final class RefusalLog: Sendable {
  /// Lines at once, and per second in the long run.
  private static let burst = 10.0
  private static let rate = 0.2

  private struct State {
    var bucket: TokenBucket
    /// Refusals since the last line that had none of their own.
    var silent = 0
  }

  private let logger: Logger
  private let state: Mutex<State>

  init(_ logger: Logger) {
    self.logger = logger
    state = Mutex(State(bucket: TokenBucket(rate: Self.rate, burst: Self.burst, now: MonotonicClock.now())))
  }

  /// - Returns: whether there is a line for it.
  @discardableResult
  func note(_ reason: String, from client: SocketAddress?) -> Bool {
    let silent = state.withLock { state -> Int? in
      guard state.bucket.take(now: MonotonicClock.now()) else {
        state.silent += 1
        return nil
      }
      defer { state.silent = 0 }
      return state.silent
    }
    guard let silent else { return false }
    var metadata: Logger.Metadata = ["from": "\(client?.description ?? "?")", "reason": "\(reason)"]
    if silent > 0 { metadata["others"] = "\(silent)" }
    logger.warning("connection to the server port refused", metadata: metadata)
    return true
  }
}

/// What a peer said that makes no sense: an event that the handler of its protocol sends through the pipeline before it closes
/// the connection.
struct ProtocolBreach: Sendable {
  var reason: String
}

/// Writes down why a connection to the server port ended that had begun well.
final class BreachNoter: ChannelInboundHandler {
  typealias InboundIn = Any

  private let refusals: RefusalLog

  init(_ refusals: RefusalLog) { self.refusals = refusals }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if let breach = event as? ProtocolBreach { refusals.note(breach.reason, from: context.remoteAddress) }
    context.fireUserInboundEventTriggered(event)
  }
}
