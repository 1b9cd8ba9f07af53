import Model

/// The addresses of one request to join.
struct JoinAttempts: Sendable {
  var pending: Int
  var joined = 0
  var failures: [(NodeAddress, GossipError)] = []
}

/// How far this node is with leaving.
enum LeavePhase: Sendable, Equatable {
  /// The intent is on its way; ends when it was repeated often enough.
  case intent(token: UInt64)
  /// The membership core tells that we are gone.
  case membership
  /// A last pause, so that the news gets around.
  case propagation
}

// Coming and going of this node.
extension SerfCore {
  // MARK: Joining

  /// Exchanges state with all of these nodes at once; `joinFinished` tells what came of it.
  mutating func join(_ request: UInt64, _ addresses: [NodeAddress], ignoresOldEvents: Bool, _ now: GossipInstant) {
    guard !addresses.isEmpty else {
      return emit(.joinFinished(request: request, joined: 0, failures: []))
    }
    joins[request] = JoinAttempts(pending: addresses.count)
    let ticket = JoinTicket(request: request, ignoresOldEvents: ignoresOldEvents)
    for address in addresses { exchange(address, ticket: ticket) }
    settle(now)
  }

  mutating func joinFinished(
    _ ticket: JoinTicket, _ address: NodeAddress, _ failure: GossipError?, _ now: GossipInstant
  ) {
    guard var attempts = joins[ticket.request] else { return joinedAgain(address, failure, now) }
    attempts.pending -= 1
    if let failure { attempts.failures.append((address, failure)) } else { attempts.joined += 1 }
    joins[ticket.request] = attempts
    guard attempts.pending == 0 else { return }
    joins[ticket.request] = nil
    if attempts.joined > 0 { announceJoin(now) }
    emit(.joinFinished(request: ticket.request, joined: attempts.joined, failures: attempts.failures))
  }

  /// Tells everybody that we are here to stay, whatever they heard before.
  mutating func announceJoin(_ now: GossipInstant) {
    let intent = JoinIntent(time: clock.time, node: settings.name)
    _ = heard(intent, now)
    swim.broadcast(intent.message(.join), in: .intents)
  }

  // MARK: Joining again

  /// Tickets of exchanges that nobody asked for.
  private static let ownRequest: UInt64 = 0

  /// Tries the next peer of an earlier life.
  mutating func rejoinNext(_ now: GossipInstant) {
    guard let peer = rejoinAddresses.popLast() else {
      isRejoining = false
      return
    }
    isRejoining = true
    log(.info, "Attempting re-join to previously known node: \(peer.name): \(peer.address)")
    let ticket = JoinTicket(request: Self.ownRequest, ignoresOldEvents: false)
    exchange(peer.address, ticket: ticket)
    settle(now)
  }

  private mutating func joinedAgain(_ address: NodeAddress, _ failure: GossipError?, _ now: GossipInstant) {
    if let failure {
      log(.warning, "failed to reconnect to \(address): \(failure)")
      if isRejoining { rejoinNext(now) }
    } else if isRejoining {
      log(.info, "Re-joined to previously known node: \(address)")
      rejoinAddresses = []
      isRejoining = false
    }
  }

  /// Perhaps a failed member is back, and only nobody noticed: the network may have been parted.
  mutating func reconnect(_ now: GossipInstant) {
    guard case .alive = life else { return }
    let failed = members.values.filter { $0.member.status == .failed }.map(\.member)
      .sorted { bytewiseLess($0.name, $1.name) }
    let gone = members.values.count { $0.member.status == .failed || $0.member.status == .left }
    let probability = Double(failed.count) / Double(max(1, members.count - gone))
    guard let member = failed.randomElement(using: &random), Double.random(in: 0..<1, using: &random) <= probability
    else { return }
    log(.info, "attempting reconnect to \(member.name) \(member.address)")
    let ticket = JoinTicket(request: Self.ownRequest, ignoresOldEvents: false)
    exchange(member.address, ticket: ticket)
  }

  // MARK: Leaving

  /// Leaves the pool; `leaveFinished` tells when it is done. The core lives on until then.
  mutating func leave(_ now: GossipInstant) {
    guard case .alive = life else { return }
    lastToken &+= 1
    let phase = LeavePhase.intent(token: lastToken)
    life = .leaving(phase)
    snapshot?.leave(rejoins: settings.rejoinsAfterLeave)
    let intent = LeaveIntent(time: clock.tick(), node: settings.name)
    _ = heard(intent, now)
    guard hasAlivePeers else { return leaveMembership(now) }
    swim.broadcast(intent.message(.leave), in: .intents, token: lastToken)
    timers.schedule(.leave(phase), at: now + settings.broadcastTimeout)
    settle(now)
  }

  private var hasAlivePeers: Bool {
    members.values.contains { $0.member.status == .alive && $0.member.name != settings.name }
  }

  /// Goes on with leaving where enough has been told.
  mutating func continueLeaving(_ now: GossipInstant) {
    let finished = swim.takeFinishedBroadcasts()
    guard case .leaving(let phase) = life else { return }
    switch phase {
    case .intent(let token): if finished.contains(token) { leaveMembership(now) }
    case .membership: if swim.leaveIsTold { propagate(now) }
    case .propagation: break
    }
  }

  mutating func leavePhaseEnded(_ phase: LeavePhase, _ now: GossipInstant) {
    guard case .leaving(phase) = life else { return }
    switch phase {
    case .intent: leaveMembership(now)
    case .membership: propagate(now)
    case .propagation:
      life = .left
      flushSnapshot()
      emit(.leaveFinished)
    }
  }

  private mutating func leaveMembership(_ now: GossipInstant) {
    life = .leaving(.membership)
    swim.leave(now)
    timers.schedule(.leave(.membership), at: now + settings.broadcastTimeout)
    settle(now)
  }

  private mutating func propagate(_ now: GossipInstant) {
    life = .leaving(.propagation)
    timers.schedule(.leave(.propagation), at: now + settings.leavePropagateDelay)
  }

  /// Makes a failed member one that left, everywhere.
  ///
  /// - Parameter prune: forget it at once.
  mutating func forceLeave(_ name: String, prune: Bool, _ now: GossipInstant) {
    let intent = LeaveIntent(time: clock.tick(), node: name, prune: prune)
    _ = heard(intent, now)
    if hasAlivePeers { swim.broadcast(intent.message(.leave), in: .intents) }
    settle(now)
  }
}
