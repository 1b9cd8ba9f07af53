import Model

// Queries that Serf answers itself: the keys of all members, and who owns a name.
extension SerfCore {
  // MARK: Asking for keys

  /// Changes the keys of all members, or asks for them; `keysFinished` tells what they answer.
  ///
  /// - Throws: `queryTooLarge`.
  mutating func keys(
    _ request: UInt64, _ operation: KeyOperation, relayFactor: UInt8, _ now: GossipInstant
  ) throws(GossipError) {
    var options = QueryOptions()
    options.relayFactor = relayFactor
    var result = KeyOperationResult()
    result.memberCount = aliveCount
    let payload = SerfMessage.keyRequest(KeyRequest(key: Bytes(operation.key))).encoded
    _ = try ask(operation.queryName, payload, options, purpose: .keys(request: request, result), now)
    settle(now)
  }

  // MARK: Answering

  mutating func considerInternal(_ query: QueryMessage, _ question: Question, _ now: GossipInstant) {
    switch query.name {
    // To be acknowledged is all that it wants.
    case "_serf_ping": break
    case "_serf_conflict": answerConflict(query, question, now)
    case "_serf_install-key", "_serf_use-key", "_serf_remove-key", "_serf_list-keys":
      answerKeys(query, question, now)
    default: log(.warning, "Unhandled internal query '\(query.name)'")
    }
  }

  private mutating func answerConflict(_ query: QueryMessage, _ question: Question, _ now: GossipInstant) {
    let name = String(decoding: query.payload.bytes, as: UTF8.self)
    // Who is asked about is a party.
    guard name != settings.name else { return }
    answer(query, question, .conflictResponse(members[name]?.member.record), now)
  }

  private mutating func answerKeys(_ query: QueryMessage, _ question: Question, _ now: GossipInstant) {
    var response = KeyResponse()
    do throws(GossipError) {
      guard case .keyRequest(let request) = try SerfMessage(query.payload.bytes) else {
        throw .unexpectedType(query.payload.bytes.first ?? 0)
      }
      if query.name == "_serf_list-keys" {
        if swim.codec.keyring.isEmpty { throw .keyringIsEmpty }
        response.keys = swim.codec.keyring.texts
        response.primaryKey = response.keys.first ?? ""
        response.result = true
      } else {
        // Who hears that a key is installed relies on it: the next start has to know the key, too.
        let texts = try change(query.name, request.key.bytes)
        lastToken += 1
        keyAnswers[lastToken] = KeyAnswer(query: query, question: question)
        return emit(.keepKeys(lastToken, texts))
      }
    } catch {
      response.message = "\(error)"
      log(.error, "\(query.name.dropFirst(6)): \(error)")
    }
    answer(query, question, .keyResponse(fitting(response, query)), now)
  }

  /// The keys of a change are kept, or could not be.
  ///
  /// - Parameters:
  ///   - token: of the effect.
  ///   - problem: why they could not; they are in use all the same.
  mutating func keysKept(_ token: UInt64, problem: String?, _ now: GossipInstant) {
    guard let waiting = keyAnswers.removeValue(forKey: token) else { return }
    var response = KeyResponse()
    response.result = problem == nil
    response.message = problem ?? ""
    answer(waiting.query, waiting.question, .keyResponse(response), now)
    settle(now)
  }

  /// - Returns: all keys after the change.
  private mutating func change(_ operation: String, _ key: [UInt8]) throws(GossipError) -> [String] {
    var keyring = swim.codec.keyring
    if keyring.isEmpty { throw .noKeyring }
    switch operation {
    case "_serf_install-key": try keyring.install(key)
    case "_serf_use-key": try keyring.use(key)
    default: try keyring.remove(key)
    }
    swim.codec.keyring = keyring
    return keyring.texts
  }

  /// As many keys as an answer holds.
  private func fitting(_ response: KeyResponse, _ query: QueryMessage) -> KeyResponse {
    var response = response
    let all = response.keys.count
    while encode(query, .keyResponse(response)).count > settings.queryResponseSizeMaximum, !response.keys.isEmpty {
      response.keys.removeLast()
      response.message = "truncated key list response, showing first \(response.keys.count) of \(all) keys"
    }
    return response
  }

  private func response(_ query: QueryMessage, _ payload: SerfMessage) -> QueryResponseMessage {
    QueryResponseMessage(time: query.time, id: query.id, from: settings.name, payload: Bytes(payload.encoded))
  }

  private func encode(_ query: QueryMessage, _ payload: SerfMessage) -> [UInt8] {
    response(query, payload).message(.queryResponse)
  }

  private mutating func answer(
    _ query: QueryMessage, _ question: Question, _ payload: SerfMessage, _ now: GossipInstant
  ) {
    send(response(query, payload), question, now)
  }
}

/// Somebody who changed the keys here and waits for the answer.
struct KeyAnswer: Sendable {
  var query: QueryMessage
  var question: Question
}

extension KeyOperationResult {
  /// Counts one member's answer.
  mutating func take(_ response: QueryResponseMessage) {
    guard !response.isAck else { return }
    responseCount += 1
    guard case .keyResponse(let answer)? = try? SerfMessage(response.payload.bytes) else {
      messages[response.from] = "Invalid key query response type: \(response.payload.bytes)"
      errorCount += 1
      return
    }
    if !answer.result { errorCount += 1 }
    if !answer.result || !answer.message.isEmpty { messages[response.from] = answer.message }
    for key in answer.keys { keys[key, default: 0] += 1 }
    if !answer.primaryKey.isEmpty { primaryKeys[answer.primaryKey, default: 0] += 1 }
  }
}
