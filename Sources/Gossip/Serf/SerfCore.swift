import Model

/// The figures of a pool that operators look at.
public struct GossipStatistics: Sendable, Equatable {
  public var coordinateResets = 0
  public var isEncrypted = false
  public var eventQueue = 0
  public var eventTime: UInt64 = 1
  /// 0: this node gets the answers that others get.
  public var healthScore = 0
  public var intentQueue = 0
  public var memberTime: UInt64 = 1
  public var queryQueue = 0
  public var queryTime: UInt64 = 1
}

/// Members, events and queries on top of the membership core: what Serf is on top of memberlist (wire/gossip.md, section 9).
///
/// A pure core: methods take what happened and the time, and `drain` returns what is to be done. It has no sockets, files
/// and clocks; its random choices replay from the seed. `nextDeadline` tells when `tick` is to be called.
struct SerfCore: Sendable {
  enum Timer: Sendable {
    case reap
    case reconnect
    case queueCheck
    case snapshotFlush
    case queryEnd(QueryKey)
    case answerEnd(QueryKey)
    case prune(String)
    case leave(LeavePhase)
  }

  enum Life: Sendable {
    case alive
    case leaving(LeavePhase)
    case left
  }

  /// A member and what is known of its comings and goings.
  struct Entry: Sendable {
    var member: Member
    /// The Lamport time of the newest word of its status.
    var statusTime: UInt64 = 0
    /// Since when it is gone.
    var goneAt: GossipInstant?
    /// Since when it is said to leave.
    var leavingSince: GossipInstant?
  }

  let settings: GossipSettings
  var swim: SwimCore
  var timers = TimerQueue<Timer>()
  var random: SeededRandom
  var life = Life.alive

  var clock = LamportClock()
  var eventClock = LamportClock()
  var queryClock = LamportClock()
  /// Events and queries of earlier times are old news.
  var eventMinimum: UInt64 = 0
  var queryMinimum: UInt64 = 0

  var members: [String: Entry] = [:] {
    didSet { membersVersion &+= 1 }
  }
  /// Changes with `members`.
  private(set) var membersVersion: UInt64 = 0
  /// What was said of members that are not known yet.
  var intents: [String: BufferedIntent] = [:]
  var events: [EventSlot?]
  var queries: [QuerySlot?]
  /// Queries that were delivered here and may still be answered.
  var questions: [QueryKey: Question] = [:]
  /// Queries of our own.
  var inquiries: [QueryKey: Inquiry] = [:]

  var joins: [UInt64: JoinAttempts] = [:]
  /// Answers about keys that wait for the keys to be kept.
  var keyAnswers: [UInt64: KeyAnswer] = [:]
  /// Addresses of an earlier life that have not been tried yet.
  var rejoinAddresses: [(name: String, address: NodeAddress)] = []
  /// Whether a join under way is one of these.
  var isRejoining = false
  var lastToken: UInt64 = 100

  var estimator = CoordinateEstimator()
  /// What others said of where they are.
  var coordinates: [String: Coordinate] = [:]
  var snapshot: SnapshotLog?

  private(set) var effects: [GossipEffect] = []

  /// - Parameters:
  ///   - snapshot: what the snapshot file says of an earlier life; nil without such a file.
  ///   - refusal: why nodes may not be members; nil: they may.
  init(
    _ settings: GossipSettings, seed: UInt64, snapshot: SerfSnapshot? = nil,
    refusal: @escaping @Sendable ([Member]) -> String? = { _ in nil }
  ) {
    self.settings = settings
    swim = SwimCore(settings, seed: seed, refusal: refusal)
    random = SeededRandom(seed: seed &+ 1)
    events = Array(repeating: nil, count: settings.eventBufferCount)
    queries = Array(repeating: nil, count: settings.queryBufferCount)
    guard let snapshot else { return }
    self.snapshot = SnapshotLog(snapshot)
    clock.witness(snapshot.time)
    eventClock.witness(snapshot.eventTime)
    queryClock.witness(snapshot.queryTime)
    eventMinimum = snapshot.eventTime &+ 1
    queryMinimum = snapshot.queryTime &+ 1
    rejoinAddresses = snapshot.alive.filter { $0.key != settings.name }.map { ($0.key, $0.value) }
      .sorted { bytewiseLess($0.name, $1.name) }
    rejoinAddresses.shuffle(using: &random)
  }

  // MARK: Life

  /// - Throws: `metaTooLarge`.
  mutating func start(_ now: GossipInstant) throws(GossipError) {
    let meta = try Self.meta(settings.tags)
    if settings.usesCoordinates { swim.ackPayload = estimator.payload }
    swim.start(meta: meta, now)
    timers.schedule(.reap, at: now + settings.reapInterval)
    timers.schedule(.reconnect, at: now + settings.reconnectInterval)
    timers.schedule(.queueCheck, at: now + settings.queueCheckInterval)
    if snapshot != nil { timers.schedule(.snapshotFlush, at: now + SnapshotLog.flushInterval) }
    settle(now)
    rejoinNext(now)
  }

  static func meta(_ tags: [String: String]) throws(GossipError) -> [UInt8] {
    let meta = Tags.encode(tags)
    guard meta.count <= Tags.countMaximum else { throw .metaTooLarge(bytes: meta.count, limit: Tags.countMaximum) }
    return meta
  }

  /// Tells new tags.
  ///
  /// - Throws: `metaTooLarge`.
  mutating func setTags(_ tags: [String: String], _ now: GossipInstant) throws(GossipError) {
    let meta = try Self.meta(tags)
    // Who leaves must not look as if it came back.
    guard case .alive = life else { return }
    swim.update(meta: meta, now)
    settle(now)
  }

  var nextDeadline: GossipInstant? {
    switch (timers.next, swim.timers.next) {
    case (let a?, let b?): min(a, b)
    case (let a, let b): a ?? b
    }
  }

  /// Does what is due.
  mutating func tick(_ now: GossipInstant) {
    swim.tick(now)
    settle(now)
    while let timer = timers.pop(now) {
      fire(timer, now)
      settle(now)
    }
  }

  private mutating func fire(_ timer: Timer, _ now: GossipInstant) {
    switch timer {
    case .reap:
      reap(now)
      keepThoseWhoStay(now)
      timers.schedule(.reap, at: now + settings.reapInterval)
    case .reconnect:
      reconnect(now)
      timers.schedule(.reconnect, at: now + settings.reconnectInterval)
    case .queueCheck:
      checkQueues()
      timers.schedule(.queueCheck, at: now + settings.queueCheckInterval)
    case .snapshotFlush:
      flushSnapshot()
      timers.schedule(.snapshotFlush, at: now + SnapshotLog.flushInterval)
    case .queryEnd(let key): finishInquiry(key)
    case .answerEnd(let key): questions[key] = nil
    case .prune(let name): erase(name)
    case .leave(let phase): leavePhaseEnded(phase, now)
    }
  }

  // MARK: The network

  /// - Parameter content: a datagram without label, encryption and checksum (`PacketCodec.open`).
  mutating func received(_ content: [UInt8], from sender: NodeAddress, _ now: GossipInstant) {
    swim.received(content, from: sender, now)
    settle(now)
  }

  /// Another node opened a stream and said this.
  mutating func requested(_ stream: StreamID, _ message: StreamMessage, from sender: NodeAddress, _ now: GossipInstant)
  {
    var userState: [UInt8] = []
    if case .pushPull = message { userState = state.encoded }
    swim.requested(stream, message, from: sender, userState: userState, now)
    settle(now)
  }

  /// The other side of a stream of ours answered.
  mutating func answered(_ stream: StreamID, _ message: StreamMessage, _ now: GossipInstant) {
    swim.answered(stream, message, now)
    settle(now)
  }

  mutating func streamFailed(_ stream: StreamID, _ error: GossipError, _ now: GossipInstant) {
    swim.streamFailed(stream, error)
    settle(now)
  }

  // MARK: Effects

  /// What is to be done since the last call.
  mutating func drain() -> [GossipEffect] {
    defer { effects.removeAll() }
    return effects
  }

  mutating func emit(_ effect: GossipEffect) { effects.append(effect) }

  mutating func deliver(_ event: GossipEvent) {
    snapshot?.note(event)
    effects.append(.deliver(event))
  }

  mutating func log(_ level: GossipLogLevel, _ text: String) { effects.append(.log(level, text)) }

  /// Handles what the membership core has to tell, until it has nothing more to tell.
  mutating func settle(_ now: GossipInstant) {
    repeat {
      let notices = swim.notices
      swim.notices.removeAll(keepingCapacity: true)
      for notice in notices { handle(notice, now) }
      effects += swim.effects.map { .network($0) }
      swim.effects.removeAll(keepingCapacity: true)
      continueLeaving(now)
    } while !swim.notices.isEmpty || !swim.effects.isEmpty
  }

  private mutating func handle(_ notice: SwimNotice, _ now: GossipInstant) {
    switch notice {
    case .joined(let node): nodeJoined(node, now)
    case .left(let node): nodeLeft(node, now)
    case .updated(let node): nodeUpdated(node)
    case .conflict(let node, let claimant): nameConflict(node, claimant, now)
    case .user(let bytes, let sender): message(bytes, from: sender, now)
    case .remoteState(let bytes, let ticket): merge(bytes, ticket, now)
    case .pinged(let name, let roundTrip, let payload): pinged(name, roundTrip, payload)
    case .exchangeDue(let address): exchange(address, ticket: nil)
    case .joinFinished(let ticket, let address, let failure): joinFinished(ticket, address, failure, now)
    case .log(let level, let text): log(level, text)
    }
  }

  mutating func exchange(_ address: NodeAddress, ticket: JoinTicket?) {
    let userState = state.encoded
    swim.startExchange(address, ticket: ticket, userState: userState)
  }

  /// A message of another node's Serf, from a datagram or a stream.
  private mutating func message(_ bytes: [UInt8], from sender: NodeAddress, _ now: GossipInstant) {
    do throws(GossipError) {
      switch try SerfMessage(bytes) {
      case .leave(let intent): if heard(intent, now) { swim.broadcast(bytes, in: .intents) }
      case .join(let intent): if heard(intent, now) { swim.broadcast(bytes, in: .intents) }
      case .userEvent(let event): if heard(event) { swim.broadcast(bytes, in: .events) }
      case .query(let query): if heard(query, now) { swim.broadcast(bytes, in: .queries) }
      case .queryResponse(let response): heard(response)
      case .relay(let header, let inner): relay(header, inner, now)
      case .state, .conflictResponse, .keyRequest, .keyResponse:
        log(.warning, "received message of unexpected type \(bytes.first ?? 0) from=\(sender)")
      }
    } catch {
      log(.warning, "\(error) from=\(sender)")
    }
  }

  // MARK: Coordinates

  private mutating func pinged(_ name: String, _ roundTrip: GoDuration, _ payload: [UInt8]) {
    guard settings.usesCoordinates, !payload.isEmpty else { return }
    guard let other = CoordinateEstimator.coordinate(in: payload),
      estimator.update(name, other, roundTrip: roundTrip, using: &random)
    else { return log(.debug, "rejected coordinate from \(name)") }
    coordinates[name] = other
    swim.ackPayload = estimator.payload
  }

  /// Where this node is; nil where coordinates are off.
  var ownCoordinate: Coordinate? { settings.usesCoordinates ? estimator.coordinate : nil }

  /// Where a node is, as far as it told us.
  func coordinate(of name: String) -> Coordinate? { name == settings.name ? ownCoordinate : coordinates[name] }

  // MARK: Reading

  /// Sorted by name.
  var memberList: [Member] { members.values.map(\.member).sorted { bytewiseLess($0.name, $1.name) } }

  var aliveCount: Int { swim.nodes.values.count { !$0.state.isGone } }

  var statistics: GossipStatistics {
    GossipStatistics(
      coordinateResets: estimator.resets, isEncrypted: !swim.codec.keyring.isEmpty,
      eventQueue: swim.userBroadcasts[SwimCore.UserQueue.events.rawValue].count, eventTime: eventClock.time,
      healthScore: swim.healthScore, intentQueue: swim.userBroadcasts[SwimCore.UserQueue.intents.rawValue].count,
      memberTime: clock.time, queryQueue: swim.userBroadcasts[SwimCore.UserQueue.queries.rawValue].count,
      queryTime: queryClock.time)
  }

  private mutating func checkQueues() {
    let limit =
      settings.queueDepthMinimum > 0
      ? max(settings.queueDepthMinimum, 2 * members.count) : settings.queueDepthMaximum
    for queue in swim.userBroadcasts.indices { swim.userBroadcasts[queue].prune(to: limit) }
  }

  mutating func flushSnapshot() {
    guard var log = snapshot else { return }
    log.note(time: clock.time &- 1)
    if let effect = log.flush(nodeCount: members.count) { effects.append(effect) }
    snapshot = log
  }
}
