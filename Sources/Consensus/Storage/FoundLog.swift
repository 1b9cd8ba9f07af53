/// What a start finds in the directory of a log: reads every segment, checks that together they make one gapless log,
/// and cleans up after a crash. Nothing is changed before everything has been checked.
///
/// What is read may not be on the disk. After a failed sync the pages count as clean although they never arrived, and a
/// start that follows, without a loss of power in between, sees what the disk does not have: the last batch, or the zeros
/// with which an earlier start wiped a torn one. So unless the log was closed in order, everything in doubt is written
/// again before anybody relies on it: the last batch, and all of the free space behind it, whatever it looks like. That
/// leaves behind every end of the log zeros that are durable, and makes the rule of `LogRecovery` hold: what is behind
/// the end was written by the last batch or is damage.
struct FoundLog {
  private(set) var table = SegmentTable()
  /// Segments that were prepared but never written to.
  private(set) var spares: [Segment] = []

  /// The last complete batch of the log: its segment, offset and bytes.
  private var lastBatch: (position: Int, offset: Int, bytes: [UInt8])?
  private var isClosed = false

  private struct TornEnd {
    var position: Int
    var start: Int
  }

  init(disk: any Disk, directory: String) throws(StorageError) {
    let names = try onDisk { () throws(DiskError) in try disk.list(directory) }
    let sequences = names.compactMap(LogSegment.sequence(ofName:)).sorted()
    try Self.requireUninterrupted(sequences, in: directory)

    var torn: TornEnd?
    for sequence in sequences {
      let path = directory + "/" + LogSegment.name(sequence: sequence)
      let (segment, bytes) = try Self.load(disk, path, sequence: sequence)
      table.segments.append(segment)
      let position = table.segments.count - 1
      var lastBatchOffset: Int?
      let end = try bytes.withUnsafeBytesTyped { bytes throws(StorageError) in
        try replay(bytes, path: path) { lastBatchOffset = $0 }
      }
      let isUnused: Bool
      switch end {
      case .corrupt(let offset, let evidence):
        throw .corrupt(
          file: path, offset: UInt64(offset),
          reason: "the record's checksum does not match, and a later batch follows at \(evidence)")
      case .torn(let offset):
        if let torn { throw Self.tornBefore(torn, table.segments) }
        torn = TornEnd(position: position, start: offset)
        isClosed = false
        isUnused = false
        table.segments[position].writeOffset = offset
      case .clean(let offset):
        table.segments[position].writeOffset = offset
        isUnused = offset == LogSegment.recordsStart
        if let torn, !isUnused { throw Self.tornBefore(torn, table.segments) }
      }
      if let batch = lastBatchOffset {
        lastBatch = (position, batch, Array(bytes[batch..<table.segments[position].writeOffset]))
      }
      if !isUnused {
        // Segments that were passed over because a batch did not fit are part of the sequence.
        spares.removeAll()
      } else {
        spares.append(table.segments[position])
      }
    }
    table.segments.removeLast(spares.count)
    try cleanUp(disk, directory: directory, names: names)
  }

  private static func requireUninterrupted(_ sequences: [UInt64], in directory: String) throws(StorageError) {
    for (sequence, next) in zip(sequences, sequences.dropFirst()) where sequence + 1 != next {
      let missing = directory + "/" + LogSegment.name(sequence: sequence + 1)
      throw .corrupt(file: missing, offset: 0, reason: "the segment is missing, but later ones exist")
    }
  }

  private static func tornBefore(_ torn: TornEnd, _ segments: [Segment]) -> StorageError {
    .corrupt(
      file: segments[torn.position].path, offset: UInt64(torn.start),
      reason: "the record's checksum does not match, and a later segment follows")
  }

  private static func load(
    _ disk: any Disk, _ path: String, sequence: UInt64
  ) throws(StorageError) -> (Segment, [UInt8]) {
    let file = try onDisk { () throws(DiskError) in try disk.open(path, .readWrite) }
    let size = try onDisk { () throws(DiskError) in try file.size() }
    let start = try onDisk { () throws(DiskError) in try file.read(LogSegment.headerBytes, at: 0) }
    let header = try start.withUnsafeBytesTyped { bytes throws(StorageError) in
      try LogSegment.Header(decoding: bytes, file: path)
    }
    guard header.sequence == sequence else {
      throw .corrupt(file: path, offset: 16, reason: "the file belongs to segment \(header.sequence)")
    }
    guard header.size == size, size <= UInt64(UInt32.max) else {
      throw .corrupt(file: path, offset: size, reason: "the file should have \(header.size) bytes")
    }
    let bytes = try onDisk { () throws(DiskError) in try file.read(Int(size), at: 0) }
    guard bytes.count == Int(size) else {
      throw .corrupt(file: path, offset: UInt64(bytes.count), reason: "the file is cut off")
    }
    return (Segment(header: header, path: path, file: file), bytes)
  }

  /// Adds the records of the newest segment of the table.
  private mutating func replay(
    _ bytes: UnsafeRawBufferPointer, path: String, noteBatch: (Int) -> Void
  ) throws(StorageError) -> LogRecovery.End {
    let segment = table.segments[table.segments.count - 1]
    var isFirst = true
    return try LogRecovery.scan(bytes, salt: segment.salt) { record throws(StorageError) in
      if isFirst != (record.kind == LogRecord.Control.resume.rawValue) {
        throw .corrupt(file: path, offset: UInt64(record.offset), reason: "the segment's first record is missing")
      }
      isFirst = false
      isClosed = record.kind == LogRecord.Control.closed.rawValue
      noteBatch(Int(record.batch))
      try add(record, bytes, path: path)
    }
  }

  private mutating func add(
    _ record: LogRecord.Parsed, _ bytes: UnsafeRawBufferPointer, path: String
  ) throws(StorageError) {
    guard record.index > 0, record.index < LogIndex.max / 2 else {
      throw .corrupt(file: path, offset: UInt64(record.offset), reason: "impossible index \(record.index)")
    }
    switch LogRecord.Control(rawValue: record.kind) {
    case .resume:
      if table.segments.dropLast().allSatisfy({ $0.writeOffset == LogSegment.recordsStart }) {
        table.log = RecoveredLog(baseIndex: record.index - 1, baseTerm: record.term)
      } else if record.index != table.log.lastIndex + 1 {
        throw .gap(file: path, expected: table.log.lastIndex + 1, found: record.index)
      } else if record.term != table.log.lastTerm {
        throw .corrupt(
          file: path, offset: UInt64(record.offset),
          reason: "the entry before has term \(table.log.lastTerm) instead of \(record.term)")
      }
    case .jump:
      table.apply(.jump(next: record.index, previousTerm: record.term))
    case .closed:
      break
    case nil:
      guard record.index == table.log.lastIndex + 1 else {
        throw .gap(file: path, expected: table.log.lastIndex + 1, found: record.index)
      }
      guard record.term >= table.log.lastTerm, let entry = LogRecord.entry(record, in: bytes) else {
        throw .corrupt(
          file: path, offset: UInt64(record.offset),
          reason: "an entry of kind \(record.kind) and term \(record.term) is not possible here")
      }
      table.apply(
        .append(
          index: entry.index, term: entry.term, offset: record.offset,
          configuration: entry.kind == .configuration ? entry.data : nil))
    }
  }

  private mutating func cleanUp(_ disk: any Disk, directory: String, names: [String]) throws(StorageError) {
    try onDisk { () throws(DiskError) in
      if let last = table.segments.last {
        // The batch before the first one of a segment is not in doubt: nothing follows a failed sync.
        if let lastBatch, lastBatch.position == table.segments.count - 1 {
          try last.file.write(lastBatch.bytes, at: UInt64(lastBatch.offset))
        }
        if !isClosed { try last.file.writeZeros(from: UInt64(last.writeOffset), to: UInt64(last.size)) }
        try last.file.synchronize()
      }
      if !isClosed {
        // The newest first: a crash must not leave a hole in the sequence.
        while let spare = spares.popLast() { try disk.remove(spare.path) }
      }
      if names.contains(LogSegment.temporaryName) {
        try disk.remove(directory + "/" + LogSegment.temporaryName)
      }
      try disk.synchronizeDirectory(directory)
    }
  }
}

extension [UInt8] {
  /// `withUnsafeBytes` for bodies with a typed error.
  func withUnsafeBytesTyped<T>(
    _ body: (UnsafeRawBufferPointer) throws(StorageError) -> T
  ) throws(StorageError) -> T {
    let result = withUnsafeBytes { bytes in
      Result { () throws(StorageError) in try body(bytes) }
    }
    return try result.get()
  }
}
