import Logging
import Model
import Synchronization
import Telemetry

/// How many requests per second a server takes (`limits.request_limits`).
public struct RequestLimits: Sendable, Equatable {
  public enum Mode: String, Sendable {
    case disabled
    /// Requests beyond are counted and logged.
    case permissive
    /// And refused.
    case enforcing
  }

  public var mode = Mode.disabled
  /// Infinite: any number.
  public var readRate = Double.infinity
  public var writeRate = Double.infinity

  public init() {}
}

/// A bucket that fills with a token per request that may come. A pure core: time is passed in, in
/// nanoseconds.
struct TokenBucket: Sendable {
  private let rate: Double
  /// Tokens that a full bucket holds.
  private let burst: Double
  private var tokens: Double
  private var last: UInt64

  /// - Parameter burst: how many requests may come at once; nil is a second's worth.
  init(rate: Double, burst: Double? = nil, now: UInt64) {
    self.rate = rate
    self.burst = max(burst ?? rate, 1)
    tokens = self.burst
    last = now
  }

  /// Whether one more request is within the rate.
  mutating func take(now: UInt64) -> Bool {
    if rate.isInfinite { return true }
    if now > last {
      tokens = min(tokens + Double(now - last) / 1_000_000_000 * rate, burst)
      last = now
    }
    guard tokens >= 1 else { return false }
    tokens -= 1
    return true
  }
}

/// Holds requests to the configured rates.
final class RequestLimiter: Sendable {
  enum Kind: String { case read, write }

  private struct State {
    var limits: RequestLimits
    var reads: TokenBucket
    var writes: TokenBucket
  }

  private let state: Mutex<State?>
  /// Beside the lock: without limits nothing is locked.
  private let isActive: Atomic<Bool>
  private let logger: Logger

  init(_ limits: RequestLimits, logger: Logger) {
    state = Mutex(Self.state(limits))
    isActive = Atomic(limits.mode != .disabled)
    self.logger = logger
  }

  private static func state(_ limits: RequestLimits) -> State? {
    if limits.mode == .disabled { return nil }
    let now = MonotonicClock.now()
    return State(
      limits: limits, reads: TokenBucket(rate: limits.readRate, now: now),
      writes: TokenBucket(rate: limits.writeRate, now: now))
  }

  /// For reloads of the configuration.
  func set(_ limits: RequestLimits) {
    let changed = state.withLock { state in
      if (state?.limits ?? RequestLimits()) == limits { return false }
      state = Self.state(limits)
      return true
    }
    if changed { isActive.store(limits.mode != .disabled, ordering: .releasing) }
  }

  /// Whether the request may go on.
  func admits(_ kind: Kind, _ method: String) -> Bool {
    if !isActive.load(ordering: .acquiring) { return true }
    let now = MonotonicClock.now()
    let exceeded: RequestLimits.Mode? = state.withLock { state in
      let isWithin = (kind == .read ? state?.reads.take(now: now) : state?.writes.take(now: now)) ?? true
      return isWithin ? nil : state?.limits.mode
    }
    guard let mode = exceeded else { return true }
    let type = "global/\(kind.rawValue)"
    MetricsRegistry.shared.counter(
      "rpc.rate_limit.exceeded",
      [MetricLabel("limit_type", type), MetricLabel("op", method), MetricLabel("mode", mode.rawValue)]
    ).increment()
    logger.debug(
      "RPC exceeded allowed rate limit",
      metadata: ["rpc": "\(method)", "limit_type": "\(type)", "limit_enforced": "\(mode == .enforcing)"])
    return mode != .enforcing
  }
}
