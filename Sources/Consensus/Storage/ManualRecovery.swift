/// Gives servers that lost their quorum for good a new configuration, by the will of an operator.
///
/// Consensus cannot do this itself: a majority of the old configuration would have to agree. The operator vouches that the
/// others will not come back, and that what is in the log of these servers shall count, committed or not.
public enum ManualRecovery {
  /// Bytes of entries that are applied at once.
  private static let batchBytesMax = 4 << 20

  /// Replaces what is stored by one snapshot that has the effect of the whole log and the new configuration. Interrupted, it
  /// can be done again.
  ///
  /// - Parameters:
  ///   - storage: Of a server that does not run.
  ///   - machine: A state machine that is thrown away afterwards.
  /// - Throws: `configurationChange` for a configuration that makes no sense, `nothingToRecover` without any state,
  ///   `storage`, `stateMachine`. Nothing is changed then.
  public static func perform(
    _ configuration: RaftConfiguration, on storage: RaftStorage, machine: any StateMachine
  ) throws(RaftError) {
    do {
      try configuration.validate()
      let (snapshot, _) = try storage.snapshots.newestUsable()
      let log = storage.log.recovered()
      guard snapshot != nil || !log.isEmpty else { throw RaftError.nothingToRecover }
      let snapshotIndex = snapshot?.index ?? 0
      guard log.baseIndex <= snapshotIndex else {
        throw StorageError.gap(file: "log", expected: snapshotIndex + 1, found: log.baseIndex + 1)
      }
      if let snapshot {
        do {
          try machine.restore(from: try storage.snapshots.open(snapshot), prepared: nil)
        } catch let error as StorageError {
          throw error
        } catch {
          throw RaftError.stateMachine("\(error)")
        }
      }
      try apply(log, after: snapshotIndex, storage, machine)
      let isLogLonger = log.lastIndex > snapshotIndex
      let position = SnapshotPosition(
        index: max(log.lastIndex, snapshotIndex), term: isLogLonger ? log.lastTerm : snapshot?.term ?? 0,
        configuration: configuration, configurationIndex: 1)
      try store(position, storage, machine)
      // Followers must not find what came before in the log: the new configuration is only in the snapshot.
      try storage.log.write(
        LogBatch([
          .truncate(from: log.baseIndex + 1, previousTerm: log.baseTerm),
          .reset(next: position.index + 1, previousTerm: position.term),
        ]))
    } catch let error as RaftError {
      throw error
    } catch let error as StorageError {
      throw .storage(error)
    } catch let error as ConfigurationChangeError {
      throw .configurationChange(error)
    } catch {
      throw .stateMachine("\(error)")
    }
  }

  private static func apply(
    _ log: RecoveredLog, after index: LogIndex, _ storage: RaftStorage, _ machine: any StateMachine
  ) throws(StorageError) {
    var next = max(index, log.baseIndex) + 1
    while next <= log.lastIndex {
      let entries = try storage.log.entries(first: next, last: log.lastIndex, bytesMax: batchBytesMax)
      guard let last = entries.last else {
        throw .gap(file: "log", expected: next, found: log.lastIndex)
      }
      var results: [any Sendable] = []
      machine.apply(entries[...], results: &results)
      next = last.index + 1
    }
  }

  private static func store(
    _ position: SnapshotPosition, _ storage: RaftStorage, _ machine: any StateMachine
  ) throws {
    let writer = try machine.snapshot()
    let sink = try storage.snapshots.create(position)
    do {
      try writer.write(to: sink)
      _ = try sink.seal()
      try sink.publish()
    } catch {
      sink.abort()
      throw error
    }
  }
}
