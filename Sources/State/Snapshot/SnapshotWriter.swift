import Model

extension StateSnapshot {
  /// Writes this version as the state stream of a snapshot (wire/snapshot.md), piece by piece.
  ///
  /// - Parameter sink: gets the stream in pieces of some 64 KiB, in order. Its errors end the writing.
  public func write(to sink: (UnsafeRawBufferPointer) throws -> Void) throws {
    try withoutActuallyEscaping(sink) { sink in
      var writer = SnapshotWriter(sink: sink)
      try writer.write(tables)
    }
  }
}

/// Encodes tables as records.
private struct SnapshotWriter {
  private static let pieceCount = 64 << 10

  let sink: (UnsafeRawBufferPointer) throws -> Void
  private var writer = MessagePackWriter()

  init(sink: @escaping (UnsafeRawBufferPointer) throws -> Void) { self.sink = sink }

  mutating func write(_ tables: Tables) throws {
    var header = SnapshotHeader()
    for row in tables.index.rows.values where IndexName.tables.contains(row.name) {
      header.lastIndex = max(header.lastIndex, row.value)
    }
    header.encode(&writer)
    for type in SnapshotRecord.order {
      switch type {
      case SnapshotRecord.registration: try writeRegistrations(tables)
      case SnapshotRecord.virtualIP:
        for row in tables.virtualIPs.rows.values { try record(type) { row.encode(&$0) } }
      case SnapshotRecord.freeVirtualIP:
        for row in tables.freeVirtualIPs.rows.values { try record(type) { row.encode(&$0) } }
      case SnapshotRecord.coordinates:
        for row in tables.coordinates.rows.values { try record(type) { [row.value].encode(&$0) } }
      case SnapshotRecord.session:
        for row in tables.sessions.rows.values { try record(type) { row.encode(&$0) } }
      case SnapshotRecord.kv:
        for row in tables.kv.rows.values { try record(type) { row.encode(&$0) } }
      case SnapshotRecord.tombstone: try writeTombstones(tables)
      case SnapshotRecord.preparedQuery:
        for entry in tables.preparedQueries.rows.values { try record(type) { entry.row.encode(&$0) } }
      case SnapshotRecord.autopilot:
        if let row = tables.autopilot { try record(type) { row.encode(&$0) } }
      case SnapshotRecord.caRoot:
        for row in tables.caRoots { try record(type) { row.encode(&$0) } }
      case SnapshotRecord.caProviderState:
        for id in tables.caProviderStates.keys.sorted() {
          if let row = tables.caProviderStates[id] { try record(type) { row.encode(&$0) } }
        }
      case SnapshotRecord.caConfiguration:
        if let row = tables.caConfiguration { try record(type) { row.encode(&$0) } }
      case SnapshotRecord.configEntry:
        for row in tables.configEntries.rows.values {
          var request = ConfigEntryRequest()
          request.entry = row.entry
          try record(type) { request.encode(&$0) }
        }
      case SnapshotRecord.index: try writeIndexes(tables)
      case SnapshotRecord.aclToken...SnapshotRecord.aclAuthMethod: try writeAccessControl(type, tables)
      default: break
      }
      try writeUnread(type, tables)
    }
    for type in tables.unread.keys.sorted()
    where !SnapshotRecord.order.contains(type) && type != SnapshotRecord.chunking {
      try writeUnread(type, tables)
    }
    try writeChunking(tables)
    try flush()
  }

  private mutating func record(_ type: UInt8, _ encode: (inout MessagePackWriter) -> Void) throws {
    writer.raw([type])
    encode(&writer)
    if writer.bytes.count >= Self.pieceCount { try flush() }
  }

  private mutating func flush() throws {
    let bytes = writer.bytes
    writer = MessagePackWriter()
    writer.reserve(Self.pieceCount + Self.pieceCount / 4)
    if !bytes.isEmpty { try bytes.withUnsafeBytes { try sink($0) } }
  }

  private mutating func writeAccessControl(_ type: UInt8, _ tables: Tables) throws {
    switch type {
    case SnapshotRecord.aclToken:
      for row in tables.aclTokens.rows.values { try record(type) { row.encode(&$0) } }
    case SnapshotRecord.aclPolicy:
      for row in tables.aclPolicies.rows.values { try record(type) { row.encode(&$0) } }
    case SnapshotRecord.aclRole:
      for row in tables.aclRoles.rows.values { try record(type) { row.encode(&$0) } }
    case SnapshotRecord.aclBindingRule:
      for row in tables.aclBindingRules.rows.values { try record(type) { row.encode(&$0) } }
    case SnapshotRecord.aclAuthMethod:
      for row in tables.aclAuthMethods.rows.values { try record(type) { row.encode(&$0) } }
    default: break
    }
  }

  /// Each node, then each of its services, then each of its checks.
  private mutating func writeRegistrations(_ tables: Tables) throws {
    for entry in tables.nodes.rows.values {
      let node = RegisterRequest(describing: entry.node.value)
      try record(SnapshotRecord.registration) { node.encode(&$0) }
      for service in tables.services.rows.values(prefix: .of(entry.name, closed: true)) {
        var request = node
        request.service = service.service.value
        try record(SnapshotRecord.registration) { request.encode(&$0) }
      }
      for check in tables.checks.rows.values(prefix: .of(entry.name, closed: true)) {
        var request = node
        request.check = check.value
        try record(SnapshotRecord.registration) { request.encode(&$0) }
      }
    }
  }

  private mutating func writeTombstones(_ tables: Tables) throws {
    for tombstone in tables.tombstones.rows.values {
      var entry = KVEntry()
      entry.key = tombstone.key
      entry.modifyIndex = tombstone.index
      try record(SnapshotRecord.tombstone) { entry.encode(&$0) }
    }
  }

  private mutating func writeIndexes(_ tables: Tables) throws {
    for row in tables.index.rows.values {
      var index = SnapshotIndex()
      index.key = row.name
      index.value = row.value
      try record(SnapshotRecord.index) { index.encode(&$0) }
    }
  }

  private mutating func writeUnread(_ type: UInt8, _ tables: Tables) throws {
    for bytes in tables.unread[type] ?? [] { try record(type) { $0.raw(bytes) } }
  }

  /// Readers expect this record, also where no command is half-way.
  private mutating func writeChunking(_ tables: Tables) throws {
    if tables.unread[SnapshotRecord.chunking] != nil { return try writeUnread(SnapshotRecord.chunking, tables) }
    try record(SnapshotRecord.chunking) {
      $0.mapHeader(1)
      $0.string("ChunkMap")
      $0.mapHeader(0)
    }
  }
}

extension RegisterRequest {
  /// A registration of a node alone.
  init(describing row: Node) {
    self.init()
    id = row.id
    node = row.node
    address = row.address
    datacenter = row.datacenter
    taggedAddresses = row.taggedAddresses
    nodeMeta = row.meta
    locality = row.locality
    createIndex = row.createIndex
    modifyIndex = row.modifyIndex
  }
}
