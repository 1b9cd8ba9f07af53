import Model

/// Who is in the pool and who is alive: SWIM (Das, Gupta, Motivala 2002) with suspicion, refutation and Lifeguard
/// (Dadgar, Phillips, Currey 2017), as memberlist does it.
///
/// A pure core: methods take what happened and the time, and leave what is to be done in `effects` and what the layer above
/// should know in `notices`. It has no sockets and no clock; its random choices replay from the seed.
struct SwimCore: Sendable {
  enum Timer: Sendable {
    case probe
    /// No direct answer so far.
    case probeTimeout(sequence: UInt32)
    case probeEnd(sequence: UInt32)
    /// No answer to a ping on behalf of another.
    case relayTimeout(sequence: UInt32)
    case suspicion(node: String, generation: UInt64)
    case gossip
    case pushPull
  }

  /// The layers of messages of the layer above, in the order in which packets are filled.
  enum UserQueue: Int, CaseIterable, Sendable {
    case intents, queries, events
  }

  let settings: GossipSettings
  var codec: PacketCodec
  var random: SeededRandom
  var timers = TimerQueue<Timer>()

  /// By name.
  var nodes = NodeTable()
  /// The names of all nodes, in the order in which they are probed.
  var probeOrder: [String] = []
  var probeIndex = 0
  var probe: Probe?
  /// The time for the next probe came while one was under way.
  var probeIsOverdue = false
  var relays: [UInt32: Relay] = [:]
  var lastSequence: UInt32 = 0
  var lastStream: StreamID = 0
  var streams: [StreamID: StreamPurpose] = [:]
  var suspicions: [String: Suspicion] = [:]
  var lastGeneration: UInt64 = 0
  /// 0: healthy. Grows when answers are missed that others get.
  private(set) var healthScore = 0
  var incarnation: UInt32 = 0
  var hasLeft = false
  /// Told through `leaveIsTold` when everybody should know that we leave.
  private(set) var leaveIsTold = false

  /// alive, suspect and dead.
  var broadcasts = TransmitQueue()
  var userBroadcasts = UserQueue.allCases.map { _ in TransmitQueue() }
  /// What answers to pings carry: the coordinate of this node.
  var ackPayload: [UInt8] = []
  /// Why nodes may not be members; nil: they may.
  let refusal: @Sendable ([Member]) -> String?

  var effects: [NetworkEffect] = []
  var notices: [SwimNotice] = []

  /// What the end of our leaving is known by in the queue.
  private static let leaveToken: UInt64 = 1

  init(_ settings: GossipSettings, seed: UInt64, refusal: @escaping @Sendable ([Member]) -> String?) {
    self.settings = settings
    self.refusal = refusal
    random = SeededRandom(seed: seed)
    codec = PacketCodec(
      label: settings.label, keyring: settings.keyring, verifiesIncoming: settings.verifiesIncoming,
      verifiesOutgoing: settings.verifiesOutgoing, compresses: settings.compresses,
      protocolVersion: settings.versions.current)
  }

  var own: Node? { nodes[settings.name] }
  /// The size of the cluster as the formulas use it: everybody who is not forgotten yet.
  var nodeCount: Int { nodes.count }
  var transmitLimit: Int {
    TransmitQueue.transmitLimit(multiplier: settings.retransmitMultiplier, nodeCount: nodeCount)
  }

  // MARK: Life

  mutating func start(meta: [UInt8], _ now: GossipInstant) {
    incarnation = 1
    announceSelf(meta: meta, now)
    timers.schedule(.probe, at: now + random.part(of: settings.probeInterval))
    if settings.gossipInterval > .zero, settings.gossipNodes > 0 {
      timers.schedule(.gossip, at: now + random.part(of: settings.gossipInterval))
    }
    if settings.pushPullInterval > .zero {
      timers.schedule(.pushPull, at: now + random.part(of: settings.pushPullInterval) + pushPullPause)
    }
  }

  /// Tells new tags.
  mutating func update(meta: [UInt8], _ now: GossipInstant) {
    incarnation &+= 1
    announceSelf(meta: meta, now)
  }

  private mutating func announceSelf(meta: [UInt8], _ now: GossipInstant) {
    var node = Node(name: settings.name, address: settings.advertised, changedAt: now)
    node.meta = meta
    node.versions = settings.versions
    node.incarnation = incarnation
    alive(node.aliveMessage, isOwnWord: true, now)
  }

  /// Tells everybody that we leave; `leaveIsTold` says when enough has been said.
  mutating func leave(_ now: GossipInstant) {
    guard !hasLeft, let own else { return }
    hasLeft = true
    dead(Accusation(incarnation: own.incarnation, node: own.name, from: own.name), now)
    if !nodes.values.contains(where: { $0.name != own.name && !$0.state.isGone }) { leaveIsTold = true }
  }

  mutating func tick(_ now: GossipInstant) {
    while let timer = timers.pop(now) {
      switch timer {
      case .probe: probeDue(now)
      case .probeTimeout(let sequence): probeTimedOut(sequence, now)
      case .probeEnd(let sequence): probeEnded(sequence, now)
      case .relayTimeout(let sequence): relayTimedOut(sequence)
      case .suspicion(let node, let generation): suspicionEnded(node, generation, now)
      case .gossip:
        gossip(now)
        timers.schedule(.gossip, at: now + settings.gossipInterval)
      case .pushPull:
        pushPullDue()
        timers.schedule(.pushPull, at: now + pushPullPause)
      }
    }
  }

  // MARK: Tools

  mutating func log(_ level: GossipLogLevel, _ text: @autoclosure () -> String) { notices.append(.log(level, text())) }

  mutating func changeHealth(by delta: Int) {
    healthScore = min(max(healthScore + delta, 0), settings.awarenessMaximum - 1)
  }

  mutating func nextSequence() -> UInt32 {
    lastSequence &+= 1
    return lastSequence
  }

  mutating func nextIncarnation(above accused: UInt32) -> UInt32 {
    incarnation &+= 1
    if incarnation <= accused { incarnation = accused &+ 1 }
    return incarnation
  }

  /// Up to `count` nodes by chance. Draws are limited, so that fewer may result although there are more.
  mutating func randomNodes(_ count: Int, where fits: (Node) -> Bool) -> [Node] {
    var chosen: [Node] = []
    guard !probeOrder.isEmpty else { return chosen }
    for _ in 0..<3 * probeOrder.count where chosen.count < count {
      let name = probeOrder[Int.random(in: probeOrder.indices, using: &random)]
      guard let node = nodes[name], !chosen.contains(where: { $0.name == name }), fits(node) else { continue }
      chosen.append(node)
    }
    return chosen
  }

  // MARK: Broadcasts

  /// Queues news of a node; older news of the same node are dropped.
  mutating func broadcast(_ message: SwimMessage, about node: String) {
    let isLeave = hasLeft && node == settings.name
    broadcasts.add(message.encoded, name: node, token: isLeave ? Self.leaveToken : nil)
  }

  /// Queues a message of the layer above.
  mutating func broadcast(_ message: [UInt8], in queue: UserQueue, token: UInt64? = nil) {
    userBroadcasts[queue.rawValue].add(message, token: token)
  }

  /// Messages to fill a packet with.
  ///
  /// - Parameter limit: Bytes, the overhead of each part included.
  mutating func takeBroadcasts(limit: Int) -> [[UInt8]] {
    let overhead = CompoundMessage.overhead
    var messages = broadcasts.take(overhead: overhead, limit: limit, transmitLimit: transmitLimit)
    if !broadcasts.takeFinished().isEmpty { leaveIsTold = true }
    // Messages of the layer above get a type byte in front.
    let userOverhead = overhead + 1
    var free = limit - messages.reduce(0) { $0 + $1.count + overhead }
    for queue in userBroadcasts.indices {
      guard free > userOverhead else { break }
      for message in userBroadcasts[queue].take(overhead: userOverhead, limit: free, transmitLimit: transmitLimit) {
        free -= message.count + userOverhead
        messages.append([MessageType.user.rawValue] + message)
      }
    }
    return messages
  }

  /// Tokens of messages of the layer above that everybody should know by now.
  mutating func takeFinishedBroadcasts() -> [UInt64] {
    userBroadcasts.indices.flatMap { userBroadcasts[$0].takeFinished() }
  }

  // MARK: Sending

  /// Sends a message with as much news as fits beside it.
  mutating func send(_ message: SwimMessage, to address: NodeAddress) {
    let encoded = message.encoded
    let free = settings.datagramBytes - encoded.count - CompoundMessage.overhead - codec.overhead
    let news = takeBroadcasts(limit: free)
    for packet in CompoundMessage.packets([encoded] + news) {
      effects.append(.send(packet, to: address, checksum: false))
    }
  }

  /// Sends a message of the layer above in a datagram of its own.
  mutating func sendUser(_ message: [UInt8], to address: NodeAddress) {
    effects.append(.send([MessageType.user.rawValue] + message, to: address, checksum: false))
  }

  private mutating func gossip(_ now: GossipInstant) {
    guard !broadcasts.isEmpty || userBroadcasts.contains(where: { !$0.isEmpty }) else { return }
    let (own, deadTime) = (settings.name, settings.gossipToTheDeadTime)
    let receivers = randomNodes(settings.gossipNodes) { node in
      switch node.state {
      case .alive, .suspect: node.name != own
      case .dead: node.name != own && now - node.changedAt <= deadTime
      case .left: false
      }
    }
    for node in receivers {
      let news = takeBroadcasts(limit: settings.datagramBytes - CompoundMessage.overhead - codec.overhead)
      guard !news.isEmpty else { return }
      for packet in CompoundMessage.packets(news) {
        effects.append(
          .send(packet, to: node.address, checksum: node.versions.maximum >= ProtocolVersions.checksum))
      }
    }
  }
}
