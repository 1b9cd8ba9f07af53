import Consensus
import State

/// Puts commands together again that a leader cut into several entries of the log, because they were too long for one
/// (wire/raft.md, "Chunked commands"). A pure core.
struct ChunkedCommands {
  enum Taken: Equatable {
    /// An entry that is a command by itself.
    case single
    /// More pieces have to come.
    case partial
    /// The last piece came: the whole command.
    case complete([UInt8])
    case malformed(String)
  }

  /// What an entry tells beside its piece.
  struct Place: Equatable {
    var operation: UInt64 = 0
    /// Counts from 0.
    var number: UInt64 = 0
    var count: UInt64 = 0
  }

  /// Bytes of one command, put together; the largest value that can be configured is far below.
  private static let commandBytesMax = 1 << 30
  private static let piecesMax: UInt64 = 1 << 12
  /// How the extension of an entry begins that is a checkpoint of the log's verification, and no piece.
  private static let verifierMagic: [UInt8] = [0x03, 0xA5, 0x92, 0x03, 0xD6, 0xF9, 0xD1, 0xAF]

  private(set) var commands: [UInt64: PartialCommand]
  private var term: Term
  private(set) var hasChanged = false

  init(_ commands: [UInt64: PartialCommand] = [:]) {
    self.commands = commands
    term = commands.values.flatMap { $0.pieces }.compactMap { $0?.term }.max() ?? 0
  }

  /// What is half-way, to be stored; nil if it was not changed since it was taken last.
  mutating func changes() -> [UInt64: PartialCommand]? {
    guard hasChanged else { return nil }
    hasChanged = false
    return commands
  }

  mutating func take(_ entry: LogEntry) -> Taken {
    // A new leader does not know what the one before had begun: its clients are told to send all of it again.
    if entry.term != term {
      term = entry.term
      if !commands.isEmpty {
        commands = [:]
        hasChanged = true
      }
    }
    if entry.extensions.isEmpty || Self.isCheckpoint(entry) { return .single }
    guard let place = Self.place(entry.extensions) else { return .malformed("its place is not readable") }
    guard place.count > 0, place.count <= Self.piecesMax, place.number < place.count else {
      return .malformed("piece \(place.number) of \(place.count)")
    }
    let count = Int(place.count)
    var command = commands[place.operation] ?? PartialCommand(pieceCount: count)
    guard command.pieces.count == count else { return .malformed("its pieces count differently") }
    command.pieces[Int(place.number)] = PartialCommand.Piece(term: entry.term, data: entry.data)
    hasChanged = true
    if command.pieces.contains(where: { $0 == nil }) {
      commands[place.operation] = command
      return .partial
    }
    commands[place.operation] = nil
    let pieces = command.pieces.compactMap { $0?.data }
    guard pieces.reduce(0, { $0 + $1.count }) <= Self.commandBytesMax else { return .malformed("it is too long") }
    return .complete(Array(pieces.joined()))
  }

  private static func isCheckpoint(_ entry: LogEntry) -> Bool {
    entry.data.count == 2 && entry.data.first == 0xA9 && entry.extensions.count > 8
      && entry.extensions.starts(with: verifierMagic)
  }

  /// Reads `{1: operation, 2: number, 3: count, 4: extensions of the whole command}` (protocol buffers).
  static func place(_ bytes: [UInt8]) -> Place? {
    var rest = bytes[...]
    var place = Place()
    while !rest.isEmpty {
      guard let key = varint(&rest) else { return nil }
      switch key & 7 {
      case 0:
        guard let value = varint(&rest) else { return nil }
        switch key >> 3 {
        case 1: place.operation = value
        case 2: place.number = value
        case 3: place.count = value
        default: break
        }
      case 2:
        guard let length = varint(&rest), length <= UInt64(rest.count) else { return nil }
        rest = rest.dropFirst(Int(length))
      default: return nil
      }
    }
    return place
  }

  private static func varint(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard let byte = bytes.popFirst() else { return nil }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    return nil
  }
}
