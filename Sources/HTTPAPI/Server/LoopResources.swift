import Model
import NIOCore

/// What all connections of one event loop share: memory to write answers into, and the list of connections.
final class LoopResources: @unchecked Sendable {
  // Sendable so that a server can hold one per loop: everything here is used on `loop` only.

  /// Memory that a large answer made grow is given back above this.
  private static let keptCapacity = 256 * 1024

  let loop: any EventLoop
  var json = JSONWriter(capacity: 8 * 1024)
  var layout = PrettyPrinter()
  var head = ByteWriter(capacity: 1024)
  private var answers = AnswerMemo()
  private var answersTurn: Scheduled<Void>?
  private var date = HTTPDate()
  private var connections: [ObjectIdentifier: Connection] = [:]
  /// Connections that owe us something, which must come in time.
  private var receiving: [ObjectIdentifier: Connection] = [:]
  private var sweeper: RepeatedTask?
  private var sweeps: UInt64 = 0
  private var whenEmpty: EventLoopPromise<Void>?

  /// How often incomplete requests are looked at.
  static let sweepInterval = TimeAmount.seconds(10)
  /// Sweeps that an incomplete request may see without progress.
  static let patience: UInt64 = 6

  init(loop: any EventLoop) { self.loop = loop }

  /// The value of the `Date` header.
  var dateText: [UInt8] {
    date.refresh()
    return date.text
  }

  func add(_ connection: Connection) { connections[ObjectIdentifier(connection)] = connection }

  func remove(_ connection: Connection) {
    connections.removeValue(forKey: ObjectIdentifier(connection))
    settled(connection)
    if connections.isEmpty {
      whenEmpty?.succeed()
      whenEmpty = nil
    }
  }

  /// Notes that a connection waits for the rest of a request, or for its client to close.
  func waits(_ connection: Connection) {
    connection.lastProgress = sweeps
    receiving[ObjectIdentifier(connection)] = connection
    guard sweeper == nil else { return }
    sweeper = loop.scheduleRepeatedTask(initialDelay: Self.sweepInterval, delay: Self.sweepInterval) { [weak self] _ in
      self?.sweep()
    }
  }

  func settled(_ connection: Connection) { receiving.removeValue(forKey: ObjectIdentifier(connection)) }

  func sweep() {
    sweeps += 1
    for connection in Array(receiving.values) where sweeps - connection.lastProgress > Self.patience {
      connection.timedOut()
    }
    if receiving.isEmpty {
      sweeper?.cancel()
      sweeper = nil
    }
  }

  /// Gives back the memory of an unusually large answer.
  func trim(after bytes: Int) {
    guard bytes > Self.keptCapacity else { return }
    json = JSONWriter(capacity: 8 * 1024)
    layout = PrettyPrinter()
  }

  // MARK: answers

  /// The body of an answer that shows `rows`: the one sent before, or what `encode` makes.
  func body<Rows: AnswerRows>(
    _ form: AnswerForm, _ rows: Rows, _ encode: (inout JSONWriter) -> Void
  ) -> AnswerMemo.Body {
    let key = AnswerMemo.Key(form, rows)
    if let known = answers.find(key) { return known }
    json.clear()
    encode(&json)
    let body = body(form)
    answers.keep(body, key, rows)
    if answersTurn == nil { scheduleTurn() }
    return body
  }

  /// What `json` holds, laid out and packed as the client wants it.
  private func body(_ form: AnswerForm) -> AnswerMemo.Body {
    if form.isPretty { layout.layOut(json.bytes) }
    let bytes = form.isPretty ? layout.bytes : json.bytes
    defer { trim(after: bytes.count) }
    if form.acceptsGzip, bytes.count >= Gzip.threshold, let packed = Gzip.compress(bytes) {
      return AnswerMemo.Body(bytes: ByteBuffer(bytes: packed), isCompressed: true)
    }
    return AnswerMemo.Body(bytes: ByteBuffer(bytes: bytes), isCompressed: false)
  }

  /// While answers are held, looks now and then whether anybody still asks for them.
  private func scheduleTurn() {
    answersTurn = loop.scheduleTask(in: Self.sweepInterval) { [weak self] in
      guard let self else { return }
      answersTurn = nil
      answers.turn()
      if !answers.isEmpty { scheduleTurn() }
    }
  }

  /// Asks all connections to close as soon as they have answered.
  func close() -> EventLoopFuture<Void> {
    let promise = loop.makePromise(of: Void.self)
    if connections.isEmpty {
      promise.succeed()
      return promise.futureResult
    }
    whenEmpty = promise
    for connection in Array(connections.values) { connection.finishUp() }
    return promise.futureResult
  }

  /// Closes what is still open.
  func closeNow() {
    for connection in Array(connections.values) { connection.abort() }
  }
}
