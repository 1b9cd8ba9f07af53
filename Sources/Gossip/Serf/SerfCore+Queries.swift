import Glibc
import Model

/// The queries of one Lamport time.
struct QuerySlot: Sendable {
  var time: UInt64
  var ids: [UInt32]
}

/// A query that was delivered here and may be answered once.
struct Question: Sendable {
  var source: NodeAddress
  var sourceName: String
  var relayFactor: UInt8
  var deadline: GossipInstant
}

/// A query of our own, and who has answered.
struct Inquiry: Sendable {
  enum Purpose: Sendable {
    /// The users of the pool want to know.
    case request(UInt64)
    case keys(request: UInt64, KeyOperationResult)
    /// How many answered, and how many of them hold us for the owner of our name.
    case nameConflict(answers: Int, ours: Int)
  }

  var purpose: Purpose
  var acknowledged: Set<String> = []
  var answered: Set<String> = []

  var isNameConflict: Bool { if case .nameConflict = purpose { true } else { false } }
}

// Questions to all members, and their answers (wire/gossip.md, section 9).
extension SerfCore {
  /// For how long a query of another node can be answered, whatever it says.
  private static let queryTimeoutMaximum = GoDuration.hours(1)

  // MARK: Asking

  /// Asks all members, this one included. `query` effects tell what they answer.
  ///
  /// - Throws: `queryTooLarge`.
  mutating func query(
    _ request: UInt64, _ name: String, _ payload: [UInt8], _ options: QueryOptions, _ now: GossipInstant
  ) throws(GossipError) {
    _ = try ask(name, payload, options, purpose: .request(request), now)
    settle(now)
  }

  mutating func ask(
    _ name: String, _ payload: [UInt8], _ options: QueryOptions, purpose: Inquiry.Purpose, _ now: GossipInstant
  ) throws(GossipError) -> QueryKey {
    var query = QueryMessage()
    query.time = queryClock.time
    query.id = UInt32.random(in: 0...(.max >> 1), using: &random)
    query.address = Bytes(settings.advertised.ip.bytes)
    query.port = settings.advertised.port
    query.sourceNode = settings.name
    query.filters = options.filters.map { Bytes($0.encoded) }
    query.flags = options.wantsAcknowledgement ? QueryMessage.ackFlag : 0
    query.relayFactor = options.relayFactor
    query.timeout = options.timeout ?? defaultQueryTimeout
    query.name = name
    query.payload = Bytes(payload)
    let message = query.message(.query)
    guard message.count <= settings.querySizeMaximum else {
      throw .queryTooLarge(bytes: message.count, limit: settings.querySizeMaximum)
    }
    _ = queryClock.tick()
    let key = QueryKey(lamportTime: query.time, id: query.id)
    inquiries[key] = Inquiry(purpose: purpose)
    timers.schedule(.queryEnd(key), at: now + query.timeout)
    _ = heard(query, now)
    swim.broadcast(message, in: .queries)
    return key
  }

  /// How long a query lasts that does not say so itself.
  var defaultQueryTimeout: GoDuration {
    settings.gossipInterval * settings.queryTimeoutMultiplier
      * Int(log10(Double(aliveCount + 1)).rounded(.up))
  }

  // MARK: Being asked

  /// - Returns: whether others should hear it.
  mutating func heard(_ query: QueryMessage, _ now: GossipInstant) -> Bool {
    queryClock.witness(query.time)
    guard query.time >= queryMinimum, !isTooOld(query.time, queryClock, queries.count), !queries.isEmpty else {
      return false
    }
    let index = Int(query.time % UInt64(queries.count))
    if let slot = queries[index], slot.time == query.time {
      guard !slot.ids.contains(query.id) else { return false }
      queries[index]?.ids.append(query.id)
    } else {
      queries[index] = QuerySlot(time: query.time, ids: [query.id])
    }
    if concerns(query) { consider(query, now) }
    return !query.isLocal
  }

  /// Whether all filters match this member. One that cannot be read does not.
  private func concerns(_ query: QueryMessage) -> Bool {
    let tags = members[settings.name]?.member.tags ?? settings.tags
    return query.filters.allSatisfy {
      (try? QueryFilter($0.bytes))?.admits(name: settings.name, tags: tags) ?? false
    }
  }

  private mutating func consider(_ query: QueryMessage, _ now: GossipInstant) {
    guard let ip = IPAddress(bytes: query.address.bytes) else { return }
    let key = QueryKey(lamportTime: query.time, id: query.id)
    let question = Question(
      source: NodeAddress(ip, query.port), sourceName: query.sourceNode, relayFactor: query.relayFactor,
      deadline: now + min(query.timeout, Self.queryTimeoutMaximum))
    if query.wantsAck {
      let ack = QueryResponseMessage(
        time: query.time, id: query.id, from: settings.name, flags: QueryMessage.ackFlag)
      send(ack, question, now)
    }
    if query.name.hasPrefix("_serf_") {
      return considerInternal(query, question, now)
    }
    questions[key] = question
    timers.schedule(.answerEnd(key), at: question.deadline)
    deliver(
      .query(
        ReceivedQuery(
          key: key, name: query.name, payload: query.payload.bytes, source: query.sourceNode,
          deadline: question.deadline)))
  }

  /// Answers a query that was delivered, once.
  ///
  /// - Throws: `queryFinished` (also after an answer), `responseTooLarge`.
  mutating func respond(_ key: QueryKey, _ payload: [UInt8], _ now: GossipInstant) throws(GossipError) {
    guard let question = questions[key], now < question.deadline else { throw .queryFinished }
    let response = QueryResponseMessage(
      time: key.lamportTime, id: key.id, from: settings.name, payload: Bytes(payload))
    guard response.message(.queryResponse).count <= settings.queryResponseSizeMaximum else {
      throw .responseTooLarge(limit: settings.queryResponseSizeMaximum)
    }
    questions[key] = nil
    send(response, question, now)
    settle(now)
  }

  /// Sends an answer directly and, if that is wished, through others as well.
  mutating func send(_ response: QueryResponseMessage, _ question: Question, _ now: GossipInstant) {
    let message = response.message(.queryResponse)
    if question.source == settings.advertised {
      heard(response)
    } else {
      swim.sendUser(message, to: question.source)
    }
    guard question.relayFactor > 0, members.count >= Int(question.relayFactor) + 1 else { return }
    let header = RelayHeader(
      address: .init(ip: Bytes(question.source.ip.bytes), port: Int(question.source.port)), name: question.sourceName)
    let relayed = SerfMessage.relay(header, message).encoded
    let own = settings.name
    let peers = swim.randomNodes(
      Int(question.relayFactor),
      where: { $0.state == .alive && $0.name != own && $0.versions.maximum >= ProtocolVersions.checksum })
    for peer in peers { swim.sendUser(relayed, to: peer.address) }
  }

  /// Passes a message on for another node.
  mutating func relay(_ header: RelayHeader, _ message: [UInt8], _ now: GossipInstant) {
    guard let ip = IPAddress(bytes: header.address.ip.bytes), let port = UInt16(exactly: header.address.port) else {
      return log(.warning, "relay to an invalid address")
    }
    swim.sendUser(message, to: NodeAddress(ip, port))
  }

  // MARK: Answers

  mutating func heard(_ response: QueryResponseMessage) {
    let key = QueryKey(lamportTime: response.time, id: response.id)
    guard var inquiry = inquiries[key] else {
      return log(.debug, "response to a query that is over, from \(response.from)")
    }
    if response.isAck {
      guard inquiry.acknowledged.insert(response.from).inserted else { return }
    } else {
      guard inquiry.answered.insert(response.from).inserted else { return }
    }
    switch inquiry.purpose {
    case .request(let request):
      emit(
        .query(
          request: request,
          response.isAck
            ? .acknowledged(by: response.from)
            : .answered(by: response.from, payload: response.payload.bytes)))
    case .keys(let request, var result):
      result.take(response)
      inquiry.purpose = .keys(request: request, result)
      if result.responseCount >= result.memberCount {
        inquiries[key] = inquiry
        return finishInquiry(key)
      }
    case .nameConflict(let answers, let ours):
      inquiry.purpose = .nameConflict(
        answers: answers + 1, ours: ours + (confirmsOurName(response.payload.bytes) ? 1 : 0))
    }
    inquiries[key] = inquiry
  }

  private func confirmsOurName(_ payload: [UInt8]) -> Bool {
    guard case .conflictResponse(let member?)? = try? SerfMessage(payload) else { return false }
    return IPAddress(bytes: member.address.bytes) == settings.advertised.ip && member.port == settings.advertised.port
  }

  mutating func finishInquiry(_ key: QueryKey) {
    guard let inquiry = inquiries.removeValue(forKey: key) else { return }
    switch inquiry.purpose {
    case .request(let request): emit(.query(request: request, .finished))
    case .keys(let request, let result): emit(.keysFinished(request: request, result))
    case .nameConflict(let answers, let ours):
      if ours >= answers / 2 + 1 {
        log(.info, "majority in name conflict resolution [\(ours) / \(answers)]")
      } else {
        log(.warning, "minority in name conflict resolution, quiting [\(ours) / \(answers)]")
        deliver(.nameLost)
      }
    }
  }
}
