import NIOCore
import Testing

@testable import Wire

private let second: UInt64 = 1_000_000_000

private func frame(
  _ kind: YamuxHeader.Kind, _ flags: YamuxHeader.Flags = [], stream: UInt32, length: UInt32 = 0, payload: [UInt8]? = nil
) -> ByteBuffer {
  var buffer = ByteBuffer()
  YamuxHeader(kind, flags, stream: stream, length: payload.map { UInt32($0.count) } ?? length).write(to: &buffer)
  buffer.writeBytes(payload ?? [])
  return buffer
}

private func open(_ session: inout YamuxSession, now: UInt64) throws -> UInt32 {
  let id = session.open(now: now)
  return try #require(id)
}

extension YamuxSession {
  fileprivate mutating func output() -> [UInt8] {
    takeOutput().flatMap { Array($0.readableBytesView) }
  }

  /// The headers of what is to be sent.
  fileprivate mutating func headers() throws -> [YamuxHeader] {
    var buffer = ByteBuffer(bytes: output())
    var found: [YamuxHeader] = []
    while let header = try YamuxHeader(reading: &buffer) {
      if header.kind == .data { buffer.moveReaderIndex(forwardBy: Int(header.length)) }
      found.append(header)
    }
    return found
  }
}

@Suite struct YamuxSessionTests {
  @Test func openingAStreamSendsAWindowUpdateWithSynAndThenTheData() {
    var session = YamuxSession(.dialler, now: 0)
    #expect(session.open(now: 0) == 1)
    session.write(ByteBuffer(bytes: [7, 8]), to: 1)
    #expect(session.open(now: 0) == 3)
    #expect(
      session.output() == [
        0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 7, 8, 0, 1, 0, 1, 0, 0, 0, 3, 0, 0, 0,
        0,
      ])
  }

  @Test func anOpenedStreamIsAcceptedAtOnce() throws {
    var session = YamuxSession(.acceptor, now: 0)
    #expect(try session.receive(frame(.windowUpdate, .syn, stream: 1), now: 0) == [.opened(1)])
    #expect(try session.headers() == [YamuxHeader(.windowUpdate, .ack, stream: 1)])
  }

  @Test func beginningAndEndMayRideOnTheFirstData() throws {
    var session = YamuxSession(.acceptor, now: 0)
    let events = try session.receive(frame(.data, [.syn, .fin], stream: 4, payload: [1]), now: 0)
    #expect(events == [.opened(4), .data(4, ByteBuffer(bytes: [1])), .ended(4)])
    session.close(4, now: 0)
    #expect(session.streamCount == 0)
  }

  @Test func dataBeyondTheWindowEndsTheSession() throws {
    var session = YamuxSession(.acceptor, now: 0)
    _ = try session.receive(frame(.windowUpdate, .syn, stream: 1), now: 0)
    _ = try session.receive(frame(.data, stream: 1, payload: [UInt8](repeating: 0, count: 262144)), now: 0)
    _ = try session.headers()
    #expect(throws: YamuxError.windowExceeded(stream: 1)) {
      try session.receive(frame(.data, stream: 1, payload: [1]), now: 0)
    }
    #expect(try session.headers() == [YamuxHeader(.goAway, stream: 0, length: 1)])
  }

  @Test func theSenderIsToldWhenHalfOfTheWindowWasRead() throws {
    var session = YamuxSession(.acceptor, now: 0)
    _ = try session.receive(frame(.windowUpdate, .syn, stream: 1), now: 0)
    _ = try session.receive(frame(.data, stream: 1, payload: [UInt8](repeating: 0, count: 200_000)), now: 0)
    _ = try session.headers()
    session.consume(131_071, of: 1)
    #expect(try session.headers() == [])
    session.consume(1, of: 1)
    #expect(try session.headers() == [YamuxHeader(.windowUpdate, stream: 1, length: 131_072)])
    session.consume(10_000_000, of: 1)
    #expect(try session.headers() == [], "what never arrived cannot be read")
  }

  @Test func aSenderWithoutWindowWaitsForAnUpdate() throws {
    var session = YamuxSession(.dialler, now: 0)
    let id = try open(&session, now: 0)
    session.write(ByteBuffer(bytes: [UInt8](repeating: 1, count: 300_000)), to: id)
    session.close(id, now: 0)
    #expect(
      try session.headers() == [
        YamuxHeader(.windowUpdate, .syn, stream: 1), YamuxHeader(.data, stream: 1, length: 262_144),
      ])
    #expect(session.unsentBytes(id) == 300_000 - 262_144)
    _ = try session.receive(frame(.windowUpdate, .ack, stream: id, length: 100_000), now: 0)
    #expect(
      try session.headers() == [
        YamuxHeader(.data, stream: 1, length: 300_000 - 262_144), YamuxHeader(.windowUpdate, .fin, stream: 1),
      ])
  }

  @Test func framesOfUnknownStreamsAreReadOver() throws {
    var session = YamuxSession(.acceptor, now: 0)
    #expect(try session.receive(frame(.data, stream: 9, payload: [1, 2, 3]), now: 0) == [])
    #expect(try session.receive(frame(.windowUpdate, stream: 9, length: 5), now: 0) == [])
    #expect(try session.receive(frame(.windowUpdate, .fin, stream: 9), now: 0) == [])
    #expect(try session.receive(frame(.windowUpdate, .rst, stream: 9), now: 0) == [])
    #expect(try session.receive(frame(.windowUpdate, .syn, stream: 9), now: 0) == [.opened(9)])
  }

  @Test func nonsenseEndsTheSession() throws {
    let cases: [(ByteBuffer, YamuxError)] = [
      (ByteBuffer(bytes: [1] + [UInt8](repeating: 0, count: 11)), .unknownVersion(1)),
      (ByteBuffer(bytes: [0, 4] + [UInt8](repeating: 0, count: 10)), .unknownKind(4)),
      (frame(.windowUpdate, .syn, stream: 1), .streamExists(1)),
      (frame(.windowUpdate, .syn, stream: 0), .unexpectedFrame(stream: 0)),
      (frame(.goAway, stream: 0, length: 7), .unknownGoAway(7)),
      (frame(.goAway, stream: 0, length: 2), .goneAway(.internalError)),
    ]
    for (bytes, error) in cases {
      var session = YamuxSession(.acceptor, now: 0)
      _ = try session.receive(frame(.windowUpdate, .syn, stream: 1), now: 0)
      #expect(throws: error) { try session.receive(bytes, now: 0) }
    }
  }

  @Test func aSecondEndOfAStreamEndsTheSession() throws {
    var session = YamuxSession(.acceptor, now: 0)
    _ = try session.receive(frame(.windowUpdate, [.syn, .fin], stream: 1), now: 0)
    #expect(throws: YamuxError.unexpectedFrame(stream: 1)) {
      try session.receive(frame(.windowUpdate, .fin, stream: 1), now: 0)
    }
  }

  @Test func pingsAreAnswered() throws {
    var session = YamuxSession(.acceptor, now: 0)
    #expect(try session.receive(frame(.ping, .syn, stream: 0, length: 42), now: 0) == [])
    #expect(try session.headers() == [YamuxHeader(.ping, .ack, stream: 0, length: 42)])
  }

  @Test func aPeerThatDoesNotAnswerPingsIsDead() throws {
    var session = YamuxSession(.dialler, now: 0)
    #expect(session.nextDeadline == 30 * second)
    #expect(try session.tick(now: 30 * second) == [])
    #expect(try session.headers() == [YamuxHeader(.ping, .syn, stream: 0, length: 0)])
    _ = try session.receive(frame(.ping, .ack, stream: 0, length: 0), now: 31 * second)
    #expect(try session.tick(now: 60 * second) == [])
    #expect(try session.headers() == [YamuxHeader(.ping, .syn, stream: 0, length: 1)])
    #expect(session.nextDeadline == 70 * second)
    #expect(throws: YamuxError.keepAliveTimeout) { try session.tick(now: 70 * second) }
  }

  @Test func aStreamThatIsNotAcceptedEndsTheSession() throws {
    var settings = YamuxSettings()
    settings.keepAliveInterval = 0
    var session = YamuxSession(.dialler, settings: settings, now: 0)
    let first = try open(&session, now: 0)
    let second = try open(&session, now: 5)
    _ = try session.receive(frame(.windowUpdate, .ack, stream: first), now: 6)
    #expect(try session.tick(now: settings.openTimeout) == [])
    #expect(throws: YamuxError.openTimeout(stream: second)) { try session.tick(now: settings.openTimeout + 5) }
  }

  @Test func aStreamThatOnlyThisSideClosedIsResetInTheEnd() throws {
    var settings = YamuxSettings()
    settings.keepAliveInterval = 0
    var session = YamuxSession(.dialler, settings: settings, now: 0)
    let id = try open(&session, now: 0)
    _ = try session.receive(frame(.windowUpdate, .ack, stream: id), now: 0)
    session.close(id, now: 1)
    _ = try session.headers()
    #expect(try session.tick(now: settings.closeTimeout) == [])
    #expect(try session.tick(now: settings.closeTimeout + 1) == [.reset(id)])
    #expect(try session.headers() == [YamuxHeader(.windowUpdate, .rst, stream: id)])
    #expect(session.streamCount == 0 && session.nextDeadline == .max)
  }

  @Test func onlySoManyStreamsAreOpenedWithoutBeingAccepted() throws {
    var session = YamuxSession(.dialler, now: 0)
    for _ in 0..<256 { #expect(session.open(now: 0) != nil) }
    #expect(session.open(now: 0) == nil)
    _ = try session.receive(frame(.windowUpdate, .ack, stream: 1), now: 0)
    #expect(session.open(now: 0) == 513)
    _ = try session.receive(frame(.windowUpdate, .rst, stream: 3), now: 0)
    #expect(session.open(now: 0) == 515)
  }

  @Test func streamsBeyondTheLimitAreRefused() throws {
    var settings = YamuxSettings()
    settings.incomingStreamsMax = 1
    var session = YamuxSession(.acceptor, settings: settings, now: 0)
    #expect(try session.receive(frame(.windowUpdate, .syn, stream: 2), now: 0) == [.opened(2)])
    #expect(try session.receive(frame(.windowUpdate, .syn, stream: 1), now: 0) == [])
    #expect(try session.headers().last == YamuxHeader(.windowUpdate, .rst, stream: 1))
    session.reset(2)
    #expect(try session.receive(frame(.windowUpdate, .syn, stream: 3), now: 0) == [.opened(3)])
  }

  @Test func aDiallerRefusesStreams() throws {
    var session = YamuxSession(.dialler, now: 0)
    #expect(try session.receive(frame(.windowUpdate, .syn, stream: 2), now: 0) == [])
    #expect(try session.headers() == [YamuxHeader(.windowUpdate, .rst, stream: 2)])
  }

  @Test func afterGoAwayOnlyOldStreamsGoOn() throws {
    var session = YamuxSession(.dialler, now: 0)
    let id = try open(&session, now: 0)
    #expect(try session.receive(frame(.goAway, stream: 0), now: 0) == [.goneAway])
    #expect(session.open(now: 0) == nil)
    #expect(
      try session.receive(frame(.data, .ack, stream: id, payload: [1]), now: 0) == [.data(id, ByteBuffer(bytes: [1]))])
  }

  // MARK: Any order, any segmentation

  /// Two sessions whose bytes reach each other in random pieces: what is written arrives, in order and complete, whatever
  /// the readers' speed.
  @Test(arguments: 0..<20 as Range<UInt64>) func everythingArrives(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    var link = EchoLink()
    var closed: Set<UInt32> = []
    for round in 0..<600 {
      let some = link.sent.keys.sorted().randomElement(using: &random)
      switch Int.random(in: 0..<6, using: &random) {
      case 0 where round < 400: link.open()
      case 1, 2:
        if round < 400, let some, !closed.contains(some) {
          link.write(random.bytes(Int.random(in: 0...60_000, using: &random)), to: some)
        }
      case 3: if round > 350, let some, closed.insert(some).inserted { link.client.close(some, now: 0) }
      case 4: try link.deliverToServer(&random)
      default: try link.deliverToClient(&random)
      }
      link.collect()
    }
    for id in link.sent.keys where closed.insert(id).inserted { link.client.close(id, now: 0) }
    link.collect()
    while link.isBusy {
      try link.deliverToServer(&random)
      try link.deliverToClient(&random)
      link.collect()
    }
    for (id, bytes) in link.sent { #expect(link.echoed[id] ?? [] == bytes, "seed \(seed), stream \(id)") }
    #expect(link.client.streamCount == 0 && link.server.streamCount == 0, "seed \(seed)")
  }

  @Test(arguments: 0..<200 as Range<UInt64>) func randomBytesDoNoHarm(seed: UInt64) {
    var random = SplitMix(seed: seed)
    var session = YamuxSession(seed % 2 == 0 ? .acceptor : .dialler, now: 0)
    for _ in 0..<200 {
      var bytes = ByteBuffer()
      let header = YamuxHeader(
        YamuxHeader.Kind(rawValue: .random(in: 0...3, using: &random)) ?? .data,
        YamuxHeader.Flags(rawValue: .random(in: 0...15, using: &random)), stream: .random(in: 0...6, using: &random),
        length: .random(in: 0...(Bool.random(using: &random) ? 20 : UInt32.max), using: &random))
      header.write(to: &bytes)
      bytes.writeBytes(random.bytes(Int.random(in: 0...20, using: &random)))
      guard let events = try? session.receive(bytes, now: 0) else { return }
      for case .data(let id, let data) in events { session.consume(data.readableBytes, of: id) }
      if Bool.random(using: &random) { session.close(.random(in: 0...6, using: &random), now: 0) }
      if Bool.random(using: &random) { session.reset(.random(in: 0...6, using: &random)) }
      _ = session.open(now: 0)
      _ = session.takeOutput()
    }
  }
}

/// A client and a server that sends everything back.
private struct EchoLink {
  var client = YamuxSession(.dialler, now: 0)
  var server = YamuxSession(.acceptor, now: 0)
  private var toServer = ByteBuffer()
  private var toClient = ByteBuffer()
  private(set) var sent: [UInt32: [UInt8]] = [:]
  private(set) var echoed: [UInt32: [UInt8]] = [:]

  var isBusy: Bool { toServer.readableBytes > 0 || toClient.readableBytes > 0 }

  mutating func open() {
    if let id = client.open(now: 0) { sent[id] = [] }
  }

  mutating func write(_ bytes: [UInt8], to id: UInt32) {
    sent[id]? += bytes
    client.write(ByteBuffer(bytes: bytes), to: id)
  }

  /// Puts what the sessions want to send on the wire.
  mutating func collect() {
    for buffer in client.takeOutput() { toServer.writeImmutableBuffer(buffer) }
    for buffer in server.takeOutput() { toClient.writeImmutableBuffer(buffer) }
  }

  mutating func deliverToServer(_ random: inout SplitMix) throws {
    for event in try server.receive(Self.piece(&toServer, &random), now: 0) {
      switch event {
      case .data(let id, let bytes):
        server.consume(bytes.readableBytes, of: id)
        server.write(bytes, to: id)
      case .ended(let id): server.close(id, now: 0)
      default: break
      }
    }
  }

  mutating func deliverToClient(_ random: inout SplitMix) throws {
    for case .data(let id, let bytes) in try client.receive(Self.piece(&toClient, &random), now: 0) {
      echoed[id, default: []] += Array(bytes.readableBytesView)
      client.consume(bytes.readableBytes, of: id)
    }
  }

  private static func piece(_ wire: inout ByteBuffer, _ random: inout SplitMix) -> ByteBuffer {
    let count = Int.random(in: 0...min(wire.readableBytes, 40_000), using: &random)
    return ByteBuffer(bytes: wire.readBytes(length: count) ?? [])
  }
}
