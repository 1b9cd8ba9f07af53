/// Operations that wait to be written to the log.
struct LogQueue {
  private var operations: [LogBatch.Operation] = []
  /// Those before this position have been taken.
  private var head = 0

  var isEmpty: Bool { head == operations.count }

  mutating func append(_ operation: LogBatch.Operation) { operations.append(operation) }

  /// The next ones in order, up to the limits of one batch.
  mutating func takeBatch(_ limits: RaftLimits) -> LogBatch {
    var batch = LogBatch()
    while head < operations.count {
      if case .append(let entries) = operations[head] {
        let room = Self.room(in: batch, for: entries, limits)
        if room == 0 { break }
        batch.add(.append(entries.prefix(room)))
        if room < entries.count {
          operations[head] = .append(entries.dropFirst(room))
          break
        }
      } else {
        batch.add(operations[head])
      }
      head += 1
    }
    if head == operations.count {
      operations.removeAll(keepingCapacity: operations.count <= 256)
      head = 0
    }
    return batch
  }

  /// How many of `entries` the batch can take; at least one if it is empty.
  private static func room(in batch: LogBatch, for entries: ArraySlice<LogEntry>, _ limits: RaftLimits) -> Int {
    var count = 0
    var bytes = batch.bytes
    for entry in entries {
      bytes += entry.cost
      let isFirst = batch.entryCount + count == 0
      guard isFirst || (batch.entryCount + count < limits.batchEntriesMax && bytes <= limits.batchBytesMax) else {
        break
      }
      count += 1
    }
    return count
  }
}
