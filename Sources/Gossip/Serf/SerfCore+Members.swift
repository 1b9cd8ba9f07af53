import Model

/// What was said of a member before it was seen.
struct BufferedIntent: Sendable, Equatable {
  enum Kind: Sendable {
    case join, leave
  }

  var kind: Kind
  var time: UInt64
  var heardAt: GossipInstant
}

// The table of members: who is there, by what the membership core sees and what members say of themselves.
extension SerfCore {
  /// Words of unknown members that are kept.
  private static let intentsMaximum = 65536

  // MARK: What the membership core sees

  mutating func nodeJoined(_ node: Node, _ now: GossipInstant) {
    var entry: Entry
    if let known = members[node.name] {
      entry = known
      entry.member = Member(node, status: .alive)
      entry.goneAt = nil
    } else {
      entry = Entry(member: Member(node, status: .alive))
      if let intent = intents.removeValue(forKey: node.name) {
        entry.statusTime = intent.time
        if intent.kind == .leave {
          entry.member.status = .leaving
          entry.leavingSince = now
        }
      }
    }
    members[node.name] = entry
    log(.info, "EventMemberJoin: \(node.name) \(node.address.ip)")
    deliver(.joined(entry.member))
  }

  mutating func nodeLeft(_ node: Node, _ now: GossipInstant) {
    guard var entry = members[node.name] else { return }
    switch entry.member.status {
    case .leaving: entry.member.status = .left
    // It said itself that it goes, though its intent got lost: all who were told it first may have died before.
    case .alive where node.state == .left: entry.member.status = .left
    case .alive: entry.member.status = .failed
    // Forced to leave, or seen to be gone already.
    case .left, .failed, .none: return
    }
    entry.goneAt = now
    members[node.name] = entry
    if entry.member.status == .left {
      log(.info, "EventMemberLeave: \(node.name) \(node.address.ip)")
      deliver(.left(entry.member))
    } else {
      log(.info, "EventMemberFailed: \(node.name) \(node.address.ip)")
      deliver(.failed(entry.member))
    }
  }

  mutating func nodeUpdated(_ node: Node) {
    guard var entry = members[node.name] else { return }
    entry.member = Member(node, status: entry.member.status)
    members[node.name] = entry
    log(.info, "EventMemberUpdate: \(node.name)")
    deliver(.updated(entry.member))
  }

  // MARK: What members say

  /// - Returns: whether others should hear it.
  mutating func heard(_ intent: JoinIntent, _ now: GossipInstant) -> Bool {
    clock.witness(intent.time)
    guard var entry = members[intent.node] else { return buffer(.join, intent.node, intent.time, now) }
    guard intent.time > entry.statusTime else { return false }
    entry.statusTime = intent.time
    let stays = entry.member.status == .leaving
    if stays { entry.member.status = .alive }
    members[intent.node] = entry
    if stays { deliver(.statusChanged(entry.member)) }
    return true
  }

  /// - Returns: whether others should hear it.
  mutating func heard(_ intent: LeaveIntent, _ now: GossipInstant) -> Bool {
    clock.witness(intent.time)
    guard var entry = members[intent.node] else { return buffer(.leave, intent.node, intent.time, now) }
    if intent.node == settings.name, case .alive = life {
      // Also one as old as what we said ourselves: somebody may have heard it first.
      guard intent.time >= entry.statusTime else { return false }
      log(.debug, "refuting an older leave intent")
      announceJoin(now)
      return false
    }
    guard intent.time > entry.statusTime else { return false }
    entry.statusTime = intent.time
    switch entry.member.status {
    case .alive:
      entry.member.status = .leaving
      entry.leavingSince = now
      members[intent.node] = entry
      deliver(.statusChanged(entry.member))
    case .failed:
      // Forced to leave.
      entry.member.status = .left
      members[intent.node] = entry
      log(.info, "EventMemberLeave (forced): \(intent.node) \(entry.member.address.ip)")
      deliver(.left(entry.member))
    case .leaving, .left: break
    case .none: return false
    }
    members[intent.node] = entry
    if intent.prune { prune(entry, now) }
    return true
  }

  /// Who is still leaving gets the time to do so.
  private mutating func prune(_ entry: Entry, _ now: GossipInstant) {
    guard entry.member.status == .leaving else { return erase(entry.member.name) }
    timers.schedule(
      .prune(entry.member.name), at: now + settings.broadcastTimeout + settings.leavePropagateDelay)
  }

  private mutating func buffer(
    _ kind: BufferedIntent.Kind, _ node: String, _ time: UInt64, _ now: GossipInstant
  ) -> Bool {
    if let known = intents[node] {
      guard known.time < time else { return false }
    } else if intents.count >= Self.intentsMaximum {
      return false
    }
    intents[node] = BufferedIntent(kind: kind, time: time, heardAt: now)
    return true
  }

  /// Leaving takes seconds. Who is there long after the word of it stays, whoever said that: two words of the same time,
  /// one of an agent that was forced to leave and one of its own, look different to those that hear them in different order,
  /// and nothing that members tell each other later would mend that.
  private static let leavePatience = GoDuration.minutes(1)

  mutating func keepThoseWhoStay(_ now: GossipInstant) {
    let staying = members.values.filter { entry in
      entry.member.status == .leaving && entry.member.name != settings.name
        && entry.leavingSince.map { now - $0 > Self.leavePatience } ?? true
    }
    for var entry in staying.sorted(by: { bytewiseLess($0.member.name, $1.member.name) }) {
      entry.member.status = .alive
      members[entry.member.name] = entry
      log(.info, "\(entry.member.name) said that it leaves, but stays")
      deliver(.statusChanged(entry.member))
    }
  }

  // MARK: Forgetting

  /// Forgets a member at once.
  mutating func erase(_ name: String) {
    guard name != settings.name, let entry = members.removeValue(forKey: name) else { return }
    estimator.forget(name)
    coordinates[name] = nil
    log(.info, "EventMemberReap: \(name)")
    deliver(.reaped(entry.member))
  }

  mutating func reap(_ now: GossipInstant) {
    for entry in members.values {
      guard let goneAt = entry.goneAt else { continue }
      let patience = entry.member.status == .failed ? reconnectTimeout(entry.member) : settings.tombstoneTimeout
      if now - goneAt > patience { erase(entry.member.name) }
    }
    intents = intents.filter { now - $0.value.heardAt <= settings.recentIntentTimeout }
  }

  /// A member may say itself how long it is to be waited for.
  private func reconnectTimeout(_ member: Member) -> GoDuration {
    guard !settings.reconnectTimeoutTag.isEmpty, let text = member.tags[settings.reconnectTimeoutTag],
      let timeout = GoDuration(text)
    else { return settings.reconnectTimeout }
    return timeout
  }

  // MARK: Names

  /// Two nodes go by one name. If it is ours, the others may be asked who is right.
  mutating func nameConflict(_ node: Node, _ claimant: NodeAddress, _ now: GossipInstant) {
    guard node.name == settings.name else {
      return log(.warning, "Name conflict for '\(node.name)' both \(node.address) and \(claimant) are claiming")
    }
    log(.error, "Node name conflicts with another node at \(claimant). Names must be unique!")
    guard settings.resolvesNameConflicts, !inquiries.values.contains(where: \.isNameConflict) else { return }
    _ = try? ask(
      "_serf_conflict", Array(node.name.utf8), QueryOptions(), purpose: .nameConflict(answers: 0, ours: 0), now)
  }

  // MARK: Push/pull

  /// What a push/pull tells of members and events.
  var state: SerfState {
    var state = SerfState()
    state.time = clock.time
    state.statusTimes = members.mapValues(\.statusTime)
    state.leftMembers = members.values.filter { $0.member.status == .left }.map(\.member.name).sorted(by: bytewiseLess)
    state.eventTime = eventClock.time
    state.events = events
    state.queryTime = queryClock.time
    return state
  }

  /// - Parameter ticket: of our own attempt to join that brought this state.
  mutating func merge(_ bytes: [UInt8], _ ticket: JoinTicket?, _ now: GossipInstant) {
    let state: SerfState
    do throws(GossipError) {
      guard case .state(let decoded) = try SerfMessage(bytes) else { throw .unexpectedType(bytes.first ?? 0) }
      state = decoded
    } catch {
      return log(.error, "remote state: \(error)")
    }
    // The other side's clocks show the time of its next message.
    if state.time > 0 { clock.witness(state.time - 1) }
    if state.eventTime > 0 { eventClock.witness(state.eventTime - 1) }
    if state.queryTime > 0 { queryClock.witness(state.queryTime - 1) }
    let left = Set(state.leftMembers)
    for name in state.leftMembers {
      // Against a failure the word counts even if it is as old as what we know. A member that we see alive may have
      // returned since: the reference lets it look as if it were leaving until it says something else.
      let isForced: UInt64 = members[name]?.member.status == .failed ? 1 : 0
      _ = heard(LeaveIntent(time: (state.statusTimes[name] ?? 0) &+ isForced, node: name), now)
    }
    for (name, time) in state.statusTimes.sorted(by: { bytewiseLess($0.key, $1.key) }) where !left.contains(name) {
      if name == settings.name, case .alive = life, let own = members[name], time > own.statusTime {
        // A newer word about us than our own: that we leave, which has not reached us. Nobody else would mend it.
        clock.witness(time)
        announceJoin(now)
      } else {
        _ = heard(JoinIntent(time: time, node: name), now)
      }
    }
    if let ticket, ticket.ignoresOldEvents { eventMinimum = max(eventMinimum, state.eventTime) }
    for case .some(let slot) in state.events {
      for event in slot.events {
        _ = heard(UserEventMessage(time: slot.time, name: event.name, payload: event.payload))
      }
    }
  }
}
