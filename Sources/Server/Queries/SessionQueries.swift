import Model
import State

/// One session.
public struct SessionGet: ReadQuery {
  public static let method = "Session.Get"
  public var id: String

  public init(id: String) { self.id = id }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<Row<Session>?> { state.session(id) }
}

/// All sessions.
public struct SessionList: ReadQuery {
  public static let method = "Session.List"

  public init() {}

  public func evaluate(_ state: StateSnapshot) -> QueryResult<[Row<Session>]> { state.sessions() }
}

/// The sessions of one node.
public struct NodeSessions: ReadQuery {
  public static let method = "Session.NodeSessions"
  public var node: String

  public init(node: String) { self.node = node }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<[Row<Session>]> { state.sessions(node: node) }
}
