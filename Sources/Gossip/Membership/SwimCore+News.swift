import Model

// What nodes say of each other, and which word counts (wire/gossip.md, section 4).
extension SwimCore {
  // MARK: Alive

  /// - Parameter isOwnWord: we ourselves announce this.
  mutating func alive(_ message: Alive, isOwnWord: Bool, _ now: GossipInstant) {
    let isSelf = message.node == settings.name
    if isSelf, hasLeft, !isOwnWord { return }
    let versions = message.versions.bytes
    if versions.count >= 3, versions[0] == 0 || versions[1] == 0 || versions[0] > versions[1] { return }
    guard let ip = IPAddress(bytes: message.address.bytes), !message.node.isEmpty else {
      return log(.warning, "ignoring node \"\(message.node)\" with invalid address")
    }
    let address = NodeAddress(ip, message.port == 0 ? settings.advertised.port : message.port)
    if !isSelf, let known = nodes[message.node], known.address == address, message.incarnation <= known.incarnation {
      // Old news, by far the most frequent case.
      return
    }
    if !isOwnWord {
      guard versions.count >= 6 else { return log(.warning, "ignoring \(message.node): no versions") }
      if let reason = refusal([Member(message, address: address)]) {
        return log(.warning, "ignoring alive message of \(message.node): \(reason)")
      }
    }
    var node: Node
    var isReplaced = false
    if let known = nodes[message.node] {
      node = known
      if known.address != address {
        guard isAllowed(ip, message.node) else { return }
        guard isReplaceable(known, now) else {
          if isSelf, isOwnWord { return }
          return notices.append(.conflict(known, claimant: address))
        }
        isReplaced = true
      }
    } else {
      guard isAllowed(ip, message.node) else { return }
      node = Node(name: message.node, address: address, changedAt: now)
    }
    guard supersedes(message, node, isSelf: isSelf, isReplaced: isReplaced) else { return }
    if nodes[message.node] == nil { insertIntoProbeOrder(message.node) }
    if isSelf, !isOwnWord {
      return hearOfSelf(message, node, now)
    }
    suspicions[message.node] = nil
    let before = node
    take(message, address, into: &node, now)
    nodes[message.node] = node
    broadcast(.alive(node.aliveMessage), about: message.node)
    if before.state.isGone {
      notices.append(.joined(node))
    } else if before.meta != node.meta {
      notices.append(.updated(node))
    }
  }

  private func take(_ message: Alive, _ address: NodeAddress, into node: inout Node, _ now: GossipInstant) {
    if message.versions.count > 0 { node.versions = ProtocolVersions(bytes: message.versions.bytes) }
    node.incarnation = message.incarnation
    node.meta = message.meta.bytes
    node.address = address
    if node.state != .alive {
      node.state = .alive
      node.changedAt = now
    }
  }

  /// A new address takes over the name of a node that left, or that failed long enough ago.
  private func isReplaceable(_ node: Node, _ now: GossipInstant) -> Bool {
    if node.state == .left { return true }
    let reclaim = settings.deadNodeReclaimTime
    return node.state == .dead && reclaim > .zero && now - node.changedAt > reclaim
  }

  private mutating func isAllowed(_ ip: IPAddress, _ name: String) -> Bool {
    guard let networks = settings.allowedNetworks, !networks.contains(where: { $0.contains(ip) }) else { return true }
    log(.warning, "\(name): \(GossipError.addressNotAllowed(ip.description))")
    return false
  }

  /// A node that is new has incarnation 0; every word counts there.
  private func supersedes(_ message: Alive, _ node: Node, isSelf: Bool, isReplaced: Bool) -> Bool {
    if isSelf { return message.incarnation >= node.incarnation }
    return isReplaced || nodes[message.node] == nil || message.incarnation > node.incarnation
  }

  private mutating func insertIntoProbeOrder(_ name: String) {
    probeOrder.append(name)
    let place = Int.random(in: probeOrder.indices, using: &random)
    probeOrder.swapAt(place, probeOrder.count - 1)
  }

  /// Others tell what we should have said ourselves, perhaps in an earlier life.
  private mutating func hearOfSelf(_ message: Alive, _ own: Node, _ now: GossipInstant) {
    if message.incarnation == own.incarnation, message.meta.bytes == own.meta,
      message.versions.bytes == own.versions.bytes
    {
      return
    }
    refute(message.incarnation)
    log(.warning, "refuting an alive message of ourselves with incarnation \(message.incarnation)")
  }

  /// Says with a higher incarnation that we are alive.
  private mutating func refute(_ accused: UInt32) {
    guard var own else { return }
    own.incarnation = nextIncarnation(above: accused)
    nodes[own.name] = own
    changeHealth(by: 1)
    broadcast(.alive(own.aliveMessage), about: own.name)
  }

  // MARK: Suspect

  mutating func suspect(_ message: Accusation, _ now: GossipInstant) {
    guard var node = nodes[message.node], message.incarnation >= node.incarnation else { return }
    if var suspicion = suspicions[message.node] {
      guard suspicion.confirm(by: message.from) else { return }
      suspicions[message.node] = suspicion
      timers.schedule(.suspicion(node: message.node, generation: suspicion.generation), at: suspicion.deadline)
      return broadcast(.suspect(message), about: message.node)
    }
    guard node.state == .alive else { return }
    if message.node == settings.name {
      refute(message.incarnation)
      return log(.warning, "refuting a suspect message (from: \(message.from))")
    }
    broadcast(.suspect(message), about: message.node)
    node.incarnation = message.incarnation
    node.state = .suspect
    node.changedAt = now
    nodes[message.node] = node
    startSuspicion(message, now)
  }

  private mutating func startSuspicion(_ message: Accusation, _ now: GossipInstant) {
    let wanted = settings.suspicionMultiplier - 2
    let minimum = Suspicion.minimumTimeout(
      multiplier: settings.suspicionMultiplier, nodeCount: nodeCount, probeInterval: settings.probeInterval)
    lastGeneration &+= 1
    let suspicion = Suspicion(
      from: message.from, confirmationsWanted: nodeCount - 2 < wanted ? 0 : wanted, minimum: minimum,
      maximum: minimum * settings.suspicionMaximumMultiplier, now: now, generation: lastGeneration)
    suspicions[message.node] = suspicion
    timers.schedule(.suspicion(node: message.node, generation: suspicion.generation), at: suspicion.deadline)
  }

  mutating func suspicionEnded(_ name: String, _ generation: UInt64, _ now: GossipInstant) {
    guard let suspicion = suspicions[name], suspicion.generation == generation, suspicion.deadline <= now,
      let node = nodes[name], node.state == .suspect
    else { return }
    log(.info, "marking \(name) as failed, suspect timeout reached")
    dead(Accusation(incarnation: node.incarnation, node: name, from: settings.name), now)
  }

  // MARK: Dead

  mutating func dead(_ message: Accusation, _ now: GossipInstant) {
    guard var node = nodes[message.node], message.incarnation >= node.incarnation else { return }
    suspicions[message.node] = nil
    guard !node.state.isGone else { return }
    if message.node == settings.name, !hasLeft {
      refute(message.incarnation)
      return log(.warning, "refuting a dead message (from: \(message.from))")
    }
    broadcast(.dead(message), about: message.node)
    node.incarnation = message.incarnation
    node.state = message.node == message.from ? .left : .dead
    node.changedAt = now
    nodes[message.node] = node
    notices.append(.left(node))
  }
}
