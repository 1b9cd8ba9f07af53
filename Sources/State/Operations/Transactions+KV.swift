import Model

extension StateTransaction {
  /// Results show values only of what was read: writers know theirs.
  mutating func carryOut(_ op: TxnKVOp, _ results: inout [TxnResult]) throws(OperationError) {
    let entry = op.dirEnt
    let key = entry.key
    guard let verb = KVVerb(rawValue: op.verb) else { throw .unknownVerb(.kv, op.verb) }
    switch verb {
    case .get:
      guard let row = keyEntry(key) else { throw .missing(.key(key)) }
      return results.append(TxnResult(row.value))
    case .getOrEmpty:
      return results.append(TxnResult(keyEntry(key)?.value ?? .empty(key)))
    case .getTree:
      for row in tables.kv.rows.values(prefix: .exact(key)) { results.append(TxnResult(row.value)) }
      return
    case .delete: return deleteKey(key)
    case .deleteTree: return deleteKeys(prefix: key)
    case .deleteCAS:
      if compareAndDeleteKey(key, modifyIndex: entry.modifyIndex) { return }
      throw .staleDelete(.key(key))
    case .checkNotExists:
      if keyEntry(key) != nil { throw .exists(.key(key)) }
      return
    case .checkIndex: try checkIndex(of: key, is: entry.modifyIndex)
    case .checkSession: try checkSession(of: key, is: entry.session)
    case .set: setKey(entry)
    case .cas: if !compareAndSetKey(entry) { throw .staleSet(.key(key)) }
    case .lock, .unlock: try changeLock(entry, takes: verb == .lock)
    }
    guard var result = keyEntry(key)?.value else { return }
    result.value = Bytes()
    results.append(TxnResult(result))
  }

  private func checkIndex(of key: String, is expected: UInt64) throws(OperationError) {
    guard let current = keyEntry(key)?.value.modifyIndex else { throw .indexOfMissingKey(key) }
    if current != expected { throw .indexDiffers(key: key, current: current, expected: expected) }
  }

  private func checkSession(of key: String, is expected: String) throws(OperationError) {
    guard let current = keyEntry(key)?.value.session else { throw .sessionOfMissingKey(key) }
    if current != expected { throw .sessionDiffers(key: key, current: current, expected: expected) }
  }

  private mutating func changeLock(_ entry: KVEntry, takes: Bool) throws(OperationError) {
    let isDone: Bool
    do throws(StateError) {
      isDone = takes ? try lockKey(entry) : try unlockKey(entry)
    } catch {
      throw .state(error)
    }
    if !isDone { throw takes ? .locked(key: entry.key) : .notLocked(key: entry.key) }
  }
}

extension KVEntry {
  /// What stands for a key that does not exist.
  fileprivate static func empty(_ key: String) -> KVEntry {
    var entry = KVEntry()
    entry.key = key
    return entry
  }
}
