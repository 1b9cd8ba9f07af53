import Model

/// Asks for all intentions.
public struct IntentionListRequest: RPCReadRequest {
  public var datacenter = ""
  /// Of migrations of old clusters.
  public var legacy = false
  public var options = RPCQueryOptions()

  public init() {}

  public static let schema = Schema<IntentionListRequest>("structs.IntentionListRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("Legacy", \.legacy)
    $0.embed(\.options)
  }
}

/// Asks about intentions: for one, by id or ends, for those about services, or whether one may call another.
public struct IntentionQueryRequest: RPCReadRequest {
  public var datacenter = ""
  public var intentionID = ""
  public var match: IntentionQueryMatch?
  public var check: IntentionQueryCheck?
  public var exact: IntentionQueryExact?
  public var options = RPCQueryOptions()

  public init() {}

  public static let schema = Schema<IntentionQueryRequest>("structs.IntentionQueryRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("IntentionID", \.intentionID)
    $0.field("Match", \.match)
    $0.field("Check", \.check)
    $0.field("Exact", \.exact)
    $0.embed(\.options)
  }
}

/// The services about which intentions are looked for, and at which end.
public struct IntentionQueryMatch: Record {
  /// `source` or `destination`.
  public var type = ""
  public var entries: [IntentionMatchEntry] = []
  public var withSamenessGroups = false

  public init() {}

  public static let schema = Schema<IntentionQueryMatch>("structs.IntentionQueryMatch") {
    $0.field("Type", \.type)
    $0.field("Entries", \.entries)
    $0.field("WithSamenessGroups", \.withSamenessGroups)
  }
}

/// One service.
public struct IntentionMatchEntry: Record {
  public var partition = ""
  public var namespace = "default"
  public var name = ""

  public init() {}

  public static let schema = Schema<IntentionMatchEntry>("structs.IntentionMatchEntry") {
    $0.field("Partition", \.partition)
    $0.field("Namespace", \.namespace)
    $0.field("Name", \.name)
  }
}

/// Who wants to call whom.
public struct IntentionQueryCheck: Record {
  public var sourceNS = "default"
  public var sourceName = ""
  public var destinationNS = "default"
  public var destinationName = ""
  public var sourcePartition = ""
  public var destinationPartition = ""
  public var sourceType = "consul"

  public init() {}

  public static let schema = Schema<IntentionQueryCheck>("structs.IntentionQueryCheck") {
    $0.field("SourceNS", \.sourceNS)
    $0.field("SourceName", \.sourceName)
    $0.field("DestinationNS", \.destinationNS)
    $0.field("DestinationName", \.destinationName)
    $0.field("SourcePartition", \.sourcePartition)
    $0.field("DestinationPartition", \.destinationPartition)
    $0.field("SourceType", \.sourceType)
  }
}

/// The two ends of an intention.
public struct IntentionQueryExact: Record {
  public var sourceNS = "default"
  public var sourceName = ""
  public var destinationNS = "default"
  public var destinationName = ""
  public var sourcePartition = ""
  public var destinationPartition = ""
  public var sourcePeer = ""
  public var sourceSamenessGroup = ""

  public init() {}

  public static let schema = Schema<IntentionQueryExact>("structs.IntentionQueryExact") {
    $0.field("SourceNS", \.sourceNS)
    $0.field("SourceName", \.sourceName)
    $0.field("DestinationNS", \.destinationNS)
    $0.field("DestinationName", \.destinationName)
    $0.field("SourcePartition", \.sourcePartition)
    $0.field("DestinationPartition", \.destinationPartition)
    $0.field("SourcePeer", \.sourcePeer)
    $0.field("SourceSamenessGroup", \.sourceSamenessGroup)
  }
}

/// Intentions.
public struct IndexedIntentions: RPCReply {
  public var intentions: [Intention] = []
  /// Where the servers keep them: `configentry`, or `legacy` before the migration.
  public var dataOrigin = ""
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<IndexedIntentions>("structs.IndexedIntentions") {
    $0.field("Intentions", \.intentions)
    $0.field("DataOrigin", \.dataOrigin)
    $0.embed(\.meta)
  }

  public mutating func filter(_ expression: String) throws(FilterError) { try intentions.filter(expression) { $0 } }
}

/// For each service asked for, the intentions about it.
public struct IndexedIntentionMatches: RPCReply {
  public var matches: [[Intention]] = []
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<IndexedIntentionMatches>("structs.IndexedIntentionMatches") {
    $0.field("Matches", \.matches)
    $0.embed(\.meta)
  }
}

/// Whether one service may call another.
public struct IntentionQueryCheckResponse: Record {
  public var allowed = false

  public init() {}

  public static let schema = Schema<IntentionQueryCheckResponse>("structs.IntentionQueryCheckResponse") {
    $0.field("Allowed", \.allowed)
  }
}
