/// Who may call a service: one source of a `ServiceIntentions` entry, in the form of its own that the API gives it.
public struct Intention: Record {
  public static let allow = "allow"
  public static let deny = "deny"

  /// "" for those that were not made by the older endpoints.
  public var id = ""
  public var description = ""
  public var sourcePartition = ""
  public var sourceNS = "default"
  public var sourceName = ""
  public var sourcePeer = ""
  public var sourceSamenessGroup = ""
  public var destinationPartition = ""
  public var destinationNS = "default"
  public var destinationName = ""
  public var sourceType = ""
  public var action = ""
  public var permissions: [IntentionPermission] = []
  public var jwt: IntentionJWTRequirement?
  public var defaultAddr = ""
  public var defaultPort = 0
  public var meta = StringMap()
  public var precedence = 0
  public var createdAt = Timestamp()
  public var updatedAt = Timestamp()
  public var hash = Bytes()
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init() {}

  public static let schema = Schema<Intention>("structs.Intention") {
    $0.field("CreatedAt", \.createdAt, .omitEmpty)
    $0.field("UpdatedAt", \.updatedAt, .omitEmpty)
    $0.field("ID", \.id, .omitEmpty)
    $0.field("Description", \.description, .omitEmpty)
    $0.field("SourcePartition", \.sourcePartition, .omitEmpty)
    $0.field("SourceNS", \.sourceNS)
    $0.field("SourceName", \.sourceName)
    $0.field("SourcePeer", \.sourcePeer, .omitEmpty)
    $0.field("SourceSamenessGroup", \.sourceSamenessGroup, .omitEmpty)
    $0.field("DestinationPartition", \.destinationPartition, .omitEmpty)
    $0.field("DestinationNS", \.destinationNS)
    $0.field("DestinationName", \.destinationName)
    $0.field("SourceType", \.sourceType)
    $0.field("Action", \.action, .omitEmpty)
    $0.field("Permissions", \.permissions, .omitEmpty)
    $0.field("JWT", \.jwt, .omitEmpty)
    $0.field("DefaultAddr", \.defaultAddr, [.hiddenInJSON, .omitEmptyOnWire])
    $0.field("DefaultPort", \.defaultPort, [.hiddenInJSON, .omitEmptyOnWire])
    $0.field("Meta", \.meta, .omitEmpty)
    $0.field("Precedence", \.precedence)
    $0.field("Hash", \.hash, .omitEmpty)
    $0.field("CreateIndex", \.createIndex)
    $0.field("ModifyIndex", \.modifyIndex)
  }
}

/// Changes one source of a service's intentions, whatever the others are by then.
public struct IntentionRequest: Record {
  public var datacenter = ""
  public var op = ""
  /// What the older endpoints ask for.
  public var intention: Intention?
  /// What is logged: the change of the config entry.
  public var mutation: IntentionMutation?
  public var token = ""

  public init() {}

  public static let schema = Schema<IntentionRequest>("structs.IntentionRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("Op", \.op)
    $0.field("Intention", \.intention)
    $0.field("Mutation", \.mutation)
    $0.field("Token", \.token)
  }
}

public enum IntentionOp: String, Sendable, CaseIterable {
  case create, update, delete, upsert
  /// Of migrations of old clusters.
  case deleteAll = "delete-all"
}

/// A change of the config entry of one destination.
public struct IntentionMutation: Record {
  /// The intention with this id; "" goes by destination and source.
  public var id = ""
  public var destination = ServiceName()
  public var source = ServiceName()
  /// What the source becomes; nil deletes.
  public var value: SourceIntention?

  public init() {}

  public static let schema = Schema<IntentionMutation>("structs.IntentionMutation") {
    $0.field("ID", \.id)
    $0.field("Destination", \.destination)
    $0.field("Source", \.source)
    $0.field("Value", \.value)
  }
}
