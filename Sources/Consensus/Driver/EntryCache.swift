/// Entries that are on their way: appended, but not yet durable and handed to the state machine, with the completions of
/// those who proposed them. A bounded rest of newer ones stays for followers.
struct EntryCache {
  private struct Batch {
    var entries: ArraySlice<LogEntry>
    /// Parallel to `entries`, or empty if nobody waits for any of them.
    var completions: ArraySlice<ProposalCompletion?>
    var cost: Int
  }

  private var batches: [Batch] = []
  /// Batches before this position are gone; removed for good from time to time.
  private var head = 0
  private(set) var bytes = 0

  /// Index of the first entry held; nil if there is none.
  var firstIndex: LogIndex? { head < batches.count ? batches[head].entries.first?.index : nil }

  mutating func append(_ entries: [LogEntry], completions: [ProposalCompletion?] = []) {
    guard !entries.isEmpty else { return }
    var cost = 0
    for entry in entries { cost += entry.cost }
    bytes += cost
    batches.append(Batch(entries: entries[...], completions: completions[...], cost: cost))
  }

  mutating func setCompletion(_ completion: @escaping ProposalCompletion, at index: LogIndex) {
    guard let position = position(of: index), let first = batches[position].entries.first?.index else { return }
    var completions = Array(batches[position].completions)
    if completions.isEmpty { completions = Array(repeating: nil, count: batches[position].entries.count) }
    completions[Int(index - first)] = completion
    batches[position].completions = completions[...]
  }

  /// The batch that contains `index`.
  private func position(of index: LogIndex) -> Int? {
    var low = head
    var high = batches.count
    while low < high {
      let middle = (low + high) / 2
      guard let last = batches[middle].entries.last else { return nil }
      if last.index < index { low = middle + 1 } else { high = middle }
    }
    guard low < batches.count, let first = batches[low].entries.first, first.index <= index else { return nil }
    return low
  }

  /// A run of entries from `first`, at most to `last`; empty if `first` is not here.
  func entries(first: LogIndex, last: LogIndex) -> ArraySlice<LogEntry> {
    guard let position = position(of: first), let base = batches[position].entries.first?.index else { return [] }
    let entries = batches[position].entries
    let start = entries.startIndex + Int(first - base)
    let end = min(entries.endIndex, start + Int(min(last - first, UInt64(Int32.max))) + 1)
    return entries[start..<end]
  }

  /// As `entries`, and takes the completions with it.
  mutating func take(first: LogIndex, last: LogIndex) -> (ArraySlice<LogEntry>, ArraySlice<ProposalCompletion?>) {
    let found = entries(first: first, last: last)
    guard !found.isEmpty, let position = position(of: first), !batches[position].completions.isEmpty,
      let base = batches[position].entries.first?.index
    else { return (found, []) }
    let all = batches[position].completions
    let start = all.startIndex + Int(first - base)
    let taken = all[start..<start + found.count]
    if taken.endIndex == all.endIndex, taken.startIndex == all.startIndex {
      batches[position].completions = []
    } else {
      for offset in taken.indices { batches[position].completions[offset] = nil }
    }
    return (found, taken)
  }

  /// Takes all completions of entries after `index`.
  mutating func takeCompletions(after index: LogIndex) -> [ProposalCompletion] {
    var taken: [ProposalCompletion] = []
    for position in batches.indices.dropFirst(head) where !batches[position].completions.isEmpty {
      let completions = batches[position].completions
      for (entry, offset) in zip(batches[position].entries, completions.indices) where entry.index > index {
        if let completion = completions[offset] { taken.append(completion) }
        batches[position].completions[offset] = nil
      }
    }
    return taken
  }

  /// Forgets entries from `index` on.
  mutating func truncate(from index: LogIndex) {
    while head < batches.count, let first = batches.last?.entries.first, first.index >= index {
      if let removed = batches.popLast() { bytes -= removed.cost }
    }
    guard head < batches.count, var batch = batches.last, let last = batch.entries.last, last.index >= index else {
      return
    }
    let count = Int(last.index - index) + 1
    bytes -= batch.cost
    batch.entries = batch.entries.dropLast(count)
    if !batch.completions.isEmpty { batch.completions = batch.completions.dropLast(count) }
    batch.cost = batch.entries.reduce(0) { $0 + $1.cost }
    bytes += batch.cost
    batches[batches.count - 1] = batch
  }

  mutating func removeAll() {
    batches.removeAll()
    head = 0
    bytes = 0
  }

  /// Forgets the oldest batches that are not needed any more, as long as more than `bytesMax` are held.
  mutating func trim(through index: LogIndex, bytesMax: Int) {
    while head < batches.count, bytes > bytesMax, let last = batches[head].entries.last, last.index <= index {
      bytes -= batches[head].cost
      batches[head] = Batch(entries: [], completions: [], cost: 0)
      head += 1
    }
    if head == batches.count {
      batches.removeAll(keepingCapacity: batches.capacity <= 256)
      head = 0
    } else if head > 64, head * 2 > batches.count {
      batches.removeFirst(head)
      head = 0
    }
  }
}
