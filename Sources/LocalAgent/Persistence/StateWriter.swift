import Dispatch
import Logging
import Synchronization

/// Writes the states of TTL checks behind the back of those who report them: a heartbeat does not wait for the disk, and of
/// several in a row only the last is written. A crash can lose the last few; such a check is critical until its next
/// heartbeat.
final class StateWriter: Sendable {
  private struct Pending {
    var states: [String: PersistedCheckState] = [:]
    var isScheduled = false
  }

  private let store: RegistrationStore
  private let queue: DispatchQueue
  private let pending = Mutex(Pending())

  init(_ store: RegistrationStore, on queue: DispatchQueue) {
    self.store = store
    self.queue = queue
  }

  func save(_ state: PersistedCheckState) {
    let schedule = pending.withLock { pending in
      pending.states[state.checkID] = state
      defer { pending.isScheduled = true }
      return !pending.isScheduled
    }
    if schedule { queue.async { self.writePending() } }
  }

  /// Removes the state of a check, written or not. Must be called where no write is under way: on the queue.
  func remove(checkID id: String) throws(FileError) {
    pending.withLock { $0.states[id] = nil }
    try store.remove(.states, id: id)
  }

  /// Waits until everything that was submitted so far is on the disk.
  func flush() { queue.sync { writePending() } }

  private func writePending() {
    let states = pending.withLock { pending in
      defer { pending = Pending() }
      return pending.states
    }
    for (id, state) in states {
      do throws(FileError) {
        try store.save(state)
      } catch {
        store.logger.warning("cannot keep the state of a check", metadata: ["check": "\(id)", "error": "\(error)"])
      }
    }
  }
}
