import Mesh
import Model

extension StateTransaction {
  /// - Returns: whether the entry was as the request says, where it says so.
  mutating func apply(_ request: ConfigEntryRequest) throws(StateError) -> CommandResult {
    let entry = request.entry
    let old = tables.configEntry(entry.kind, entry.name)
    switch ConfigEntryOp(rawValue: request.op) {
    case .upsert: try setConfigEntry(entry, datacenter: request.datacenter)
    case .upsertIfUnchanged:
      guard (old?.modifyIndex ?? 0) == entry.modifyIndex else { return .bool(false) }
      try setConfigEntry(entry, datacenter: request.datacenter)
    case .upsertStatusIfUnchanged:
      guard (old?.modifyIndex ?? 0) == entry.modifyIndex else { return .bool(false) }
      try setConfigEntry(entry, datacenter: request.datacenter, withStatus: true)
    case .delete:
      try deleteConfigEntry(entry.kind, entry.name, datacenter: request.datacenter)
      return .done
    case .deleteIfUnchanged:
      if let old, old.modifyIndex != entry.modifyIndex { return .bool(false) }
      try deleteConfigEntry(entry.kind, entry.name, datacenter: request.datacenter)
    case nil: throw .unknownOperation(kind: "config entry", operation: request.op)
    }
    return .bool(true)
  }

  /// Creates an entry or replaces the one of its kind and name. One that says what is there already changes nothing.
  ///
  /// - Parameters:
  ///   - datacenter: Where the entries are.
  ///   - withStatus: Whether the entry says itself what became of it; otherwise that stays as it is.
  /// - Throws: `StateError.configEntry` for an entry that does not go together with the others.
  public mutating func setConfigEntry(
    _ entry: ConfigEntry, datacenter: String, withStatus: Bool = false
  ) throws(StateError) {
    let old = tables.configEntry(entry.kind, entry.name)
    var entry = entry
    if !withStatus { entry = entry.keepingStatus(of: old) }
    entry.record.common.createIndex = old?.record.common.createIndex ?? index
    if let old {
      // The hash does not count: entries that came with a snapshot may have one that was made in another way.
      entry.record.common.modifyIndex = old.modifyIndex
      entry.record.common.hash = old.record.common.hash
      if entry == old { return }
    }
    entry = entry.hashed()
    entry.record.common.modifyIndex = index
    try check(.put(entry), datacenter)
    store(entry)
    if entry.kind.makesReachable { virtualAddress(of: entry.name) }
  }

  /// Deletes an entry. One that does not exist is no error.
  ///
  /// - Throws: `StateError.configEntry` where others need it.
  public mutating func deleteConfigEntry(
    _ kind: ConfigEntryKind, _ name: String, datacenter: String
  ) throws(StateError) {
    let key = Key.of(kind.rawValue, name)
    guard let row = tables.configEntries[key] else { return }
    try check(.delete(kind, name: row.entry.name), datacenter)
    tables.configEntries.remove(key, owner: owner)
    touchConfigEntry(kind, name)
    if kind.makesReachable { releaseVirtualAddress(of: name) }
  }

  private func check(_ change: ConfigEntryChange, _ datacenter: String) throws(StateError) {
    do throws(ConfigEntryError) {
      try EntryGraph.check(change, in: tables, datacenter: datacenter)
    } catch {
      throw .configEntry(error)
    }
  }

  /// Stores an entry as it is, with its own indexes.
  mutating func store(_ entry: ConfigEntry) {
    tables.configEntries.put(ConfigEntryRow(entry), owner: owner)
    touchConfigEntry(entry.kind, entry.name)
  }

  private mutating func touchConfigEntry(_ kind: ConfigEntryKind, _ name: String) {
    raise(IndexName.configEntries)
    touch(.configEntries(kind))
    touch(.configEntry(kind, name.folded))
  }

  /// Changes one intention.
  mutating func apply(_ request: IntentionRequest) throws(StateError) {
    guard let op = IntentionOp(rawValue: request.op) else {
      throw .unknownOperation(kind: "Intention", operation: request.op)
    }
    // Old clusters moved their intentions to config entries; nothing is left to be deleted.
    guard op != .deleteAll, let mutation = request.mutation else { return }
    let outcome: IntentionChange.Outcome
    do throws(ConfigEntryError) {
      outcome = try tables.outcome(of: op, mutation)
    } catch {
      throw .configEntry(error)
    }
    switch outcome {
    case .write(let entry): try setConfigEntry(ConfigEntry(entry), datacenter: request.datacenter)
    case .delete(let destination):
      try deleteConfigEntry(.serviceIntentions, destination, datacenter: request.datacenter)
    case .nothing: break
    }
  }
}

extension Tables {
  /// What a change of one intention makes of the entry that holds it: valid, in its order.
  func outcome(
    of op: IntentionOp, _ mutation: IntentionMutation
  ) throws(ConfigEntryError) -> IntentionChange.Outcome {
    let entry =
      mutation.id.isEmpty
      ? entry(ServiceIntentions.self, mutation.destination.name) : legacyIntentions(id: mutation.id)
    let outcome = try IntentionChange.outcome(op, mutation, entry: entry)
    guard case .write(let written) = outcome,
      let prepared = try ConfigEntry(written).prepared().as(ServiceIntentions.self)
    else { return outcome }
    return .write(prepared)
  }

  /// The entry that holds an intention of the older endpoints.
  func legacyIntentions(id: String) -> ServiceIntentions? {
    let rows = configEntries.index(Schemas.ConfigEntryIndex.legacyIntention).values(prefix: .of(id, closed: true))
    return rows.lazy.compactMap { $0.entry.as(ServiceIntentions.self) }.first { entry in
      entry.sources.contains { $0.legacyID == id }
    }
  }
}
