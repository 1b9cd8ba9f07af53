import NIOCore

/// Many streams over one connection (wire/rpc.md, section 3). A pure core: what arrives goes into `receive`, which tells what
/// happened; what is to be sent is collected in `takeOutput`; time is passed in, in nanoseconds of any clock that only goes
/// forward. After an error the connection is to be closed, once the output is sent.
///
///     opened ──▶ data … ──▶ ended (the peer sends no more) ──▶ gone from both sides
///                    └────▶ reset (aborted)
public struct YamuxSession: Sendable {
  public enum Role: Sendable {
    case dialler, acceptor
  }

  public enum Event: Sendable, Equatable {
    /// The peer opened a stream.
    case opened(UInt32)
    /// The consumer reports with `consume` when it has room for more.
    case data(UInt32, ByteBuffer)
    /// The peer sends no more on this stream.
    case ended(UInt32)
    /// The stream is gone; whatever was under way is lost.
    case reset(UInt32)
    /// The peer accepts no more streams; those that exist go on.
    case goneAway
  }

  /// What of a frame is still missing.
  private enum Reading {
    case header
    case payload(YamuxHeader, left: Int)
  }

  public let role: Role
  public let settings: YamuxSettings
  private(set) var streams: [UInt32: YamuxStream] = [:]
  private var nextID: UInt32
  /// Streams of this side that the peer has not accepted yet, oldest first.
  private(set) var unacceptedCount = 0
  private var incomingCount = 0
  private var hasGoneAway = false
  private var reading = Reading.header
  private var received = ByteBuffer()
  private var output: [ByteBuffer] = []
  private var events: [Event] = []

  private var pingAt: UInt64
  private var pingSent: (value: UInt32, deadline: UInt64)?
  private var pingValue: UInt32 = 0
  /// No stream has a deadline before this; nil if none has any.
  private var streamDeadline: UInt64?

  public init(_ role: Role, settings: YamuxSettings = YamuxSettings(), now: UInt64) {
    self.role = role
    self.settings = settings
    nextID = role == .dialler ? 1 : 2
    pingAt = settings.keepAliveInterval > 0 ? now &+ settings.keepAliveInterval : .max
  }

  /// Streams that are not gone from both sides.
  public var streamCount: Int { streams.count }

  /// Whether `open` would give a stream.
  public var mayOpen: Bool {
    !hasGoneAway && unacceptedCount < settings.unacceptedStreamsMax && nextID <= UInt32.max - 2
  }

  // MARK: Streams

  /// Opens a stream. Data is to be written on it at once: some acceptors take no other stream before they have seen the
  /// first byte of this one.
  ///
  /// - Returns: nil if too many streams were not accepted yet, or the peer accepts no more.
  public mutating func open(now: UInt64) -> UInt32? {
    guard mayOpen else { return nil }
    let id = nextID
    nextID += 2
    // A peer that takes numbers of this side has them.
    guard streams[id] == nil else { return open(now: now) }
    var stream = YamuxStream()
    let deadline = now &+ settings.openTimeout
    stream.acceptBefore = deadline
    streams[id] = stream
    unacceptedCount += 1
    expect(deadline)
    send(YamuxHeader(.windowUpdate, .syn, stream: id))
    return id
  }

  /// Sends `bytes`, or as much as the peer has room for and the rest later. On a stream that is gone it does nothing.
  public mutating func write(_ bytes: ByteBuffer, to id: UInt32) {
    guard let stream = streams[id], !stream.isClosing else { return }
    streams[id]?.unsent.append(bytes)
    flush(id)
  }

  /// Bytes that wait for the peer to allow more.
  public func unsentBytes(_ id: UInt32) -> Int { streams[id]?.unsent.count ?? 0 }

  /// Says that `count` bytes of a stream's data were taken in, so that the peer may send more.
  public mutating func consume(_ count: Int, of id: UInt32) {
    guard var stream = streams[id], count > 0 else { return }
    let outstanding = YamuxSettings.initialWindow - stream.receiveWindow - stream.consumed
    stream.consumed += min(UInt32(clamping: count), outstanding)
    if stream.consumed >= YamuxSettings.initialWindow / 2, !stream.hasReceivedEnd {
      send(YamuxHeader(.windowUpdate, stream: id, length: stream.consumed))
      stream.receiveWindow += stream.consumed
      stream.consumed = 0
    }
    streams[id] = stream
  }

  /// Says that nothing more will be written. The stream is gone when the peer has done the same.
  public mutating func close(_ id: UInt32, now: UInt64) {
    guard var stream = streams[id], !stream.isClosing else { return }
    stream.isClosing = true
    if !stream.hasReceivedEnd {
      let deadline = now &+ settings.closeTimeout
      stream.closeBefore = deadline
      expect(deadline)
    }
    streams[id] = stream
    flush(id)
  }

  /// Aborts a stream.
  public mutating func reset(_ id: UInt32) {
    guard streams[id] != nil else { return }
    send(YamuxHeader(.windowUpdate, .rst, stream: id))
    remove(id)
  }

  /// Says that this side accepts no more streams.
  public mutating func goAway(_ reason: YamuxGoAway) {
    send(YamuxHeader(.goAway, stream: 0, length: reason.rawValue))
  }

  private mutating func flush(_ id: UInt32) {
    guard var stream = streams[id] else { return }
    while stream.sendWindow > 0, let piece = stream.unsent.next(Int(min(stream.sendWindow, 1 << 30))) {
      stream.sendWindow -= UInt64(piece.readableBytes)
      send(YamuxHeader(.data, stream: id, length: UInt32(piece.readableBytes)), payload: piece)
    }
    if stream.isClosing, !stream.hasSentEnd, stream.unsent.isEmpty {
      stream.hasSentEnd = true
      send(YamuxHeader(.windowUpdate, .fin, stream: id))
    }
    streams[id] = stream
    removeIfDone(id)
  }

  private mutating func removeIfDone(_ id: UInt32) {
    if let stream = streams[id], stream.hasSentEnd, stream.hasReceivedEnd { remove(id) }
  }

  private mutating func remove(_ id: UInt32) {
    guard let stream = streams.removeValue(forKey: id) else { return }
    if stream.acceptBefore != nil { unacceptedCount -= 1 }
    if stream.isIncoming { incomingCount -= 1 }
  }

  // MARK: Receiving

  /// Takes what arrived, in any segmentation.
  ///
  /// - Throws: `YamuxError` when the session has to end. The events before it are lost with it.
  public mutating func receive(_ bytes: ByteBuffer, now: UInt64) throws(YamuxError) -> [Event] {
    if received.readableBytes == 0 { received = bytes } else { received.writeImmutableBuffer(bytes) }
    do throws(YamuxError) {
      while try readOn(now: now) {}
    } catch {
      if case .goneAway = error {} else { goAway(.protocolError) }
      throw error
    }
    if received.readableBytes == 0 { received = ByteBuffer() } else { received.discardReadBytes() }
    defer { events = [] }
    return events
  }

  /// - Returns: false if more has to arrive first.
  private mutating func readOn(now: UInt64) throws(YamuxError) -> Bool {
    switch reading {
    case .header:
      guard let header = try YamuxHeader(reading: &received) else { return false }
      try take(header, now: now)
      return true
    case .payload(let header, let left):
      guard received.readableBytes > 0, let piece = received.readSlice(length: min(left, received.readableBytes)) else {
        return false
      }
      // Data of a stream that is gone is read over.
      if streams[header.stream]?.hasReceivedEnd == false { events.append(.data(header.stream, piece)) }
      let rest = left - piece.readableBytes
      reading = rest > 0 ? .payload(header, left: rest) : .header
      if rest == 0 { try takeEnds(header) }
      return true
    }
  }

  private mutating func take(_ header: YamuxHeader, now: UInt64) throws(YamuxError) {
    switch header.kind {
    case .ping: takePing(header, now: now)
    case .goAway:
      guard let reason = YamuxGoAway(rawValue: header.length) else { throw .unknownGoAway(header.length) }
      guard reason == .normal else { throw .goneAway(reason) }
      hasGoneAway = true
      events.append(.goneAway)
    case .windowUpdate:
      try takeBeginnings(header)
      if var stream = streams[header.stream] {
        // Nobody allows more than this at a time.
        stream.sendWindow = min(stream.sendWindow + UInt64(header.length), UInt64(UInt32.max))
        streams[header.stream] = stream
        flush(header.stream)
      }
      try takeEnds(header)
    case .data:
      try takeBeginnings(header)
      if let stream = streams[header.stream] {
        guard header.length <= stream.receiveWindow else { throw .windowExceeded(stream: header.stream) }
        streams[header.stream]?.receiveWindow -= header.length
      }
      if header.length > 0 { reading = .payload(header, left: Int(header.length)) } else { try takeEnds(header) }
    }
  }

  /// The flags that come before what a frame carries.
  private mutating func takeBeginnings(_ header: YamuxHeader) throws(YamuxError) {
    let id = header.stream
    if header.flags.contains(.syn) {
      guard id != 0 else { throw .unexpectedFrame(stream: id) }
      guard streams[id] == nil else { throw .streamExists(id) }
      guard role == .acceptor, incomingCount < settings.incomingStreamsMax else {
        return send(YamuxHeader(.windowUpdate, .rst, stream: id))
      }
      var stream = YamuxStream()
      stream.isIncoming = true
      streams[id] = stream
      incomingCount += 1
      send(YamuxHeader(.windowUpdate, .ack, stream: id))
      events.append(.opened(id))
    }
    if header.flags.contains(.ack), streams[id]?.acceptBefore != nil {
      streams[id]?.acceptBefore = nil
      unacceptedCount -= 1
    }
  }

  /// The flags that come behind it.
  private mutating func takeEnds(_ header: YamuxHeader) throws(YamuxError) {
    let id = header.stream
    guard let stream = streams[id] else { return }
    if header.flags.contains(.rst) {
      remove(id)
      events.append(.reset(id))
    } else if header.flags.contains(.fin) {
      guard !stream.hasReceivedEnd else { throw .unexpectedFrame(stream: id) }
      streams[id]?.hasReceivedEnd = true
      streams[id]?.closeBefore = nil
      events.append(.ended(id))
      removeIfDone(id)
    }
  }

  private mutating func takePing(_ header: YamuxHeader, now: UInt64) {
    if header.flags.contains(.syn) {
      send(YamuxHeader(.ping, .ack, stream: 0, length: header.length))
    } else if header.flags.contains(.ack), pingSent?.value == header.length {
      pingSent = nil
    }
  }

  // MARK: Time

  /// When `tick` is due.
  public var nextDeadline: UInt64 { min(pingSent?.deadline ?? .max, pingAt, streamDeadline ?? .max) }

  private mutating func expect(_ deadline: UInt64) { streamDeadline = min(streamDeadline ?? .max, deadline) }

  /// - Throws: `YamuxError` when the peer is taken for dead.
  /// - Returns: streams that were given up.
  public mutating func tick(now: UInt64) throws(YamuxError) -> [Event] {
    if let pingSent, pingSent.deadline <= now { throw .keepAliveTimeout }
    if pingAt <= now {
      pingAt = now &+ settings.keepAliveInterval
      if pingSent == nil {
        pingSent = (pingValue, now &+ settings.keepAliveTimeout)
        send(YamuxHeader(.ping, .syn, stream: 0, length: pingValue))
        pingValue &+= 1
      }
    }
    if let streamDeadline, streamDeadline <= now { try expireStreams(now: now) }
    defer { events = [] }
    return events
  }

  private mutating func expireStreams(now: UInt64) throws(YamuxError) {
    streamDeadline = nil
    for (id, stream) in streams {
      if let deadline = stream.acceptBefore, deadline <= now { throw .openTimeout(stream: id) }
      if let deadline = stream.closeBefore, deadline <= now {
        reset(id)
        events.append(.reset(id))
        continue
      }
      if let deadline = stream.acceptBefore { expect(deadline) }
      if let deadline = stream.closeBefore { expect(deadline) }
    }
  }

  // MARK: Output

  /// Payloads up to this are copied behind their header; longer ones travel in their own buffer.
  private static let copiedBytesMax = 4096

  private mutating func send(_ header: YamuxHeader, payload: ByteBuffer? = nil) {
    if output.isEmpty { output.append(ByteBuffer()) }
    header.write(to: &output[output.count - 1])
    guard let payload else { return }
    if payload.readableBytes <= Self.copiedBytesMax {
      output[output.count - 1].writeImmutableBuffer(payload)
    } else {
      output.append(payload)
      output.append(ByteBuffer())
    }
  }

  public var hasOutput: Bool { !output.isEmpty }

  /// What is to be sent, in order.
  public mutating func takeOutput() -> [ByteBuffer] {
    defer { output = [] }
    if let last = output.last, last.readableBytes == 0 { output.removeLast() }
    return output
  }
}
