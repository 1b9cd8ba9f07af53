import Synchronization

/// A registered wait for changes. It wakes at most once and is then gone.
public final class Watch: Sendable {
  let points: [WatchPoint]
  let wake: @Sendable (Bool) -> Void
  private let isWaiting = Atomic(true)

  init(_ points: [WatchPoint], wake: @escaping @Sendable (Bool) -> Void) {
    self.points = points
    self.wake = wake
  }

  /// True for the first caller only.
  func endsWaiting() -> Bool { isWaiting.exchange(false, ordering: .relaxed) }
}

/// The current version of the state together with who waits for the next: publishing and registering exclude one another, so
/// that no change falls between looking and waiting.
final class WatchHub: Sendable {
  private struct Contents {
    var current: StateSnapshot
    var registry = WatchRegistry()
  }
  private let contents: Mutex<Contents>

  init(_ initial: StateSnapshot) { contents = Mutex(Contents(current: initial)) }

  var count: Int { contents.withLock { $0.registry.count } }

  /// Registers a watch, unless one of the points changed after `seen` was current: then nil.
  func register(_ points: [WatchPoint], seen: StateSnapshot, _ wake: @escaping @Sendable (Bool) -> Void) -> Watch? {
    let watch = Watch(points, wake: wake)
    return contents.withLock { contents in
      let current = contents.current
      if !(current === seen), points.contains(where: { $0.differs(seen.tables, current.tables) }) { return nil }
      contents.registry.insert(watch)
      return watch
    }
  }

  func cancel(_ watch: Watch) { contents.withLock { $0.registry.remove(watch) } }

  /// Makes a version the current one and returns those whom its changes wake; `show` makes it visible to readers.
  func publish(_ version: StateSnapshot, _ changes: [Change], show: () -> Void) -> [Watch] {
    contents.withLock { contents in
      contents.current = version
      show()
      return contents.registry.take(changes)
    }
  }
}
