/// What a start finds in the directory of a log: reads every segment, checks that together they make one gapless log,
/// and cleans up after a crash. Nothing is changed before everything has been checked.
struct FoundLog {
  private(set) var table = SegmentTable()
  /// Segments that were prepared but never written to.
  private(set) var spares: [Segment] = []

  /// The last complete batch of the log: its segment, offset and bytes.
  private var lastBatch: (position: Int, offset: Int, bytes: [UInt8])?

  private struct TornEnd {
    var position: Int
    var start: Int
    var end: Int
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
      case .torn(let offset, let dirtyEnd):
        if let torn { throw Self.tornBefore(torn, table.segments) }
        torn = TornEnd(position: position, start: offset, end: dirtyEnd)
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
    try cleanUp(disk, directory: directory, names: names, torn: torn)
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

  /// Removes traces of a crash. What was read may not be on the disk: the process may have died before the sync, or
  /// because the sync failed, after which the pages count as clean although they never arrived. Only the last batch can be
  /// in doubt, so it is written again before anybody relies on it.
  private func cleanUp(
    _ disk: any Disk, directory: String, names: [String], torn: TornEnd?
  ) throws(StorageError) {
    try onDisk { () throws(DiskError) in
      if let torn {
        let zeros = [UInt8](repeating: 0, count: torn.end - torn.start)
        let file = table.segments[torn.position].file
        try file.write(zeros, at: UInt64(torn.start))
        try file.synchronize()
      }
      if let lastBatch {
        let file = table.segments[lastBatch.position].file
        try file.write(lastBatch.bytes, at: UInt64(lastBatch.offset))
        try file.synchronize()
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
