import Synchronization

/// Whether this server leads and has applied what its predecessors committed; tells those who wait for it.
final class Leadership: Sendable {
  /// Beside the lock: every read asks for it.
  private let flag = Atomic<Bool>(false)
  /// Called whenever this server begins to lead.
  private let observers = Mutex<[@Sendable () -> Void]>([])

  var isLeading: Bool { flag.load(ordering: .acquiring) }

  func gained() {
    let observers = observers.withLock { observers in
      flag.store(true, ordering: .releasing)
      return observers
    }
    for observer in observers { observer() }
  }

  func lost() { observers.withLock { _ in flag.store(false, ordering: .releasing) } }

  /// Calls `observer` whenever this server begins to lead, and at once if it leads already: none is missed.
  func observe(_ observer: @escaping @Sendable () -> Void) {
    let isLeading = observers.withLock { observers in
      observers.append(observer)
      return self.isLeading
    }
    if isLeading { observer() }
  }
}
