import Model

extension StateTransaction {
  mutating func apply(_ request: KVSRequest) throws(StateError) -> CommandResult {
    let entry = request.dirEnt
    switch KVOp(rawValue: request.op) {
    case .set: setKey(entry)
    case .delete: deleteKey(entry.key)
    case .deleteTree: deleteKeys(prefix: entry.key)
    case .cas: return .bool(compareAndSetKey(entry))
    case .deleteCAS: return .bool(compareAndDeleteKey(entry.key, modifyIndex: entry.modifyIndex))
    case .lock: return .bool(try lockKey(entry))
    case .unlock: return .bool(try unlockKey(entry))
    case nil: throw .unknownOperation(kind: "KVS", operation: request.op)
    }
    return .done
  }

  public func keyEntry(_ key: String) -> Row<KVEntry>? { tables.kv[exact: key] }

  /// Stores a key. The lock on it stays; who writes need not hold it.
  public mutating func setKey(_ entry: KVEntry) {
    var entry = entry
    let old = keyEntry(entry.key)
    entry.session = old?.value.session ?? ""
    store(entry, old: old)
  }

  /// Stores `entry`, unless that is what is there already.
  private mutating func store(_ entry: KVEntry, old: Row<KVEntry>?) {
    var entry = entry
    entry.createIndex = old?.value.createIndex ?? index
    if let old {
      entry.modifyIndex = old.value.modifyIndex
      if entry == old.value { return }
    }
    entry.modifyIndex = index
    tables.kv.put(Row(entry), owner: owner)
    raise(IndexName.kvs)
    touchKey(entry.key)
  }

  /// Stores a key if its `modifyIndex` is that of `entry`; 0 means that it must not exist.
  public mutating func compareAndSetKey(_ entry: KVEntry) -> Bool {
    guard keyEntry(entry.key)?.value.modifyIndex ?? 0 == entry.modifyIndex else { return false }
    setKey(entry)
    return true
  }

  public mutating func deleteKey(_ key: String) {
    guard tables.kv.remove(.exact(key), owner: owner) != nil else { return }
    tables.tombstones.put(Tombstone(key: key, index: index), owner: owner)
    raise(IndexName.kvs)
    raise(IndexName.tombstones)
    touchKey(key)
  }

  /// Deletes a key if its `modifyIndex` is this one. A key that does not exist counts as deleted.
  public mutating func compareAndDeleteKey(_ key: String, modifyIndex: UInt64) -> Bool {
    guard let old = keyEntry(key) else { return true }
    guard old.value.modifyIndex == modifyIndex else { return false }
    deleteKey(key)
    return true
  }

  /// Deletes all keys that start with `prefix`. One tombstone stands for all of them; below it no list has anything left
  /// whose index could go back.
  public mutating func deleteKeys(prefix: String) {
    let removed = tables.kv.remove(prefix: .exact(prefix), owner: owner)
    guard !removed.isEmpty else { return }
    // A list of everything takes its index from the tables, not from tombstones.
    if !prefix.isEmpty {
      tables.tombstones.put(Tombstone(key: prefix, index: index), owner: owner)
      raise(IndexName.tombstones)
    }
    raise(IndexName.kvs)
    touchKeys(prefix: prefix, removed)
  }

  /// Takes the lock of a key for a session and stores it.
  ///
  /// - Returns: false if another session holds the lock.
  /// - Throws: `lockWithoutSession`, `invalidSession`.
  public mutating func lockKey(_ entry: KVEntry) throws(StateError) -> Bool {
    if entry.session.isEmpty { throw .lockWithoutSession }
    guard tables.sessions[.of(entry.session)] != nil else { throw .invalidSession(id: entry.session) }
    var entry = entry
    let old = keyEntry(entry.key)
    let holder = old?.value.session ?? ""
    guard holder.isEmpty || holder == entry.session else { return false }
    let count = old?.value.lockIndex ?? 0
    entry.lockIndex = holder.isEmpty ? count &+ 1 : count
    store(entry, old: old)
    return true
  }

  /// Gives the lock of a key back and stores it.
  ///
  /// - Returns: false if the session does not hold the lock.
  public mutating func unlockKey(_ entry: KVEntry) throws(StateError) -> Bool {
    if entry.session.isEmpty { throw .lockWithoutSession }
    guard let old = keyEntry(entry.key), old.value.session == entry.session else { return false }
    var entry = entry
    entry.session = ""
    entry.lockIndex = old.value.lockIndex
    store(entry, old: old)
    return true
  }

  /// Frees or deletes the keys that a session holds which ends.
  mutating func endLocks(of session: Session) {
    let held = tables.kv.index(Schemas.KVIndex.session).values(prefix: .of(session.id, closed: true))
    for row in Array(held) {
      if session.behavior == SessionBehavior.delete {
        deleteKey(row.value.key)
      } else {
        var entry = row.value
        entry.session = ""
        store(entry, old: row)
      }
      if session.lockDelay > .zero { delayLock(row.value.key, by: session.lockDelay) }
    }
  }

  mutating func apply(_ request: TombstoneRequest) throws(StateError) {
    guard request.op == "reap" else { throw .unknownOperation(kind: "Tombstone", operation: request.op) }
    reapTombstones(upTo: request.reapIndex)
  }

  /// Forgets the tombstones that are as old as `limit` or older.
  public mutating func reapTombstones(upTo limit: UInt64) {
    let old = tables.tombstones.rows.values.filter { $0.index <= limit }
    guard !old.isEmpty else { return }
    for tombstone in old { tables.tombstones.remove(.exact(tombstone.key), owner: owner) }
    raise(IndexName.tombstones)
  }
}
