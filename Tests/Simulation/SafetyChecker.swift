import Synchronization

@testable import Consensus

/// Knows everything that was ever decided anywhere and notices contradictions (the paper, figure 3).
final class SafetyChecker: MachineObserver {
  struct State: Sendable {
    /// Decided entries, by index.
    var decided: [LogIndex: LogEntry] = [:]
    /// No later than in this term: that of the newest leader when an entry was first applied. An entry of an earlier term may
    /// have been decided by a later leader, and leaders in between need not have it.
    var decidedIn: [LogIndex: Term] = [:]
    var newestTerm: Term = 0
    var lastDecided: LogIndex = 0
    var leaders: [Term: ServerID] = [:]
    var errors: [String] = []
  }

  let state = Mutex(State())

  /// State Machine Safety: no two servers apply different entries at one index.
  func applies(_ entry: LogEntry) {
    state.withLock { state in
      if let known = state.decided[entry.index] {
        if known.term != entry.term || known.data != entry.data || known.kind != entry.kind {
          state.errors.append(
            "index \(entry.index) was decided as \(known.kind) of term \(known.term), "
              + "now applied as \(entry.kind) of term \(entry.term)")
        }
        return
      }
      if entry.index != state.lastDecided + 1 {
        state.errors.append("index \(entry.index) is applied although \(state.lastDecided + 1) is not decided")
      }
      state.decided[entry.index] = entry
      state.decidedIn[entry.index] = state.newestTerm
      state.lastDecided = max(state.lastDecided, entry.index)
    }
  }

  /// A snapshot holds exactly what was decided up to its index.
  func restores(_ commands: [[UInt8]], index: LogIndex, term: Term) {
    state.withLock { state in
      var expected: [[UInt8]] = []
      for position in stride(from: 1, through: index, by: 1) {
        if let entry = state.decided[position], entry.kind == .command { expected.append(entry.data) }
      }
      if expected != commands { state.errors.append("the snapshot at \(index) differs from what was decided") }
      if state.decided[index]?.term != term { state.errors.append("the snapshot at \(index) has a wrong term") }
    }
  }

  /// Election Safety, and Leader Completeness: a leader has every entry that was decided in an earlier term.
  func observe(_ core: RaftCore) {
    guard core.isLeader else { return }
    state.withLock { state in
      if let known = state.leaders[core.term] {
        if known != core.id { state.errors.append("\(known) and \(core.id) both lead in term \(core.term)") }
        return
      }
      state.leaders[core.term] = core.id
      state.newestTerm = max(state.newestTerm, core.term)
      var index = state.lastDecided
      while index > 0, let term = state.decidedIn[index], term >= core.term { index -= 1 }
      guard index > 0, let entry = state.decided[index], index > core.log.snapshotIndex else { return }
      if core.log.term(at: index) != entry.term {
        state.errors.append("leader \(core.id) of term \(core.term) lacks the decided entry \(index)")
      }
    }
  }

  /// Whoever was told "done" must find the entry decided.
  func acknowledged(_ data: [UInt8], at index: LogIndex) {
    state.withLock { state in
      if state.decided[index]?.data != data {
        state.errors.append("index \(index) was acknowledged with other content")
      }
    }
  }

  func report(_ error: String) { state.withLock { $0.errors.append(error) } }
}
