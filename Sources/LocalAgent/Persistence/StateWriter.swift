import Dispatch
import Logging
import Synchronization

/// Writes the states of TTL checks behind the back of those who report them: a heartbeat does not wait for the disk, and of
/// several in a row only the last is written. A crash can lose the last few; such a check is critical until its next
/// heartbeat.
final class StateWriter: Sendable {
  private struct Pending {
    /// By check; nil removes the file.
    var states: [String: PersistedCheckState?] = [:]
    var isScheduled = false
  }

  private let store: RegistrationStore
  private let queue: DispatchQueue
  private let pending = Mutex(Pending())

  init(_ store: RegistrationStore, on queue: DispatchQueue) {
    self.store = store
    self.queue = queue
  }

  func save(_ state: PersistedCheckState) { submit(state.checkID, state) }
  func remove(checkID: String) { submit(checkID, nil) }

  private func submit(_ id: String, _ state: PersistedCheckState?) {
    let schedule = pending.withLock { pending in
      pending.states[id] = .some(state)
      defer { pending.isScheduled = true }
      return !pending.isScheduled
    }
    if schedule { queue.async { self.writePending() } }
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
        if let state { try store.save(state) } else { try store.remove(.states, id: id) }
      } catch {
        store.logger.warning("cannot keep the state of a check", metadata: ["check": "\(id)", "error": "\(error)"])
      }
    }
  }
}
