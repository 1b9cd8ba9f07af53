/// What is to happen when, the earliest first; of the same time, in the order of scheduling. Nothing is ever cancelled:
/// who takes a timer out looks whether it still means something.
struct TimerQueue<Timer: Sendable>: Sendable {
  private struct Entry: Sendable {
    var deadline: GossipInstant
    var order: UInt64
    var timer: Timer

    func precedes(_ other: Entry) -> Bool {
      deadline == other.deadline ? order < other.order : deadline < other.deadline
    }
  }

  /// A binary heap.
  private var entries: [Entry] = []
  private var scheduled: UInt64 = 0

  var next: GossipInstant? { entries.first?.deadline }

  mutating func schedule(_ timer: Timer, at deadline: GossipInstant) {
    scheduled &+= 1
    entries.append(Entry(deadline: deadline, order: scheduled, timer: timer))
    var child = entries.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard entries[child].precedes(entries[parent]) else { return }
      entries.swapAt(child, parent)
      child = parent
    }
  }

  /// Takes out one timer whose time has come.
  mutating func pop(_ now: GossipInstant) -> Timer? {
    guard let first = entries.first, first.deadline <= now else { return nil }
    entries.swapAt(0, entries.count - 1)
    entries.removeLast()
    var parent = 0
    while true {
      var smallest = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < entries.count && entries[child].precedes(entries[smallest]) {
        smallest = child
      }
      if smallest == parent { return first.timer }
      entries.swapAt(parent, smallest)
      parent = smallest
    }
  }
}
