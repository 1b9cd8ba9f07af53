import AccessControl
import Model
import State

/// One config entry.
public struct ConfigEntryGet: ReadQuery {
  public static let method = "ConfigEntry.Get"
  public var kind: ConfigEntryKind
  public var name: String

  public init(_ kind: ConfigEntryKind, _ name: String) {
    self.kind = kind
    self.name = name
  }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<ConfigEntry?> { state.configEntry(kind, name) }
  public func permission(_ reader: Reader) -> Permission? { kind.readRight(name) }
  public func limit(_ reply: inout ConfigEntry?, to reader: Reader) -> Bool { false }
}

/// All config entries of a kind.
public struct ConfigEntryList: ReadQuery {
  public static let method = "ConfigEntry.List"
  public var kind: ConfigEntryKind

  public init(_ kind: ConfigEntryKind) { self.kind = kind }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<ConfigEntryListing> {
    state.configEntries([kind]).map { ConfigEntryListing(kind: kind, entries: $0) }
  }
}

/// Config entries of a kind.
public struct ConfigEntryListing: Sendable, GuardedReply {
  public var kind: ConfigEntryKind
  public var entries: [ConfigEntry]

  public mutating func limit(to reader: Reader) -> Bool { entries.limit(to: reader) }
}

/// The config entries of several kinds, for other datacenters.
public struct ConfigEntryListAll: ReadQuery {
  public static let method = "ConfigEntry.ListAll"
  public var kinds: [ConfigEntryKind]

  public init(_ kinds: [ConfigEntryKind]) { self.kinds = kinds }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<[ConfigEntry]> { state.configEntries(kinds) }
}
