import Model
import NIOCore
import NIOPosix
import Testing
import Wire

@testable import Server

/// What a server does with connections and calls, well-formed and not.
@Suite struct ServerPortTests {
  private static func request(_ sequence: UInt64, _ method: String, _ body: [UInt8] = RPCBody.empty) -> [UInt8] {
    RPCRequestHeader(sequence: sequence, method: method).messagePack + body
  }

  private static func answers(_ bytes: [UInt8]) throws -> [RPCMessageDecoder<RPCResponseHeader>.Message] {
    var decoder = RPCMessageDecoder<RPCResponseHeader>(bodyBytesMax: 1 << 20)
    decoder.append(ByteBuffer(bytes: bytes))
    var found: [RPCMessageDecoder<RPCResponseHeader>.Message] = []
    while let message = try decoder.next() { found.append(message) }
    return found
  }

  // MARK: First byte

  @Test(arguments: [[2], [6], [7], [9], [10], [3, 3], [0xFF]] as [[UInt8]])
  func protocolsThatAreNotSpokenAreClosedWithoutAWord(bytes: [UInt8]) async throws {
    let host = "127.85.1.\(Int(bytes[0] >> 1) + bytes.count * 20 + Int(bytes[0] & 1) * 10)"
    let server = try await TestServer(1, of: [host])
    let connection = try await RawConnection.open(host)
    try await connection.write(bytes)
    #expect(try await connection.readToEnd() == [])
    await server.stop()
  }

  @Test func aConnectionThatSaysNothingIsClosed() async throws {
    let host = "127.85.2.1"
    let server = try await TestServer(1, of: [host]) { $0.handshakeTimeout = .milliseconds(50) }
    let connection = try await RawConnection.open(host)
    #expect(try await connection.readToEnd() == [])
    await server.stop()
  }

  @Test func aClientHasOnlySoManyConnections() async throws {
    let host = "127.85.3.1"
    let server = try await TestServer(1, of: [host]) { $0.connectionsPerClientMax = 1 }
    let first = try await RawConnection.open(host)
    try await first.write([0] + Self.request(1, "Status.Ping"))
    _ = try await first.read(10)
    let second = try await RawConnection.open(host)
    #expect(try await second.readToEnd() == [])
    await first.close()
    await server.stop()
  }

  @Test func theLastAnswerArrivesAlthoughTheCallerWasStillSending() async throws {
    let host = "127.85.19.1"
    let server = try await TestServer(1, of: [host])
    var request = SnapshotRequest()
    request.op = 7
    for _ in 0..<5 {
      let connection = try await RawConnection.open(host)
      try await connection.write([5] + request.messagePack)
      let sending = Task {
        for _ in 0..<64 { try await connection.write([UInt8](repeating: 0, count: 64 << 10)) }
      }
      let answer = String(decoding: try await connection.read(60), as: UTF8.self)
      #expect(answer.contains("unrecognized snapshot op"))
      await connection.close()
      _ = await sending.result
    }
    await server.stop()
  }

  @Test func connectionsAreCountedByClient() {
    let limit = ConnectionLimit(2)
    #expect(limit.enter("a") && limit.enter("a") && limit.enter("b"))
    #expect(!limit.enter("a"))
    limit.leave("a")
    #expect(limit.enter("a"))
    limit.set(0)
    #expect(limit.enter("a"))
  }

  // MARK: Calls

  @Test func requestsOfOneConnectionAreAnsweredInOrder() async throws {
    let host = "127.85.4.1"
    let server = try await TestServer(1, of: [host])
    let connection = try await RawConnection.open(host)
    let requests = (1...5).flatMap { Self.request(UInt64($0), $0 % 2 == 0 ? "Status.Ping" : "Status.Leader") }
    try await connection.write([0] + requests)
    var found: [RPCMessageDecoder<RPCResponseHeader>.Message] = []
    var count = 1
    while found.count < 5 {
      let bytes = try await connection.read(count)
      found = try Self.answers(bytes)
      count = bytes.count + 1
    }
    #expect(found.map(\.header.sequence) == [1, 2, 3, 4, 5])
    #expect(found.allSatisfy { $0.header.error.isEmpty })
    #expect(Array(found[1].body.readableBytesView) == [0x80])
    await connection.close()
    await server.stop()
  }

  /// Far more than is read ahead waits in the peer until its turn comes.
  @Test func whatComesBehindAWaitingRequestIsAnsweredAfterIt() async throws {
    let host = "127.85.8.1"
    let server = try await TestServer(1, of: [host])
    try await server.put("a", "1")
    var waiting = KeyRequest()
    waiting.key = "a"
    waiting.options.minIndex = 1 << 40
    waiting.options.maxTime = .seconds(1)
    let connection = try await RawConnection.open(host)
    let count = 60_000
    var bytes = [0] + Self.request(0, "KVS.Get", waiting.messagePack)
    for sequence in 1...count { bytes += Self.request(UInt64(sequence), "Status.Ping") }
    #expect(bytes.count > 2 << 20)
    try await connection.write(bytes)
    // An answer is its request and more.
    let answered = try await connection.read(bytes.count)
    #expect(answered.count >= bytes.count)
    await server.stop()
  }

  @Test(arguments: [
    ("Nothing.Get", RPCBody.empty, "rpc: can't find service Nothing.Get"),
    ("KVS.Nothing", RPCBody.empty, "rpc: can't find method KVS.Nothing"),
    ("KVS", RPCBody.empty, "rpc: service/method request ill-formed: KVS"),
    ("KVS.Get", [0xC3], "codec.decoder: "),
  ])
  func whatIsNotUnderstoodIsAnsweredAndEndsTheSession(method: String, body: [UInt8], text: String) async throws {
    let host = "127.85.5.\(text.utf8.count)"
    let server = try await TestServer(1, of: [host])
    let connection = try await RawConnection.open(host)
    try await connection.write([0] + Self.request(7, method, body) + Self.request(8, "Status.Ping"))
    let found = try Self.answers(try await connection.readToEnd())
    #expect(found.count == 1)
    #expect(found[0].header.sequence == 7 && found[0].header.error.hasPrefix(text))
    #expect(Array(found[0].body.readableBytesView) == [0x80])
    await server.stop()
  }

  @Test func errorsOfMethodsLeaveTheSessionOpen() async throws {
    let host = "127.85.6.1"
    let server = try await TestServer(1, of: [host])
    var wrong = KVSRequest()
    wrong.op = "set"
    let connection = try await RawConnection.open(host)
    try await connection.write([0] + Self.request(1, "KVS.Apply", wrong.messagePack) + Self.request(2, "Status.Ping"))
    var found: [RPCMessageDecoder<RPCResponseHeader>.Message] = []
    while found.count < 2 { found = try Self.answers(try await connection.read(found.count * 40 + 1)) }
    #expect(found.map(\.header.error) == ["Must provide key", ""])
    await connection.close()
    await server.stop()
  }

  @Test func requestsForAnotherDatacenterHaveNoPath() async throws {
    let host = "127.85.7.1"
    let server = try await TestServer(1, of: [host])
    var request = KeyRequest()
    request.datacenter = "elsewhere"
    for method in ["KVS.Get", "Status.Leader"] {
      await #expect(throws: RPCError.remote("No path to datacenter")) {
        _ = try await server.client.call(method, request.messagePack, to: server.address, on: server.loop)
      }
    }
    await server.stop()
  }

  @Test func listsAreFilteredByTheServer() async throws {
    let host = "127.85.13.1"
    let server = try await TestServer(1, of: [host])
    try await server.put("a", "1")
    var request = DCSpecificRequest()
    for (filter, count) in [("Node == \"s1\"", 1), ("Node == \"other\"", 0)] {
      request.options.filter = filter
      let body = try await server.client.call(
        "Catalog.ListNodes", request.messagePack, to: server.address, on: server.loop)
      #expect(try IndexedNodes(messagePack: body).nodes.count == count)
    }
    request.options.filter = "Nothing =="
    await #expect(throws: RPCError.self) {
      _ = try await server.client.call("Catalog.ListNodes", request.messagePack, to: server.address, on: server.loop)
    }
    await server.stop()
  }

  @Test func largeValuesTravelInBothDirections() async throws {
    let host = "127.85.9.1"
    let server = try await TestServer(1, of: [host])
    var request = KVSRequest()
    request.op = "set"
    request.dirEnt.key = "large"
    request.dirEnt.value = Bytes((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
    _ = try await server.client.call("KVS.Apply", request.messagePack, to: server.address, on: server.loop)
    var read = KeyRequest()
    read.key = "large"
    let body = try await server.client.call("KVS.Get", read.messagePack, to: server.address, on: server.loop)
    #expect(try IndexedDirEntries(messagePack: body).entries.first?.value.value == request.dirEnt.value)
    await server.stop()
  }

  // MARK: Nonsense

  @Test(
    arguments: [
      ([0x42], "the first byte stands for no protocol"), ([9], "the protocol 9 is not spoken here"),
      ([3], "tls: this server has no certificate"), ([0, 0xC1, 0xC1], "net/rpc: "),
      // A stream that was never opened ends the connection, and so does a version that does not exist.
      ([4, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9], "yamux: "), ([1, 0x63], "raft: no request has type 99"),
      ([1, 0, 0xC1, 0xC1], "raft: "),
    ] as [([UInt8], String)])
  func whoeverTalksNonsenseCostsItselfTheConnectionAndUsALine(_ bytes: [UInt8], _ reason: String) async throws {
    let host = "127.85.42.\(bytes.count * 10 + Int(bytes[0] & 7))"
    let log = LogLines()
    let server = try await TestServer(1, of: [host], log: log)
    let connection = try await RawConnection.open(host)
    try await connection.write(bytes)
    _ = try await connection.readToEnd()
    while !log.lines.contains(where: { $0.contains("refused") }) { await Task.yield() }
    let lines = log.lines.filter { $0.contains("connection to the server port refused") }
    #expect(lines.count == 1 && lines[0].contains("reason=\(reason)"), "\(lines)")
    _ = try await server.client.call("Status.Ping", RPCBody.empty, to: server.address, on: server.loop)
    await server.stop()
  }

  @Test func framesBeyondTheLimitEndTheConnection() async throws {
    let host = "127.85.43.1"
    let log = LogLines()
    let server = try await TestServer(1, of: [host], log: log)
    // A value of 128 MiB is announced.
    let connection = try await RawConnection.open(host)
    try await connection.write(
      [0] + RPCRequestHeader(sequence: 1, method: "KVS.Apply").messagePack + [0xDB, 8, 0, 0, 0])
    let sending = Task {
      while !Task.isCancelled { try await connection.write([UInt8](repeating: 0x61, count: 256 << 10)) }
    }
    while !log.lines.contains(where: { $0.contains("reason=net/rpc: ") }) { await Task.yield() }
    sending.cancel()
    await connection.close()
    _ = await sending.result
    await server.stop()
  }

  @Test func nonsenseDoesNoHarm() async throws {
    let host = "127.85.10.1"
    let server = try await TestServer(1, of: [host])
    for seed in 0..<60 as Range<UInt64> {
      var random = SeededGenerator(seed: seed)
      let connection = try await RawConnection.open(host)
      let first = [0, 1, 4, 5].randomElement(using: &random) ?? 0
      let count = Int.random(in: 0...400, using: &random)
      var bytes: [UInt8] = [UInt8(first)]
      // Half of it looks like what is expected.
      switch (first, Bool.random(using: &random)) {
      case (0, true): bytes += Self.request(1, "KVS.Get")
      case (1, true): bytes += [0, 0x89]
      case (4, true): bytes += [0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0]
      case (5, true): bytes += SnapshotRequest().messagePack
      default: break
      }
      bytes += (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      try? await connection.write(bytes)
      await connection.close()
    }
    _ = try await server.client.call("Status.Ping", RPCBody.empty, to: server.address, on: server.loop)
    await server.stop()
  }
}
