import Synchronization

@testable import Consensus

/// A state machine that remembers every command, so that tests can compare histories.
final class RecordingMachine: SimulatedMachine {
  struct State: Sendable, Equatable {
    var commands: [[UInt8]] = []
    var lastIndex: LogIndex = 0
    var restoreCount = 0
  }

  let state = Mutex(State())
  /// Sees every entry before it takes effect, and every restored state with its index.
  private let observer: (any MachineObserver)?

  init(observer: (any MachineObserver)? = nil) { self.observer = observer }

  var commands: [[UInt8]] { state.withLock { $0.commands } }
  var lastIndex: LogIndex { state.withLock { $0.lastIndex } }

  func apply(_ entries: ArraySlice<LogEntry>, results: inout [any Sendable]) {
    if let observer { for entry in entries { observer.applies(entry) } }
    state.withLock { state in
      for entry in entries {
        precondition(entry.index == state.lastIndex + 1 || state.lastIndex == 0, "entries arrive without gaps")
        state.lastIndex = entry.index
        guard entry.kind == .command else { continue }
        state.commands.append(entry.data)
        results.append(state.commands.count)
      }
    }
  }

  func snapshot() throws -> any StateSnapshotWriter { Writer(state: state.withLock { $0 }) }

  func restore(from reader: any SnapshotReader, prepared: (any PreparedState)?) throws {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1000)
    while true {
      let count = try buffer.withUnsafeMutableBytes { try reader.read(into: $0) }
      if count == 0 { break }
      bytes += buffer[0..<count]
    }
    let commands = try Self.decode(bytes)
    observer?.restores(commands, index: reader.metadata.index, term: reader.metadata.term)
    state.withLock { state in
      state.commands = commands
      state.lastIndex = reader.metadata.index
      state.restoreCount += 1
    }
  }

  func leadershipChanged(_ change: LeadershipChange) {}

  static func encode(_ commands: [[UInt8]]) -> [UInt8] {
    var bytes: [UInt8] = Array("STATE".utf8)
    for command in commands {
      bytes.appendLittleEndian(UInt32(command.count))
      bytes += command
    }
    return bytes
  }

  static func decode(_ bytes: [UInt8]) throws -> [[UInt8]] {
    guard bytes.starts(with: "STATE".utf8) else { throw StateMachineError("not a state") }
    var commands: [[UInt8]] = []
    var offset = 5
    while offset + 4 <= bytes.count {
      let length = bytes.withUnsafeBytes {
        Int(UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
      }
      guard offset + 4 + length <= bytes.count else { throw StateMachineError("cut off") }
      commands.append(Array(bytes[offset + 4..<offset + 4 + length]))
      offset += 4 + length
    }
    return commands
  }

  private struct Writer: StateSnapshotWriter {
    let state: State
    func write(to sink: any SnapshotSink) throws { try sink.write(RecordingMachine.encode(state.commands)) }
  }
}

/// Watches what a machine does.
protocol MachineObserver: AnyObject, Sendable {
  func applies(_ entry: LogEntry)
  func restores(_ commands: [[UInt8]], index: LogIndex, term: Term)
}

/// Snapshot content from memory.
final class BytesContent: SnapshotContent {
  private let bytes: [UInt8]
  private let offset = Mutex(0)

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    let start = offset.withLock { offset in
      defer { offset = min(bytes.count, offset + buffer.count) }
      return offset
    }
    let count = min(buffer.count, bytes.count - start)
    buffer.copyBytes(from: bytes[start..<start + count])
    return count
  }
}
