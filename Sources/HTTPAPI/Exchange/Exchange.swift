import AccessControl
import Model
import NIOCore
import Server
import Telemetry

/// What an answer tells of the agent's cache.
enum CacheNote: Equatable {
  /// It was there; for so many seconds the servers may know better.
  case hit(age: UInt64)
  case miss
}

/// A request under way: whom to answer and how. Endpoints answer it exactly once, at once or later, always on `loop`.
final class Exchange: @unchecked Sendable {
  // Sendable so that completions of the servers can carry it: they run on `loop` (the contract of `Backend`), and everything
  // here is used on `loop` only.

  let api: API
  let loop: any EventLoop
  /// The secret of the request, or the agent's default.
  let token: String
  let keepsAlive: Bool
  let isPretty: Bool
  let acceptsGzip: Bool
  /// Whether the answer is to have no body (a HEAD request).
  let isHead: Bool
  /// Whether a failed read still tells where it came from.
  let showsMetaOnFailure: Bool
  /// Whether answers tell how the read was made.
  let showsConsistency: Bool
  /// What the log says of the request; nil where the log does not want it.
  private let trace: RequestTrace?
  private let start: UInt64
  private let duration: MetricSample?
  private let calls: CallCounters?
  private var hasFailed = false
  /// Whether the answer came out of the agent's cache, for clients that asked for that.
  private(set) var cacheNote: CacheNote?
  /// A query that waits for a change, while it does.
  var pending: (any PendingQuery)?
  /// Called when the client goes away before the answer.
  var onCancel: (() -> Void)?

  /// Nil once the request was answered or its client is gone.
  private(set) var connection: Connection?
  private let knownRights: Rights
  private var rightsWereAsked: Bool
  /// Whether the servers ask what the token may do, whatever is asked of them.
  private let serversAsk: Bool

  init(
    connection: Connection, api: API, loop: any EventLoop, request: borrowing Request, token: String, rights: Rights,
    rightsWereAsked: Bool, serversAsk: Bool, endpoint: Endpoint, duration: MetricSample?, calls: CallCounters?
  ) {
    self.connection = connection
    self.api = api
    self.loop = loop
    self.token = token
    knownRights = rights
    self.rightsWereAsked = rightsWereAsked
    self.serversAsk = serversAsk
    keepsAlive = request.head.keepAlive
    isPretty = api.settings.prettyByDefault || request.query.has("pretty")
    acceptsGzip = request.acceptsGzip
    isHead = request.method == .head
    showsMetaOnFailure = endpoint.traits.contains(.metaOnFailure)
    showsConsistency = endpoint.traits.contains(.consistency)
    trace = LogOutput.shared.wants(.debug) ? RequestTrace(request, client: connection.clientEndpoint) : nil
    self.duration = duration
    self.calls = calls
    start = MetricClock.now
    calls?.received.increment()
  }

  /// What the token may do. A route that does not name its permission has to ask here before it answers.
  var rights: Rights {
    rightsWereAsked = true
    return knownRights
  }

  /// The servers are asked for something, and ask what the token may do.
  func asksServers() {
    if serversAsk { rightsWereAsked = true }
  }

  /// Whether the request still waits for its answer.
  var isOpen: Bool { connection != nil }

  func note<Reply>(_ answer: CachedAnswer<Reply>) { cacheNote = answer.age.map { .hit(age: $0) } ?? .miss }

  // MARK: answers

  /// Answers with JSON.
  func json(_ head: ResponseHead = ResponseHead(), _ write: (inout JSONWriter) -> Void) {
    finish { connection in
      connection.resources.json.clear()
      write(&connection.resources.json)
      if rightsWereAsked { connection.sendJSON(head, self) } else { refuse(connection) }
    }
  }

  /// Answers with JSON that shows nothing but `rows`, which therefore need not be written again as long as they stay.
  func json<Rows: AnswerRows>(
    _ head: ResponseHead, _ view: AnswerForm.View, _ rows: Rows, _ write: (inout JSONWriter) -> Void
  ) {
    finish { connection in
      guard rightsWereAsked else { return refuse(connection) }
      let form = AnswerForm(view: view, isPretty: isPretty, acceptsGzip: acceptsGzip && head.isFromAPI)
      connection.send(head, connection.resources.body(form, rows, write), self)
    }
  }

  /// Answers with text or bytes.
  func bytes(_ head: ResponseHead, _ body: UnsafeRawBufferPointer) {
    finish { connection in
      if rightsWereAsked { connection.send(head, body, self) } else { refuse(connection) }
    }
  }

  func text(_ head: ResponseHead, _ text: String) {
    var text = text
    text.withUTF8 { bytes(head, UnsafeRawBufferPointer($0)) }
  }

  /// Answers without a body.
  func empty(_ head: ResponseHead = ResponseHead()) { bytes(head, UnsafeRawBufferPointer(start: nil, count: 0)) }

  /// Answers `true` or `false`.
  func bool(_ value: Bool) { json { $0.bool(value) } }

  func fail(_ error: HTTPError) {
    hasFailed = true
    var head = ResponseHead(error.status, .text)
    if let denied = error.denied { head.headers.append(("X-Consul-Denied", denied)) }
    rightsWereAsked = true
    text(head, error.text)
  }

  /// Answers with what went wrong at the servers during a read.
  func failRead(_ error: ServerError) {
    let error = HTTPError(error)
    guard showsMetaOnFailure else { return fail(error) }
    hasFailed = true
    rightsWereAsked = true
    text(ResponseHead(error.status, .text, meta: QueryMeta()), error.text)
  }

  /// Answers a failed read, whose reason was found in its request.
  func failRead(_ error: HTTPError) {
    hasFailed = true
    rightsWereAsked = true
    var head = ResponseHead(error.status, .text, meta: showsMetaOnFailure ? QueryMeta() : nil)
    if let denied = error.denied { head.headers.append(("X-Consul-Denied", denied)) }
    text(head, error.text)
  }

  private func finish(_ answer: (Connection) -> Void) {
    guard let connection else { return }
    self.connection = nil
    pending = nil
    onCancel = nil
    trace?.finish(api.logger.label)
    duration?.record(since: start)
    if let calls { (hasFailed ? calls.failed : calls.answered).increment() }
    answer(connection)
  }

  // MARK: streams

  /// Begins an answer that goes on until its client goes away.
  func beginStream(_ head: ResponseHead) {
    guard rightsWereAsked else { return finish { refuse($0) } }
    connection?.beginStream(head, self)
  }

  /// Sends a part of it. Parts that the client is too slow for are left out.
  func stream(_ text: String) { connection?.stream(text, self) }

  /// Sends a part of it and tells when the next may follow.
  func streamChunk(_ bytes: [UInt8]) -> EventLoopFuture<Void> {
    connection?.streamChunk(bytes, self) ?? loop.makeFailedFuture(ChannelError.ioOnClosedChannel)
  }

  /// Ends it as a whole.
  func endStream() { finish { $0.endStream(self) } }

  /// Ends it in a way that tells the client that something is missing.
  func abortStream() { finish { $0.abort() } }

  /// An answer whose endpoint never asked what the token may do must not leave: that would be a hole in the access control.
  private func refuse(_ connection: Connection) {
    api.logger.critical("an endpoint answered without asking for its authorisation")
    connection.send(ResponseHead(.internalServerError, .none), UnsafeRawBufferPointer(start: nil, count: 0), self)
  }

  /// The client is gone.
  func cancel() {
    connection = nil
    let query = pending
    let action = onCancel
    pending = nil
    onCancel = nil
    query?.cancel()
    action?()
  }
}
