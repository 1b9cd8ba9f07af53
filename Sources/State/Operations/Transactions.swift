import Model

extension StateTransaction {
  /// Carries out all operations, each upon what those before it left behind. If one fails, nothing has changed; the others are
  /// tried nevertheless, so that all errors are known.
  public mutating func apply(_ ops: [TxnOp]) -> TxnResponse {
    do throws(FailedOperations) {
      return TxnResponse(
        results: try attempt { (transaction) throws(FailedOperations) in try transaction.carryOut(ops) })
    } catch {
      return TxnResponse(errors: error.errors)
    }
  }

  private mutating func carryOut(_ ops: [TxnOp]) throws(FailedOperations) -> [TxnResult] {
    var results: [TxnResult] = []
    var errors: [TxnError] = []
    for (place, op) in ops.enumerated() {
      do throws(OperationError) {
        try carryOut(op, &results)
      } catch {
        errors.append(TxnError(opIndex: place, what: error.description))
      }
    }
    if !errors.isEmpty { throw FailedOperations(errors: errors) }
    return results
  }

  private mutating func carryOut(_ op: TxnOp, _ results: inout [TxnResult]) throws(OperationError) {
    if let kv = op.kv {
      try carryOut(kv, &results)
    } else if let node = op.node {
      if let row = try carryOut(node.value) { results.append(TxnResult(row)) }
    } else if let service = op.service {
      if let row = try carryOut(service.value) { results.append(TxnResult(row)) }
    } else if let check = op.check {
      if let row = try carryOut(check.value) { results.append(TxnResult(row)) }
    } else if let session = op.session {
      guard session.value.verb == "delete" else { throw .unknownVerb(.session, session.value.verb) }
      destroySession(session.value.session.id)
    } else {
      throw .empty
    }
  }
}

/// What ends an attempt to carry operations out.
private struct FailedOperations: Error {
  let errors: [TxnError]
}

extension StateSnapshot {
  /// What operations would come to in this version. Nothing of it is kept.
  public func answer(_ ops: [TxnOp]) -> TxnResponse {
    var transaction = StateTransaction(self, recordsChanges: false)
    return transaction.apply(ops)
  }
}
