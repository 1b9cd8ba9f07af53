import Model

/// What a change of one intention makes of the config entry that holds it.
public enum IntentionChange {
  public enum Outcome: Sendable, Equatable {
    case write(ServiceIntentions)
    /// No source is left.
    case delete(destination: String)
    /// There was nothing to delete.
    case nothing
  }

  /// - Parameters:
  ///   - entry: The entry of the destination or, for changes by id, the one with the intention; nil without one.
  ///   - op: `delete` deletes; the others write `mutation.value`.
  public static func outcome(
    _ op: IntentionOp, _ mutation: IntentionMutation, entry: ServiceIntentions?
  ) throws(ConfigEntryError) -> Outcome {
    switch op {
    case .create, .upsert, .update:
      guard let value = mutation.value else { throw ConfigEntryError("Intention mutation has no value") }
      return .write(try written(value, op, mutation, entry))
    case .delete: return deleted(mutation, entry)
    case .deleteAll: throw ConfigEntryError("delete-all is not a change of one intention")
    }
  }

  private static func written(
    _ value: SourceIntention, _ op: IntentionOp, _ mutation: IntentionMutation, _ entry: ServiceIntentions?
  ) throws(ConfigEntryError) -> ServiceIntentions {
    var written = entry ?? ServiceIntentions(name: mutation.destination.name)
    if !mutation.id.isEmpty {
      guard let place = written.sources.firstIndex(where: { $0.legacyID == mutation.id }) else {
        throw ConfigEntryError("Cannot modify non-existent intention: '\(mutation.id)'")
      }
      written.sources[place] = value
    } else if op != .create, let place = written.sources.firstIndex(where: { $0.isSameSource(as: value) }) {
      written.sources[place] = value
    } else {
      written.sources.append(value)
    }
    return written
  }

  private static func deleted(_ mutation: IntentionMutation, _ entry: ServiceIntentions?) -> Outcome {
    guard var entry else { return .nothing }
    let count = entry.sources.count
    if mutation.id.isEmpty {
      entry.sources.removeAll { $0.name == mutation.source.name && $0.peer.isEmpty && $0.samenessGroup.isEmpty }
    } else {
      entry.sources.removeAll { $0.legacyID == mutation.id }
    }
    if entry.sources.count == count { return .nothing }
    return entry.sources.isEmpty ? .delete(destination: entry.name) : .write(entry)
  }
}
