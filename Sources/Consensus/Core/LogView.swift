/// What the algorithm needs to know of the log: which term each index has. Entries themselves stay in storage.
///
///     base ─┐        ┌─ lastIndex
///     ····· [ entries ]          runs: (first index, term) of every stretch of equal terms
///       └─ snapshot may reach beyond base; entries up to it are kept for slow followers ("trailing logs")
struct LogView: Sendable, Equatable {
  struct TermRun: Sendable, Equatable {
    var first: LogIndex
    var term: Term
  }

  /// Index and term of the entry just before the first one that is stored.
  private(set) var baseIndex: LogIndex
  private(set) var baseTerm: Term
  private(set) var runs: [TermRun]
  private(set) var lastIndex: LogIndex
  private(set) var snapshotIndex: LogIndex
  private(set) var snapshotTerm: Term
  /// Everything up to here survives a crash of this server.
  private(set) var durableIndex: LogIndex

  init(baseIndex: LogIndex = 0, baseTerm: Term = 0, snapshotIndex: LogIndex = 0, snapshotTerm: Term = 0) {
    self.baseIndex = baseIndex
    self.baseTerm = baseTerm
    self.runs = []
    self.lastIndex = baseIndex
    self.snapshotIndex = snapshotIndex
    self.snapshotTerm = snapshotTerm
    self.durableIndex = baseIndex
  }

  /// The log as it was found at a start; `snapshot` is within it or just before it.
  init(_ recovered: RecoveredLog, snapshotIndex: LogIndex, snapshotTerm: Term) {
    self.init(
      baseIndex: recovered.baseIndex, baseTerm: recovered.baseTerm, snapshotIndex: snapshotIndex,
      snapshotTerm: snapshotTerm)
    runs = recovered.terms.map { TermRun(first: $0.first, term: $0.term) }
    lastIndex = recovered.lastIndex
    durableIndex = recovered.lastIndex
  }

  var firstIndex: LogIndex { baseIndex + 1 }
  var lastTerm: Term { runs.last?.term ?? baseTerm }
  var isEmpty: Bool { lastIndex == baseIndex }

  /// The term of an index, or nil if it was compacted away or does not exist yet.
  func term(at index: LogIndex) -> Term? {
    if index == 0 { return 0 }
    if index == baseIndex { return baseTerm }
    if index > baseIndex, index <= lastIndex {
      // Lookups are nearly always near the end, and runs are few (one per election).
      return runs.last { $0.first <= index }?.term
    }
    return index == snapshotIndex ? snapshotTerm : nil
  }

  /// `term` must not be lower than `lastTerm`; the index of the new entry is `lastIndex + 1`.
  mutating func append(term: Term) {
    precondition(term >= lastTerm, "terms in a log never decrease")
    lastIndex += 1
    if runs.last?.term != term { runs.append(TermRun(first: lastIndex, term: term)) }
  }

  /// Deletes the entry at `index` and all that follow.
  mutating func truncate(from index: LogIndex) {
    precondition(index > baseIndex, "compacted entries are committed and never deleted as conflicts")
    guard index <= lastIndex else { return }
    lastIndex = index - 1
    while let run = runs.last, run.first > lastIndex { runs.removeLast() }
    durableIndex = min(durableIndex, lastIndex)
  }

  /// Storage reports that the entry (`index`, `term`) and everything before it is durable. A report about entries that
  /// were deleted meanwhile does not match and is ignored (Log Matching, the paper, section 5.3).
  mutating func markDurable(_ index: LogIndex, term: Term) {
    guard index > durableIndex, self.term(at: index) == term else { return }
    durableIndex = index
  }

  mutating func markSnapshot(index: LogIndex, term: Term) {
    guard index > snapshotIndex else { return }
    snapshotIndex = index
    snapshotTerm = term
  }

  /// Forgets entries up to and including `index`.
  mutating func compact(through index: LogIndex) {
    guard index > baseIndex, index <= lastIndex, let term = term(at: index) else { return }
    runs.removeAll { run in run.first <= index && run.term != term }
    if let first = runs.first, first.first <= index { runs[0].first = index + 1 }
    if let first = runs.first, first.first > (runs.count > 1 ? runs[1].first - 1 : lastIndex) { runs.removeFirst() }
    baseIndex = index
    baseTerm = term
    durableIndex = max(durableIndex, index)
  }

  /// A snapshot replaces the whole log.
  mutating func reset(snapshotIndex index: LogIndex, term: Term) {
    self = LogView(baseIndex: index, baseTerm: term, snapshotIndex: index, snapshotTerm: term)
  }
}
