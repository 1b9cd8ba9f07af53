import Model
import State

/// One key.
public struct KVGet: ReadQuery {
  public static let method = "KVS.Get"
  public var key: String

  public init(key: String) { self.key = key }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<Row<KVEntry>?> { state.kvEntry(key) }
}

/// All keys under a prefix, with their values.
public struct KVList: ReadQuery {
  public static let method = "KVS.List"
  public var prefix: String

  public init(prefix: String) { self.prefix = prefix }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<[Row<KVEntry>]> { state.kvEntries(prefix: prefix) }
}

/// The names under a prefix, cut behind the first separator that follows it.
public struct KVKeys: ReadQuery {
  public static let method = "KVS.ListKeys"
  public var prefix: String
  /// "" does not cut.
  public var separator: String

  public init(prefix: String, separator: String) {
    self.prefix = prefix
    self.separator = separator
  }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<[String]> {
    state.kvKeys(prefix: prefix, separator: separator)
  }
}
