/// Where log entries are kept. Writes come from one thread at a time; reads may come from another.
public protocol LogStorage: AnyObject, Sendable {
  /// What was found when the log was opened.
  func recovered() -> RecoveredLog
  /// Carries out all operations in order; on return they are durable. After an error the log is unusable: nothing of the
  /// batch may be considered written, and every later call throws.
  func write(_ batch: LogBatch) throws(StorageError)
  /// Entries `first ... last`, fewer if they exceed `bytesMax` (but at least one).
  func entries(first: LogIndex, last: LogIndex, bytesMax: Int) throws(StorageError) -> [LogEntry]
  /// Bytes that entries occupy, for limits on memory.
  var retainedBytes: Int { get }
  func close()
}

/// What one write carries out.
public struct LogBatch: Sendable {
  public enum Operation: Sendable {
    case append(ArraySlice<LogEntry>)
    /// Deletes this entry and all that follow; `previousTerm` is the term of the entry before it.
    case truncate(from: LogIndex, previousTerm: Term)
    /// Deletes everything; the next entry will have index `next`, after one of `previousTerm`.
    case reset(next: LogIndex, previousTerm: Term)
    /// Entries up to and including this one may be forgotten.
    case compact(through: LogIndex)
  }

  public var operations: [Operation]
  /// Entries and bytes to be appended.
  public private(set) var entryCount = 0
  public private(set) var bytes = 0

  public init(_ operations: [Operation] = []) {
    self.operations = []
    for operation in operations { add(operation) }
  }

  public mutating func add(_ operation: Operation) {
    if case .append(let entries) = operation {
      entryCount += entries.count
      for entry in entries { bytes &+= entry.cost }
    }
    operations.append(operation)
  }

  /// Index and term of the last appended entry.
  var lastAppended: (index: LogIndex, term: Term)? {
    for operation in operations.reversed() {
      if case .append(let entries) = operation, let last = entries.last { return (last.index, last.term) }
    }
    return nil
  }
}

/// The content of a log in the form in which the algorithm needs it.
public struct RecoveredLog: Sendable, Equatable {
  /// Index and term of the entry before the first.
  public var baseIndex: LogIndex
  public var baseTerm: Term
  public var lastIndex: LogIndex
  /// First index and term of every stretch of equal terms, ascending.
  public var terms: [Run]
  /// All configuration entries.
  public var configurations: [ConfigurationEntry]

  public struct Run: Sendable, Equatable {
    public var first: LogIndex
    public var term: Term
  }

  public struct ConfigurationEntry: Sendable, Equatable {
    public var index: LogIndex
    public var data: [UInt8]
  }

  public init(baseIndex: LogIndex = 0, baseTerm: Term = 0) {
    self.baseIndex = baseIndex
    self.baseTerm = baseTerm
    lastIndex = baseIndex
    terms = []
    configurations = []
  }

  public var isEmpty: Bool { lastIndex == baseIndex }
  public var lastTerm: Term { terms.last?.term ?? baseTerm }

  mutating func append(index: LogIndex, term: Term, configuration: [UInt8]?) {
    lastIndex = index
    if terms.last?.term != term { terms.append(Run(first: index, term: term)) }
    if let configuration { configurations.append(ConfigurationEntry(index: index, data: configuration)) }
  }

  /// The term of an entry, or of the one before the first; nil if it is not here.
  func term(at index: LogIndex) -> Term? {
    if index == baseIndex { return baseTerm }
    guard index > baseIndex, index <= lastIndex else { return nil }
    return terms.last { $0.first <= index }?.term
  }

  /// Continues at `next`, after an entry of `previousTerm`. If that entry is here, what follows it is deleted. Else
  /// nothing here agrees with what comes, as after a snapshot that replaced conflicting entries, and the log starts anew.
  /// - Returns: whether it starts anew.
  @discardableResult
  mutating func jump(next: LogIndex, previousTerm: Term) -> Bool {
    guard next > baseIndex + 1, term(at: next - 1) == previousTerm else {
      self = RecoveredLog(baseIndex: next - 1, baseTerm: previousTerm)
      return true
    }
    lastIndex = next - 1
    while let run = terms.last, run.first > lastIndex { terms.removeLast() }
    while let entry = configurations.last, entry.index > lastIndex { configurations.removeLast() }
    return false
  }
}
