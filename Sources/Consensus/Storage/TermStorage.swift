/// Where the current term and vote are kept.
public protocol TermStorage: AnyObject, Sendable {
  /// What was stored last; nil on a new server.
  func load() throws(StorageError) -> HardState?
  /// Durable on return.
  func store(_ state: HardState) throws(StorageError)
}
