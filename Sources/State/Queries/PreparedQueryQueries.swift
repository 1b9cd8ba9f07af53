import Model

extension StateSnapshot {
  /// One query, by its id.
  public func preparedQuery(_ id: String) -> QueryResult<Row<PreparedQuery>?> {
    let row = tables.preparedQueries[.of(id)]?.row
    return QueryResult(
      index: row?.value.modifyIndex ?? tables.index(of: IndexName.preparedQueries), value: row,
      watch: [.preparedQuery(id.folded)])
  }

  /// All queries, in the order of their ids.
  public func preparedQueries() -> QueryResult<[Row<PreparedQuery>]> {
    QueryResult(
      index: tables.index(of: IndexName.preparedQueries), value: tables.preparedQueries.rows.values.map(\.row),
      watch: [.preparedQueries])
  }

  /// The query that answers to an id or a name: the one with it or, failing that, what the template with the longest
  /// beginning of the name makes of it.
  ///
  /// - Parameter segment: the network segment of the agent that asks.
  /// - Throws: `StateError.template` for a template that cannot make a query of this name.
  public func resolvePreparedQuery(_ idOrName: String, segment: String = "") throws(StateError) -> PreparedQuery? {
    let table = tables.preparedQueries
    if Identifier.isValid(idOrName), let found = table[.of(idOrName)] {
      return try found.query(named: idOrName, segment: segment)
    }
    if idOrName.isEmpty { return nil }
    let named = table.index(Schemas.PreparedQueryIndex.name).value(.of(idOrName))
    if let named, named.template == nil { return named.row.value }
    var template: PreparedQueryEntry?
    Key.of(idOrName).withUnsafeBytes { key in
      table.index(Schemas.PreparedQueryIndex.template).forEachPrefix(of: key) { template = $0 }
    }
    return try template?.query(named: idOrName, segment: segment)
  }
}

extension PreparedQueryEntry {
  fileprivate func query(named name: String, segment: String) throws(StateError) -> PreparedQuery {
    try template?.render(name: name, segment: segment) ?? row.value
  }
}
