import Logging
import Model
import NIOCore
import NIOPosix

/// Connects one core to sockets and time. Everything in it happens on one event loop.
final class GossipReactor {
  /// Streams of others that are served at the same time.
  private static let servedStreamsMaximum = 128
  /// Above this many members, the published list may be a moment behind.
  private static let immediateMembersMaximum = 256
  private static let publishPause = TimeAmount.milliseconds(20)

  let loop: any EventLoop
  let logger: Logger
  private(set) var core: SerfCore
  private let listener: @Sendable (GossipEvent) -> Void
  private let publish: (SerfCore, _ membersChanged: Bool) -> Void
  private let files: GossipFiles

  private var datagrams: (any Channel)?
  private var server: (any Channel)?
  private var isVersion6 = false
  private var asked: [StreamID: any Channel] = [:]
  private var served: [StreamID: any Channel] = [:]
  private var lastServed: StreamID = 0
  private var timer: (at: GossipInstant, task: Scheduled<Void>)?
  private var publishedVersion: UInt64 = 0
  private var isPublishing = false
  private var random = SystemRandomNumberGenerator()
  private var lastRequest: UInt64 = 0
  private var joins: [UInt64: EventLoopPromise<(Int, [(NodeAddress, GossipError)])>] = [:]
  private var queries: [UInt64: @Sendable (QueryOutcome) -> Void] = [:]
  private var keys: [UInt64: EventLoopPromise<KeyOperationResult>] = [:]
  private var leaving: [EventLoopPromise<Void>] = []
  private var isStopped = false
  private var isReading = false
  private var refusals = RefusalNotes()

  init(
    _ core: SerfCore, loop: any EventLoop, logger: Logger, files: GossipFiles,
    publish: @escaping (SerfCore, Bool) -> Void, listener: @escaping @Sendable (GossipEvent) -> Void
  ) {
    self.core = core
    self.loop = loop
    self.logger = logger
    self.files = files
    self.publish = publish
    self.listener = listener
  }

  var codec: PacketCodec { core.swim.codec }

  private var now: GossipInstant { GossipInstant(nanoseconds: Int64(clamping: NIODeadline.now().uptimeNanoseconds)) }

  // MARK: Life

  func start(datagrams: any Channel, server: any Channel) throws(GossipError) {
    self.datagrams = datagrams
    self.server = server
    if case .v6 = datagrams.localAddress { isVersion6 = true }
    let now = now
    try core.start(now)
    carryOut()
  }

  func stop() -> EventLoopFuture<Void> {
    isStopped = true
    timer?.task.cancel()
    for channel in asked.values { channel.close(promise: nil) }
    for channel in served.values { channel.close(promise: nil) }
    for promise in joins.values { promise.fail(GossipError.notRunning) }
    for promise in keys.values { promise.fail(GossipError.notRunning) }
    for promise in leaving { promise.succeed() }
    for outcome in queries.values { outcome(.finished) }
    joins = [:]
    keys = [:]
    queries = [:]
    leaving = []
    core.flushSnapshot()
    for effect in core.drain() { carryOut(effect) }
    let closing = [datagrams, server].compactMap { $0?.close() }
    return EventLoopFuture.andAllComplete(closing, on: loop)
  }

  // MARK: Steps

  /// Lets the core do something and carries out what follows.
  private func step(_ body: (inout SerfCore, GossipInstant) -> Void) {
    guard !isStopped else { return }
    body(&core, now)
    carryOut()
  }

  private func carryOut() {
    let effects = core.drain()
    publishIfNeeded(completes: effects.contains { $0.completesRequest })
    for effect in effects { carryOut(effect) }
    if !isReading { datagrams?.flush() }
    schedule()
  }

  private func publishIfNeeded(completes: Bool) {
    let hasChanged = core.membersVersion != publishedVersion
    guard hasChanged, !completes, core.members.count > Self.immediateMembersMaximum else {
      publishedVersion = core.membersVersion
      return publish(core, hasChanged)
    }
    guard !isPublishing else { return }
    isPublishing = true
    let bound = NIOLoopBound(self, eventLoop: loop)
    loop.scheduleTask(in: Self.publishPause) {
      bound.value.isPublishing = false
      bound.value.publishIfNeeded(completes: true)
    }
  }

  private func schedule() {
    guard !isStopped, let deadline = core.nextDeadline else { return }
    if let timer {
      if timer.at <= deadline { return }
      timer.task.cancel()
    }
    let bound = NIOLoopBound(self, eventLoop: loop)
    let task = loop.scheduleTask(deadline: .uptimeNanoseconds(UInt64(clamping: deadline.nanoseconds))) {
      bound.value.timer = nil
      bound.value.step { core, now in core.tick(now) }
    }
    timer = (deadline, task)
  }

  private func carryOut(_ effect: GossipEffect) {
    switch effect {
    case .network(let effect): carryOut(effect)
    case .deliver(let event): listener(event)
    case .joinFinished(let request, let joined, let failures):
      joins.removeValue(forKey: request)?.succeed((joined, failures))
    case .query(let request, let outcome):
      queries[request]?(outcome)
      if outcome == .finished { queries[request] = nil }
    case .keysFinished(let request, let result): keys.removeValue(forKey: request)?.succeed(result)
    case .keepKeys(let token, let texts): keep(token, texts)
    case .appendSnapshot(let bytes): files.appendSnapshot(bytes)
    case .replaceSnapshot(let bytes): files.replaceSnapshot(bytes)
    case .leaveFinished:
      for promise in leaving { promise.succeed() }
      leaving = []
    case .log(let level, let text): log(level, text)
    }
  }

  private func keep(_ token: UInt64, _ texts: [String]) {
    let bound = NIOLoopBound(self, eventLoop: loop)
    files.keepKeys(texts) { [loop] problem in
      loop.execute { bound.value.step { core, now in core.keysKept(token, problem: problem, now) } }
    }
  }

  private func log(_ level: GossipLogLevel, _ text: String) {
    switch level {
    case .debug: logger.debug("\(text)")
    case .info: logger.info("\(text)")
    case .warning: logger.warning("\(text)")
    case .error: logger.error("\(text)")
    }
  }

  /// Others may send what they like, as often as they like.
  private func note(_ text: String, _ metadata: Logger.Metadata) {
    guard let silent = refusals.take(now) else { return }
    logger.warning(
      "\(text)", metadata: silent > 0 ? metadata.merging(["others": "\(silent)"]) { $1 } : metadata)
  }

  // MARK: Datagrams

  func received(_ packet: [UInt8], from sender: NodeAddress) {
    isReading = true
    do throws(GossipError) {
      let content = try codec.open(packet)
      step { core, now in core.received(content, from: sender, now) }
    } catch {
      note("gossip packet dropped", ["error": "\(error)", "from": "\(sender)"])
    }
  }

  /// The datagrams of one round of reading are answered together.
  func readingEnded() {
    isReading = false
    datagrams?.flush()
  }

  private func carryOut(_ effect: NetworkEffect) {
    switch effect {
    case .send(let message, let address, let checksum): send(message, address, checksum: checksum)
    case .open(let stream, let address, let message, let timeout): open(stream, address, message, timeout)
    case .answer(let stream, let message): answer(stream, message)
    case .close(let stream):
      asked.removeValue(forKey: stream)?.close(promise: nil)
      served.removeValue(forKey: stream)?.close(promise: nil)
    }
  }

  private func send(_ message: [UInt8], _ address: NodeAddress, checksum: Bool) {
    guard let datagrams, let remote = address.socketAddress(asVersion6: isVersion6),
      let packet = try? codec.seal(message, checksum: checksum, using: &random)
    else { return }
    // Without a promise nobody learns whether it was sent: datagrams may get lost anyway.
    datagrams.write(
      AddressedEnvelope(remoteAddress: remote, data: datagrams.allocator.buffer(bytes: packet)), promise: nil)
  }

  // MARK: Our streams

  private func open(_ stream: StreamID, _ address: NodeAddress, _ message: StreamMessage, _ timeout: GoDuration) {
    let timeout = TimeAmount.nanoseconds(max(1_000_000, timeout.nanoseconds))
    guard let remote = address.socketAddress(),
      let bytes = try? codec.sealStream(message.encoded, opens: true, using: &random)
    else { return failed(stream, .invalidAddress) }
    let bound = NIOLoopBound(self, eventLoop: loop)
    ClientBootstrap(group: loop)
      .connectTimeout(timeout)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            GossipStreamHandler(bound.value, stream, .asking, timeout: timeout))
        }
      }
      .connect(to: remote)
      .whenComplete { result in
        switch result {
        case .success(let channel):
          bound.value.asked[stream] = channel
          channel.writeAndFlush(channel.allocator.buffer(bytes: bytes), promise: nil)
        case .failure(let error):
          bound.value.failed(stream, .connection("dial tcp \(address): \(Self.text(error))"))
        }
      }
  }

  private static func text(_ error: any Error) -> String {
    switch error {
    case let error as IOError: "connect: \(String(cString: strerror(error.errnoCode)).lowercasedFirst)"
    case ChannelError.connectTimeout: "i/o timeout"
    default: "\(error)"
    }
  }

  func answered(_ stream: StreamID, _ message: StreamMessage) {
    step { core, now in core.answered(stream, message, now) }
  }

  func failed(_ stream: StreamID, _ error: GossipError) {
    step { core, now in core.streamFailed(stream, error, now) }
  }

  func closed(_ stream: StreamID, _ role: GossipStreamHandler.Role) {
    switch role {
    case .asking: asked[stream] = nil
    case .serving: served[stream] = nil
    }
  }

  // MARK: Streams of others

  /// Takes a connection, or closes it if there are too many.
  func accept(_ channel: any Channel) throws {
    guard served.count < Self.servedStreamsMaximum, !isStopped else {
      note("too many gossip streams", ["limit": "\(Self.servedStreamsMaximum)"])
      throw GossipError.tooLarge(part: "number of streams", limit: Self.servedStreamsMaximum)
    }
    lastServed &+= 1
    served[lastServed] = channel
    try channel.pipeline.syncOperations.addHandler(
      GossipStreamHandler(
        self, lastServed, .serving, timeout: .nanoseconds(core.settings.streamTimeout.nanoseconds * 2)))
  }

  func requested(_ stream: StreamID, _ message: StreamMessage, from sender: NodeAddress?) {
    guard let sender else { return }
    step { core, now in core.requested(stream, message, from: sender, now) }
  }

  /// Tells the other side that its message could not be read.
  func refuse(_ stream: StreamID, _ error: GossipError) {
    note("gossip stream refused", ["error": "\(error)"])
    answer(stream, .error("\(error)"))
  }

  private func answer(_ stream: StreamID, _ message: StreamMessage) {
    guard let channel = served[stream],
      let bytes = try? codec.sealStream(message.encoded, opens: false, using: &random)
    else { return }
    channel.writeAndFlush(channel.allocator.buffer(bytes: bytes)).whenComplete { _ in channel.close(promise: nil) }
  }

  // MARK: Requests of the users

  private func nextRequest() -> UInt64 {
    lastRequest &+= 1
    return lastRequest
  }

  func join(
    _ addresses: [NodeAddress], ignoresOldEvents: Bool
  ) -> EventLoopFuture<(Int, [(NodeAddress, GossipError)])> {
    guard !isStopped else { return loop.makeFailedFuture(GossipError.notRunning) }
    let promise = loop.makePromise(of: (Int, [(NodeAddress, GossipError)]).self)
    let request = nextRequest()
    joins[request] = promise
    step { core, now in core.join(request, addresses, ignoresOldEvents: ignoresOldEvents, now) }
    return promise.futureResult
  }

  func leave() -> EventLoopFuture<Void> {
    if isStopped { return loop.makeSucceededVoidFuture() }
    if case .left = core.life { return loop.makeSucceededVoidFuture() }
    let promise = loop.makePromise(of: Void.self)
    leaving.append(promise)
    step { core, now in core.leave(now) }
    return promise.futureResult
  }

  func forceLeave(_ name: String, prune: Bool) {
    step { core, now in core.forceLeave(name, prune: prune, now) }
  }

  func setTags(_ tags: [String: String]) {
    attempt("tags") { (core, now) throws(GossipError) in try core.setTags(tags, now) }
  }

  func fire(_ name: String, _ payload: [UInt8], coalesces: Bool) {
    attempt("event") { (core, now) throws(GossipError) in
      try core.fire(name, payload, coalesces: coalesces, now)
    }
  }

  func query(
    _ name: String, _ payload: [UInt8], _ options: QueryOptions, _ outcome: @escaping @Sendable (QueryOutcome) -> Void
  ) throws(GossipError) {
    if isStopped { throw .notRunning }
    let request = nextRequest()
    queries[request] = outcome
    do throws(GossipError) {
      try core.query(request, name, payload, options, now)
    } catch {
      queries[request] = nil
      throw error
    }
    carryOut()
  }

  func respond(_ key: QueryKey, _ payload: [UInt8]) throws(GossipError) {
    if isStopped { throw .notRunning }
    try core.respond(key, payload, now)
    carryOut()
  }

  func keys(_ operation: KeyOperation, relayFactor: UInt8) throws(GossipError) -> EventLoopFuture<KeyOperationResult> {
    if isStopped { throw .notRunning }
    let request = nextRequest()
    let promise = loop.makePromise(of: KeyOperationResult.self)
    keys[request] = promise
    do throws(GossipError) {
      try core.keys(request, operation, relayFactor: relayFactor, now)
    } catch {
      keys.removeValue(forKey: request)?.fail(error)
    }
    carryOut()
    return promise.futureResult
  }

  private func attempt(
    _ what: String, _ body: (inout SerfCore, GossipInstant) throws(GossipError) -> Void
  ) {
    guard !isStopped else { return }
    do throws(GossipError) {
      try body(&core, now)
    } catch {
      logger.error("gossip \(what) refused", metadata: ["error": "\(error)"])
    }
    carryOut()
  }
}

extension GossipEffect {
  /// Whether somebody waits for it, who will look at the members then.
  fileprivate var completesRequest: Bool {
    switch self {
    case .joinFinished, .leaveFinished: true
    default: false
    }
  }
}

extension String {
  /// As Go writes the system's errors.
  fileprivate var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}
