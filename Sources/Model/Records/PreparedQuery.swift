/// A search for instances of a service, kept by the servers and carried out by its id or name.
public struct PreparedQuery: Record {
  public var id = ""
  /// "" for queries that are only known by their id. Of a template, what the names that it answers begin with.
  public var name = ""
  /// The session with which the query ends; "" for one that stays.
  public var session = ""
  /// What the query may see, whoever carries it out; "" leaves it to them.
  public var token = ""
  public var template = QueryTemplateOptions()
  public var service = ServiceQuery()
  public var dns = QueryDNSOptions()
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init() {}

  /// Whether the query answers every name that begins with its own.
  public var isTemplate: Bool { !template.type.isEmpty }

  public static let schema = Schema<PreparedQuery>("structs.PreparedQuery") {
    $0.field("ID", \.id)
    $0.field("Name", \.name)
    $0.field("Session", \.session)
    $0.field("Token", \.token)
    $0.field("Template", \.template)
    $0.field("Service", \.service)
    $0.field("DNS", \.dns)
    $0.field("CreateIndex", \.createIndex)
    $0.field("ModifyIndex", \.modifyIndex)
  }
}

/// What a query looks for. In a template every text may contain `${…}`.
public struct ServiceQuery: Record {
  public var service = ""
  public var samenessGroup = ""
  public var failover = QueryFailoverOptions()
  /// Without instances that have a warning, too.
  public var onlyPassing = false
  /// Checks that do not count.
  public var ignoreCheckIDs: [String] = []
  /// The node whose neighbours come first, `_agent` or `_ip`; "" is in no order.
  public var near = ""
  /// Tags that instances must have or, behind a `!`, must not have.
  public var tags: [String] = []
  public var nodeMeta = StringMap()
  public var serviceMeta = StringMap()
  /// What speaks for the service in the mesh instead.
  public var connect = false
  /// The peer whose instances are meant; "" for the own cluster.
  public var peer = ""

  public init() {}

  public static let schema = Schema<ServiceQuery>("structs.ServiceQuery") {
    $0.field("Service", \.service)
    $0.field("SamenessGroup", \.samenessGroup)
    $0.field("Failover", \.failover)
    $0.field("OnlyPassing", \.onlyPassing)
    $0.field("IgnoreCheckIDs", \.ignoreCheckIDs, .nullWhenEmpty)
    $0.field("Near", \.near)
    $0.field("Tags", \.tags, .nullWhenEmpty)
    $0.field("NodeMeta", \.nodeMeta)
    $0.field("ServiceMeta", \.serviceMeta)
    $0.field("Connect", \.connect)
    $0.field("Peer", \.peer)
  }
}

/// Where else to look when there is no healthy instance.
public struct QueryFailoverOptions: Record {
  /// So many other datacenters, nearest first.
  public var nearestN = 0
  /// Then these.
  public var datacenters: [String] = []
  /// These instead of the others.
  public var targets: [QueryFailoverTarget] = []

  public init() {}

  public static let schema = Schema<QueryFailoverOptions>("structs.QueryFailoverOptions") {
    $0.field("NearestN", \.nearestN)
    $0.field("Datacenters", \.datacenters, .nullWhenEmpty)
    $0.field("Targets", \.targets, .nullWhenEmpty)
  }
}

/// A datacenter or a peer.
public struct QueryFailoverTarget: Record, Hashable {
  public var peer = ""
  public var datacenter = ""

  public init() {}

  public static let schema = Schema<QueryFailoverTarget>("structs.QueryFailoverTarget") {
    $0.field("Peer", \.peer, aliases: ["PeerName"])
    $0.field("Datacenter", \.datacenter)
  }
}

/// How a template makes a query of a name.
public struct QueryTemplateOptions: Record {
  /// The only type there is; "" is no template.
  public static let namePrefixMatch = "name_prefix_match"

  public var type = ""
  /// What `${match(N)}` takes from the name; "" takes nothing.
  public var regexp = ""
  public var removeEmptyTags = false

  public init() {}

  public static let schema = Schema<QueryTemplateOptions>("structs.QueryTemplateOptions") {
    $0.field("Type", \.type)
    $0.field("Regexp", \.regexp)
    $0.field("RemoveEmptyTags", \.removeEmptyTags)
  }
}

/// How DNS shows the result.
public struct QueryDNSOptions: Record {
  /// A duration; "" leaves it to the settings of the agent.
  public var ttl = ""

  public init() {}

  public static let schema = Schema<QueryDNSOptions>("structs.QueryDNSOptions") { $0.field("TTL", \.ttl) }
}

/// Creates, changes or deletes a prepared query.
public struct PreparedQueryRequest: Record {
  public var datacenter = ""
  public var op = ""
  public var query = PreparedQuery()
  public var token = ""

  public init() {}
  public init(op: PreparedQueryOp, query: PreparedQuery) {
    self.op = op.rawValue
    self.query = query
  }

  public static let schema = Schema<PreparedQueryRequest>("structs.PreparedQueryRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("Op", \.op)
    $0.field("Query", \.query)
    $0.field("Token", \.token)
  }
}

public enum PreparedQueryOp: String, Sendable, CaseIterable {
  case create, update, delete
}
