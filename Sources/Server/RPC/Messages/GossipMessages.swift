import Model

/// Asks members for their gossip keys, or changes them.
public struct KeyringRequest: RPCReadRequest {
  /// `list`, `install`, `use` or `remove`.
  public var operation = ""
  public var key = ""
  public var datacenter = ""
  /// Whether another server has sent it to all datacenters already.
  public var forwarded = false
  /// Whether only the pool of the datacenter is asked.
  public var localOnly = false
  public var relayFactor: UInt8 = 0
  public var options = RPCQueryOptions()

  public init() {}

  public init(_ operation: KeyringOperation, token: String) {
    self.operation = operation.name
    key = operation.key ?? ""
    options.token = token
  }

  public static let schema = Schema<KeyringRequest>("structs.KeyringRequest") {
    $0.field("Operation", \.operation)
    $0.field("Key", \.key)
    $0.field("Datacenter", \.datacenter)
    $0.field("Forwarded", \.forwarded)
    $0.field("LocalOnly", \.localOnly)
    $0.field("RelayFactor", \.relayFactor)
    $0.embed(\.options)
  }
}

/// What the members of one pool answered.
public struct KeyringResponse: Record {
  /// Whether the pool is that of all datacenters' servers.
  public var isWAN = false
  public var datacenter = ""
  public var segment = ""
  public var partition = ""
  /// What members remarked, by name.
  public var messages = StringMap()
  /// How many members have each key.
  public var keys: [String: Int] = [:]
  public var primaryKeys: [String: Int] = [:]
  /// Members that were asked.
  public var nodeCount = 0
  public var error = ""

  public init() {}

  public static let schema = Schema<KeyringResponse>("structs.KeyringResponse") {
    $0.field("WAN", \.isWAN)
    $0.field("Datacenter", \.datacenter)
    $0.field("Segment", \.segment)
    $0.field("Partition", \.partition, .omitEmpty)
    $0.field("Messages", \.messages, .omitEmpty)
    $0.field("Keys", \.keys)
    $0.field("PrimaryKeys", \.primaryKeys)
    $0.field("NumNodes", \.nodeCount)
    $0.field("Error", \.error, .omitEmpty)
  }
}

/// What all pools answered.
public struct KeyringResponses: RPCReply {
  public var responses: [KeyringResponse] = []
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<KeyringResponses>("structs.KeyringResponses") {
    $0.field("Responses", \.responses)
    $0.embed(\.meta)
  }
}

/// Fires a user event.
public struct EventFireRequest: RPCReadRequest {
  public var datacenter = ""
  /// As users know it.
  public var name = ""
  /// The event as it travels in gossip.
  public var payload = Bytes()
  public var options = RPCQueryOptions()

  public init() {}

  public static let schema = Schema<EventFireRequest>("structs.EventFireRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("Name", \.name)
    $0.field("Payload", \.payload)
    $0.embed(\.options)
  }
}

public struct EventFireResponse: RPCReply {
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<EventFireResponse>("structs.EventFireResponse") { $0.embed(\.meta) }
}

/// Where the servers of a datacenter are in the network's latency space.
public struct DatacenterMap: Record {
  public var datacenter = ""
  public var areaID = "wan"
  public var coordinates: [NodeCoordinate] = []

  public init() {}

  public static let schema = Schema<DatacenterMap>("structs.DatacenterMap") {
    $0.field("Datacenter", \.datacenter)
    $0.field("AreaID", \.areaID)
    $0.field("Coordinates", \.coordinates)
  }
}
