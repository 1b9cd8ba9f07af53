/// Brings together what the three stores hold after a start.
struct Recovery {
  private(set) var restored = RaftCore.Restored()
  private(set) var snapshot: SnapshotMetadata?
  /// Damaged snapshots that were passed over.
  private(set) var warnings: [StorageError] = []

  init(_ storage: RaftStorage, bootstrap: RaftConfiguration?) throws(StorageError) {
    (snapshot, warnings) = try storage.snapshots.newestUsable()
    var log = storage.log.recovered()
    var hardState = try storage.term.load()
    let snapshotIndex = snapshot?.index ?? 0
    let snapshotTerm = snapshot?.term ?? 0

    if log.isEmpty, snapshot == nil, log.baseIndex == 0, let bootstrap, Self.isUntouched(hardState) {
      hardState = HardState(term: 1)
      log = try Self.seed(storage, bootstrap)
    }
    guard let hardState else {
      guard log.isEmpty, snapshot == nil else {
        throw .corrupt(file: "term", offset: 0, reason: "the file is missing, but there is a log or a snapshot")
      }
      return
    }
    guard log.lastTerm <= hardState.term, snapshotTerm <= hardState.term else {
      throw .corrupt(
        file: "term", offset: 16, reason: "term \(hardState.term) is older than term \(log.lastTerm) of the log")
    }
    guard log.baseIndex <= snapshotIndex else {
      if let reason = warnings.first { throw .noUsableSnapshot(directory: "snapshots", reason: reason.description) }
      throw .gap(file: "log", expected: snapshotIndex + 1, found: log.baseIndex + 1)
    }
    // A snapshot of the leader or of an operator was stored, but the log not yet replaced.
    if snapshotIndex > log.lastIndex || log.term(at: snapshotIndex) != snapshotTerm {
      try storage.log.write(LogBatch([.reset(next: snapshotIndex + 1, previousTerm: snapshotTerm)]))
      log = RecoveredLog(baseIndex: snapshotIndex, baseTerm: snapshotTerm)
    }
    restored.hardState = hardState
    restored.log = LogView(log, snapshotIndex: snapshotIndex, snapshotTerm: snapshotTerm)
    restored.membership = try Self.membership(snapshot, log)
  }

  /// Nothing was ever decided: at most an earlier seeding was interrupted.
  private static func isUntouched(_ hardState: HardState?) -> Bool {
    guard let hardState else { return true }
    return hardState.term <= 1 && hardState.votedFor == nil
  }

  private static func seed(
    _ storage: RaftStorage, _ configuration: RaftConfiguration
  ) throws(StorageError) -> RecoveredLog {
    let entry = LogEntry(index: 1, term: 1, kind: .configuration, data: configuration.encoded())
    try storage.term.store(HardState(term: 1))
    try storage.log.write(LogBatch([.append([entry])]))
    var log = RecoveredLog()
    log.append(index: 1, term: 1, configuration: entry.data)
    return log
  }

  private static func membership(_ snapshot: SnapshotMetadata?, _ log: RecoveredLog) throws(StorageError) -> Membership
  {
    var membership = Membership(
      snapshot?.position.configuration ?? RaftConfiguration(), index: snapshot?.position.configurationIndex ?? 0)
    for entry in log.configurations where entry.index > (snapshot?.index ?? 0) {
      do {
        membership.append(try RaftConfiguration(decoding: entry.data), index: entry.index)
      } catch {
        throw .corrupt(file: "log", offset: 0, reason: "configuration entry \(entry.index): \(error)")
      }
    }
    return membership
  }
}
