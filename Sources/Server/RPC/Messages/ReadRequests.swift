import Model

/// Who asks, for answers that depend on it.
public struct RPCQuerySource: Record {
  public var datacenter = ""
  public var segment = ""
  /// The node whose neighbours come first.
  public var node = ""
  public var nodePartition = ""
  public var ip = ""
  /// Whether the order is not to depend on `node`.
  public var disableNode = false

  public init() {}

  /// The node whose neighbours come first; "" for none.
  var near: String { disableNode ? "" : node }

  public static let schema = Schema<RPCQuerySource>("structs.QuerySource") {
    $0.field("Datacenter", \.datacenter)
    $0.field("Segment", \.segment)
    $0.field("Node", \.node)
    $0.field("NodePartition", \.nodePartition)
    $0.field("Ip", \.ip)
    $0.field("DisableNode", \.disableNode)
  }
}

/// Asks for something that a datacenter has one of.
public struct DCSpecificRequest: RPCReadRequest {
  public var datacenter = ""
  public var nodeMetaFilters = StringMap()
  public var source = RPCQuerySource()
  public var peerName = ""
  public var options = RPCQueryOptions()

  public init() {}

  public static let schema = Schema<DCSpecificRequest>("structs.DCSpecificRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("NodeMetaFilters", \.nodeMetaFilters)
    $0.field("Source", \.source)
    $0.field("PeerName", \.peerName)
    $0.embed(\.options)
  }
}

/// Asks about a node.
public struct NodeSpecificRequest: RPCReadRequest {
  public var datacenter = ""
  public var node = ""
  public var peerName = ""
  public var mergeCentralConfig = false
  public var options = RPCQueryOptions()

  public init() {}

  public static let schema = Schema<NodeSpecificRequest>("structs.NodeSpecificRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("Node", \.node)
    $0.field("PeerName", \.peerName)
    $0.field("MergeCentralConfig", \.mergeCentralConfig)
    $0.embed(\.options)
  }
}

/// Asks about a service.
public struct ServiceSpecificRequest: RPCReadRequest {
  public var datacenter = ""
  public var peerName = ""
  public var samenessGroup = ""
  public var nodeMetaFilters = StringMap()
  public var serviceName = ""
  public var serviceKind = ""
  /// Of releases before 1.3; `serviceTags` goes before.
  public var serviceTag = ""
  public var serviceTags: [String] = []
  public var serviceAddress = ""
  /// Whether the tags count.
  public var tagFilter = false
  public var connect = false
  public var ingress = false
  public var mergeCentralConfig = false
  /// 1: only what is passing; 2: without what is critical.
  public var healthFilterType = 0
  public var source = RPCQuerySource()
  public var options = RPCQueryOptions()

  public init() {}

  public static let schema = Schema<ServiceSpecificRequest>("structs.ServiceSpecificRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("PeerName", \.peerName)
    $0.field("SamenessGroup", \.samenessGroup)
    $0.field("NodeMetaFilters", \.nodeMetaFilters)
    $0.field("ServiceName", \.serviceName)
    $0.field("ServiceKind", \.serviceKind)
    $0.field("ServiceTag", \.serviceTag)
    $0.field("ServiceTags", \.serviceTags)
    $0.field("ServiceAddress", \.serviceAddress)
    $0.field("TagFilter", \.tagFilter)
    $0.field("Connect", \.connect)
    $0.field("Ingress", \.ingress)
    $0.field("MergeCentralConfig", \.mergeCentralConfig)
    $0.field("HealthFilterType", \.healthFilterType)
    $0.field("Source", \.source)
    $0.embed(\.options)
  }
}

/// Asks for the checks in one status.
public struct ChecksInStateRequest: RPCReadRequest {
  public var datacenter = ""
  public var nodeMetaFilters = StringMap()
  public var state = ""
  public var peerName = ""
  public var source = RPCQuerySource()
  public var options = RPCQueryOptions()

  public init() {}

  public static let schema = Schema<ChecksInStateRequest>("structs.ChecksInStateRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("NodeMetaFilters", \.nodeMetaFilters)
    $0.field("State", \.state)
    $0.field("PeerName", \.peerName)
    $0.field("Source", \.source)
    $0.embed(\.options)
  }
}

/// Asks for a key, or for all behind a prefix.
public struct KeyRequest: RPCReadRequest {
  public var datacenter = ""
  public var key = ""
  public var options = RPCQueryOptions()

  public init() {}

  public static let schema = Schema<KeyRequest>("structs.KeyRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("Key", \.key)
    $0.embed(\.options)
  }
}

/// Asks for the names behind a prefix.
public struct KeyListRequest: RPCReadRequest {
  public var datacenter = ""
  public var prefix = ""
  public var separator = ""
  public var options = RPCQueryOptions()

  public init() {}

  public static let schema = Schema<KeyListRequest>("structs.KeyListRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("Prefix", \.prefix)
    $0.field("Seperator", \.separator)
    $0.embed(\.options)
  }
}

/// Asks for a session.
public struct SessionSpecificRequest: RPCReadRequest, RPCWriteRequest {
  public var datacenter = ""
  /// Where releases before 1.7 look.
  public var session = ""
  public var sessionID = ""
  public var options = RPCQueryOptions()

  public init() {}

  init(id: String) {
    session = id
    sessionID = id
  }

  var id: String { sessionID.isEmpty ? session : sessionID }

  public var token: String {
    get { options.token }
    set { options.token = newValue }
  }

  public static let schema = Schema<SessionSpecificRequest>("structs.SessionSpecificRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("Session", \.session)
    $0.field("SessionID", \.sessionID)
    $0.embed(\.options)
  }
}

/// Asks for all instances.
public struct ServiceDumpRequest: RPCReadRequest {
  public var datacenter = ""
  public var serviceKind = ""
  public var useServiceKind = false
  public var nodesOnly = false
  public var peerName = ""
  public var source = RPCQuerySource()
  public var options = RPCQueryOptions()

  public init() {}

  public static let schema = Schema<ServiceDumpRequest>("structs.ServiceDumpRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("ServiceKind", \.serviceKind)
    $0.field("UseServiceKind", \.useServiceKind)
    $0.field("NodesOnly", \.nodesOnly)
    $0.field("PeerName", \.peerName)
    $0.field("Source", \.source)
    $0.embed(\.options)
  }
}

/// Asks how much the catalog holds.
public struct OperatorUsageRequest: RPCReadRequest {
  public var datacenter = ""
  public var isGlobal = false
  public var nodeMetaFilters = StringMap()
  public var source = RPCQuerySource()
  public var peerName = ""
  public var options = RPCQueryOptions()

  public init() {}

  public static let schema = Schema<OperatorUsageRequest>("structs.OperatorUsageRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("Global", \.isGlobal)
    $0.field("NodeMetaFilters", \.nodeMetaFilters)
    $0.field("Source", \.source)
    $0.field("PeerName", \.peerName)
    $0.embed(\.options)
  }
}

/// Asks for all datacenters.
public struct DatacentersRequest: Record {
  public var options = RPCQueryOptions()

  public init() {}

  public static let schema = Schema<DatacentersRequest>("structs.DatacentersRequest") {
    $0.embed(\.options)
  }
}
