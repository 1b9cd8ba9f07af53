/// Puts a node, a service and checks into the catalog in one step.
public struct RegisterRequest: Record {
  public var datacenter = ""
  public var id = ""
  public var node = ""
  public var address = ""
  public var taggedAddresses = StringMap()
  public var nodeMeta = StringMap()
  public var locality: Locality?
  public var service: NodeService?
  public var check: HealthCheck?
  public var checks: [HealthCheck] = []
  /// Leaves the node as it is if it exists.
  public var skipNodeUpdate = false
  public var peerName = ""
  public var token = ""
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init() {}

  public static let schema = Schema<RegisterRequest>("structs.RegisterRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("ID", \.id)
    $0.field("Node", \.node)
    $0.field("Address", \.address)
    $0.field("TaggedAddresses", \.taggedAddresses)
    $0.field("NodeMeta", \.nodeMeta)
    $0.field("Locality", \.locality)
    $0.field("Service", \.service)
    $0.field("Check", \.check)
    $0.field("Checks", \.checks)
    $0.field("SkipNodeUpdate", \.skipNodeUpdate)
    $0.field("PeerName", \.peerName)
    $0.field("Token", \.token)
    $0.field("CreateIndex", \.createIndex, .readOnly)
    $0.field("ModifyIndex", \.modifyIndex, .readOnly)
  }
}

/// Removes a service, a check, or a node with all it has: the first that is named.
public struct DeregisterRequest: Record {
  public var datacenter = ""
  public var node = ""
  public var serviceID = ""
  public var checkID = ""
  public var peerName = ""
  public var token = ""

  public init() {}

  public static let schema = Schema<DeregisterRequest>("structs.DeregisterRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("Node", \.node)
    $0.field("ServiceID", \.serviceID)
    $0.field("CheckID", \.checkID)
    $0.field("PeerName", \.peerName)
    $0.field("Token", \.token)
  }
}

/// Changes one key, or all under a prefix.
public struct KVSRequest: Record {
  public var datacenter = ""
  public var op = ""
  public var dirEnt = KVEntry()
  public var token = ""

  public init() {}
  public init(op: KVOp, entry: KVEntry) {
    self.op = op.rawValue
    dirEnt = entry
  }

  public static let schema = Schema<KVSRequest>("structs.KVSRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("Op", \.op)
    $0.field("DirEnt", \.dirEnt)
    $0.field("Token", \.token)
  }
}

/// The operations of the key-value store.
public enum KVOp: String, Sendable, CaseIterable {
  case set
  case delete
  case deleteCAS = "delete-cas"
  case deleteTree = "delete-tree"
  case cas
  case lock
  case unlock
}

/// Creates or destroys a session.
public struct SessionRequest: Record {
  public var datacenter = ""
  public var op = ""
  public var session = Session()
  public var token = ""

  public init() {}

  public static let schema = Schema<SessionRequest>("structs.SessionRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("Op", \.op)
    $0.field("Session", \.session)
    $0.field("Token", \.token)
  }
}

/// Forgets tombstones up to an index.
public struct TombstoneRequest: Record {
  public var datacenter = ""
  public var op = ""
  public var reapIndex: UInt64 = 0
  public var token = ""

  public init() {}

  public static let schema = Schema<TombstoneRequest>("structs.TombstoneRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("Op", \.op)
    $0.field("ReapIndex", \.reapIndex)
    $0.field("Token", \.token)
  }
}
