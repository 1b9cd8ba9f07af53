import Model

extension StateSnapshot {
  /// One key.
  public func kvEntry(_ key: String) -> QueryResult<Row<KVEntry>?> {
    let row = tables.kv[exact: key]
    return QueryResult(index: row?.value.modifyIndex ?? kvTableIndex, value: row, watch: [.key(key)])
  }

  /// All keys that start with `prefix`, in byte order, with their values.
  public func kvEntries(prefix: String) -> QueryResult<[Row<KVEntry>]> {
    var rows: [Row<KVEntry>] = []
    var last: UInt64 = 0
    for row in tables.kv.rows.values(prefix: .exact(prefix)) {
      last = max(last, row.value.modifyIndex)
      rows.append(row)
    }
    return QueryResult(index: kvListIndex(prefix, last), value: rows, watch: [.keyPrefix(prefix)])
  }

  /// The names of all keys that start with `prefix`, in byte order. Those in which `separator` follows somewhere behind the
  /// prefix are cut behind it and shown once; an empty separator cuts nothing.
  public func kvKeys(prefix: String, separator: String) -> QueryResult<[String]> {
    var names: [String] = []
    var last: UInt64 = 0
    let separatorBytes = Array(separator.utf8)
    let prefixCount = prefix.utf8.count
    for row in tables.kv.rows.values(prefix: .exact(prefix)) {
      last = max(last, row.value.modifyIndex)
      let key = row.value.key
      guard let end = Self.end(of: separatorBytes, in: key, from: prefixCount) else {
        names.append(key)
        continue
      }
      // All keys with the same beginning follow one another.
      if let previous = names.last, previous.utf8.elementsEqual(key.utf8.prefix(end)) { continue }
      names.append(String(decoding: key.utf8.prefix(end), as: UTF8.self))
    }
    return QueryResult(index: kvListIndex(prefix, last), value: names, watch: [.keyPrefix(prefix)])
  }

  /// The offset behind the first occurrence of `separator` at or after `start`.
  fileprivate static func end(of separator: [UInt8], in key: String, from start: Int) -> Int? {
    guard let first = separator.first else { return nil }
    var key = key
    return key.withUTF8 { bytes in
      var place = start
      while place + separator.count <= bytes.count {
        if bytes[place] == first, bytes[place..<place + separator.count].elementsEqual(separator) {
          return place + separator.count
        }
        place += 1
      }
      return nil
    }
  }

  private var kvTableIndex: UInt64 {
    max(tables.index(of: IndexName.kvs), tables.index(of: IndexName.tombstones))
  }

  /// A list is as new as the newest of its entries and of the tombstones among them.
  private func kvListIndex(_ prefix: String, _ newestEntry: UInt64) -> UInt64 {
    if prefix.isEmpty { return kvTableIndex }
    var newest = newestEntry
    for tombstone in tables.tombstones.rows.values(prefix: .exact(prefix)) { newest = max(newest, tombstone.index) }
    return newest == 0 ? kvTableIndex : newest
  }
}

/// Names of keys as lists with a separator show them.
public enum KeyNames {
  /// The names, each cut behind the first separator that follows the prefix, and shown once; an empty separator cuts nothing.
  ///
  /// - Parameter names: in byte order, all with the prefix.
  public static func cut(_ names: [String], prefix: String, separator: String) -> [String] {
    let bytes = Array(separator.utf8)
    var cut: [String] = []
    for name in names {
      let end = StateSnapshot.end(of: bytes, in: name, from: prefix.utf8.count)
      let shown = end.map { String(decoding: name.utf8.prefix($0), as: UTF8.self) } ?? name
      if cut.last != shown { cut.append(shown) }
    }
    return cut
  }
}
