import Model

// User events (wire/gossip.md, section 9): each is delivered once to every member.
extension SerfCore {
  /// The most that `userEventSizeMaximum` may be set to.
  static let userEventSizeCeiling = 9 * 1024

  /// Sends an event to all members, this one included.
  ///
  /// - Throws: `eventTooLarge`.
  mutating func fire(
    _ name: String, _ payload: [UInt8], coalesces: Bool, _ now: GossipInstant
  ) throws(GossipError) {
    let event = UserEventMessage(time: eventClock.time, name: name, payload: Bytes(payload), coalesces: coalesces)
    try Self.check(event, limit: settings.userEventSizeMaximum)
    _ = eventClock.tick()
    _ = heard(event)
    swim.broadcast(event.message(.userEvent), in: .events)
    settle(now)
  }

  /// - Throws: `eventTooLarge`.
  static func check(_ event: UserEventMessage, limit: Int) throws(GossipError) {
    let limit = min(limit, userEventSizeCeiling)
    guard event.name.utf8.count + event.payload.count <= limit else {
      throw .eventTooLarge(limit: limit, afterEncoding: false)
    }
    guard event.message(.userEvent).count <= limit else { throw .eventTooLarge(limit: limit, afterEncoding: true) }
  }

  /// - Returns: whether others should hear it.
  mutating func heard(_ event: UserEventMessage) -> Bool {
    eventClock.witness(event.time)
    guard event.time >= eventMinimum, !isTooOld(event.time, eventClock, events.count), !events.isEmpty else {
      return false
    }
    let index = Int(event.time % UInt64(events.count))
    let buffered = BufferedEvent(name: event.name, payload: event.payload)
    if let slot = events[index], slot.time == event.time {
      guard !slot.events.contains(buffered) else { return false }
      events[index]?.events.append(buffered)
    } else {
      events[index] = EventSlot(time: event.time, events: [buffered])
    }
    deliver(
      .userEvent(
        ReceivedUserEvent(
          lamportTime: event.time, name: event.name, payload: event.payload.bytes, coalesces: event.coalesces)))
    return true
  }

  /// Whether the buffer cannot tell any more if a message of that time was heard before.
  func isTooOld(_ time: UInt64, _ clock: LamportClock, _ count: Int) -> Bool {
    let count = UInt64(count)
    return clock.time > count && time < clock.time - count
  }
}
