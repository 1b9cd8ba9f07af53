import NIOCore

/// The changes of one commit, made ready once for all who may see all of them.
final class PublishedEvent: Sendable {
  let index: UInt64
  let updates: [TopicUpdate]
  let frame: ByteBuffer

  init?(_ index: UInt64, _ updates: [TopicUpdate]) {
    guard let frame = StreamFrames.live(index, updates) else { return nil }
    self.index = index
    self.updates = updates
    self.frame = frame
  }
}

/// The last events of a topic, for those who come back. A value: it knows neither time nor readers.
struct EventBuffer: Sendable {
  /// Events and bytes that are kept.
  private let limit: (count: Int, bytes: Int)
  /// What was true before the first event that is kept.
  private var base: UInt64
  private var events: [PublishedEvent] = []
  private var bytes = 0
  /// The newest index: of an event, or of a version in which nothing of the topic was different.
  private(set) var index: UInt64

  init(at index: UInt64, count: Int = 256, bytes: Int = 1 << 20) {
    limit = (count, bytes)
    base = index
    self.index = index
  }

  mutating func append(_ event: PublishedEvent) {
    events.append(event)
    bytes += event.frame.readableBytes
    index = max(index, event.index)
    while events.count > limit.count || bytes > limit.bytes, let first = events.first {
      base = first.index
      bytes -= first.frame.readableBytes
      events.removeFirst()
    }
  }

  /// Nothing has changed up to this index.
  mutating func advance(to index: UInt64) { self.index = max(self.index, index) }

  /// What somebody has to be told who knows everything up to `seen`; nil where that cannot be said any more.
  func events(after seen: UInt64) -> ArraySlice<PublishedEvent>? {
    guard seen >= base, seen <= index else { return nil }
    let place = events.firstIndex { $0.index > seen } ?? events.endIndex
    return events[place...]
  }
}
