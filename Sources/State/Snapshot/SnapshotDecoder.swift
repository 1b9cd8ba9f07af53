import Model

/// Builds a state from the stream of a snapshot, which may come in pieces of any size.
public struct SnapshotDecoder: ~Copyable {
  private var transaction = StateTransaction(StateSnapshot(), recordsChanges: false)
  private var header: SnapshotHeader?
  /// What has come and was not decoded yet.
  private var buffer: [UInt8] = []
  /// The place of `buffer` in the stream.
  private var offset = 0
  /// Decoding is tried again when the buffer holds this much, so that a record of many pieces is not begun with each.
  private var wantedCount = 1

  public init() {}

  /// Takes the next piece of the stream.
  public mutating func consume(_ bytes: UnsafeRawBufferPointer) throws(SnapshotError) {
    buffer.append(contentsOf: bytes)
    if buffer.count >= wantedCount { try decode(isEnd: false) }
  }

  /// Ends the stream.
  public consuming func finish() throws(SnapshotError) -> RestoredState {
    try decode(isEnd: true)
    guard let header else { throw .truncated(offset: offset) }
    return RestoredState(tables: transaction.tables, lastIndex: header.lastIndex)
  }

  private mutating func decode(isEnd: Bool) throws(SnapshotError) {
    let pending = buffer
    buffer = []
    let result: Result<Int, SnapshotError> = pending.withUnsafeBytes { bytes in
      do throws(SnapshotError) {
        var place = 0
        while place < bytes.count {
          let rest = UnsafeRawBufferPointer(rebasing: bytes[place...])
          guard let count = try decodeNext(rest, at: offset + place, isEnd: isEnd) else { break }
          place += count
        }
        return .success(place)
      } catch {
        return .failure(error)
      }
    }
    let done = try result.get()
    buffer = Array(pending[done...])
    offset += done
    wantedCount = max(1, buffer.count * 2)
  }

  /// Decodes the header or one record; returns its size, or nil if it goes on behind `bytes` and more may come.
  private mutating func decodeNext(
    _ bytes: UnsafeRawBufferPointer, at start: Int, isEnd: Bool
  ) throws(SnapshotError) -> Int? {
    let problem: SnapshotError?
    let count: Int
    do throws(MessagePackError) {
      guard header != nil else { return try decodeHeader(bytes) }
      let value = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
      var reader = MessagePackReader(value)
      problem = try decode(type: bytes[0], value, &reader)
      count = reader.offset + 1
    } catch {
      switch error {
      case .incomplete, .impossibleCount:
        if isEnd { throw .truncated(offset: start) }
        return nil
      default: throw .malformed(offset: start, error)
      }
    }
    if let problem { throw problem }
    return count
  }

  private mutating func decodeHeader(_ bytes: UnsafeRawBufferPointer) throws(MessagePackError) -> Int {
    var reader = MessagePackReader(bytes)
    let read = try SnapshotHeader(from: &reader)
    header = read
    transaction.index = read.lastIndex
    return reader.offset
  }

  private mutating func decode(
    type: UInt8, _ bytes: UnsafeRawBufferPointer, _ reader: inout MessagePackReader
  ) throws(MessagePackError) -> SnapshotError? {
    switch type {
    case SnapshotRecord.registration:
      let request = try RegisterRequest(from: &reader)
      if request.peerName.isEmpty { return transaction.restore(request) }
      keep(type, bytes, reader.offset)
    case SnapshotRecord.coordinates: transaction.updateCoordinates(try [NodeCoordinate](from: &reader))
    case SnapshotRecord.session: transaction.store(try Session(from: &reader))
    case SnapshotRecord.kv: transaction.restore(try KVEntry(from: &reader))
    case SnapshotRecord.tombstone: transaction.restoreTombstone(try KVEntry(from: &reader))
    case SnapshotRecord.virtualIP: transaction.restore(try ServiceVirtualIP(from: &reader))
    case SnapshotRecord.freeVirtualIP: transaction.restore(try FreeVirtualIP(from: &reader))
    case SnapshotRecord.preparedQuery: return transaction.restore(try PreparedQuery(from: &reader))
    case SnapshotRecord.autopilot: transaction.tables.autopilot = Row(try AutopilotConfiguration(from: &reader))
    case SnapshotRecord.caRoot: transaction.restore(try CARoot(from: &reader))
    case SnapshotRecord.caProviderState: transaction.restore(try CAProviderState(from: &reader))
    case SnapshotRecord.caConfiguration:
      transaction.tables.caConfiguration = Row(try CAConfiguration(from: &reader))
    case SnapshotRecord.configEntry: transaction.store(try ConfigEntryRequest(from: &reader).entry)
    case SnapshotRecord.aclToken: transaction.store(try ACLToken(from: &reader))
    case SnapshotRecord.aclPolicy: transaction.store(try ACLPolicy(from: &reader))
    case SnapshotRecord.aclRole: transaction.store(try ACLRole(from: &reader))
    case SnapshotRecord.aclBindingRule: transaction.store(try ACLBindingRule(from: &reader))
    case SnapshotRecord.aclAuthMethod: transaction.store(try ACLAuthMethod(from: &reader))
    case SnapshotRecord.index:
      let row = try SnapshotIndex(from: &reader)
      transaction.setIndex(row.key, row.value)
    case SnapshotRecord.firstEnterprise...: return .enterpriseRecord(type: type)
    default:
      try reader.skip()
      keep(type, bytes, reader.offset)
    }
    return nil
  }

  /// Keeps a record of a table that does not exist here, so that the next snapshot has it again.
  private mutating func keep(_ type: UInt8, _ bytes: UnsafeRawBufferPointer, _ count: Int) {
    transaction.tables.unread[type, default: []].append(Array(bytes[..<count]))
  }
}

extension StateTransaction {
  /// Stores the rows of a registration as they are, with their own indexes.
  ///
  /// - Returns: what is wrong with it, if anything.
  mutating func restore(_ request: RegisterRequest) -> SnapshotError? {
    if request.node.isEmpty { return .inconsistent(StateError.incompleteNode.description) }
    var node = request.nodeRow
    node.createIndex = request.createIndex
    node.modifyIndex = request.modifyIndex
    if nodeEntry(node.node)?.node.value != node { store(node) }
    if let service = request.service {
      if service.id.isEmpty || service.service.isEmpty {
        return .inconsistent(StateError.incompleteService(node: node.node).description)
      }
      store(service, node: node.node)
    }
    for var check in (request.check.map { [$0] } ?? []) + request.checks {
      if check.node.isEmpty { check.node = node.node }
      if check.checkID.isEmpty { return .inconsistent(StateError.checkWithoutID(node: node.node).description) }
      if nodeEntry(check.node) == nil { return .inconsistent(StateError.missingNode.description) }
      if !check.serviceID.isEmpty, serviceEntry(check.serviceID, node: check.node) == nil {
        return .inconsistent(StateError.unknownService(id: check.serviceID, check: check.checkID).description)
      }
      store(check)
    }
    return nil
  }

  /// Stores a query as it is, with its own indexes.
  ///
  /// - Returns: what is wrong with it, if anything.
  mutating func restore(_ query: PreparedQuery) -> SnapshotError? {
    do throws(StateError) {
      try store(query)
      return nil
    } catch {
      return .inconsistent(error.description)
    }
  }

  /// Stores a key as it is, with its own indexes.
  mutating func restore(_ entry: KVEntry) {
    raise(IndexName.kvs, to: entry.modifyIndex)
    tables.kv.put(Row(entry), owner: owner)
  }

  mutating func restoreTombstone(_ entry: KVEntry) {
    raise(IndexName.tombstones, to: entry.modifyIndex)
    tables.tombstones.put(Tombstone(key: entry.key, index: entry.modifyIndex), owner: owner)
  }
}

extension StateStore {
  /// Replaces the state by that of a snapshot stream and wakes everybody who waits. If the stream is damaged the state stays.
  ///
  /// - Parameter read: fills the beginning of a buffer with the next bytes of the stream and returns their number, 0 at its end.
  public func restore(reading read: (UnsafeMutableRawBufferPointer) throws -> Int) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
    defer { buffer.deallocate() }
    var decoder = SnapshotDecoder()
    while true {
      let count = min(try read(buffer), buffer.count)
      if count <= 0 { break }
      try decoder.consume(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
    replace(with: try decoder.finish())
  }
}
