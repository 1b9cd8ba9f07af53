import Model

extension StateSnapshot {
  /// One session.
  public func session(_ id: String) -> QueryResult<Row<Session>?> {
    let row = tables.sessions[.of(id)]
    return QueryResult(
      index: row?.value.modifyIndex ?? tables.index(of: IndexName.sessions), value: row, watch: [.session(id.folded)])
  }

  /// All sessions, in the order of their ids.
  public func sessions() -> QueryResult<[Row<Session>]> {
    QueryResult(
      index: tables.index(of: IndexName.sessions), value: Array(tables.sessions.rows.values), watch: [.sessions])
  }

  /// The sessions of one node.
  public func sessions(node: String) -> QueryResult<[Row<Session>]> {
    let rows = tables.sessions.index(Schemas.SessionIndex.node).values(prefix: .of(node, closed: true))
    return QueryResult(
      index: tables.index(of: IndexName.sessions), value: Array(rows), watch: [.nodeSessions(node.folded)])
  }

  /// The keys that a session has locked, in byte order.
  public func keys(lockedBy session: String) -> [Row<KVEntry>] {
    Array(tables.kv.index(Schemas.KVIndex.session).values(prefix: .of(session, closed: true)))
  }
}
