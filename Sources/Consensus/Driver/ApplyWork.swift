import Synchronization

/// What the state machine's side has to do, in order.
enum ApplyWork: Sendable {
  /// `completions` is parallel to `entries`, or empty.
  case entries(ArraySlice<LogEntry>, completions: ArraySlice<ProposalCompletion?>)
  case leadership(LeadershipChange)
  case fail([ProposalCompletion], RaftError)
  case call(@Sendable () -> Void)
  /// Take the machine's state; `capture` gets it with the position it stands for.
  case snapshot(capture: @Sendable (Result<any StateSnapshotWriter, RaftError>, LogIndex, Term) -> Void)
  /// Replace the machine's state. Takes as long as there is state, so never in place of the consensus thread's own work.
  case restore(
    any SnapshotReader, prepared: (any PreparedState)?, finished: @Sendable (Result<Void, RaftError>) -> Void)
}

/// How far the state machine is: written where work is done, read by everybody.
final class ApplyProgress: Sendable {
  let index = Atomic<UInt64>(0)
  let term = Atomic<UInt64>(0)
  /// Bytes of entries that were handed over and are not applied yet.
  let pendingBytes = Atomic<Int>(0)
  /// Somebody waits for `pendingBytes` to shrink.
  let isAwaited = Atomic<Bool>(false)

  init() {}
}

/// Carries out work on the state machine. Called from one thread at a time.
struct ApplyWorker: Sendable {
  let machine: any StateMachine
  let progress: ApplyProgress
  let observeLeadership: @Sendable (LeadershipChange) -> Void

  func run(_ work: ApplyWork) {
    switch work {
    case .entries(let entries, let completions): apply(entries, completions)
    case .leadership(let change): observeLeadership(change)
    case .fail(let completions, let error): for completion in completions { completion(.failure(error)) }
    case .call(let body): body()
    case .snapshot(let capture):
      let writer = Result { try machine.snapshot() }.mapError { RaftError.snapshotFailed("\($0)") }
      capture(writer, progress.index.load(ordering: .acquiring), progress.term.load(ordering: .acquiring))
    case .restore(let reader, let prepared, let finished):
      let result = Result { try machine.restore(from: reader, prepared: prepared) }.mapError {
        RaftError.stateMachine("\($0)")
      }
      if case .success = result {
        progress.term.store(reader.metadata.term, ordering: .releasing)
        progress.index.store(reader.metadata.index, ordering: .releasing)
      }
      finished(result)
    }
  }

  private func apply(_ entries: ArraySlice<LogEntry>, _ completions: ArraySlice<ProposalCompletion?>) {
    guard let last = entries.last else { return }
    var results: [any Sendable] = []
    results.reserveCapacity(entries.count)
    machine.apply(entries, results: &results)
    var cost = 0
    var commandCount = 0
    for entry in entries {
      cost += entry.cost
      if entry.kind == .command { commandCount += 1 }
    }
    precondition(results.count == commandCount, "a state machine returns one result per command")
    progress.term.store(last.term, ordering: .releasing)
    progress.index.store(last.index, ordering: .releasing)
    progress.pendingBytes.subtract(cost, ordering: .acquiringAndReleasing)
    guard !completions.isEmpty else { return }
    var next = 0
    for (entry, completion) in zip(entries, completions) {
      var result: any Sendable = ()
      if entry.kind == .command {
        result = results[next]
        next += 1
      }
      completion?(.success(Applied(index: entry.index, result: result)))
    }
  }
}
