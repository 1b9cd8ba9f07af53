import Consensus
import Model
import State
import Testing

@testable import Server

/// Commands that another server's leader cut into pieces.
@Suite struct ChunkedCommandsTests {
  private static func varint(_ value: UInt64) -> [UInt8] {
    var rest = value
    var bytes: [UInt8] = []
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  private static func place(_ operation: UInt64, _ number: UInt64, of count: UInt64) -> [UInt8] {
    // Zero is not written, as protocol buffers have it.
    let fields: [(UInt64, UInt64)] = [(1, operation), (2, number), (3, count)]
    return fields.filter { $0.1 != 0 }.flatMap { varint($0.0 << 3) + varint($0.1) }
  }

  private static func entry(_ data: [UInt8], _ extensions: [UInt8], term: UInt64 = 1) -> LogEntry {
    LogEntry(index: 1, term: term, kind: .command, data: data, extensions: extensions)
  }

  @Test func piecesInAnyOrderAreOneCommand() {
    var seed = UInt64.random(in: 0...(.max))
    print("seed \(seed)")
    for _ in 0..<200 {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let count = 1 + Int(seed >> 60)
      let pieces = (0..<count).map { [UInt8](repeating: UInt8($0), count: Int(seed >> 33 & 31)) }
      var commands = ChunkedCommands()
      var order = Array(0..<count)
      for place in order.indices { order.swapAt(place, Int((seed >> UInt64(place)) & 0xFF) % count) }
      for (place, number) in order.enumerated() {
        let taken = commands.take(
          Self.entry(pieces[number], Self.place(seed, UInt64(number), of: UInt64(count))))
        #expect(taken == (place == count - 1 ? .complete(Array(pieces.joined())) : .partial), "seed \(seed)")
      }
      #expect(commands.commands.isEmpty)
    }
  }

  @Test func entriesWithoutAPlaceAndCheckpointsAreThemselves() {
    var commands = ChunkedCommands()
    #expect(commands.take(Self.entry([1, 2], [])) == .single)
    let checkpoint = [0x03, 0xA5, 0x92, 0x03, 0xD6, 0xF9, 0xD1, 0xAF] + [UInt8](repeating: 0, count: 16)
    #expect(commands.take(Self.entry([0xA9, 0xC0], checkpoint)) == .single)
    #expect(commands.changes() == nil)
  }

  @Test func aNewTermForgetsWhatIsHalfWay() {
    var commands = ChunkedCommands()
    #expect(commands.take(Self.entry([1], Self.place(7, 0, of: 2))) == .partial)
    #expect(commands.changes()?.count == 1)
    #expect(commands.take(Self.entry([2], Self.place(7, 1, of: 2), term: 2)) == .partial)
    #expect(commands.take(Self.entry([1], Self.place(7, 0, of: 2), term: 2)) == .complete([1, 2]))
    #expect(commands.changes() == [:])
  }

  @Test func placesThatMakeNoSenseAreNotTaken() {
    let seed = UInt64.random(in: 0...(.max))
    print("seed \(seed)")
    var commands = ChunkedCommands()
    let places = [
      Self.place(1, 2, of: 2), Self.place(1, 0, of: 0), Self.place(1, 0, of: 1 << 40), [0x08], [0xFF, 0xFF],
    ]
    for place in places {
      guard case .malformed = commands.take(Self.entry([1], place)) else {
        Issue.record("\(place) was taken")
        continue
      }
    }
    #expect(commands.take(Self.entry([1], Self.place(1, 0, of: 2))) == .partial)
    #expect(commands.take(Self.entry([1], Self.place(1, 0, of: 3))) == .malformed("its pieces count differently"))
    var random = seed
    for _ in 0..<2000 {
      let bytes = (0..<Int(random >> 60)).map { _ in
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: random >> 40)
      }
      random = random &* 6_364_136_223_846_793_005 &+ 1
      _ = ChunkedCommands.place(bytes)
    }
  }

  @Test func whatIsHalfWaySurvivesASnapshot() throws {
    let store = StateStore()
    var command = PartialCommand(pieceCount: 3)
    command.pieces[1] = PartialCommand.Piece(term: 4, data: [1, 2, 3])
    let partial: [UInt64: PartialCommand] = [.max: command, 1: PartialCommand(pieceCount: 1)]
    store.write { $0.setPartialCommands(partial) }
    var bytes: [UInt8] = []
    try store.current.write { bytes += Array($0) }
    let copy = StateStore()
    var position = 0
    try copy.restore { buffer in
      let next = bytes.dropFirst(position).prefix(buffer.count)
      buffer.copyBytes(from: next)
      position += next.count
      return next.count
    }
    #expect(copy.current.partialCommands == partial)
    copy.write { $0.setPartialCommands([:]) }
    #expect(copy.current.partialCommands.isEmpty)
  }
}
