import Synchronization

/// A log that lives as long as the process (`agent -dev`).
public final class MemoryLog: LogStorage {
  fileprivate struct State {
    var baseIndex: LogIndex = 0
    var entries: ArraySlice<LogEntry> = []
    var bytes = 0
  }

  private let state = Mutex(State())

  public init() {}

  public func recovered() -> RecoveredLog { RecoveredLog() }

  public var retainedBytes: Int { state.withLock { $0.bytes } }

  public func close() {}

  public func write(_ batch: LogBatch) throws(StorageError) {
    state.withLock { state in
      for operation in batch.operations {
        switch operation {
        case .append(let entries):
          state.entries.append(contentsOf: entries)
          for entry in entries { state.bytes += entry.cost }
        case .truncate(let first, _):
          while let last = state.entries.last, last.index >= first {
            state.bytes -= last.cost
            state.entries.removeLast()
          }
        case .reset(let next, _):
          state = State(baseIndex: next - 1)
        case .compact(let through):
          state.compact(through: through)
        }
      }
    }
  }

  public func entries(first: LogIndex, last: LogIndex, bytesMax: Int) throws(StorageError) -> [LogEntry] {
    let found = state.withLock { state -> [LogEntry] in
      guard first > state.baseIndex, last >= first, last - state.baseIndex <= UInt64(state.entries.count) else {
        return []
      }
      let start = state.entries.startIndex + Int(first - state.baseIndex) - 1
      var end = start
      var bytes = 0
      let limit = start + Int(last - first) + 1
      while end < limit {
        bytes += state.entries[end].cost
        if bytes > bytesMax, end > start { break }
        end += 1
      }
      return Array(state.entries[start..<end])
    }
    guard !found.isEmpty else { throw .missing(path: "memory: log entries \(first) to \(last)") }
    return found
  }
}

extension MemoryLog.State {
  fileprivate mutating func compact(through index: LogIndex) {
    guard index > baseIndex else { return }
    let count = min(Int(index - baseIndex), entries.count)
    for entry in entries.prefix(count) { bytes -= entry.cost }
    // A fresh array: a slice would keep the forgotten entries alive.
    entries = ArraySlice(Array(entries.dropFirst(count)))
    baseIndex += UInt64(count)
  }
}
