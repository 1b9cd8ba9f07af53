import Synchronization

/// The write-ahead log on disk: numbered segments, appended to in batches, one write and one sync per batch.
///
/// Conflicting entries are not erased but voided by a `jump` record, in the same write as what replaces them. So the log
/// only ever grows at its end, which is what makes a torn end distinguishable from damage.
public final class FileLog: LogStorage {
  public struct Options: Sendable {
    /// Size of the first segment: small, so that a first start is quick.
    public var firstSegmentBytes: Int
    /// Size of all later ones. Larger: fewer files; smaller: space is returned sooner.
    public var segmentBytes: Int
    /// Where the salts of checksums come from.
    public var seed: UInt64
    /// Runs the preparation of the next segment; production hands it to another thread.
    public var inBackground: @Sendable (@escaping @Sendable () -> Void) -> Void

    public init(
      firstSegmentBytes: Int = 1 << 20, segmentBytes: Int = 16 << 20, seed: UInt64,
      inBackground: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void
    ) {
      self.firstSegmentBytes = firstSegmentBytes
      self.segmentBytes = segmentBytes
      self.seed = seed
      self.inBackground = inBackground
    }
  }

  private let disk: any Disk
  private let directory: String
  private let options: Options
  private let preparation: SegmentPreparation
  private let writer: Mutex<Writer>
  private let table: Mutex<SegmentTable>

  /// Only used by the thread that writes.
  private struct Writer {
    var random: SeededRandom
    var lastIndex: LogIndex
    var lastTerm: Term
    var nextSequence: UInt64
    var buffer: [UInt8] = []
    var failure: String?
    /// Segments that are ready but not in use yet, oldest first.
    var spares: [Segment]
  }

  /// Opens the log in `directory`, creating it if it does not exist.
  ///
  /// - Throws: `corrupt`, `gap` or `newerFormat` if the content is not what was acknowledged; nothing is changed then.
  public init(disk: any Disk, directory: String, options: Options) throws(StorageError) {
    self.disk = disk
    self.directory = directory
    self.options = options
    try onDisk { () throws(DiskError) in try disk.createDirectory(directory) }
    let found = try FoundLog(disk: disk, directory: directory)
    preparation = SegmentPreparation()
    var random = SeededRandom(seed: options.seed)
    var nextSequence = (found.spares.last ?? found.table.segments.last).map { $0.sequence + 1 } ?? 1
    var spares = found.spares
    if found.table.segments.isEmpty && spares.isEmpty {
      let header = LogSegment.Header(
        sequence: nextSequence, size: UInt64(options.firstSegmentBytes), salt: random.next())
      nextSequence += 1
      let file = try onDisk { () throws(DiskError) in
        try LogSegment.create(on: disk, directory: directory, header: header)
      }
      spares.append(
        Segment(header: header, path: directory + "/" + LogSegment.name(sequence: header.sequence), file: file))
    }
    let log = found.table.log
    writer = Mutex(
      Writer(
        random: random, lastIndex: log.lastIndex, lastTerm: log.lastTerm, nextSequence: nextSequence, spares: spares))
    table = Mutex(found.table)
  }

  public func recovered() -> RecoveredLog { table.withLock { $0.log } }

  public var retainedBytes: Int {
    table.withLock { table in table.segments.reduce(0) { $0 + $1.writeOffset } }
  }

  public func write(_ batch: LogBatch) throws(StorageError) {
    let result = writer.withLock { writer in
      Result { () throws(StorageError) in try write(batch, &writer) }
    }
    try result.get()
  }

  private func write(_ batch: LogBatch, _ writer: inout Writer) throws(StorageError) {
    if let failure = writer.failure { throw .failedBefore(failure) }
    do {
      if let size = Self.encodedBytes(batch) {
        let target = try segment(for: size, &writer)
        try append(batch, to: target, &writer)
      }
      for case .compact(let through) in batch.operations { try deleteSegments(through: through) }
    } catch {
      writer.failure = error.description
      throw error
    }
  }

  /// Bytes the batch needs in a segment; nil if there is nothing to write.
  private static func encodedBytes(_ batch: LogBatch) -> Int? {
    var size: Int?
    for operation in batch.operations {
      switch operation {
      case .append(let entries):
        for entry in entries { size = (size ?? 0) + LogRecord.bytes(of: entry) }
      case .truncate, .reset: size = (size ?? 0) + LogRecord.headerBytes
      case .compact: break
      }
    }
    return size
  }

  /// The segment that takes `size` more bytes; starts a new one if the current is full.
  private func segment(for size: Int, _ writer: inout Writer) throws(StorageError) -> Segment {
    if let current = table.withLock({ $0.segments.last }), current.hasRoom(size) { return current }
    let needed = LogSegment.recordsStart + LogRecord.headerBytes + size
    takePrepared(&writer)
    while let spare = writer.spares.first {
      writer.spares.removeFirst()
      if spare.size >= needed { return spare }
      // Too small for this batch: it stays empty, its number is part of the sequence.
      table.withLock { $0.segments.append(spare) }
    }
    let header = LogSegment.Header(
      sequence: writer.nextSequence, size: UInt64(max(options.segmentBytes, LogRecord.aligned(needed))),
      salt: writer.random.next())
    writer.nextSequence += 1
    let file = try onDisk { () throws(DiskError) in
      try LogSegment.create(on: disk, directory: directory, header: header)
    }
    return Segment(header: header, path: directory + "/" + LogSegment.name(sequence: header.sequence), file: file)
  }

  private func takePrepared(_ writer: inout Writer) {
    switch preparation.take() {
    case .success(let segment): writer.spares.append(segment)
    // Space may be there again by now: the caller tries once more under the same number.
    case .failure: writer.nextSequence -= 1
    case nil: break
    }
  }

  private func append(_ batch: LogBatch, to segment: Segment, _ writer: inout Writer) throws(StorageError) {
    let origin = segment.writeOffset
    let isFresh = origin == LogSegment.recordsStart
    var encoder = BatchEncoder(
      buffer: writer.buffer, origin: origin, nonce: UInt32(truncatingIfNeeded: writer.random.next() >> 40),
      salt: segment.salt, lastIndex: writer.lastIndex,
      lastTerm: writer.lastTerm)
    writer.buffer = []
    if isFresh { encoder.addControl(.resume, next: writer.lastIndex + 1, previousTerm: writer.lastTerm) }
    for operation in batch.operations { try encoder.add(operation) }
    let buffer = encoder.buffer
    precondition(origin + buffer.count <= segment.size, "a batch never crosses the end of its segment")
    try onDisk { () throws(DiskError) in
      try segment.file.write(buffer, at: UInt64(origin))
      try segment.file.synchronize()
    }
    writer.lastIndex = encoder.lastIndex
    writer.lastTerm = encoder.lastTerm
    // Keep a buffer for the next batch, but not the memory of an exceptionally large one.
    if buffer.count <= 256 << 10 {
      writer.buffer = encoder.takeEmptyBuffer()
    }
    let end = origin + buffer.count
    let isNew = table.withLock { table -> Bool in
      let isNew = table.segments.last?.sequence != segment.sequence
      if isNew { table.segments.append(segment) }
      for change in encoder.changes { table.apply(change) }
      table.finishBatch(end: end)
      return isNew
    }
    if isNew || end > segment.size / 2 { prepareNext(&writer) }
  }

  /// Has the next segment made ready while there is still room in the current one.
  private func prepareNext(_ writer: inout Writer) {
    guard writer.spares.isEmpty,
      let current = table.withLock({ $0.segments.last }), current.writeOffset > current.size / 2,
      preparation.begin()
    else { return }
    let header = LogSegment.Header(
      sequence: writer.nextSequence, size: UInt64(options.segmentBytes), salt: writer.random.next())
    writer.nextSequence += 1
    let path = directory + "/" + LogSegment.name(sequence: header.sequence)
    options.inBackground { [disk, directory, preparation] in
      do throws(DiskError) {
        let file = try LogSegment.create(on: disk, directory: directory, header: header)
        preparation.finish(.success(Segment(header: header, path: path, file: file)))
      } catch {
        preparation.finish(.failure(StorageError(error)))
      }
    }
  }

  /// Removes the oldest segments that hold nothing but entries up to `index`. One by one, so that a crash never leaves a
  /// hole in the sequence.
  private func deleteSegments(through index: LogIndex) throws(StorageError) {
    while let path = table.withLock({ $0.takeObsolete(through: index) }) {
      try onDisk { () throws(DiskError) in
        try disk.remove(path)
        try disk.synchronizeDirectory(directory)
      }
    }
  }

  public func entries(first: LogIndex, last: LogIndex, bytesMax: Int) throws(StorageError) -> [LogEntry] {
    var found: [LogEntry] = []
    var next = first
    var budget = bytesMax
    while next <= last, budget > 0 {
      guard let stretch = table.withLock({ $0.stretch(from: next, through: last) }) else {
        if found.isEmpty { throw .missing(path: "\(directory): log entries \(first) to \(last)") }
        break
      }
      var reader = SegmentReader(stretch)
      while next <= stretch.last, budget > 0 {
        let entry = try reader.next(index: next)
        if entry.cost > budget, !found.isEmpty { return found }
        budget -= entry.cost
        found.append(entry)
        next += 1
      }
    }
    return found
  }

  /// Marks the end of the log, so that the next start knows it to be complete.
  public func close() {
    writer.withLock { writer in
      takePrepared(&writer)
      guard writer.failure == nil, let segment = table.withLock({ $0.segments.last }),
        segment.hasRoom(LogRecord.headerBytes)
      else { return }
      var encoder = BatchEncoder(
        buffer: [], origin: segment.writeOffset, nonce: UInt32(truncatingIfNeeded: writer.random.next() >> 40),
        salt: segment.salt, lastIndex: writer.lastIndex,
        lastTerm: writer.lastTerm)
      encoder.addControl(.closed, next: writer.lastIndex + 1, previousTerm: writer.lastTerm)
      do throws(DiskError) {
        try segment.file.write(encoder.buffer, at: UInt64(segment.writeOffset))
        try segment.file.synchronize()
      } catch {
        // Only the proof is missing; the next start treats the end like that of a crash.
      }
      writer.failure = "the log is closed"
    }
  }
}

/// Turns operations into the bytes of one batch and the changes of the table they mean.
struct BatchEncoder {
  private(set) var buffer: [UInt8]
  private(set) var changes: [SegmentTable.Change] = []
  private(set) var lastIndex: LogIndex
  private(set) var lastTerm: Term
  let origin: Int
  let nonce: UInt32
  let salt: UInt64

  init(buffer: [UInt8], origin: Int, nonce: UInt32, salt: UInt64, lastIndex: LogIndex, lastTerm: Term) {
    self.buffer = buffer
    self.origin = origin
    self.nonce = nonce
    self.salt = salt
    self.lastIndex = lastIndex
    self.lastTerm = lastTerm
  }

  mutating func addControl(_ control: LogRecord.Control, next: LogIndex, previousTerm: Term) {
    LogRecord.append(
      to: &buffer, origin: origin, batch: UInt32(origin), nonce: nonce, salt: salt, kind: control.rawValue, index: next,
      term: previousTerm)
  }

  mutating func add(_ operation: LogBatch.Operation) throws(StorageError) {
    switch operation {
    case .append(let entries):
      for entry in entries {
        precondition(entry.index == lastIndex + 1 && entry.term >= lastTerm, "entries are appended in order")
        changes.append(
          .append(
            index: entry.index, term: entry.term, offset: origin + buffer.count,
            configuration: entry.kind == .configuration ? entry.data : nil))
        LogRecord.append(
          to: &buffer, origin: origin, batch: UInt32(origin), nonce: nonce, salt: salt, kind: entry.kind.rawValue,
          index: entry.index, term: entry.term, appendedAt: entry.appendedAt, extensions: entry.extensions,
          data: entry.data)
        lastIndex = entry.index
        lastTerm = entry.term
      }
    case .truncate(let next, let term), .reset(let next, let term):
      addControl(.jump, next: next, previousTerm: term)
      changes.append(.jump(next: next, previousTerm: term))
      lastIndex = next - 1
      lastTerm = term
    case .compact: break
    }
  }

  mutating func takeEmptyBuffer() -> [UInt8] {
    var empty = buffer
    buffer = []
    empty.removeAll(keepingCapacity: true)
    return empty
  }
}
