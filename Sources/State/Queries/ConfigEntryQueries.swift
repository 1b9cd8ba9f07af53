import Mesh
import Model

extension Tables: ConfigEntrySource {
  func configEntry(_ kind: ConfigEntryKind, _ name: String) -> ConfigEntry? {
    configEntries[.of(kind.rawValue, name)]?.entry
  }

  func entry<Kind: ConfigEntryRecord>(_ kind: Kind.Type, _ name: String) -> Kind? {
    configEntry(Kind.kind, name)?.as(Kind.self)
  }

  func entries<Kind: ConfigEntryRecord>(_ kind: Kind.Type) -> [Kind] {
    configEntries.rows.values(prefix: .of(Kind.kind.rawValue, closed: true)).compactMap { $0.entry.as(Kind.self) }
  }
}

extension StateSnapshot: ConfigEntrySource {
  public func entry<Kind: ConfigEntryRecord>(_ kind: Kind.Type, _ name: String) -> Kind? { tables.entry(kind, name) }
  public func entries<Kind: ConfigEntryRecord>(_ kind: Kind.Type) -> [Kind] { tables.entries(kind) }

  /// When config entries were last changed.
  public var configEntryIndex: UInt64 { tables.index(of: IndexName.configEntries) }

  /// One config entry. Who waits for it is not woken by others, although all share an index.
  public func configEntry(_ kind: ConfigEntryKind, _ name: String) -> QueryResult<ConfigEntry?> {
    QueryResult(
      index: configEntryIndex, value: tables.configEntry(kind, name),
      watch: [.configEntry(kind, name.folded)])
  }

  /// The entries of some kinds, in the order of these and of their names.
  public func configEntries(_ kinds: [ConfigEntryKind]) -> QueryResult<[ConfigEntry]> {
    let entries = kinds.flatMap { kind in
      tables.configEntries.rows.values(prefix: .of(kind.rawValue, closed: true)).map(\.entry)
    }
    return QueryResult(
      index: configEntryIndex, value: entries, watch: kinds.map { .configEntries($0) })
  }

  // MARK: Intentions

  /// All intentions, in the order in which they are asked.
  public func intentions() -> QueryResult<[Intention]> {
    intentions { $0.flatMap(\.intentions) }
  }

  /// The intentions that are about a service at one end, in the order in which they are asked.
  public func intentions(about service: String, as side: IntentionSide) -> QueryResult<[Intention]> {
    guard side == .destination else {
      return intentions { $0.flatMap(\.intentions).filter { $0.concerns(service, as: .source) } }
    }
    let entries = Set([service, anyService]).compactMap { tables.entry(ServiceIntentions.self, $0) }
    return QueryResult(
      index: configEntryIndex, value: entries.flatMap(\.intentions).inOrder(),
      watch: [.configEntry(.serviceIntentions, service.folded), .configEntry(.serviceIntentions, anyService)])
  }

  /// One intention, by its ends.
  public func intention(source: String, destination: String) -> QueryResult<Intention?> {
    QueryResult(
      index: configEntryIndex,
      value: tables.entry(ServiceIntentions.self, destination)?.intentions
        .first { $0.sourceName == source && $0.sourcePeer.isEmpty && $0.sourceSamenessGroup.isEmpty },
      watch: [.configEntry(.serviceIntentions, destination.folded)])
  }

  /// One intention that the older endpoints made, by its id.
  public func intention(id: String) -> QueryResult<Intention?> {
    QueryResult(
      index: configEntryIndex,
      value: tables.legacyIntentions(id: id)?.intentions.first { $0.id == id },
      watch: [.configEntries(.serviceIntentions)])
  }

  /// What a change of one intention would make of the entry that holds it.
  ///
  /// - Throws: `ConfigEntryError` for a change that would be refused.
  public func outcome(of op: IntentionOp, _ mutation: IntentionMutation) throws(ConfigEntryError)
    -> IntentionChange.Outcome
  {
    try tables.outcome(of: op, mutation)
  }

  private func intentions(_ choose: ([ServiceIntentions]) -> [Intention]) -> QueryResult<[Intention]> {
    QueryResult(
      index: configEntryIndex,
      value: choose(tables.entries(ServiceIntentions.self)).inOrder(), watch: [.configEntries(.serviceIntentions)])
  }
}
