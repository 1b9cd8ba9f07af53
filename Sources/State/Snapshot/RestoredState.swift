/// A state that was read from a snapshot, complete and not yet anybody's.
public struct RestoredState: Sendable {
  let version: StateSnapshot

  /// What queries of it would answer.
  public var snapshot: StateSnapshot { version }
}
