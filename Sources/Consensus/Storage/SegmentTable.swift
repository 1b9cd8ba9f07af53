/// Which segment holds which entries, and where.
struct SegmentTable: Sendable {
  /// Oldest first; the last one is being written.
  var segments: [Segment] = []
  var log = RecoveredLog()

  enum Change: Sendable {
    case append(index: LogIndex, term: Term, offset: Int, configuration: [UInt8]?)
    case jump(next: LogIndex, previousTerm: Term)
  }

  mutating func apply(_ change: Change) {
    switch change {
    case .append(let index, let term, let offset, let configuration):
      log.append(index: index, term: term, configuration: configuration)
      segments[segments.count - 1].note(index: index, offset: offset)
    case .jump(let next, let previousTerm):
      let startsAnew = log.jump(next: next, previousTerm: previousTerm)
      for position in segments.indices {
        if startsAnew { segments[position].clear() } else { segments[position].truncate(from: next) }
      }
    }
  }

  mutating func finishBatch(end: Int) { segments[segments.count - 1].writeOffset = end }

  /// Removes the oldest segment from the table if nothing after `index` is in it.
  /// - Returns: the path of its file.
  mutating func takeObsolete(through index: LogIndex) -> String? {
    guard segments.count > 1, let oldest = segments.first else { return nil }
    if let live = oldest.live, live.upperBound > index { return nil }
    segments.removeFirst()
    if let live = segments.first(where: { $0.live != nil })?.live, live.lowerBound > log.baseIndex + 1 {
      log.compact(before: live.lowerBound)
    }
    return oldest.path
  }

  struct Stretch {
    var file: any DiskFile
    var path: String
    var salt: UInt64
    var offset: Int
    /// Where the written part ends.
    var end: Int
    /// Index of the record at `offset`, and of the last one that can be read from here in sequence.
    var first: LogIndex
    var last: LogIndex
  }

  /// Where to read `index` and some of what follows.
  func stretch(from index: LogIndex, through last: LogIndex) -> Stretch? {
    guard let segment = segments.last(where: { $0.live?.contains(index) == true }), let live = segment.live,
      let position = segment.marks.lastIndex(where: { $0.index <= index })
    else { return nil }
    let mark = segment.marks[position]
    // A mark that follows may stand behind voided records: read up to it only.
    let limit = position + 1 < segment.marks.count ? segment.marks[position + 1].index - 1 : live.upperBound
    return Stretch(
      file: segment.file, path: segment.path, salt: segment.salt, offset: mark.offset, end: segment.writeOffset,
      first: mark.index, last: min(limit, last))
  }
}

extension RecoveredLog {
  /// Entries before `first` are not available any more.
  mutating func compact(before first: LogIndex) {
    guard first > baseIndex + 1, first <= lastIndex + 1 else { return }
    let base = first - 1
    baseTerm = terms.last { $0.first <= base }?.term ?? baseTerm
    baseIndex = base
    while terms.count > 1, terms[1].first <= first { terms.removeFirst() }
    if let run = terms.first, run.first < first { terms[0].first = first }
    if isEmpty { terms.removeAll() }
    configurations.removeAll { $0.index <= base }
  }
}

/// One file of the log as it is known in memory.
struct Segment: Sendable {
  /// A place to start reading from: the record of entry `index` is at `offset`.
  struct Mark: Sendable {
    var index: LogIndex
    var offset: Int
  }

  let sequence: UInt64
  let size: Int
  let salt: UInt64
  let path: String
  let file: any DiskFile
  var writeOffset = LogSegment.recordsStart
  /// Entries in this file that are part of the log.
  private(set) var live: ClosedRange<LogIndex>?
  private(set) var marks: [Mark] = []
  private var markNext = true

  /// A mark every so many bytes: the most that has to be skipped to find an entry.
  private static let markDistance = 32 << 10

  init(header: LogSegment.Header, path: String, file: any DiskFile) {
    sequence = header.sequence
    size = Int(clamping: header.size)
    salt = header.salt
    self.path = path
    self.file = file
  }

  func hasRoom(_ count: Int) -> Bool { count <= size - writeOffset }

  mutating func note(index: LogIndex, offset: Int) {
    live = (live?.lowerBound ?? index)...index
    if let mark = marks.last, !markNext, offset - mark.offset < Self.markDistance { return }
    marks.append(Mark(index: index, offset: offset))
    markNext = false
  }

  mutating func truncate(from index: LogIndex) {
    markNext = true
    guard let range = live, range.upperBound >= index else { return }
    live = range.lowerBound < index ? range.lowerBound...(index - 1) : nil
    while let mark = marks.last, mark.index >= index { marks.removeLast() }
  }

  mutating func clear() {
    markNext = true
    live = nil
    marks = []
  }
}

/// Reads consecutive records of a segment through a small window.
struct SegmentReader {
  private let stretch: SegmentTable.Stretch
  private var window: [UInt8] = []
  private var windowStart: Int
  private var offset: Int

  private static let windowBytes = 64 << 10

  init(_ stretch: SegmentTable.Stretch) {
    self.stretch = stretch
    windowStart = stretch.offset
    offset = stretch.offset
  }

  /// The entry with this index, which must not be before the last one that was asked for.
  mutating func next(index: LogIndex) throws(StorageError) -> LogEntry {
    while true {
      try fill(LogRecord.headerBytes)
      let length = window.withUnsafeBytes {
        Int(UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: offset - windowStart, as: UInt32.self)))
      }
      guard length >= LogRecord.headerBytes, length <= stretch.end - offset else { throw damaged }
      try fill(length)
      let parsed = window.withUnsafeBytes {
        LogRecord.parse($0, at: offset - windowStart, origin: windowStart, salt: stretch.salt)
      }
      guard let parsed else { throw damaged }
      defer { offset = parsed.next }
      guard parsed.kind < 0x80, parsed.index >= index else { continue }
      let entry = window.withUnsafeBytes { LogRecord.entry(parsed, in: $0, origin: windowStart) }
      guard let entry, entry.index == index else { throw damaged }
      return entry
    }
  }

  private var damaged: StorageError {
    .corrupt(file: stretch.path, offset: UInt64(offset), reason: "a record's checksum does not match")
  }

  /// Makes `count` bytes from `offset` on available.
  private mutating func fill(_ count: Int) throws(StorageError) {
    guard offset + count > windowStart + window.count else { return }
    let wanted = min(max(count, Self.windowBytes), max(0, stretch.end - offset))
    windowStart = offset
    window = try onDisk { () throws(DiskError) in try stretch.file.read(wanted, at: UInt64(offset)) }
    guard window.count >= count else { throw damaged }
  }
}
