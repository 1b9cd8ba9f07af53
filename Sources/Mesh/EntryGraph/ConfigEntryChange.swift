import Model

/// What is about to happen to a config entry.
public enum ConfigEntryChange: Sendable {
  case put(ConfigEntry)
  case delete(ConfigEntryKind, name: String)

  public var kind: ConfigEntryKind {
    switch self {
    case .put(let entry): entry.kind
    case .delete(let kind, _): kind
    }
  }

  public var name: String {
    switch self {
    case .put(let entry): entry.name
    case .delete(_, let name): name
    }
  }
}

/// The entries as they will be after a change.
struct ChangedEntries<Base: ConfigEntrySource>: ConfigEntrySource {
  let base: Base
  let change: ConfigEntryChange

  func entry<Kind: ConfigEntryRecord>(_ kind: Kind.Type, _ name: String) -> Kind? {
    guard Kind.kind == change.kind, name.isSameName(as: change.name) else { return base.entry(kind, name) }
    guard case .put(let entry) = change else { return nil }
    return entry.as(kind)
  }

  func entries<Kind: ConfigEntryRecord>(_ kind: Kind.Type) -> [Kind] {
    var entries = base.entries(kind)
    guard Kind.kind == change.kind else { return entries }
    let name = change.name.folded
    let place = entries.firstIndex { !bytewiseLess($0.name.folded, name) } ?? entries.endIndex
    if place < entries.endIndex, entries[place].name.folded == name { entries.remove(at: place) }
    if case .put(let entry) = change, let record = entry.as(kind) { entries.insert(record, at: place) }
    return entries
  }
}
