import Model

/// A question whether a node is there, and what has come of it.
struct Probe: Sendable {
  let sequence: UInt32
  let target: Node
  let sentAt: GossipInstant
  /// Answers count until then.
  let end: GossipInstant
  /// Others and TCP have been asked.
  var isIndirect = false
  var expectedNacks = 0
  var nacks = 0
  var streamPing: StreamID?
  var streamPingSucceeded = false
}

/// A ping on behalf of another node.
struct Relay: Sendable {
  let asker: NodeAddress
  /// The asker's sequence number.
  let sequence: UInt32
  let wantsNack: Bool
}

// Failure detection (wire/gossip.md, section 5).
extension SwimCore {
  // MARK: Asking

  mutating func probeDue(_ now: GossipInstant) {
    timers.schedule(.probe, at: now + settings.probeInterval)
    if probe == nil { probeNext(now) } else { probeIsOverdue = true }
  }

  private mutating func probeNext(_ now: GossipInstant) {
    probeIsOverdue = false
    // One round at most: a list without anybody to probe ends it.
    for _ in 0...probeOrder.count {
      if probeIndex >= probeOrder.count {
        forgetTheDead(now)
        probeOrder.shuffle(using: &random)
        probeIndex = 0
        if probeOrder.isEmpty { return }
      }
      let name = probeOrder[probeIndex]
      probeIndex += 1
      guard name != settings.name, let node = nodes[name], !node.state.isGone else { continue }
      return start(node, now)
    }
  }

  private mutating func forgetTheDead(_ now: GossipInstant) {
    probeOrder.removeAll { name in
      guard let node = nodes[name], node.state.isGone, now - node.changedAt > settings.gossipToTheDeadTime,
        name != settings.name
      else { return false }
      nodes[name] = nil
      suspicions[name] = nil
      return true
    }
  }

  private mutating func start(_ node: Node, _ now: GossipInstant) {
    let interval = settings.probeInterval * (healthScore + 1)
    let probe = Probe(sequence: nextSequence(), target: node, sentAt: now, end: now + interval)
    self.probe = probe
    let ping = SwimMessage.ping(ping(node.name, probe.sequence))
    if node.state == .suspect {
      // The node learns what it is accused of in the same packet, and can refute it at once.
      let accusation = Accusation(incarnation: node.incarnation, node: node.name, from: settings.name)
      effects.append(
        .send(
          CompoundMessage.encode([ping.encoded, SwimMessage.suspect(accusation).encoded]), to: node.address,
          checksum: node.versions.maximum >= ProtocolVersions.checksum))
    } else {
      send(ping, to: node.address)
    }
    timers.schedule(.probeTimeout(sequence: probe.sequence), at: min(now + settings.probeTimeout, probe.end))
    timers.schedule(.probeEnd(sequence: probe.sequence), at: probe.end)
  }

  private func ping(_ node: String, _ sequence: UInt32) -> Ping {
    Ping(
      sequence: sequence, node: node, sourceAddress: Bytes(settings.advertised.ip.bytes),
      sourcePort: settings.advertised.port, sourceNode: settings.name)
  }

  mutating func probeTimedOut(_ sequence: UInt32, _ now: GossipInstant) {
    guard var probe, probe.sequence == sequence, !probe.isIndirect else { return }
    probe.isIndirect = true
    let target = probe.target
    let own = settings.name
    for peer in randomNodes(
      settings.indirectChecks, where: { $0.state == .alive && $0.name != own && $0.name != target.name })
    {
      let wantsNack = peer.versions.maximum >= ProtocolVersions.nack
      if wantsNack { probe.expectedNacks += 1 }
      let message = IndirectPing(
        sequence: sequence, target: Bytes(target.address.ip.bytes), port: target.address.port, node: target.name,
        wantsNack: wantsNack, sourceAddress: Bytes(settings.advertised.ip.bytes),
        sourcePort: settings.advertised.port, sourceNode: own)
      send(.indirectPing(message), to: peer.address)
    }
    if settings.usesStreamPings, target.versions.maximum >= ProtocolVersions.streamPing {
      lastStream &+= 1
      probe.streamPing = lastStream
      streams[lastStream] = .ping(sequence: sequence)
      effects.append(
        .open(
          lastStream, to: target.address, .ping(ping(target.name, sequence)), timeout: probe.end - now))
    }
    self.probe = probe
  }

  mutating func probeEnded(_ sequence: UInt32, _ now: GossipInstant) {
    guard let probe, probe.sequence == sequence else { return }
    if probe.streamPingSucceeded {
      log(
        .warning,
        "was able to connect to \(probe.target.name) over TCP but UDP probes failed, network may be misconfigured")
      return finish(succeeded: true, now)
    }
    changeHealth(by: probe.expectedNacks > 0 ? max(0, probe.expectedNacks - probe.nacks) : 1)
    log(.info, "suspect \(probe.target.name) has failed, no acks received")
    let target = probe.target
    finish(succeeded: false, now)
    suspect(Accusation(incarnation: target.incarnation, node: target.name, from: settings.name), now)
  }

  private mutating func finish(succeeded: Bool, _ now: GossipInstant) {
    if succeeded { changeHealth(by: -1) }
    if let stream = probe?.streamPing, streams.removeValue(forKey: stream) != nil { effects.append(.close(stream)) }
    probe = nil
    if probeIsOverdue { probeNext(now) }
  }

  // MARK: Answers

  mutating func acknowledged(_ ack: Ack, _ now: GossipInstant) {
    if let relay = relays.removeValue(forKey: ack.sequence) {
      return send(.ack(Ack(sequence: relay.sequence)), to: relay.asker)
    }
    guard let probe, probe.sequence == ack.sequence else { return }
    if !probe.isIndirect {
      notices.append(.pinged(probe.target.name, roundTrip: now - probe.sentAt, payload: ack.payload.bytes))
    }
    finish(succeeded: true, now)
  }

  mutating func notAcknowledged(_ nack: Nack) {
    guard probe?.sequence == nack.sequence else { return }
    probe?.nacks += 1
  }

  mutating func streamPingAnswered(_ sequence: UInt32, _ answer: StreamMessage) {
    guard probe?.sequence == sequence, case .ack(let ack) = answer, ack.sequence == sequence else { return }
    probe?.streamPingSucceeded = true
  }

  // MARK: Being asked

  mutating func pinged(_ ping: Ping, from sender: NodeAddress) {
    guard ping.node.isEmpty || ping.node == settings.name else {
      return log(.warning, "got ping for unexpected node \"\(ping.node)\" from \(sender)")
    }
    let address = Self.source(ping.sourceAddress, ping.sourcePort) ?? sender
    send(.ack(Ack(sequence: ping.sequence, payload: Bytes(ackPayload))), to: address)
  }

  mutating func askedToPing(_ request: IndirectPing, from sender: NodeAddress, _ now: GossipInstant) {
    guard let ip = IPAddress(bytes: request.target.bytes) else { return }
    let sequence = nextSequence()
    relays[sequence] = Relay(
      asker: Self.source(request.sourceAddress, request.sourcePort) ?? sender, sequence: request.sequence,
      wantsNack: request.wantsNack)
    timers.schedule(.relayTimeout(sequence: sequence), at: now + settings.probeTimeout)
    let port = request.port == 0 ? settings.advertised.port : request.port
    send(.ping(ping(request.node, sequence)), to: NodeAddress(ip, port))
  }

  mutating func relayTimedOut(_ sequence: UInt32) {
    guard let relay = relays.removeValue(forKey: sequence), relay.wantsNack else { return }
    send(.nack(Nack(sequence: relay.sequence)), to: relay.asker)
  }

  private static func source(_ address: Bytes, _ port: UInt16) -> NodeAddress? {
    guard port > 0, let ip = IPAddress(bytes: address.bytes) else { return nil }
    return NodeAddress(ip, port)
  }
}
