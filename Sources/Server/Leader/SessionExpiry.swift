import HeapModule
import Model

/// When sessions end for lack of renewal. A pure core: time is passed in.
///
/// The leader gives every session twice its TTL, so that a client that renews in time is never cut off by a slow network
/// or a change of leaders (Consul documentation, "Session TTL").
struct SessionExpiry {
  private struct Entry: Comparable {
    let deadline: UInt64
    let id: String
    static func < (a: Entry, b: Entry) -> Bool { (a.deadline, a.id) < (b.deadline, b.id) }
  }

  /// The deadline in effect of each session, in nanoseconds of the monotonic clock.
  private var deadlines: [String: UInt64] = [:]
  /// May hold entries that `deadlines` has overtaken; they are dropped when they come up.
  private var queue = Heap<Entry>()

  var isEmpty: Bool { deadlines.isEmpty }
  var count: Int { deadlines.count }

  /// Starts, or starts anew, the time of a session. A TTL of zero never ends.
  mutating func arm(_ id: String, ttl: GoDuration, now: UInt64) {
    guard ttl.nanoseconds > 0 else { return }
    let (span, overflow) = UInt64(ttl.nanoseconds).multipliedReportingOverflow(by: 2)
    let deadline = now.addingReportingOverflow(overflow ? .max : span)
    let entry = Entry(deadline: deadline.overflow ? .max : deadline.partialValue, id: id)
    deadlines[id] = entry.deadline
    queue.insert(entry)
    if queue.count > 64, queue.count > 4 * deadlines.count { rebuild() }
  }

  mutating func disarm(_ id: String) { deadlines[id] = nil }

  mutating func removeAll() {
    deadlines = [:]
    queue = Heap()
  }

  /// The next time at which a session may have ended.
  mutating func nextDeadline() -> UInt64? {
    dropOvertaken()
    return queue.min?.deadline
  }

  /// Removes and returns the sessions whose time is over.
  mutating func expired(now: UInt64) -> [String] {
    var ended: [String] = []
    dropOvertaken()
    while let first = queue.min, first.deadline <= now {
      queue.removeMin()
      deadlines[first.id] = nil
      ended.append(first.id)
      dropOvertaken()
    }
    return ended
  }

  private mutating func dropOvertaken() {
    while let first = queue.min, deadlines[first.id] != first.deadline { queue.removeMin() }
  }

  private mutating func rebuild() {
    queue = Heap(deadlines.map { Entry(deadline: $0.value, id: $0.key) })
  }
}
