import Model

extension StateTransaction {
  mutating func apply(_ request: SessionRequest) throws(StateError) -> CommandResult {
    switch request.op {
    case "create":
      try createSession(request.session)
      return .text(request.session.id)
    case "destroy":
      destroySession(request.session.id)
      return .done
    default: throw .unknownOperation(kind: "Session", operation: request.op)
    }
  }

  /// Creates a session, whose id has been chosen before.
  ///
  /// - Throws: `missingNode`, `missingCheck`, `criticalCheck`, `missingSessionID`.
  public mutating func createSession(_ session: Session) throws(StateError) {
    if session.id.isEmpty { throw .missingSessionID }
    guard tables.nodes[.of(session.node)] != nil else { throw .missingNode }
    for id in session.allChecks {
      guard let check = tables.checks[.of(session.node, id)] else { throw .missingCheck(id: id) }
      if check.value.status == CheckStatus.critical.rawValue { throw .criticalCheck(id: id) }
    }
    var session = session
    if session.behavior.isEmpty { session.behavior = SessionBehavior.release }
    session.createIndex = index
    session.modifyIndex = index
    store(session)
  }

  mutating func store(_ session: Session) {
    tables.sessions.put(Row(session), owner: owner)
    touchSession(session)
  }

  /// Ends a session: its locks are freed or their keys deleted, and its prepared queries go with it. One that does not exist is no error.
  public mutating func destroySession(_ id: String) {
    guard let removed = tables.sessions.remove(.of(id), owner: owner) else { return }
    touchSession(removed.value)
    endLocks(of: removed.value)
    endPreparedQueries(of: removed.value)
  }

  private mutating func touchSession(_ session: Session) {
    raise(IndexName.sessions)
    touch(.sessions)
    touch(.session(session.id.folded))
    touch(.nodeSessions(session.node.folded))
  }

  /// Ends the sessions that depend on a check.
  mutating func endSessions(ofCheck check: String, node: String) {
    let index = tables.sessions.index(Schemas.SessionIndex.check)
    if index.isEmpty { return }
    for session in Array(index.values(prefix: .of(node, check, closed: true))) { destroySession(session.value.id) }
  }

  mutating func endSessions(ofNode node: String) {
    let index = tables.sessions.index(Schemas.SessionIndex.node)
    for session in Array(index.values(prefix: .of(node, closed: true))) { destroySession(session.value.id) }
  }
}
