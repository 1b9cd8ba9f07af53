/// What committed entries are applied to. All calls come one after another, never two at a time (from the apply thread,
/// or from the consensus thread while that one has nothing to do).
public protocol StateMachine: AnyObject, Sendable {
  /// Applies consecutive entries. Appends one result per entry of kind `command`, in order, to `results`, which is empty
  /// at the call. Entries of other kinds carry nothing to apply; they are passed so that index and term are seen.
  func apply(_ entries: ArraySlice<LogEntry>, results: inout [any Sendable])

  /// The present state, in constant time. It is written out on another thread while entries go on being applied.
  func snapshot() throws -> any StateSnapshotWriter

  /// Replaces the state. If this throws, the state is the one before.
  ///
  /// - Parameter prepared: what has been made of the same content already, if anything; `reader` need not be read then.
  func restore(from reader: any SnapshotReader, prepared: (any PreparedState)?) throws
}

/// A state that is being made from a snapshot's content while consensus stores that content.
public protocol PreparedState: AnyObject, Sendable {}

/// A state at one index.
public protocol StateSnapshotWriter: Sendable {
  func write(to sink: any SnapshotSink) throws
}

/// Why a state machine cannot give or take a snapshot, for machines that have no error of their own.
public struct StateMachineError: Error, Sendable, CustomStringConvertible {
  public var description: String
  public init(_ description: String) { self.description = description }
}

/// A committed and applied command.
public struct Applied: Sendable {
  public var index: LogIndex
  /// What the state machine returned; `()` for entries that are not commands.
  public var result: any Sendable

  public init(index: LogIndex, result: any Sendable) {
    self.index = index
    self.result = result
  }
}

public enum LeadershipChange: Sendable, Equatable {
  /// Reported when everything that earlier leaders committed has been applied.
  case gained(term: Term)
  case lost(term: Term)
}

public typealias ProposalCompletion = @Sendable (Result<Applied, RaftError>) -> Void
