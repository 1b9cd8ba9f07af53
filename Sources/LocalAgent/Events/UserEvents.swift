import Logging
import Model
import Synchronization
import Wire

/// Takes user events to all agents of the datacenter, this one included: gossip. What arrives is handed to
/// `UserEvents.receive`.
public protocol UserEventCarrier: Sendable {
  /// - Throws: `UserEventError.notSent`.
  func send(name: String, payload: [UInt8]) throws(UserEventError)
}

/// The user events that were meant for this agent: the newest ones, and who waits for the next.
public final class UserEvents: Sendable {
  private struct State {
    var ring = UserEventRing()
    var carrier: any UserEventCarrier
    var audience: @Sendable () -> UserEventAudience = { UserEventAudience() }
    /// Who takes events of a name that are not for users.
    var handlers: [String: @Sendable (UserEvent) -> Void] = [:]
    var observers: [UInt64: @Sendable () -> Void] = [:]
    var lastObserver: UInt64 = 0
  }

  private let state: Mutex<State>
  private let logger: Logger

  init(logger: Logger) {
    self.logger = logger
    let loopback = LoopbackCarrier()
    state = Mutex(State(carrier: loopback))
    loopback.connect(self)
  }

  /// Says what the filters of events look at; asked for each.
  func setAudience(_ audience: @escaping @Sendable () -> UserEventAudience) {
    state.withLock { $0.audience = audience }
  }

  /// Exchanges how events travel; without, they reach only this agent.
  public func setCarrier(_ carrier: any UserEventCarrier) { state.withLock { $0.carrier = carrier } }

  /// Hands events of this name to `handler` alone: they are no news for users.
  public func handle(_ name: String, _ handler: @escaping @Sendable (UserEvent) -> Void) {
    state.withLock { $0.handlers[name] = handler }
  }

  // MARK: Sending

  /// Sends an event and returns it with its id.
  ///
  /// - Throws: `UserEventError` for filters that make no sense and events that are too large.
  public func fire(_ event: UserEvent) throws(UserEventError) -> UserEvent {
    let (event, payload) = try Self.prepare(event)
    let carrier = state.withLock { $0.carrier }
    try carrier.send(name: UserEventPayload.name(of: event), payload: payload)
    return event
  }

  /// Gives an event its id, and its form in gossip.
  ///
  /// - Throws: `UserEventError` for filters that make no sense.
  public static func prepare(_ event: UserEvent) throws(UserEventError) -> (event: UserEvent, payload: [UInt8]) {
    _ = try UserEventFilter(event)
    var event = event
    event.id = Identifier.random()
    event.version = 1
    return (event, UserEventPayload.encode(event))
  }

  // MARK: Receiving

  /// Takes an event that arrived, if it is one of ours and meant for this agent.
  public func receive(name: String, payload: [UInt8], lamportTime: UInt64) {
    guard name.hasPrefix(UserEventPayload.prefix) else { return }
    do {
      var event = try UserEventPayload.decode(payload)
      event.lamportTime = lamportTime
      guard try UserEventFilter(event).admits(state.withLock { $0.audience }()) else {
        logger.debug("an event is for others", metadata: ["event": "\(event.name)"])
        return
      }
      if let handler = state.withLock({ $0.handlers[event.name] }) { handler(event) } else { add(event) }
    } catch {
      logger.error("an event cannot be read", metadata: ["name": "\(name)", "error": "\(error)"])
    }
  }

  private func add(_ event: UserEvent) {
    logger.debug("an event arrived", metadata: ["event": "\(event.name)", "id": "\(event.id)"])
    let observers = state.withLock { state in
      state.ring.add(event)
      return Array(state.observers.values)
    }
    for observer in observers { observer() }
  }

  // MARK: Reading

  /// The newest events, the oldest first.
  public var all: [UserEvent] { state.withLock { $0.ring.events } }

  /// Calls `wake` after every event that arrives from now on, on any thread, until `removeObserver`.
  public func observe(_ wake: @escaping @Sendable () -> Void) -> UInt64 {
    state.withLock { state in
      state.lastObserver &+= 1
      state.observers[state.lastObserver] = wake
      return state.lastObserver
    }
  }

  public func removeObserver(_ observer: UInt64) { state.withLock { _ = $0.observers.removeValue(forKey: observer) } }
}

/// The newest events in the order of their arrival.
struct UserEventRing {
  static let capacity = 256

  private var slots: [UserEvent] = []
  /// Where the oldest event is once the ring is full.
  private var start = 0

  mutating func add(_ event: UserEvent) {
    if slots.count < Self.capacity {
      slots.append(event)
    } else {
      slots[start] = event
      start = (start + 1) % Self.capacity
    }
  }

  var events: [UserEvent] { Array(slots[start...] + slots[..<start]) }
}

/// Carries events to their sender only: an agent that knows no others.
private final class LoopbackCarrier: UserEventCarrier, Sendable {
  private struct State {
    weak var events: UserEvents?
    /// The Lamport clock of events. The first time belongs to the announcement of a leader.
    var clock: UInt64 = 2
  }
  private let state = Mutex(State())

  func connect(_ events: UserEvents) { state.withLock { $0.events = events } }

  func send(name: String, payload: [UInt8]) throws(UserEventError) {
    let (events, time) = state.withLock { ($0.events, $0.clock) }
    if let problem = SerfEventSize.problem(name: name, payload: payload, lamportTime: time) { throw .notSent(problem) }
    state.withLock { $0.clock &+= 1 }
    events?.receive(name: name, payload: payload, lamportTime: time)
  }
}
