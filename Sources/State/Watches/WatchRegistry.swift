import Model

/// All watches, by what they wait for. They live outside the tables, so that versions of the state stay pure values and a
/// write costs what it touches, not who else is waiting.
struct WatchRegistry: Sendable {
  /// The watches of one point. A reference, so that adding one does not copy the others.
  ///
  /// Sendable: used only by the registry, whose owner guards it with a lock, and never handed out.
  private final class Waiting: @unchecked Sendable {
    var watches: [ObjectIdentifier: Watch] = [:]

    func takeAll(into woken: inout [Watch]) {
      woken.append(contentsOf: watches.values)
      watches = [:]
    }
  }

  /// How many watches wait.
  private(set) var count = 0
  private var points: [WatchPoint: Waiting] = [:]
  /// Watches of keys and of prefixes, each by its text: the path to a changed key leads past all its prefixes, and what lies
  /// below a deleted prefix is one subtree.
  private var keys = RadixTree<Waiting>()
  private var prefixes = RadixTree<Waiting>()
  /// These trees are never shared: all their nodes may be changed in place.
  private let owner = TransactionID.next()

  mutating func insert(_ watch: Watch) {
    count += 1
    for point in watch.points {
      let waiting: Waiting
      switch point {
      case .key(let key): waiting = Self.waiting(in: &keys, key, owner)
      case .keyPrefix(let prefix): waiting = Self.waiting(in: &prefixes, prefix, owner)
      default:
        waiting = points[point] ?? Waiting()
        points[point] = waiting
      }
      waiting.watches[ObjectIdentifier(watch)] = watch
    }
  }

  private static func waiting(in tree: inout RadixTree<Waiting>, _ text: String, _ owner: UInt64) -> Waiting {
    let key = Key.exact(text)
    if let waiting = tree.value(key) { return waiting }
    let waiting = Waiting()
    tree.insert(key, waiting, owner: owner)
    return waiting
  }

  /// Forgets a watch. Does nothing for one that has been taken or removed before.
  mutating func remove(_ watch: Watch) {
    guard watch.endsWaiting() else { return }
    count -= 1
    forget(watch)
  }

  private mutating func forget(_ watch: Watch) {
    for point in watch.points {
      switch point {
      case .key(let key): Self.forget(watch, in: &keys, key, owner)
      case .keyPrefix(let prefix): Self.forget(watch, in: &prefixes, prefix, owner)
      default:
        guard let waiting = points[point] else { continue }
        waiting.watches[ObjectIdentifier(watch)] = nil
        if waiting.watches.isEmpty { points[point] = nil }
      }
    }
  }

  private static func forget(_ watch: Watch, in tree: inout RadixTree<Waiting>, _ text: String, _ owner: UInt64) {
    let key = Key.exact(text)
    guard let waiting = tree.value(key) else { return }
    waiting.watches[ObjectIdentifier(watch)] = nil
    if waiting.watches.isEmpty { tree.remove(key, owner: owner) }
  }

  /// Takes out the watches that wait for one of these changes, each once.
  mutating func take(_ changes: [Change]) -> [Watch] {
    if count == 0 { return [] }
    var found: [Watch] = []
    for change in changes { collect(change, &found) }
    let woken = found.filter { $0.endsWaiting() }
    for watch in woken { forget(watch) }
    count -= woken.count
    return woken
  }

  private mutating func collect(_ change: Change, _ found: inout [Watch]) {
    switch change {
    case .point(let point): points[point]?.takeAll(into: &found)
    case .key(let key): collect(key: key, &found)
    case .keyTree(let prefix, let removed): collect(prefix: prefix, removed, &found)
    case .everything:
      for waiting in points.values { waiting.takeAll(into: &found) }
      for waiting in keys.values { waiting.takeAll(into: &found) }
      for waiting in prefixes.values { waiting.takeAll(into: &found) }
    }
  }

  private func collect(key: String, _ found: inout [Watch]) {
    if keys.isEmpty, prefixes.isEmpty { return }
    Key.exact(key).withUnsafeBytes { key in
      keys.value(key)?.takeAll(into: &found)
      prefixes.forEachPrefix(of: key) { $0.takeAll(into: &found) }
    }
  }

  private func collect(prefix: String, _ removed: RadixTree<Row<KVEntry>>, _ found: inout [Watch]) {
    if keys.isEmpty, prefixes.isEmpty { return }
    let bytes = Key.exact(prefix)
    bytes.withUnsafeBytes { prefixes.forEachPrefix(of: $0) { $0.takeAll(into: &found) } }
    // The removed keys matter one by one only to those who wait for something below the prefix.
    guard keys.identity(prefix: bytes) != nil || prefixes.identity(prefix: bytes) != nil else { return }
    for row in removed.values { collect(key: row.value.key, &found) }
  }
}
