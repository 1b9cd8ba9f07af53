import AccessControl
import Mesh
import Model
import State

/// Creates, changes or deletes one intention. The answer is its id; "" for one that has none.
public struct IntentionApply: WriteRequest {
  public static let method = "Intention.Apply"
  public var op: IntentionOp
  /// Of what is to be deleted only the id, or the ends, count.
  public var intention: Intention

  public init(_ op: IntentionOp, _ intention: Intention) {
    self.op = op
    self.intention = intention
  }

  public func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<String> {
    let change = try change(context)
    guard context.hasMesh else { throw .meshDisabled }
    do throws(ConfigEntryError) {
      _ = try context.state.outcome(of: op, change.mutation)
    } catch {
      throw .invalid(error.description)
    }
    var request = IntentionRequest()
    request.datacenter = context.datacenter
    request.op = op.rawValue
    request.mutation = change.mutation
    let id = change.id
    return .command(.intention(request)) { (result) throws(ServerError) in
      _ = try result.success(prefix: "")
      return id
    }
  }

  private func change(_ context: WriteContext) throws(ServerError) -> (mutation: IntentionMutation, id: String) {
    switch op {
    case .create: try created(context)
    case .update: try updated(context)
    case .upsert: try upserted(context)
    case .delete: try deleted(context)
    case .deleteAll: throw .invalid("delete-all is not allowed here")
    }
  }

  // MARK: By the ends

  private func upserted(_ context: WriteContext) throws(ServerError) -> (IntentionMutation, String) {
    try Self.requireRight(to: intention.destinationName, context)
    if !intention.id.isEmpty { throw .invalid("ID must not be specified") }
    let entry = context.state.entry(ServiceIntentions.self, intention.destinationName)
    if let entry {
      if !intention.meta.isEmpty, intention.meta != entry.meta {
        throw .invalid("Meta must not be specified, or should be unchanged during an update.")
      }
    } else if !intention.meta.isEmpty {
      throw .invalid("Meta must not be specified")
    }
    return (Self.mutation(intention, SourceIntention(intention)), "")
  }

  private func deleted(_ context: WriteContext) throws(ServerError) -> (IntentionMutation, String) {
    guard intention.id.isEmpty else {
      let old = try existing(context, verb: "delete")
      try Self.requireRight(to: old.destinationName, context)
      var mutation = IntentionMutation()
      mutation.id = intention.id
      return (mutation, intention.id)
    }
    try Self.requireRight(to: intention.destinationName, context)
    return (Self.mutation(intention, nil), "")
  }

  // MARK: By id, as older clients do it

  private func created(_ context: WriteContext) throws(ServerError) -> (IntentionMutation, String) {
    if !intention.id.isEmpty { throw .invalid("ID must be empty when creating a new intention") }
    try Self.requireRight(to: intention.destinationName, context)
    try requireLegacy(context)
    try requireValid()
    var source = SourceIntention(intention)
    repeat { source.legacyID = Identifier.random() } while context.state.intention(id: source.legacyID).value != nil
    source.legacyMeta = intention.meta
    source.legacyCreateTime = context.now
    source.legacyUpdateTime = context.now
    return (Self.mutation(intention, source), source.legacyID)
  }

  private func updated(_ context: WriteContext) throws(ServerError) -> (IntentionMutation, String) {
    let old = try existing(context, verb: "modify")
    try Self.requireRight(to: old.destinationName, context)
    try Self.requireRight(to: intention.destinationName, context)
    guard intention.destinationName == old.destinationName else {
      throw .invalid("Cannot modify Destination partition/namespace/name for an intention once it exists.")
    }
    try requireLegacy(context)
    try requireValid()
    var source = SourceIntention(intention)
    source.legacyID = old.id
    source.legacyMeta = intention.meta
    source.legacyCreateTime = old.createdAt
    source.legacyUpdateTime = context.now
    var mutation = Self.mutation(intention, source)
    mutation.id = old.id
    return (mutation, old.id)
  }

  private func existing(_ context: WriteContext, verb: String) throws(ServerError) -> Intention {
    if let problem = PreparedQueryRules.problem(ofUUID: intention.id) {
      throw .invalid("Intention lookup failed: failed config entry lookup: index error: \(problem)")
    }
    guard let old = context.state.intention(id: intention.id).value else {
      throw .invalid("Cannot \(verb) non-existent intention: '\(intention.id)'")
    }
    return old
  }

  /// Entries that somebody wrote as such may say more than older clients know.
  private func requireLegacy(_ context: WriteContext) throws(ServerError) {
    guard let entry = context.state.entry(ServiceIntentions.self, intention.destinationName), !entry.isLegacy else {
      return
    }
    throw .invalid(
      "cannot use legacy intention API to edit intentions with a destination of \"\(entry.name)\" "
        + "after editing them via a service-intentions config entry")
  }

  /// - Throws: `ServerError.invalid` with everything that is wrong.
  private func requireValid() throws(ServerError) {
    var problems: [String] = []
    for (field, name) in [("SourceName", intention.sourceName), ("DestinationName", intention.destinationName)] {
      if name.isEmpty {
        problems.append("\(field) must be set")
      } else if name.contains("*"), name != anyService {
        problems.append("\(field): wildcard character '*' cannot be used with partial values")
      }
    }
    if intention.permissions.isEmpty, ![Intention.allow, Intention.deny].contains(intention.action) {
      problems.append("Action must be set to 'allow' or 'deny'")
    }
    if !intention.permissions.isEmpty { problems.append("Permissions must not be set using the legacy APIs") }
    if !["", "consul"].contains(intention.sourceType) { problems.append("SourceType must be set to 'consul'") }
    guard !problems.isEmpty else { return }
    let count = problems.count == 1 ? "1 error" : "\(problems.count) errors"
    throw .invalid("\(count) occurred:\n" + problems.map { "\t* \($0)\n" }.joined() + "\n")
  }

  // MARK: Parts

  private static func mutation(_ intention: Intention, _ value: SourceIntention?) -> IntentionMutation {
    var mutation = IntentionMutation()
    mutation.destination = ServiceName(intention.destinationName)
    mutation.source = ServiceName(intention.sourceName)
    mutation.value = value
    return mutation
  }

  /// Nobody is told more than that they may not.
  private static func requireRight(to destination: String, _ context: WriteContext) throws(ServerError) {
    if destination.isEmpty { throw .permissionDenied("") }
    guard let reader = try context.reader(), !reader.allows(.intentionWrite(destination)) else { return }
    throw .permissionDenied("")
  }
}

extension SourceIntention {
  init(_ intention: Intention) {
    self.init()
    name = intention.sourceName
    peer = intention.sourcePeer
    samenessGroup = intention.sourceSamenessGroup
    action = intention.action
    permissions = intention.permissions
    type = intention.sourceType.isEmpty ? "consul" : intention.sourceType
    description = intention.description
  }
}
