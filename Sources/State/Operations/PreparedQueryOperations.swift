import Model

extension StateTransaction {
  mutating func apply(_ request: PreparedQueryRequest) throws(StateError) -> CommandResult {
    switch PreparedQueryOp(rawValue: request.op) {
    case .create, .update: try setPreparedQuery(request.query)
    case .delete: deletePreparedQuery(request.query.id)
    case nil: throw .unknownOperation(kind: "PreparedQuery", operation: request.op)
    }
    return .done
  }

  /// Creates a query, whose id has been chosen before, or changes the one with its id.
  ///
  /// - Throws: `queryNameTaken`, `queryNameIsID`, `secondEmptyTemplate`, `invalidSession`, `template`.
  public mutating func setPreparedQuery(_ query: PreparedQuery) throws(StateError) {
    let old = tables.preparedQueries[.of(query.id)]
    if !query.name.isEmpty {
      let named = tables.preparedQueries.index(Schemas.PreparedQueryIndex.name).value(.of(query.name))
      if let named, !named.id.isSameName(as: query.id) { throw .queryNameTaken(name: query.name) }
      let identified = tables.preparedQueries[.of(query.name)]
      if let identified, Identifier.isValid(query.name), !identified.id.isSameName(as: query.id) {
        throw .queryNameIsID(name: query.name)
      }
    } else if query.isTemplate {
      let empty = tables.preparedQueries.index(Schemas.PreparedQueryIndex.template).value(.of(""))
      if let empty, !empty.id.isSameName(as: query.id) { throw .secondEmptyTemplate }
    }
    if !query.session.isEmpty, tables.sessions[.of(query.session)] == nil { throw .invalidSession(id: query.session) }
    var query = query
    query.createIndex = old?.row.value.createIndex ?? index
    query.modifyIndex = index
    try store(query)
  }

  /// Stores a query as it is, with its own indexes.
  mutating func store(_ query: PreparedQuery) throws(StateError) {
    let template = query.isTemplate ? try QueryTemplate(query) : nil
    tables.preparedQueries.put(PreparedQueryEntry(Row(query), template: template), owner: owner)
    touchPreparedQuery(query.id)
  }

  /// Forgets a query. One that does not exist is no error.
  public mutating func deletePreparedQuery(_ id: String) {
    guard tables.preparedQueries.remove(.of(id), owner: owner) != nil else { return }
    touchPreparedQuery(id)
  }

  /// Forgets the queries that end with a session.
  mutating func endPreparedQueries(of session: Session) {
    let index = tables.preparedQueries.index(Schemas.PreparedQueryIndex.session)
    if index.isEmpty { return }
    for entry in Array(index.values(prefix: .of(session.id, closed: true))) { deletePreparedQuery(entry.id) }
  }

  private mutating func touchPreparedQuery(_ id: String) {
    raise(IndexName.preparedQueries)
    touch(.preparedQueries)
    touch(.preparedQuery(id.folded))
  }
}
