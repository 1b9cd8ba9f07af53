import AccessControl
import GRPC
import NIOCore
import State

/// One subscriber: what it may see of a topic, and what it has not taken yet.
///
/// Everything happens on `loop`, that of its connection.
final class Subscription: GRPCCallHandler, @unchecked Sendable {
  // Sendable: what changes is used on `loop` only.

  /// What a subscriber is told first.
  enum Start: Sendable {
    case resumed([PublishedEvent])
    /// Everything; `isUnexpected` where the subscriber asked for what follows something that nobody knows any more.
    case snapshot(UInt64, [TopicUpdate], [ByteBuffer], isUnexpected: Bool)
  }

  /// Whose rights count, and what they were at the beginning.
  struct Rights: Sendable {
    let authorizer: any Authorizer
    let audience: QueryAudience
    /// Who has no token is not told that there is more.
    let isAnonymous: Bool
  }

  /// Bytes of events that may wait for a subscriber. Beyond, it has to begin anew.
  private static let waitingBytesMax = 8 << 20

  static let reset = GRPCStatus(
    .aborted, "the subscription is over: what is known must be forgotten before the next")

  let loop: any EventLoop
  private let call: GRPCServerCall
  private let publisher: EventPublisher
  private let store: StateStore
  private let rights: Rights?
  private var topic: Topic?
  private var hasBegun = false
  private var waiting = CircularBuffer<ByteBuffer>()
  /// Bytes of events in `waiting`; what belongs to the beginning does not count.
  private var waitingBytes = 0
  private var watch: Watch?
  private var expiry: Scheduled<Void>?

  /// - Parameter rights: nil where everything may be seen.
  init(_ call: GRPCServerCall, _ publisher: EventPublisher, _ store: StateStore, _ rights: Rights?) {
    self.call = call
    self.publisher = publisher
    self.store = store
    self.rights = rights
    loop = call.loop
  }

  /// - Parameter seen: the index up to which the subscriber knows everything.
  func start(_ subject: TopicSubject, seen: UInt64) {
    ServerMetrics.streams.add(1)
    topic = publisher.enter(self, subject, seen: seen)
    watchRights()
    if let nanoseconds = rights?.audience.lifetime() {
      expiry = loop.scheduleTask(in: .nanoseconds(max(nanoseconds, 0))) { [weak self] in self?.finish(Self.reset) }
    }
  }

  // MARK: Rights

  /// Waits for a change of what tokens may do.
  private func watchRights() {
    guard let rights, call.isOpen else { return }
    while true {
      let state = store.current
      guard !rights.audience.hasChanged() else { return finish(Self.reset) }
      watch = store.register(StateSnapshot.accessWatch, seen: state) { [weak self] _ in
        guard let self else { return }
        loop.execute { self.watchRights() }
      }
      if watch != nil { return }
    }
  }

  private func frame(_ event: PublishedEvent) -> ByteBuffer? {
    guard let rights, !rights.authorizer.isUnlimited else { return event.frame }
    let visible = visible(event.updates)
    if visible.count == event.updates.count { return event.frame }
    return StreamFrames.live(event.index, visible, isFiltered: !rights.isAnonymous)
  }

  private func visible(_ updates: [TopicUpdate]) -> [TopicUpdate] {
    guard let rights, !rights.authorizer.isUnlimited else { return updates }
    return updates.filter { update in update.permissions.allSatisfy { rights.authorizer.allows($0) } }
  }

  // MARK: Events

  func begin(_ start: Start) {
    guard call.isOpen, !hasBegun else { return }
    hasBegun = true
    call.sendHead()
    switch start {
    case .resumed(let events): for event in events { if let frame = frame(event) { send(frame) } }
    case .snapshot(let index, let updates, let frames, let isUnexpected):
      if isUnexpected { send(StreamFrames.newSnapshot) }
      let visible = visible(updates)
      let isFiltered = rights.map { !$0.isAnonymous } ?? false
      let own =
        visible.count == updates.count ? frames : StreamFrames.snapshot(index, visible, isFiltered: isFiltered)
      for frame in own { send(frame) }
    }
  }

  func publish(_ event: PublishedEvent) {
    guard call.isOpen, hasBegun else { return }
    if rights?.audience.hasChanged() == true { return finish(Self.reset) }
    guard let frame = frame(event) else { return }
    if send(frame) { return }
    waitingBytes += frame.readableBytes
    if waitingBytes > Self.waitingBytesMax { finish(Self.reset) }
  }

  func startAnew() { finish(Self.reset) }

  /// Sends, or keeps for later; whether it was sent.
  @discardableResult
  private func send(_ frame: ByteBuffer) -> Bool {
    guard waiting.isEmpty, call.isWritable else {
      waiting.append(frame)
      return false
    }
    call.send(frame)
    return true
  }

  func becameWritable() {
    while call.isWritable, let frame = waiting.popFirst() { call.send(frame) }
    if waiting.isEmpty { waitingBytes = 0 }
  }

  // MARK: End

  private func finish(_ status: GRPCStatus) {
    call.finish(status)
    ended()
  }

  func received(_ message: ByteBuffer) {}

  func ended() {
    waiting = CircularBuffer()
    expiry?.cancel()
    if let watch { store.cancel(watch) }
    watch = nil
    let topic = topic
    self.topic = nil
    guard let topic else { return }
    ServerMetrics.streams.add(-1)
    publisher.leave(self, topic)
  }
}
