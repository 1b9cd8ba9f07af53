import GRPC
import Model
import NIOCore
import State
import Synchronization

/// One service that is followed: subscribes, keeps the view current, tells those who wait, and subscribes again when a
/// stream ends, at another server if one failed.
final class FollowedService: GRPCResponses, Sendable {
  private struct State {
    var view = HealthView()
    var readers: [ObjectIdentifier: ViewReader] = [:]
    var usedAt = NIODeadline.now()
    /// Since when no stream keeps the view current; nil while one does.
    var lostAt: NIODeadline? = .now()
    var phase = Phase.resting
    var failures = 0
  }

  private enum Phase {
    /// Nothing is under way.
    case resting
    /// Until a stream is asked for again.
    case pausing(Scheduled<Void>)
    case connecting(address: String)
    case streaming(GRPCClientCall, address: String)
    case over
  }

  let key: HealthViews.Key
  private let views: HealthViews
  /// Where it reconnects and looks whether anybody still asks.
  private let loop: any EventLoop
  private let state = Mutex(State())

  init(_ key: HealthViews.Key, _ views: HealthViews, on loop: any EventLoop) {
    self.key = key
    self.views = views
    self.loop = loop
    loop.execute { self.checkUseLater() }
  }

  // MARK: Readers

  /// What there is to show, if it is newer than `minIndex`.
  func found(after minIndex: UInt64) -> FoundView? {
    let now = NIODeadline.now()
    return state.withLock { state in
      state.usedAt = now
      guard state.view.isComplete, state.view.index > minIndex else { return nil }
      let lost = state.lostAt.map { UInt64(clamping: max((now - $0).nanoseconds, 0) / 1_000_000_000) }
      return FoundView(state.view, age: lost ?? 0)
    }
  }

  /// Lets a reader wait, and asks for a stream where none is under way.
  func wait(_ reader: ViewReader) {
    enum Step { case wait, subscribe, answer(FoundView), goElsewhere }
    let step: Step = state.withLock { state in
      if case .over = state.phase { return .goElsewhere }
      // What came meanwhile counts, too.
      if state.view.isComplete, state.view.index > reader.minIndex {
        return .answer(FoundView(state.view))
      }
      state.readers[ObjectIdentifier(reader)] = reader
      switch state.phase {
      case .resting: return .subscribe
      case .pausing(let pause) where !state.view.isComplete:
        // Who has nothing at all does not wait until a pause after failures is over.
        pause.cancel()
        state.phase = .resting
        return .subscribe
      default: return .wait
      }
    }
    switch step {
    case .wait: break
    case .subscribe: loop.execute { self.subscribe() }
    case .answer(let found): reader.loop.execute { reader.finish(.success(found)) }
    case .goElsewhere: reader.loop.execute { reader.goElsewhere() }
    }
  }

  func forget(_ reader: ViewReader) {
    state.withLock { _ = $0.readers.removeValue(forKey: ObjectIdentifier(reader)) }
  }

  /// Runs `body` for each reader, once per event loop.
  private static func tell(_ readers: [ViewReader], _ body: @escaping @Sendable (ViewReader) -> Void) {
    for group in Dictionary(grouping: readers, by: { ObjectIdentifier($0.loop) }).values {
      group.first?.loop.execute { for reader in group { body(reader) } }
    }
  }

  private static func takeReaders(
    _ state: inout State, _ condition: (ViewReader) -> Bool = { _ in true }
  ) -> [ViewReader] {
    let chosen = state.readers.values.filter(condition)
    for reader in chosen { state.readers[ObjectIdentifier(reader)] = nil }
    return chosen
  }

  // MARK: The stream

  private func subscribe() {
    guard let address = views.servers.first else {
      return failed(GRPCStatus(.unavailable, ServerError.noServers.description), error: .noServers, at: nil)
    }
    let begins = state.withLock { state in
      guard case .resting = state.phase else { return false }
      state.phase = .connecting(address: address)
      return true
    }
    guard begins else { return }
    views.connections.connection(to: address) { [self] result in
      switch result {
      case .success(let connection): connection.loop.execute { self.subscribe(on: connection, address) }
      case .failure(let status): loop.execute { self.failed(status, at: address) }
      }
    }
  }

  /// On the loop of the connection, so that nothing arrives before this is done.
  private func subscribe(on connection: GRPCConnection, _ address: String) {
    let seen: UInt64? = state.withLock { state -> UInt64? in
      guard case .connecting = state.phase else { return nil }
      state.view.subscribed()
      return state.view.resumeIndex
    }
    guard let seen else { return }
    let call = connection.call(SubscribeService.path, request(seen: seen), self)
    let isOver = state.withLock { state in
      switch state.phase {
      case .connecting:
        state.phase = .streaming(call, address: address)
        return false
      case .over: return true
      // It has failed at once.
      default: return false
      }
    }
    if isOver { call.cancel() }
  }

  private func request(seen: UInt64) -> [UInt8] {
    var request = SubscribeRequest()
    request.topic = (key.connect ? StreamTopic.serviceHealthConnect : .serviceHealth).rawValue
    request.token = key.token
    request.index = seen
    request.datacenter = key.datacenter
    var subject = NamedSubject()
    subject.key = key.service
    request.namedSubject = subject
    return request.protobuf()
  }

  func begun() { state.withLock { $0.lostAt = nil } }

  func received(_ message: ByteBuffer) {
    let event: StreamEvent
    do throws(ProtobufError) {
      event = try StreamEvent(message)
    } catch {
      let call = state.withLock { state in
        state.view.startAnew()
        if case .streaming(let call, _) = state.phase { return call as GRPCClientCall? }
        return nil
      }
      call?.cancel()
      return ended(GRPCStatus(.internal, "grpc: error unmarshalling response: \(error)"))
    }
    let (readers, found) = state.withLock { state in
      let before = state.view.index
      guard state.view.receive(event) else { return ([ViewReader](), FoundView(instances: [], index: 0)) }
      state.failures = 0
      state.lostAt = nil
      let index = state.view.index
      // A restored state may have a lower index than before. Then everybody gets it.
      let readers = Self.takeReaders(&state) { index > $0.minIndex || index < before }
      return (readers, FoundView(state.view))
    }
    if !readers.isEmpty { Self.tell(readers) { $0.finish(.success(found)) } }
  }

  func ended(_ status: GRPCStatus) {
    loop.execute { [self] in
      let address: String? = state.withLock { state in
        switch state.phase {
        case .streaming(_, let address), .connecting(let address): return address
        default: return nil
        }
      }
      failed(status, at: address)
    }
  }

  private func failed(_ status: GRPCStatus, error: ServerError? = nil, at address: String?) {
    switch status.code {
    case .unimplemented:
      views.refused()
      return end { $0.goElsewhere() }
    case .unavailable, .unknown, .internal, .deadlineExceeded:
      if let address { views.servers.failed(address) }
    default: break
    }
    let error = error ?? ServerError(status)
    let readers: [ViewReader] = state.withLock { state in
      if case .over = state.phase { return [] }
      switch status.code {
      case .aborted: state.view.startAnew()
      case .permissionDenied, .unauthenticated: state.view.clear()
      default: break
      }
      if state.lostAt == nil { state.lostAt = .now() }
      state.failures += 1
      let pause = loop.scheduleTask(in: pause(after: state.failures)) { [weak self] () -> Void in
        self?.resume()
      }
      state.phase = .pausing(pause)
      // Those who follow something that is there go on waiting for news; what has to begin anew does so soon.
      return state.view.isComplete || status.code == .aborted ? [] : Self.takeReaders(&state)
    }
    if !readers.isEmpty { Self.tell(readers) { $0.finish(.failure(error)) } }
  }

  private func resume() {
    let isDue = state.withLock { state in
      guard case .pausing = state.phase else { return false }
      state.phase = .resting
      return true
    }
    if isDue { subscribe() }
  }

  /// Between once and twice the first pause, doubled with every failure.
  private func pause(after failures: Int) -> TimeAmount {
    let first = views.settings.firstPause.nanoseconds
    let pause = Int64.random(in: first...first * 2) << Int64(min(failures - 1, 20))
    return .nanoseconds(max(min(pause, views.settings.longestPause.nanoseconds), first))
  }

  // MARK: End

  private func checkUseLater() {
    loop.scheduleTask(in: views.settings.idleTime) { [weak self] in self?.checkUse() }
  }

  private func checkUse() {
    let now = NIODeadline.now()
    let isUsed = state.withLock { state in
      if !state.readers.isEmpty { state.usedAt = now }
      return now - state.usedAt < views.settings.idleTime
    }
    if isUsed { checkUseLater() } else { end() }
  }

  /// Ends the stream. Those who wait get `last`.
  func end(_ last: @escaping @Sendable (ViewReader) -> Void = { $0.finish(.failure(.shuttingDown)) }) {
    views.forget(self)
    let (phase, readers) = state.withLock { state in
      defer { state.phase = .over }
      return (state.phase, Self.takeReaders(&state))
    }
    switch phase {
    case .pausing(let pause): pause.cancel()
    case .streaming(let call, _): call.cancel()
    case .resting, .connecting, .over: break
    }
    if !readers.isEmpty { Self.tell(readers, last) }
  }
}

extension ServerError {
  /// What the end of a stream means for those who wait for its first answer.
  init(_ status: GRPCStatus) {
    switch status.code {
    case .unavailable where status.message == ServerError.noLeader.description: self = .noLeader
    case .permissionDenied, .unauthenticated, .resourceExhausted: self = ServerError(RPCError.remote(status.message))
    default: self = .rejected(status.description)
    }
  }
}
