import Model

/// A command that a leader cut into several entries of the log, as far as it has arrived (wire/raft.md, "Chunked commands").
public struct PartialCommand: Sendable, Equatable {
  public struct Piece: Sendable, Equatable {
    public var term: UInt64
    public var data: [UInt8]

    public init(term: UInt64, data: [UInt8]) {
      self.term = term
      self.data = data
    }
  }

  /// One place per piece; nil for those that are missing.
  public var pieces: [Piece?]

  public init(pieceCount: Int) { pieces = Array(repeating: nil, count: pieceCount) }
}

// Snapshots have a record of what is half-way, which every server has in the same form.

extension StateSnapshot {
  /// The commands that were half-way when the state was written, by the number of their operation.
  public var partialCommands: [UInt64: PartialCommand] {
    (tables.unread[SnapshotRecord.chunking] ?? []).reduce(into: [:]) { all, record in
      let read = record.withUnsafeBytes { bytes in
        Result { () throws(MessagePackError) in
          var reader = MessagePackReader(bytes)
          return try PartialCommandRecord.read(&reader)
        }
      }
      // What cannot be read is kept as it is, and of no use.
      if case .success(let some) = read { all.merge(some) { _, new in new } }
    }
  }
}

extension StateTransaction {
  public mutating func setPartialCommands(_ commands: [UInt64: PartialCommand]) {
    tables.unread[SnapshotRecord.chunking] = commands.isEmpty ? nil : [PartialCommandRecord.write(commands)]
  }
}

/// `{ChunkMap: {operation: [nil or {Data, NumChunks, OpNum, SequenceNum, Term}]}}`
enum PartialCommandRecord {
  /// Pieces of one command: more are not ours.
  static let piecesMax = 1 << 16

  static func write(_ commands: [UInt64: PartialCommand]) -> [UInt8] {
    var writer = MessagePackWriter()
    writer.mapHeader(1)
    writer.string("ChunkMap")
    writer.mapHeader(commands.count)
    for (operation, command) in commands.sorted(by: { $0.key < $1.key }) {
      writer.integer(operation)
      writer.arrayHeader(command.pieces.count)
      for (number, piece) in command.pieces.enumerated() {
        guard let piece else {
          writer.null()
          continue
        }
        writer.mapHeader(5)
        writer.string("Data")
        writer.binary(piece.data)
        writer.string("NumChunks")
        writer.integer(command.pieces.count)
        writer.string("OpNum")
        writer.integer(operation)
        writer.string("SequenceNum")
        writer.integer(number)
        writer.string("Term")
        writer.integer(piece.term)
      }
    }
    return writer.bytes
  }

  static func read(_ reader: inout MessagePackReader) throws(MessagePackError) -> [UInt64: PartialCommand] {
    var commands: [UInt64: PartialCommand] = [:]
    for _ in 0..<(try reader.mapHeader() ?? 0) {
      guard try reader.string() == "ChunkMap" else {
        try reader.skip()
        continue
      }
      for _ in 0..<(try reader.mapHeader() ?? 0) {
        let operation: UInt64 = try reader.integer()
        let count = try reader.arrayHeader() ?? 0
        guard count <= piecesMax else { throw .impossibleCount(count, offset: reader.offset) }
        var command = PartialCommand(pieceCount: count)
        for number in 0..<count { command.pieces[number] = try piece(&reader) }
        commands[operation] = command
      }
    }
    return commands
  }

  private static func piece(_ reader: inout MessagePackReader) throws(MessagePackError) -> PartialCommand.Piece? {
    guard let fields = try reader.mapHeader() else { return nil }
    var piece = PartialCommand.Piece(term: 0, data: [])
    for _ in 0..<fields {
      switch try reader.string() {
      case "Data": piece.data = try reader.binary()
      case "Term": piece.term = try reader.integer()
      default: try reader.skip()
      }
    }
    return piece
  }
}
