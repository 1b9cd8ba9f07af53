import Model

/// What the state machine returned for a command.
public enum CommandResult: Sendable, Equatable {
  case done
  case bool(Bool)
  case text(String)
  case number(UInt64)
  case transaction(TxnResponse)
  /// The command was valid but could not be carried out; the text is the reference's.
  case failed(String)
}
