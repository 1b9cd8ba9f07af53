import Glibc
import Model

/// Why we opened a stream.
enum StreamPurpose: Sendable {
  case exchange(NodeAddress, JoinTicket?)
  case ping(sequence: UInt32)
}

// What arrives, and the exchange of whole states (wire/gossip.md, sections 1 and 3).
extension SwimCore {
  // MARK: Datagrams

  /// - Parameter content: a datagram without label, encryption and checksum.
  mutating func received(_ content: [UInt8], from sender: NodeAddress, _ now: GossipInstant) {
    let decoder = MessageDecoder(content)
    for problem in decoder.problems { log(.warning, "\(problem) from=\(sender)") }
    for message in decoder.messages {
      switch message {
      case .ping(let ping): pinged(ping, from: sender)
      case .indirectPing(let request): askedToPing(request, from: sender, now)
      case .ack(let ack): acknowledged(ack, now)
      case .nack(let nack): notAcknowledged(nack)
      case .suspect(let accusation): suspect(accusation, now)
      case .alive(let message): alive(message, isOwnWord: false, now)
      case .dead(let accusation): dead(accusation, now)
      case .user(let bytes): notices.append(.user(bytes, from: sender))
      }
    }
  }

  // MARK: Exchanges of our own

  /// Larger clusters exchange less often (wire/gossip.md, section 7).
  var pushPullPause: GoDuration {
    let threshold = 32.0
    guard nodeCount > Int(threshold) else { return settings.pushPullInterval }
    return settings.pushPullInterval * (Int((log2(Double(nodeCount)) - log2(threshold)).rounded(.up)) + 1)
  }

  mutating func pushPullDue() {
    guard !hasLeft else { return }
    let own = settings.name
    guard let partner = randomNodes(1, where: { $0.state == .alive && $0.name != own }).first else { return }
    notices.append(.exchangeDue(partner.address))
  }

  /// Sends all we know to a node, and takes what it knows.
  ///
  /// - Parameter ticket: of an attempt to join; `joinFinished` will report it.
  mutating func startExchange(_ address: NodeAddress, ticket: JoinTicket?, userState: [UInt8]) {
    lastStream &+= 1
    streams[lastStream] = .exchange(address, ticket)
    let state = PushPull(isJoin: ticket != nil, nodes: localNodes, userState: userState)
    effects.append(
      .open(lastStream, to: address, .pushPull(state), timeout: settings.streamTimeout))
  }

  private var localNodes: [RemoteNode] { probeOrder.compactMap { nodes[$0]?.remote } }

  mutating func answered(_ stream: StreamID, _ message: StreamMessage, _ now: GossipInstant) {
    guard let purpose = streams.removeValue(forKey: stream) else { return }
    switch purpose {
    case .ping(let sequence): streamPingAnswered(sequence, message)
    case .exchange(let address, let ticket):
      var failure: GossipError?
      do throws(GossipError) {
        switch message {
        case .pushPull(let state): try merge(state, isJoin: ticket != nil, ticket: ticket, now)
        case .error(let text): throw .remote(text)
        default: throw .wrongAnswer
        }
      } catch {
        failure = error
      }
      finishExchange(address, ticket, failure)
    }
  }

  mutating func streamFailed(_ stream: StreamID, _ error: GossipError) {
    guard let purpose = streams.removeValue(forKey: stream) else { return }
    switch purpose {
    case .ping: break
    case .exchange(let address, let ticket): finishExchange(address, ticket, error)
    }
  }

  private mutating func finishExchange(_ address: NodeAddress, _ ticket: JoinTicket?, _ failure: GossipError?) {
    if let ticket {
      notices.append(.joinFinished(ticket, address, failure))
    } else if let failure {
      log(.error, "push/pull with \(address) failed: \(failure)")
    }
  }

  // MARK: Exchanges of others

  /// - Parameter userState: what the layer above wants to tell the other side.
  mutating func requested(
    _ stream: StreamID, _ message: StreamMessage, from sender: NodeAddress, userState: [UInt8], _ now: GossipInstant
  ) {
    switch message {
    case .pushPull(let state):
      let answer = PushPull(isJoin: state.isJoin, nodes: localNodes, userState: userState)
      effects.append(.answer(stream, .pushPull(answer)))
      do throws(GossipError) {
        try merge(state, isJoin: state.isJoin, ticket: nil, now)
      } catch {
        log(.error, "push/pull merge failed: \(error) from=\(sender)")
      }
    case .user(let bytes):
      effects.append(.close(stream))
      notices.append(.user(bytes, from: sender))
    case .ping(let ping):
      guard ping.node.isEmpty || ping.node == settings.name else {
        log(.warning, "got ping for unexpected node \"\(ping.node)\" from=\(sender)")
        return effects.append(.close(stream))
      }
      effects.append(.answer(stream, .ack(Ack(sequence: ping.sequence))))
    case .ack, .error: effects.append(.close(stream))
    }
  }

  // MARK: Merging

  /// - Throws: `incompatibleVersions`, `mergeRefused`.
  private mutating func merge(
    _ state: PushPull, isJoin: Bool, ticket: JoinTicket?, _ now: GossipInstant
  ) throws(GossipError) {
    try verifyVersions(state.nodes)
    if isJoin {
      let members = state.nodes.compactMap { Member($0, defaultPort: settings.advertised.port) }
      if let reason = refusal(members) { throw .mergeRefused(reason) }
    }
    for node in state.nodes { merge(node, now) }
    notices.append(.remoteState(state.userState, ticket: ticket))
  }

  private mutating func merge(_ node: RemoteNode, _ now: GossipInstant) {
    switch NodeState(rawValue: node.state) {
    case .alive:
      alive(
        Alive(
          incarnation: node.incarnation, node: node.name, address: node.address, port: node.port, meta: node.meta,
          versions: node.versions), isOwnWord: false, now)
    case .left: dead(Accusation(incarnation: node.incarnation, node: node.name, from: node.name), now)
    case .dead, .suspect:
      // Nobody is declared dead on hearsay: the suspicion gives it the chance to object.
      suspect(Accusation(incarnation: node.incarnation, node: node.name, from: settings.name), now)
    case nil: log(.warning, "\(node.name) is in unknown state \(node.state)")
    }
  }

  /// All nodes must speak versions that all living ones understand.
  private func verifyVersions(_ remote: [RemoteNode]) throws(GossipError) {
    let living =
      remote.filter { $0.state == NodeState.alive.rawValue && $0.versions.count > 0 }.map {
        ProtocolVersions(bytes: $0.versions.bytes)
      } + nodes.values.filter { $0.state == .alive }.map(\.versions)
    let (low, high) = (living.map(\.minimum).max() ?? 0, living.map(\.maximum).min() ?? .max)
    let delegateLow = living.map(\.delegateMinimum).max() ?? 0
    let delegateHigh = living.map(\.delegateMaximum).min() ?? .max
    let all =
      remote.map { ($0.name, ProtocolVersions(bytes: $0.versions.bytes)) } + nodes.values.map { ($0.name, $0.versions) }
    for (name, versions) in all {
      guard low <= versions.current, versions.current <= high else {
        throw .incompatibleVersions(
          "Node '\(name)' protocol version (\(versions.current)) is incompatible: [\(low), \(high)]")
      }
      guard delegateLow <= versions.delegateCurrent, versions.delegateCurrent <= delegateHigh else {
        throw .incompatibleVersions(
          "Node '\(name)' delegate protocol version (\(versions.delegateCurrent)) is incompatible: "
            + "[\(delegateLow), \(delegateHigh)]")
      }
    }
  }
}
