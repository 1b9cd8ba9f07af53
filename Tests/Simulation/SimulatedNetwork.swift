@testable import Consensus

/// Messages between servers, under way. Loses, delays, duplicates, reorders; every request is answered in the end, if only
/// by "unreachable", as a transport with deadlines does.
struct SimulatedNetwork {
  enum Payload {
    case request(RaftRequest, from: RaftHeader, content: Content?)
    case response(Result<RaftResponse, PeerFailure>)
  }

  /// The bytes that follow a request.
  struct Content {
    var bytes: [UInt8]
    /// The connection breaks after these.
    var isCut = false
  }

  struct Message {
    var deliverAt: MonotonicInstant
    var exchange: Int
    var to: ServerID
    var payload: Payload
  }

  /// A request and who waits for its answer.
  struct Exchange {
    var from: ServerID
    var life: Int
    var to: ServerID
    var context: RequestContext
    var isAnswered = false
  }

  struct Conditions {
    /// Per mille.
    var loss = 0
    var duplication = 0
    /// Snapshots whose connection breaks on the way.
    var interruption = 0
    /// Nanoseconds.
    var delayMax: UInt64 = 5_000_000
    /// How long a sender waits for an answer that never comes.
    var patience: UInt64 = 300_000_000
  }

  var conditions = Conditions()
  /// Pairs that cannot reach each other, in either direction.
  var cut: Set<[ServerID]> = []
  /// From the first to the second nothing arrives, whatever goes the other way.
  var oneWay: Set<[ServerID]> = []
  /// Hosts that everything takes longer to and from: nanoseconds.
  var slow: [ServerID: UInt64] = [:]
  private(set) var messages: [Message] = []
  private var exchanges: [Int: Exchange] = [:]
  private var nextExchange = 0
  private var random: SeededRandom

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  var nextDelivery: MonotonicInstant? { messages.lazy.map { $0.deliverAt }.min() }

  func isCut(from: ServerID, to: ServerID) -> Bool {
    cut.contains([from, to].sorted()) || oneWay.contains([from, to])
  }

  /// Delivers a message later: its receiver does not take anything now.
  mutating func postpone(_ message: Message, until: MonotonicInstant) {
    var message = message
    message.deliverAt = until
    if case .response = message.payload { exchanges[message.exchange]?.isAnswered = false }
    messages.append(message)
  }

  private mutating func chance(_ perMille: Int) -> Bool {
    perMille > 0 && Int.random(in: 0..<1000, using: &random) < perMille
  }

  private mutating func delay(_ one: ServerID, _ other: ServerID) -> UInt64 {
    UInt64.random(in: 100_000...max(conditions.delayMax, 100_001), using: &random) + (slow[one] ?? 0)
      + (slow[other] ?? 0)
  }

  /// When each copy of a datagram arrives, after now; empty if it is lost.
  mutating func datagram(from: ServerID, to: ServerID) -> [UInt64] {
    if isCut(from: from, to: to) || chance(conditions.loss) { return [] }
    return (0..<(chance(conditions.duplication) ? 2 : 1)).map { _ in delay(from, to) }
  }

  mutating func send(
    _ request: RaftRequest, content: [UInt8]? = nil, from: RaftHeader, life: Int, to: ServerID,
    context: RequestContext, now: MonotonicInstant
  ) {
    nextExchange += 1
    let exchange = nextExchange
    exchanges[exchange] = Exchange(from: from.id, life: life, to: to, context: context)
    let failure = Payload.response(.failure(.unreachable("deadline")))
    messages.append(
      Message(deliverAt: now + conditions.patience, exchange: exchange, to: from.id, payload: failure))
    if isCut(from: from.id, to: to) || chance(conditions.loss) { return }
    for _ in 0..<(chance(conditions.duplication) ? 2 : 1) {
      var sent = content.map { Content(bytes: $0) }
      if let content, chance(conditions.interruption) {
        sent = Content(bytes: Array(content.prefix(Int.random(in: 0...content.count, using: &random))), isCut: true)
      }
      let payload = Payload.request(request, from: from, content: sent)
      messages.append(Message(deliverAt: now + delay(from.id, to), exchange: exchange, to: to, payload: payload))
    }
  }

  mutating func reply(_ response: RaftResponse, to exchange: Int, now: MonotonicInstant) {
    guard let known = exchanges[exchange], !isCut(from: known.to, to: known.from), !chance(conditions.loss) else {
      return
    }
    messages.append(
      Message(
        deliverAt: now + delay(known.to, known.from), exchange: exchange, to: known.from,
        payload: .response(.success(response))))
  }

  /// The next message that is due. Answers are delivered once.
  mutating func takeDue(now: MonotonicInstant) -> (Message, Exchange)? {
    while let position = messages.indices.filter({ messages[$0].deliverAt <= now }).randomElement(using: &random) {
      let message = messages[position]
      messages.swapAt(position, messages.count - 1)
      messages.removeLast()
      guard var exchange = exchanges[message.exchange] else { continue }
      switch message.payload {
      case .request:
        if isCut(from: exchange.from, to: exchange.to) { continue }
        return (message, exchange)
      case .response:
        guard !exchange.isAnswered else { continue }
        exchange.isAnswered = true
        exchanges[message.exchange] = exchange
        // Nobody waits for the end of its time any more.
        messages.removeAll { if case .response = $0.payload { $0.exchange == message.exchange } else { false } }
        return (message, exchange)
      }
    }
    return nil
  }
}
