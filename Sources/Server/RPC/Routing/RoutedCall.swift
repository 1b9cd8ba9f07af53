import NIOCore

/// A request on its way to the server that carries it out. While there is no leader, or the one that was asked is none, it is
/// held and tried again, until it was carried out or its time is over.
final class RoutedCall<Value: Sendable>: PendingQuery, @unchecked Sendable {
  // Sendable: everything that changes is used on `loop` only.

  typealias Completion = @Sendable (Result<Value, RouteError>) -> Void
  typealias Here = @Sendable (@escaping @Sendable (Result<Value, ServerError>) -> Void) -> (any PendingQuery)?
  typealias There =
    @Sendable (
      String, @escaping @Sendable (Result<Value, RPCError>) -> Void
    ) -> (any PendingQuery)?

  /// How often a request that is held looks whether there is a leader now. Looking costs a lock.
  private static var pollInterval: TimeAmount { .milliseconds(5) }

  private let wish: Wish
  private let backend: ClusterBackend
  private let loop: any EventLoop
  private let here: Here
  private let there: There
  private var completion: Completion?
  private let deadline: NIODeadline
  /// The pause before a server that failed is asked again; doubles, up to the time that requests are held.
  private var pause: TimeAmount
  /// The servers that failed, and when each may be asked again: a client that knows several goes from one to the next.
  private var failed: [(destination: Destination, until: NIODeadline)] = []
  /// Servers of another datacenter that have been asked.
  private var tried: Set<String> = []
  private var current: (any PendingQuery)?
  private var attempt = 0
  private var timer: Scheduled<Void>?

  init(
    _ wish: Wish, _ backend: ClusterBackend, on loop: any EventLoop, _ completion: @escaping Completion,
    here: @escaping Here, there: @escaping There
  ) {
    self.wish = wish
    self.backend = backend
    self.loop = loop
    self.completion = completion
    self.here = here
    self.there = there
    pause = .nanoseconds(backend.holdTimeout.nanoseconds / 16)
    deadline = .now() + backend.holdTimeout + (wish.blockingTime ?? .zero)
  }

  func start() {
    if loop.inEventLoop { tryNow() } else { loop.execute { self.tryNow() } }
  }

  /// Goes on after a first attempt failed that was made without this object.
  func goOn(after error: RouteError, at destination: Destination) {
    if loop.inEventLoop {
      concluded(.failure(error), at: destination, attempt: attempt)
    } else {
      loop.execute { self.concluded(.failure(error), at: destination, attempt: self.attempt) }
    }
  }

  private func tryNow() {
    guard completion != nil else { return }
    timer = nil
    let destination = backend.destination(of: wish, tried: tried)
    let now = NIODeadline.now()
    failed.removeAll { $0.until <= now }
    if failed.contains(where: { $0.destination == destination }) { return waitABit() }
    switch destination {
    case .refused(let error): finish(.failure(.here(error)))
    case .nowhere(let error):
      if wish.mayBeHeld, now < deadline { waitABit() } else { finish(.failure(.here(error))) }
    case .here:
      attempt += 1
      let attempt = attempt
      let waiting = here { [self] in concluded($0.mapError { .here($0) }, at: destination, attempt: attempt) }
      remember(waiting, of: attempt)
    case .server(let address):
      attempt += 1
      let attempt = attempt
      let waiting = there(address) { [self] in
        concluded($0.mapError { .there($0) }, at: destination, attempt: attempt)
      }
      remember(waiting, of: attempt)
    }
  }

  private func remember(_ waiting: (any PendingQuery)?, of attempt: Int) {
    // The attempt may be over already.
    if completion != nil, self.attempt == attempt, timer == nil { current = waiting }
  }

  private func waitABit() {
    // The task holds the call: who waits for the answer may hold nothing of it but the completion.
    timer = loop.scheduleTask(in: Self.pollInterval) { self.tryNow() }
  }

  private func concluded(_ result: Result<Value, RouteError>, at destination: Destination, attempt: Int) {
    guard completion != nil, attempt == self.attempt else { return }
    current = nil
    guard case .failure(let error) = result else { return finish(result) }
    backend.noteFailure(error, at: destination)
    if backend.goesElsewhere(wish) { return tryNext(after: error, at: destination) }
    guard wish.mayBeHeld else { return tryAnother(after: error, at: destination) }
    let now = NIODeadline.now()
    guard error.allowsRetry(of: wish, byClient: backend.server == nil), now < deadline else { return finish(result) }
    let jitter = TimeAmount.nanoseconds(.random(in: pause.nanoseconds / 2...pause.nanoseconds))
    failed.append((destination, min(now + jitter, deadline)))
    pause = min(pause + pause, backend.holdTimeout)
    waitABit()
  }

  /// Each server is asked once.
  private func tryAnother(after error: RouteError, at destination: Destination) {
    failed.append((destination, .distantFuture))
    let next = backend.destination(of: wish, tried: tried)
    guard
      error.isOfConnection(for: wish), case .server = next, !failed.contains(where: { $0.destination == next })
    else { return finish(.failure(error)) }
    tryNow()
  }

  /// Another datacenter gets no second chance but that of another server, which is asked at once.
  private func tryNext(after error: RouteError, at destination: Destination) {
    if case .server(let address) = destination { tried.insert(address) }
    guard error.isOfConnection(for: wish), case .server = backend.destination(of: wish, tried: tried) else {
      return finish(.failure(error))
    }
    tryNow()
  }

  private func finish(_ result: Result<Value, RouteError>) {
    let completion = completion
    stop()
    completion?(result)
  }

  private func stop() {
    completion = nil
    timer?.cancel()
    timer = nil
    current = nil
  }

  func cancel() {
    if loop.inEventLoop { cancelNow() } else { loop.execute { self.cancelNow() } }
  }

  private func cancelNow() {
    let current = current
    stop()
    current?.cancel()
  }
}
