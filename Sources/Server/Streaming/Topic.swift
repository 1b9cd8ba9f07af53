import NIOCore
import State
import Synchronization

/// One part of the catalog that somebody follows. It looks at the state once per commit that touches it, whoever follows, and
/// hands the difference on.
///
/// Everything happens on `loop`.
final class Topic: @unchecked Sendable {
  // Sendable: what changes is used on `loop` only.

  /// What subscribers on one event loop are told in one go.
  private final class Audience {
    let loop: any EventLoop
    var subscribers: [ObjectIdentifier: Subscription] = [:]
    init(_ loop: any EventLoop) { self.loop = loop }
  }

  let subject: TopicSubject
  let loop: any EventLoop
  private let store: StateStore
  private var content = TopicContent.names([])
  private var buffer = EventBuffer(at: 0)
  private var watch: Watch?
  private var hasLooked = false
  /// The version of the state that was looked at last.
  private var seenVersion: (generation: UInt64, index: UInt64)?
  private var isOver = false
  private var audiences: [ObjectIdentifier: Audience] = [:]
  /// The newest content made ready for those who begin, until it changes.
  private var ready: (updates: [TopicUpdate], frames: [ByteBuffer])?

  init(_ subject: TopicSubject, _ store: StateStore, on loop: any EventLoop) {
    self.subject = subject
    self.store = store
    self.loop = loop
  }

  // MARK: Subscribers

  /// - Parameter seen: the index up to which the subscriber knows everything; 0 for nothing.
  func add(_ subscriber: Subscription, seen: UInt64) {
    guard !isOver else { return }
    look()
    let id = ObjectIdentifier(subscriber.loop)
    let audience = audiences[id] ?? Audience(subscriber.loop)
    audiences[id] = audience
    audience.subscribers[ObjectIdentifier(subscriber)] = subscriber
    let start: Subscription.Start
    if seen > 0, let events = buffer.events(after: seen) {
      start = .resumed(Array(events))
    } else {
      let ready = snapshot()
      start = .snapshot(buffer.index, ready.updates, ready.frames, isUnexpected: seen > 0)
    }
    subscriber.loop.execute { subscriber.begin(start) }
  }

  func remove(_ subscriber: Subscription) {
    let id = ObjectIdentifier(subscriber.loop)
    audiences[id]?.subscribers[ObjectIdentifier(subscriber)] = nil
    if audiences[id]?.subscribers.isEmpty == true { audiences[id] = nil }
  }

  private func snapshot() -> (updates: [TopicUpdate], frames: [ByteBuffer]) {
    if let ready { return ready }
    let updates = content.updates
    let new = (updates, StreamFrames.snapshot(buffer.index, updates))
    ready = new
    return new
  }

  /// Stops following the state.
  func end() {
    isOver = true
    if let watch { store.cancel(watch) }
    watch = nil
  }

  // MARK: The state

  /// Brings the topic up to the current version of the state, and waits for the next that touches it.
  private func look() {
    while !isOver {
      let state = store.current
      let version = (state.generation, state.appliedIndex)
      if watch != nil, let seenVersion, seenVersion == version { return }
      seenVersion = version
      let result = subject.content(state)
      take(result)
      // A watch that has woken, or waits: what changes from here on reaches `woken`.
      if watch != nil { return }
      watch = store.register(result.watch, seen: state) { [weak self] isRestored in
        guard let self else { return }
        loop.execute { self.woken(isRestored: isRestored) }
      }
      if watch != nil { return }
    }
  }

  private func woken(isRestored: Bool) {
    watch = nil
    if isRestored { startAnew() }
    look()
  }

  private func take(_ result: QueryResult<TopicContent>) {
    let index = max(result.index, 1)
    let new = result.value
    guard hasLooked else {
      hasLooked = true
      (content, buffer, ready) = (new, EventBuffer(at: index), nil)
      return
    }
    let updates = new.updates(since: content)
    content = new
    guard let event = PublishedEvent(index, updates) else {
      if index != buffer.index { ready = nil }
      return buffer.advance(to: index)
    }
    ready = nil
    buffer.append(event)
    for audience in audiences.values {
      let subscribers = Array(audience.subscribers.values)
      audience.loop.execute { for subscriber in subscribers { subscriber.publish(event) } }
    }
  }

  /// The whole state was replaced: indexes may have gone back, and nothing that was told before counts.
  private func startAnew() {
    hasLooked = false
    for audience in audiences.values {
      let subscribers = Array(audience.subscribers.values)
      audience.loop.execute { for subscriber in subscribers { subscriber.startAnew() } }
    }
    audiences = [:]
  }
}

/// All topics that are followed, or were a while ago: those who come back find what they missed.
final class EventPublisher: Sendable {
  private struct Entry {
    let topic: Topic
    var subscribers = 0
    var expiry: Scheduled<Void>?
  }

  private struct State {
    var topics: [TopicSubject: Entry] = [:]
    /// Topics without subscribers.
    var idle = 0
  }

  /// How long a topic is kept that nobody follows.
  private static let idleTime = TimeAmount.minutes(5)
  /// How many of those.
  private static let idleMax = 4096

  private let store: StateStore
  private let group: any EventLoopGroup
  private let state = Mutex(State())

  /// - Parameter group: the loops on which topics are looked at.
  init(_ store: StateStore, group: any EventLoopGroup) {
    self.store = store
    self.group = group
  }

  /// How many topics there are.
  var topicCount: Int { state.withLock { $0.topics.count } }

  /// Lets a subscriber follow a topic, until `leave`.
  func enter(_ subscriber: Subscription, _ subject: TopicSubject, seen: UInt64) -> Topic {
    let topic = state.withLock { state in
      var entry = state.topics[subject] ?? Entry(topic: Topic(subject, store, on: group.next()))
      if let expiry = entry.expiry {
        expiry.cancel()
        entry.expiry = nil
        state.idle -= 1
      }
      entry.subscribers += 1
      state.topics[subject] = entry
      return entry.topic
    }
    topic.loop.execute { topic.add(subscriber, seen: seen) }
    return topic
  }

  func leave(_ subscriber: Subscription, _ topic: Topic) {
    topic.loop.execute { topic.remove(subscriber) }
    let isUnwanted = state.withLock { state in
      guard var entry = state.topics[topic.subject], entry.topic === topic else { return false }
      entry.subscribers -= 1
      if entry.subscribers == 0 {
        guard state.idle < Self.idleMax else {
          state.topics[topic.subject] = nil
          return true
        }
        state.idle += 1
        entry.expiry = topic.loop.scheduleTask(in: Self.idleTime) { [weak self] in self?.expire(topic) }
      }
      state.topics[topic.subject] = entry
      return false
    }
    if isUnwanted { topic.loop.execute { topic.end() } }
  }

  private func expire(_ topic: Topic) {
    let isOver = state.withLock { state in
      guard let entry = state.topics[topic.subject], entry.topic === topic, entry.subscribers == 0 else { return false }
      state.topics[topic.subject] = nil
      state.idle -= 1
      return true
    }
    if isOver { topic.end() }
  }
}
