import Model
import Testing

@testable import State

@Suite struct CommandTests {
  private static let commands: [Command] = {
    var register = RegisterRequest()
    register.node = "n"
    register.service = service("web", tags: ["a"])
    register.checks = [check("c", .warning, service: "web")]
    var deregister = DeregisterRequest()
    deregister.node = "n"
    var entry = KVEntry()
    entry.key = "k"
    entry.value = Bytes([0, 255])
    var session = SessionRequest()
    session.op = "create"
    session.session.id = "s"
    var tombstone = TombstoneRequest()
    tombstone.op = "reap"
    tombstone.reapIndex = 7
    var coordinate = NodeCoordinate()
    coordinate.node = "n"
    coordinate.coord = Coordinate()
    var txn = TxnRequest()
    txn.ops = [TxnOp(), TxnOp(), TxnOp(), TxnOp(), TxnOp()]
    txn.ops[0].kv = TxnKVOp(.deleteCAS, entry)
    txn.ops[1].node = Boxed(TxnNodeOp(.set, Node()))
    txn.ops[2].service = Boxed(TxnServiceOp(.cas, node: "n", service("web", tags: ["a"])))
    txn.ops[3].check = Boxed(TxnCheckOp(.get, check("c")))
    txn.ops[4].session = Boxed(TxnSessionOp())
    return [
      .register(register), .deregister(deregister), .kvs(KVSRequest(op: .cas, entry: entry)), .session(session),
      .tombstone(tombstone), .coordinates([coordinate]), .ignored(type: 41), .txn(txn),
    ]
  }()

  @Test(arguments: commands.indices) func commandsSurviveTheLog(place: Int) throws {
    let command = Self.commands[place]
    #expect(try Command(decoding: command.encode()) == command)
  }

  @Test(arguments: zip(commands.indices, [0, 1, 2, 3, 5, 0x86, 0xA9, 8] as [UInt8]))
  func commandsBeginWithTheirType(place: Int, type: UInt8) {
    #expect(Self.commands[place].encode().first == type)
  }

  @Test func unknownCommandsAreRefusedUnlessTheyMayBeIgnored() throws {
    #expect(throws: StateError.unknownCommand(type: 63)) { try Command(decoding: [63, 0xC0]) }
    #expect(throws: StateError.emptyCommand) { try Command(decoding: [UInt8]()) }
    #expect(try Command(decoding: [0x80 | 41, 0xC0]) == .ignored(type: 41))
    #expect(try Command(decoding: [0x80 | 41]) == .ignored(type: 41))
  }

  @Test func unknownOperationsFailWithoutEffect() {
    let catalog = Catalog()
    var kvs = KVSRequest()
    kvs.op = "jump"
    #expect(catalog.apply(.kvs(kvs)) == .failed("Invalid KVS operation 'jump'"))
    #expect(catalog.apply(.session(SessionRequest())) == .failed("Invalid Session operation ''"))
    #expect(catalog.apply(.tombstone(TombstoneRequest())) == .failed("Invalid Tombstone operation ''"))
    #expect(catalog.indexes.isEmpty)
  }

  @Test(arguments: 1...50) func damagedCommandsNeverCrash(seed: Int) {
    var generator = SeededGenerator(seed: UInt64(seed))
    let catalog = Catalog()
    for command in Self.commands {
      for _ in 0..<40 {
        var bytes = command.encode()
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
          let place = Int.random(in: 0..<bytes.count, using: &generator)
          bytes[place] = UInt8.random(in: 0...255, using: &generator)
        }
        if Bool.random(using: &generator) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator)) }
        if let damaged = try? Command(decoding: bytes) { catalog.apply(damaged) }
      }
    }
    // Whatever got in is consistent: it can be written and read back.
    var stream: [UInt8] = []
    #expect(throws: Never.self, "seed \(seed)") {
      try catalog.state.write { stream.append(contentsOf: $0) }
      let copy = StateStore()
      var source = stream[...]
      try copy.restore { buffer in
        let piece = source.prefix(min(buffer.count, 1000))
        source = source.dropFirst(piece.count)
        buffer.copyBytes(from: piece)
        return piece.count
      }
      #expect(copy.current.usage() == catalog.state.usage(), "seed \(seed)")
    }
  }
}
