import Logging
import Model
import NIOCore
import NIOPosix
import Synchronization
import Wire

/// Calls methods of other servers. One multiplexed connection per server is kept and shared by all calls; each call has a
/// stream of it to itself, and streams are used again (wire/rpc.md, section 5).
public final class RPCClient: Sendable {
  /// Puts TLS on a connection, on its event loop.
  public typealias Upgrade = @Sendable (any Channel) -> EventLoopFuture<Void>

  public struct Settings: Sendable {
    /// How long opening a connection may take.
    public var dialTimeout = TimeAmount.seconds(10)
    /// How long an answer may take that waits for nothing.
    public var callTimeout = TimeAmount.seconds(60)
    /// Streams that are kept for later calls, per connection.
    public var idleStreamsMax = 64
    /// How long a connection is kept without being used.
    public var idleTimeout = TimeAmount.seconds(120)
    /// Bytes of one answer.
    public var replyBytesMax = 1 << 30
    /// Calls per second, and at once (`limits.rpc_rate`, `rpc_max_burst`); infinite where nobody limits them.
    public var rate = Double.infinity
    public var burst = 1000
    /// Where connections come from; nil leaves it to the system.
    public var localAddress: String?
    /// How connections to an address are secured before anything is sent; nil for those in clear.
    public var upgrade: @Sendable (_ address: String) -> Upgrade? = { _ in nil }
    /// Why no connection can be had at present; nil if some can. Calls fail with that before anything is opened.
    public var refusal: @Sendable () -> String? = { nil }
    public var yamux = YamuxSettings()

    public init() {}
  }

  private enum State {
    case running([String: RPCConnection])
    case stopped
  }

  let settings: Settings
  let logger: Logger
  private let group: any EventLoopGroup
  private let state = Mutex(State.running([:]))
  /// Nil where nothing limits the rate.
  private let bucket: Mutex<TokenBucket?>
  /// Beside the lock: without a limit nothing is locked.
  private let isLimited: Atomic<Bool>

  public init(group: any EventLoopGroup, settings: Settings = Settings(), logger: Logger = Logger(label: "rpc")) {
    self.group = group
    self.settings = settings
    self.logger = logger
    bucket = Mutex(Self.bucket(settings.rate, burst: settings.burst))
    isLimited = Atomic(settings.rate.isFinite)
  }

  private static func bucket(_ rate: Double, burst: Int) -> TokenBucket? {
    rate.isFinite ? TokenBucket(rate: rate, burst: Double(burst), now: MonotonicClock.now()) : nil
  }

  /// For reloads of the configuration.
  public func setRate(_ rate: Double, burst: Int) {
    bucket.withLock { $0 = Self.bucket(rate, burst: burst) }
    isLimited.store(rate.isFinite, ordering: .releasing)
  }

  /// Calls a method.
  ///
  /// - Parameters:
  ///   - body: the argument as MessagePack.
  ///   - address: `host:port` of the server.
  ///   - timeout: until the answer; nil is `Settings.callTimeout`.
  ///   - completion: gets the result as MessagePack; runs on `loop`, once, unless the call is cancelled.
  @discardableResult
  public func call(
    _ method: String, _ body: ByteBuffer, to address: String, timeout: TimeAmount? = nil, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<ByteBuffer, RPCError>) -> Void
  ) -> (any PendingQuery)? {
    if isLimited.load(ordering: .acquiring), bucket.withLock({ $0?.take(now: MonotonicClock.now()) }) == false {
      ServerMetrics.callsExceeded.increment()
      completion(.failure(.rateLimited))
      return nil
    }
    if let reason = settings.refusal() {
      completion(.failure(.connecting(reason)))
      return nil
    }
    guard let connection = connection(to: address, preferring: loop) else {
      completion(.failure(.shutDown))
      return nil
    }
    let call = RPCCall(method, body, timeout: timeout ?? settings.callTimeout, on: loop, connection, completion)
    connection.perform(call)
    return call
  }

  private func connection(to address: String, preferring loop: any EventLoop) -> RPCConnection? {
    state.withLock { state in
      guard case .running(var connections) = state else { return nil }
      if let known = connections[address], !known.isOver { return known }
      // Calls from the loop of the connection need no change of thread.
      let isOurs = group.makeIterator().contains { $0 === loop }
      let new = RPCConnection(to: address, client: self, on: isOurs ? loop : group.next())
      connections[address] = new
      state = .running(connections)
      return new
    }
  }

  /// A loop for calls whose answers nobody waits for.
  var anyLoop: any EventLoop { group.next() }

  /// The connection is over.
  func forget(_ connection: RPCConnection) {
    state.withLock { state in
      guard case .running(var connections) = state, connections[connection.address] === connection else { return }
      connections[connection.address] = nil
      state = .running(connections)
    }
  }

  /// Ends all connections; calls under way fail.
  public func shutdown() {
    let connections = state.withLock { state in
      guard case .running(let connections) = state else { return [RPCConnection]() }
      state = .stopped
      return Array(connections.values)
    }
    for connection in connections { connection.shutdown() }
  }
}
