import Consensus
import Dispatch
import Mesh
import Model
import State
import Synchronization
import Telemetry

/// The state machine of consensus: decodes committed commands and applies them to the store, one batch at a time.
final class CommandApplier: StateMachine {
  private let store: StateStore
  private let stop: @Sendable (_ reason: String) -> Never
  private let applied: @Sendable (AppliedBatch) -> Void
  /// Commands of which only some pieces have arrived. Behind a lock that nobody contends: calls come one after another, but
  /// from two threads.
  private let chunks = Mutex(ChunkedCommands())

  /// - Parameters:
  ///   - stop: Ends the process, for a log that this release cannot apply; nothing of it is changed.
  ///   - applied: Told after each batch, on the thread that applies.
  init(
    store: StateStore, stop: @escaping @Sendable (_ reason: String) -> Never,
    applied: @escaping @Sendable (AppliedBatch) -> Void
  ) {
    self.store = store
    self.stop = stop
    self.applied = applied
  }

  func apply(_ entries: ArraySlice<LogEntry>, results: inout [any Sendable]) {
    var batch = AppliedBatch()
    noteCommit(entries)
    store.write { transaction in
      var start = MetricClock.now
      for entry in entries where entry.kind == .command {
        results.append(apply(entry, to: &transaction, &batch, since: &start))
      }
      if let partial = chunks.withLock({ $0.changes() }) { transaction.setPartialCommands(partial) }
    }
    applied(batch)
  }

  /// How long entries took from a leader's clock to here; nothing of entries that are replayed after a start.
  private func noteCommit(_ entries: ArraySlice<LogEntry>) {
    ServerMetrics.commitLogs.set(Double(entries.count))
    let now = SystemClock.wallTime()
    for entry in entries {
      let seconds = now.seconds - entry.appendedAt.seconds
      guard (0...60).contains(seconds) else { continue }
      let milliseconds =
        Double(seconds) * 1000 + (Double(now.nanoseconds) - Double(entry.appendedAt.nanoseconds)) / 1_000_000
      ServerMetrics.commitTime.record(max(milliseconds, 0))
    }
  }

  private func apply(
    _ entry: LogEntry, to transaction: inout StateTransaction, _ batch: inout AppliedBatch, since start: inout UInt64
  ) -> CommandResult {
    let bytes: [UInt8]
    switch chunks.withLock({ $0.take(entry) }) {
    case .single: bytes = entry.data
    case .complete(let whole): bytes = whole
    case .partial: return .done
    case .malformed(let reason): stop("log entry \(entry.index) is no piece of a command: \(reason)")
    }
    let command: Command
    do throws(StateError) {
      command = try Command(decoding: bytes)
    } catch {
      // A server that skipped a command would differ from all others for good (wire/raft.md part C).
      stop("log entry \(entry.index) cannot be applied: \(error)")
    }
    let result = transaction.apply(command, index: entry.index)
    batch.note(command, result, index: entry.index)
    let end = MetricClock.now
    let milliseconds = Double(end &- start) / 1_000_000
    ServerMetrics.machineApply.record(milliseconds)
    ServerMetrics.sample(command)?.record(milliseconds)
    start = end
    return result
  }

  func snapshot() throws -> any StateSnapshotWriter { SnapshotStream(snapshot: store.current) }

  func restore(from reader: any SnapshotReader, prepared: (any PreparedState)?) throws {
    let before = store.current
    if let prepared = prepared as? RestoreAhead {
      store.replace(with: try prepared.state())
    } else {
      try store.restore { try reader.read(into: $0) }
    }
    // Giving millions of rows back takes time that nobody here has to wait for.
    DispatchQueue.global(qos: .utility).async { withExtendedLifetime(before) {} }
    chunks.withLock { $0 = ChunkedCommands(store.current.partialCommands) }
  }
}

/// One version of the state on its way into a snapshot.
private struct SnapshotStream: StateSnapshotWriter {
  let snapshot: StateSnapshot

  func write(to sink: any SnapshotSink) throws {
    let start = MetricClock.now
    try snapshot.write { try sink.write($0) }
    ServerMetrics.persist.record(since: start)
  }
}

/// What a batch of commands means for the duties of a leader.
struct AppliedBatch: Sendable {
  var createdSessions: [String] = []
  var destroyedSessions: [String] = []
  /// Whether tokens may have come, gone or changed.
  var changedTokens = false
  /// Whether config entries may have changed that matter to gateways.
  var changedEntries = false
  /// The lowest index at which keys may have been deleted; 0 where none were.
  private(set) var deletionIndex: UInt64 = 0

  mutating func note(_ command: Command, _ result: CommandResult, index: UInt64) {
    switch command {
    case .session(let request):
      if request.op == "create", case .text(let id) = result { createdSessions.append(id) }
      if request.op == "destroy" {
        destroyedSessions.append(request.session.id)
        // Sessions may delete the keys they hold.
        noteDeletion(index)
      }
    case .kvs(let request):
      switch KVOp(rawValue: request.op) {
      case .delete, .deleteCAS, .deleteTree: noteDeletion(index)
      default: break
      }
    case .register, .deregister: noteDeletion(index)
    case .txn(let request):
      guard case .transaction(let response) = result, response.errors.isEmpty else { break }
      destroyedSessions += request.ops.compactMap { $0.session?.value.session.id }
      noteDeletion(index)
    case .accessControl: changedTokens = true
    case .tombstone, .coordinates, .preparedQuery, .autopilot, .certificateAuthority, .leafIndex, .intention, .ignored:
      break
    case .configEntry(let request):
      if APIGatewayBinding.isConcerned(by: request.entry.kind) { changedEntries = true }
    }
  }

  private mutating func noteDeletion(_ index: UInt64) {
    if deletionIndex == 0 { deletionIndex = index }
  }
}
