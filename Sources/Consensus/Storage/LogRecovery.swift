/// Reads the records of one segment and decides how it ends. Pure: bytes in, verdict out.
///
/// A crash can leave the last batch in any state: every sector of it may have arrived or not. Everything before was
/// synchronised and must be intact. So a bad record is the harmless end of the log exactly if nothing was written after
/// its batch; each record names its batch to make that visible. (Leftovers of a batch that failed are wiped before
/// another one is written in its place, see `FoundLog`.)
enum LogRecovery {
  enum End: Equatable {
    /// Nothing but zeros after this offset.
    case clean(Int)
    /// The last batch is incomplete from this offset on.
    case torn(Int)
    /// A record that was once durable is damaged: a later batch begins at `evidence`.
    case corrupt(Int, evidence: Int)
  }

  /// Calls `visit` for every sound record from the first on.
  static func scan(
    _ bytes: UnsafeRawBufferPointer, salt: UInt64,
    visit: (LogRecord.Parsed) throws(StorageError) -> Void
  ) throws(StorageError) -> End {
    var position = LogSegment.recordsStart
    var previous: LogRecord.Parsed?
    while let record = LogRecord.parse(bytes, at: position, salt: salt), continues(previous, record) {
      try visit(record)
      previous = record
      position = record.next
    }
    position = min(position, bytes.count)
    let dirtyEnd = endOfContent(bytes, from: position)
    if dirtyEnd == position { return .clean(position) }
    if let evidence = laterBatch(bytes, after: position, end: dirtyEnd, salt: salt) {
      return .corrupt(position, evidence: evidence)
    }
    return .torn(position)
  }

  /// A record begins a batch or belongs to that of the one before it.
  private static func continues(_ previous: LogRecord.Parsed?, _ record: LogRecord.Parsed) -> Bool {
    Int(record.batch) == record.offset || (record.batch == previous?.batch && record.nonce == previous?.nonce)
  }

  /// One past the last byte that is not zero, or `start`.
  static func endOfContent(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
    var end = bytes.count
    while end - start >= 8, end % 8 == 0, bytes.loadUnaligned(fromByteOffset: end - 8, as: UInt64.self) == 0 {
      end -= 8
    }
    while end > start, bytes[end - 1] == 0 {
      end -= 1
      while end - start >= 8, end % 8 == 0, bytes.loadUnaligned(fromByteOffset: end - 8, as: UInt64.self) == 0 {
        end -= 8
      }
    }
    return end
  }

  /// Most bytes that are checksummed in search of a later batch. The few that chance makes look like a record need far
  /// less; values that are made to look like records must not hold up a start.
  private static let evidenceBytesMax = 256 << 20

  /// Offset of a sound record whose batch began after `position`.
  private static func laterBatch(_ bytes: UnsafeRawBufferPointer, after position: Int, end: Int, salt: UInt64) -> Int? {
    var candidate = LogRecord.aligned(position + 1)
    var budget = evidenceBytesMax
    while candidate < end, budget > 0 {
      // Cheap test first: the batch must lie between the damage and the record.
      if bytes.count - candidate >= LogRecord.headerBytes {
        let batch = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: candidate + 8, as: UInt32.self))
        if batch > position, batch <= candidate {
          if LogRecord.parse(bytes, at: candidate, salt: salt) != nil { return candidate }
          let length = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: candidate, as: UInt32.self)))
          if length <= bytes.count - candidate { budget -= length }
        }
      }
      candidate += 8
    }
    return nil
  }
}
