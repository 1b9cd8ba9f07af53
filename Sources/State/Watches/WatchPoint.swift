import Model

/// A part of the state that commits touch and queries wait for. Names of nodes, services, statuses and ids of sessions are
/// folded (in lower case).
public enum WatchPoint: Hashable, Sendable {
  /// A row of the index table, such as `peer.~:service.web`.
  case index(String)
  /// One key of the key-value store.
  case key(String)
  /// Every key that starts with this text.
  case keyPrefix(String)
  /// The rows of all nodes, service instances, checks, sessions or coordinates.
  case nodes, services, checks, sessions, coordinates
  case preparedQueries
  case preparedQuery(String)
  /// All config entries of a kind.
  case configEntries(ConfigEntryKind)
  case configEntry(ConfigEntryKind, String)
  case session(String)
  case nodeSessions(String)
  /// The checks of a node and of its services.
  case nodeChecks(String)
  /// The checks in a status other than passing.
  case checkStatus(String)
  /// The instances of a service with their nodes, but not their checks.
  case instances(String)
  /// The instances through which a service can be reached in the mesh.
  case connect(String)
  case nodeCoordinates(String)
}

extension WatchPoint {
  /// Whether this part may differ between two versions. May say so of equal ones, never the other way round.
  func differs(_ a: Tables, _ b: Tables) -> Bool {
    switch self {
    case .index(let name): a.index(of: name) != b.index(of: name)
    case .key(let key): a.kv[exact: key] !== b.kv[exact: key]
    case .keyPrefix(let prefix): Self.differs(a.kv.rows, b.kv.rows, .exact(prefix))
    case .nodes: a.nodes.rows.root !== b.nodes.rows.root
    case .services: a.services.rows.root !== b.services.rows.root
    case .checks: a.checks.rows.root !== b.checks.rows.root
    case .sessions: a.sessions.rows.root !== b.sessions.rows.root
    case .coordinates: a.coordinates.rows.root !== b.coordinates.rows.root
    case .preparedQueries: a.preparedQueries.rows.root !== b.preparedQueries.rows.root
    case .preparedQuery(let id): a.preparedQueries[.of(id)] !== b.preparedQueries[.of(id)]
    case .configEntries(let kind):
      Self.differs(a.configEntries.rows, b.configEntries.rows, .of(kind.rawValue, closed: true))
    case .configEntry(let kind, let name):
      a.configEntries[.of(kind.rawValue, name)] !== b.configEntries[.of(kind.rawValue, name)]
    case .session(let id): a.sessions[.of(id)] !== b.sessions[.of(id)]
    case .nodeSessions(let node):
      Self.differs(
        a.sessions.index(Schemas.SessionIndex.node), b.sessions.index(Schemas.SessionIndex.node),
        .of(node, closed: true))
    case .nodeChecks(let node): Self.differs(a.checks.rows, b.checks.rows, .of(node, closed: true))
    // Checks that pass have no index of their own.
    case .checkStatus(CheckStatus.passing.rawValue): a.checks.rows.root !== b.checks.rows.root
    case .checkStatus(let status):
      Self.differs(
        a.checks.index(Schemas.CheckIndex.status), b.checks.index(Schemas.CheckIndex.status), .of(status, closed: true))
    case .instances(let service):
      Self.instancesDiffer(a, b, Schemas.ServiceIndex.name, .of(service, closed: true))
    case .connect(let service): Self.instancesDiffer(a, b, Schemas.ServiceIndex.connect, .of(service, closed: true))
    case .nodeCoordinates(let node): Self.differs(a.coordinates.rows, b.coordinates.rows, .of(node, closed: true))
    }
  }

  /// Instances are shown with their nodes, which the indexes of instances do not hold.
  private static func instancesDiffer(_ a: Tables, _ b: Tables, _ index: Int, _ prefix: Key) -> Bool {
    let instances = b.services.index(index)
    if differs(a.services.index(index), instances, prefix) { return true }
    return instances.values(prefix: prefix).contains { a.nodes[.of($0.nodeName)] !== b.nodes[.of($0.nodeName)] }
  }

  private static func differs<Value>(_ a: RadixTree<Value>, _ b: RadixTree<Value>, _ prefix: Key) -> Bool {
    a.identity(prefix: prefix) != b.identity(prefix: prefix)
  }
}

/// What a transaction touched.
enum Change: Sendable {
  case point(WatchPoint)
  /// One key, to which watches of the key and of its prefixes belong.
  case key(String)
  /// All keys that started with this text were removed; here they are.
  case keyTree(prefix: String, removed: RadixTree<Row<KVEntry>>)
  /// The whole state was replaced.
  case everything
}
