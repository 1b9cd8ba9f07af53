import AccessControl
import LocalAgent
import Model
import NIOCore
import Server

/// `/v1/event/`: user events.
extension Endpoints {
  static let events: [Endpoint] = [
    Endpoint("/v1/event/fire/", [], Route(.put, .asks, UserEventEndpoints.fire)),
    Endpoint("/v1/event/list", [], Route(.get, .asks, UserEventEndpoints.list)),
  ]
}

enum UserEventEndpoints {
  static func fire(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    var event = UserEvent()
    event.name = request.suffix
    if event.name.isEmpty { throw .badRequest("Missing name") }
    event.nodeFilter = request.query["node"] ?? ""
    event.serviceFilter = request.query["service"] ?? ""
    event.tagFilter = request.query["tag"] ?? ""
    event.payload = Bytes(Array(request.body.readableBytesView))
    // The refusal of an event does not tell what is missing.
    guard exchange.rights.allows(.eventWrite(event.name)) else { throw HTTPError(.forbidden, "Permission denied") }
    let datacenter = request.datacenter
    do throws(UserEventError) {
      if datacenter.isEmpty || datacenter == api.backend.datacenter {
        let sent = try api.local.events.fire(event)
        return exchange.json { sent.encodeJSON(&$0) }
      }
      // The gossip of other datacenters is not ours: a server there sends the event.
      let (sent, payload) = try UserEvents.prepare(event)
      let sending = api.control.fireEvent(
        sent.name, payload: payload, datacenter: datacenter, token: exchange.token, on: exchange.loop)
      exchange.answer(sending) { exchange.json { sent.encodeJSON(&$0) } }
    } catch {
      throw .server(error.description)
    }
  }

  static func list(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    let rights = exchange.rights
    let name = request.query["name"] ?? ""
    let question = EventQuestion(events: api.local.events, name: name, seenIndex: options.minIndex) {
      rights.allows(.eventRead($0))
    }
    if options.minIndex == 0 || question.index != options.minIndex { return question.answer(exchange) }
    EventWait(question, exchange).start(for: WaitingTime.amount(options.maxTime))
  }
}

/// What a client wants to know of the events.
private struct EventQuestion: Sendable {
  let events: UserEvents
  /// "" for all.
  let name: String
  /// The index of the events that the client has.
  let seenIndex: UInt64
  let isReadable: @Sendable (String) -> Bool

  private var matching: [UserEvent] {
    events.all.filter { (name.isEmpty || $0.name == name) && isReadable($0.name) }
  }

  private static func index(_ events: [UserEvent]) -> UInt64 {
    max(events.last.map { UserEvent.index(ofID: $0.id) } ?? 0, 1)
  }

  var index: UInt64 { Self.index(matching) }

  func answer(_ exchange: Exchange) {
    let found = matching
    var head = ResponseHead()
    head.headers = [("X-Consul-Index", String(Self.index(found)))]
    exchange.json(head) { $0.array(found) { $1.encodeJSON(&$0) } }
  }
}

/// A client that waits for another newest event. Everything here runs on the loop of its exchange.
private final class EventWait: @unchecked Sendable {
  // Sendable: observers of the events only hop to the loop.

  private let question: EventQuestion
  private let exchange: Exchange
  private var observer: UInt64?
  private var deadline: Scheduled<Void>?

  init(_ question: EventQuestion, _ exchange: Exchange) {
    self.question = question
    self.exchange = exchange
  }

  func start(for time: TimeAmount) {
    let loop = exchange.loop
    observer = question.events.observe { [weak self] in
      guard let self else { return }
      loop.execute { self.look() }
    }
    deadline = loop.scheduleTask(in: time) { self.finish() }
    exchange.onCancel = { self.stop() }
    // An event may have come before the observer was there.
    look()
  }

  private func look() {
    if observer != nil, question.index != question.seenIndex { finish() }
  }

  private func finish() {
    guard observer != nil else { return }
    stop()
    question.answer(exchange)
  }

  private func stop() {
    deadline?.cancel()
    deadline = nil
    if let observer { question.events.removeObserver(observer) }
    observer = nil
  }
}

/// How long a client waits for what does not come out of the state: as for blocking queries.
private enum WaitingTime {
  static func amount(_ asked: GoDuration) -> TimeAmount {
    let wait = asked <= .zero ? GoDuration.minutes(5) : min(asked, .minutes(10))
    return .nanoseconds(wait.nanoseconds + Int64.random(in: 0...max(wait.nanoseconds / 16, 1)))
  }
}
