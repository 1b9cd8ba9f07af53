/// A state that was read from a snapshot, complete and not yet anybody's.
public struct RestoredState: Sendable {
  let tables: Tables
  /// The highest index of a table.
  public let lastIndex: UInt64

  /// What queries of it would answer.
  public var snapshot: StateSnapshot { StateSnapshot(tables: tables, appliedIndex: lastIndex) }
}
