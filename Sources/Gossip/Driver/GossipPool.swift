import Logging
import Model
import NIOCore
import NIOPosix
import Synchronization

/// One node's membership in one pool, over real sockets. All methods may be called from any thread and never block.
public final class GossipPool: Sendable {
  /// How a pool is started.
  public struct Options: Sendable {
    public var settings: GossipSettings
    /// Where to listen, over UDP and TCP; port 0 takes a free one.
    public var bind: NodeAddress
    /// The file that remembers peers; nil: none.
    public var snapshotPath: String?
    /// Told of every change of the keys (base64, the primary one first), on a thread that may write files. Returns why they
    /// could not be kept, or nil. Whoever changed them hears of it after that.
    public var keepKeys: (@Sendable ([String]) -> String?)?
    /// Why nodes may not be members; nil: they may. Asked for every node that says something new of itself.
    public var refusal: @Sendable ([Member]) -> String? = { _ in nil }

    public init(_ settings: GossipSettings, bind: NodeAddress) {
      self.settings = settings
      self.bind = bind
    }
  }

  private struct Published {
    var members: [Member] = []
    var statistics = GossipStatistics()
    var coordinate: Coordinate?
    var keyring = GossipKeyring()
  }

  public let settings: GossipSettings
  private let loop: any EventLoop
  private let reactor: NIOLoopBoundBox<GossipReactor?>
  private let files: GossipFiles
  private let published: SharedState

  /// What readers of other threads see.
  private final class SharedState: Sendable {
    let value = Mutex(Published())
  }

  // MARK: Life

  /// Binds the sockets and starts. Nobody is joined yet, except for peers in the snapshot file.
  ///
  /// - Parameters:
  ///   - group: One of its loops does all the work of the pool.
  ///   - listener: Hears of everything, in order, on that loop: it must not block.
  /// - Throws: `cannotBind`, `metaTooLarge`, `file`.
  public static func start(
    _ options: Options, group: any EventLoopGroup, logger: Logger,
    listener: @escaping @Sendable (GossipEvent) -> Void
  ) async throws(GossipError) -> GossipPool {
    let files = GossipFiles(snapshotPath: options.snapshotPath, keepKeys: options.keepKeys, logger: logger)
    do throws(GossipError) {
      var snapshot: SerfSnapshot?
      if let path = options.snapshotPath {
        snapshot = SerfSnapshot(
          try SnapshotFile.read(path), rejoinsAfterLeave: options.settings.rejoinsAfterLeave)
      }
      let pool = GossipPool(options.settings, loop: group.next(), files: files)
      try await pool.open(options, snapshot, logger, listener)
      return pool
    } catch {
      await files.close()
      throw error
    }
  }

  private init(_ settings: GossipSettings, loop: any EventLoop, files: GossipFiles) {
    self.settings = settings
    self.loop = loop
    self.files = files
    published = SharedState()
    reactor = NIOLoopBoundBox.makeEmptyBox(valueType: GossipReactor.self, eventLoop: loop)
  }

  private func open(
    _ options: Options, _ snapshot: SerfSnapshot?, _ logger: Logger,
    _ listener: @escaping @Sendable (GossipEvent) -> Void
  ) async throws(GossipError) {
    let seed = UInt64.random(in: 0...(.max))
    let core = SerfCore(options.settings, seed: seed, snapshot: snapshot, refusal: options.refusal)
    let (loop, files, published, box) = (loop, files, published, reactor)
    let bind = options.bind
    let starting = loop.flatSubmit { () -> EventLoopFuture<Void> in
      let reactor = GossipReactor(
        core, loop: loop, logger: logger, files: files,
        publish: { core, membersChanged in
          let members = membersChanged ? core.memberList : nil
          let (statistics, coordinate, keyring) = (core.statistics, core.ownCoordinate, core.swim.codec.keyring)
          published.value.withLock {
            if let members { $0.members = members }
            $0.statistics = statistics
            $0.coordinate = coordinate
            $0.keyring = keyring
          }
        }, listener: listener)
      box.value = reactor
      return Self.bind(reactor, bind, on: loop).flatMapThrowing { datagrams, server in
        guard let reactor = box.value else { throw GossipError.notRunning }
        try reactor.start(datagrams: datagrams, server: server)
      }
    }
    do {
      try await starting.get()
    } catch {
      await stop()
      throw error as? GossipError ?? .cannotBind(address: "\(bind)", reason: "\(error)")
    }
  }

  private static func bind(
    _ reactor: GossipReactor, _ address: NodeAddress, on loop: any EventLoop
  ) -> EventLoopFuture<(any Channel, any Channel)> {
    guard let socketAddress = address.socketAddress() else {
      return loop.makeFailedFuture(GossipError.invalidAddress)
    }
    let bound = NIOLoopBound(reactor, eventLoop: loop)
    let failure = { @Sendable (error: any Error) -> any Error in
      GossipError.cannotBind(address: "\(address)", reason: "\(error)")
    }
    let server = ServerBootstrap(group: loop, childGroup: loop)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try bound.value.accept(channel) }
      }
      .bind(to: socketAddress)
    return server.flatMap { server -> EventLoopFuture<(any Channel, any Channel)> in
      // The port may have been chosen only now; both sockets have the same.
      DatagramBootstrap(group: loop)
        .channelOption(.socketOption(.so_rcvbuf), value: receiveBufferBytes)
        .channelOption(.datagramVectorReadMessageCount, value: datagramsPerRead)
        .channelOption(
          .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: datagramsPerRead * datagramBytesMaximum)
        )
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(GossipDatagramHandler(bound.value))
          }
        }
        .bind(to: server.localAddress ?? socketAddress)
        .map { ($0, server) }
        .flatMapErrorThrowing { error in
          server.close(promise: nil)
          throw error
        }
    }
    .flatMapErrorThrowing { throw failure($0) }
  }

  private static let receiveBufferBytes = 2 << 20
  private static let datagramBytesMaximum = 65536
  private static let datagramsPerRead = 4

  /// Ends without a word to the others, who will find out. `leave` first to tell them.
  public func stop() async {
    let box = reactor
    try? await loop.flatSubmit { () -> EventLoopFuture<Void> in
      box.value?.stop() ?? box.eventLoop.makeSucceededVoidFuture()
    }.get()
    await files.close()
  }

  // MARK: Reading

  /// All members that are known, the gone ones included, sorted by name.
  public var members: [Member] { published.value.withLock { $0.members } }

  public var statistics: GossipStatistics { published.value.withLock { $0.statistics } }

  /// Where this node is in the network's latency space; nil where coordinates are off.
  public var coordinate: Coordinate? { published.value.withLock { $0.coordinate } }

  public var keyring: GossipKeyring { published.value.withLock { $0.keyring } }

  /// Where all members are, as far as they told this node.
  public func coordinates() async -> [String: Coordinate] {
    let box = reactor
    let found = try? await loop.submit { () -> [String: Coordinate] in
      guard let core = box.value?.core else { return [:] }
      var all = core.coordinates
      if let own = core.ownCoordinate { all[core.settings.name] = own }
      return all
    }.get()
    return found ?? [:]
  }

  /// What `consul info` shows.
  public var statisticsTable: [(name: String, value: String)] {
    let (members, statistics) = published.value.withLock { ($0.members, $0.statistics) }
    func count(_ status: MemberStatus) -> String { String(members.count { $0.status == status }) }
    return [
      ("coordinate_resets", String(statistics.coordinateResets)), ("encrypted", String(statistics.isEncrypted)),
      ("event_queue", String(statistics.eventQueue)), ("event_time", String(statistics.eventTime)),
      ("failed", count(.failed)), ("health_score", String(statistics.healthScore)),
      ("intent_queue", String(statistics.intentQueue)), ("left", count(.left)),
      ("member_time", String(statistics.memberTime)), ("members", String(members.count)),
      ("query_queue", String(statistics.queryQueue)), ("query_time", String(statistics.queryTime)),
    ]
  }

  // MARK: Coming and going

  /// Joins the pool through all of these addresses (`host`, `host:port`; names are resolved).
  ///
  /// - Parameter ignoresOldEvents: user events from before are not delivered.
  public func join(_ addresses: [String], ignoresOldEvents: Bool = true) async -> JoinResult {
    var result = JoinResult()
    var resolved: [NodeAddress] = []
    for text in addresses {
      let address = JoinAddress(text, defaultPort: settings.advertised.port)
      let found = await files.run { () -> Result<[NodeAddress], GossipError> in
        do throws(GossipError) { return .success(try address.resolve()) } catch { return .failure(error) }
      }
      switch found {
      case .success(let all): resolved += all
      case .failure(let error): result.failures.append(.init(address: text, error: error))
      case nil: result.failures.append(.init(address: text, error: .notRunning))
      }
    }
    guard !resolved.isEmpty else { return result }
    let (box, targets) = (reactor, resolved)
    do {
      let (joined, failures) = try await loop.flatSubmit {
        box.value?.join(targets, ignoresOldEvents: ignoresOldEvents)
          ?? box.eventLoop.makeFailedFuture(GossipError.notRunning)
      }.get()
      result.joinedCount = joined
      result.failures += failures.map { .init(address: "\($0.0)", error: $0.1) }
    } catch {
      result.failures += targets.map { .init(address: "\($0)", error: .notRunning) }
    }
    return result
  }

  /// Tells everybody that this node leaves, and waits until that has got around. `stop` is still to be called.
  public func leave() async {
    let box = reactor
    try? await loop.flatSubmit { box.value?.leave() ?? box.eventLoop.makeSucceededVoidFuture() }.get()
  }

  /// Makes a failed member one that left.
  ///
  /// - Parameter prune: forget it at once.
  public func forceLeave(_ name: String, prune: Bool = false) { enqueue { $0.forceLeave(name, prune: prune) } }

  /// Tells everybody new tags of this node.
  ///
  /// - Throws: `metaTooLarge`.
  public func setTags(_ tags: [String: String]) throws(GossipError) {
    _ = try SerfCore.meta(tags)
    enqueue { $0.setTags(tags) }
  }

  // MARK: Events and queries

  /// Sends an event to all members, this one included.
  ///
  /// - Throws: `eventTooLarge`.
  public func fire(_ name: String, payload: [UInt8], coalesces: Bool = false) throws(GossipError) {
    let event = UserEventMessage(
      time: statistics.eventTime, name: name, payload: Bytes(payload), coalesces: coalesces)
    try SerfCore.check(event, limit: settings.userEventSizeMaximum)
    enqueue { $0.fire(name, payload, coalesces: coalesces) }
  }

  /// Asks all members. Outcomes come on the pool's loop; `finished` is the last one.
  ///
  /// - Throws: `queryTooLarge`, `notRunning`.
  public func query(
    _ name: String, payload: [UInt8], options: QueryOptions = QueryOptions(),
    outcome: @escaping @Sendable (QueryOutcome) -> Void
  ) async throws(GossipError) {
    try await perform { (reactor) throws(GossipError) in try reactor.query(name, payload, options, outcome) }
  }

  /// Answers a query that was delivered, once.
  ///
  /// - Throws: `queryFinished`, `responseTooLarge`, `notRunning`.
  public func respond(to query: ReceivedQuery, payload: [UInt8]) async throws(GossipError) {
    try await perform { (reactor) throws(GossipError) in try reactor.respond(query.key, payload) }
  }

  /// Changes the keys of all members, or asks for them.
  ///
  /// - Parameter relayFactor: how many others repeat each answer: 0 … 5.
  /// - Throws: `notRunning`.
  public func keys(_ operation: KeyOperation, relayFactor: UInt8 = 0) async throws(GossipError) -> KeyOperationResult {
    let box = reactor
    do {
      return try await loop.flatSubmit { () -> EventLoopFuture<KeyOperationResult> in
        guard let reactor = box.value else { return box.eventLoop.makeFailedFuture(GossipError.notRunning) }
        do throws(GossipError) {
          return try reactor.keys(operation, relayFactor: relayFactor)
        } catch {
          return box.eventLoop.makeFailedFuture(error)
        }
      }.get()
    } catch {
      throw error as? GossipError ?? .notRunning
    }
  }

  // MARK: Tools

  private func enqueue(_ body: @escaping @Sendable (GossipReactor) -> Void) {
    let box = reactor
    loop.execute { if let reactor = box.value { body(reactor) } }
  }

  private func perform(_ body: @escaping @Sendable (GossipReactor) throws(GossipError) -> Void)
    async throws(GossipError)
  {
    let box = reactor
    do {
      try await loop.submit {
        guard let reactor = box.value else { throw GossipError.notRunning }
        try body(reactor)
      }.get()
    } catch {
      throw error as? GossipError ?? .notRunning
    }
  }
}

extension JoinResult.Failure: CustomStringConvertible {
  /// In the words of the reference.
  public var description: String {
    if case .unresolvable = error { return "Failed to resolve \(address): \(error)" }
    return "Failed to join \(address): \(error)"
  }
}
