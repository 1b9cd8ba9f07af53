/// Whether what clients saw of a key can be explained by a register that does one thing at a time.
///
/// The search is Wing and Gong's ("Testing and Verifying Concurrent Objects", 1993) with Lowe's memory of configurations that
/// led nowhere ("Testing for Linearizability", 2017).
struct RegisterOperation {
  enum Kind {
    case read
    /// `value` 0 deletes.
    case write
    case compareAndSet(expected: Int)
  }

  var client: Int
  var kind: Kind
  var invoked: UInt64
  /// The highest number if no answer came: it may take effect at any later time, or never.
  var returned = UInt64.max
  /// What is written. 0 is an absent key; no other value is written twice.
  var value = 0
  /// What a read saw, or 1 for a comparison that did it and 0 for one that did not; nil without an answer.
  var result: Int?

  /// The state afterwards; nil if the answer does not fit `state`.
  func after(_ state: Int) -> Int? {
    switch kind {
    case .read: result == nil || result == state ? state : nil
    case .write: value
    case .compareAndSet(let expected):
      result == nil || (result == 1) == (state == expected) ? (state == expected ? value : state) : nil
    }
  }
}

extension RegisterOperation: CustomStringConvertible {
  var description: String {
    let end = returned == .max ? "no answer" : "\(returned / 1000)"
    return "\(invoked / 1000) … \(end) us, client \(client): \(kind) \(value) -> \(result.map { "\($0)" } ?? "?")"
  }
}

struct LinearizabilityChecker {
  /// The beginning or the end of an operation, in a list that is taken apart and put together again.
  private struct Event {
    var operation: Int
    /// Where its end is; nil for an end.
    var end: Int?
    var before: Int
    var next: Int
  }

  private struct Configuration: Hashable {
    var done: [UInt64]
    var state: Int
  }

  private let operations: [RegisterOperation]
  private var events: [Event] = []

  static func isLinearizable(_ operations: [RegisterOperation], initial: Int = 0) -> Bool {
    var checker = LinearizabilityChecker(operations)
    return checker.search(initial)
  }

  private init(_ operations: [RegisterOperation]) {
    self.operations = operations
    var order: [(at: UInt64, isEnd: Bool, operation: Int)] = []
    for (number, operation) in operations.enumerated() {
      order.append((operation.invoked, false, number))
      order.append((operation.returned, true, number))
    }
    // What began at the moment of an end overlaps with it.
    order.sort { ($0.at, $0.isEnd ? 1 : 0, $0.operation) < ($1.at, $1.isEnd ? 1 : 0, $1.operation) }
    // The first and the last place belong to no operation.
    events = [Event(operation: -1, end: nil, before: 0, next: 1)]
    var ends: [Int: Int] = [:]
    for (place, entry) in order.enumerated() {
      if entry.isEnd { ends[entry.operation] = place + 1 }
      events.append(Event(operation: entry.operation, end: nil, before: place, next: place + 2))
    }
    for (place, entry) in order.enumerated() where !entry.isEnd { events[place + 1].end = ends[entry.operation] }
    events.append(Event(operation: -1, end: nil, before: order.count, next: order.count + 1))
  }

  private mutating func lift(_ place: Int) {
    for place in [place, events[place].end ?? place] {
      events[events[place].before].next = events[place].next
      events[events[place].next].before = events[place].before
    }
  }

  private mutating func unlift(_ place: Int) {
    for place in [events[place].end ?? place, place] {
      events[events[place].before].next = place
      events[events[place].next].before = place
    }
  }

  private mutating func search(_ initial: Int) -> Bool {
    var configuration = Configuration(done: .init(repeating: 0, count: operations.count / 64 + 1), state: initial)
    var missing = operations.count { $0.returned != .max }
    var seen: Set<Configuration> = []
    var taken: [(place: Int, state: Int)] = []
    var place = events[0].next
    while missing > 0 {
      let event = events[place]
      guard event.end != nil else {
        // The end of an operation that fitted nowhere before it.
        guard let (last, state) = taken.popLast() else { return false }
        let operation = events[last].operation
        configuration.done[operation / 64] &= ~(1 << UInt64(operation % 64))
        configuration.state = state
        if operations[operation].returned != .max { missing += 1 }
        unlift(last)
        place = events[last].next
        continue
      }
      var next = configuration
      if let after = operations[event.operation].after(configuration.state) {
        next.done[event.operation / 64] |= 1 << UInt64(event.operation % 64)
        next.state = after
        if seen.insert(next).inserted {
          taken.append((place, configuration.state))
          configuration = next
          if operations[event.operation].returned != .max { missing -= 1 }
          lift(place)
          place = events[0].next
          continue
        }
      }
      place = event.next
    }
    return true
  }
}
