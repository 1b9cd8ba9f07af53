import Consensus
import Dispatch
import NIOCore
import NIOPosix
import Wire

/// A connection of consensus to another server, opened when it is needed and anew after it broke. Requests leave in the order
/// in which they were given, and answers come in that order.
final class RaftDialler: ChannelInboundHandler, @unchecked Sendable {
  // Sendable: everything that changes is used on `loop` only.
  typealias InboundIn = ByteBuffer

  private enum State {
    case idle
    case connecting
    case connected(any Channel)
    case closed
  }

  private let address: ServerAddress
  private let loop: any EventLoop
  private let settings: RaftConnections.Settings
  private var state = State.idle
  /// Requests that wait for the connection.
  private var waiting: [RaftOutgoing] = []
  /// Requests that were sent, in order, with the time by which each has to be answered.
  private var sent: CircularBuffer<(outgoing: RaftOutgoing, deadline: NIODeadline)> = []
  private var reader = RaftStreamReader()
  /// The error text of the answer whose struct is being awaited.
  private var errorText: String?
  private var timer: Scheduled<Void>?
  private var isFlushScheduled = false
  /// Whether anything was answered on this connection.
  private var hasAnswered = false

  init(to address: ServerAddress, on loop: any EventLoop, _ settings: RaftConnections.Settings) {
    self.address = address
    self.loop = loop
    self.settings = settings
  }

  func send(_ outgoing: RaftOutgoing) { loop.execute { self.begin(outgoing) } }

  /// Closes the connection; what is under way fails.
  func close() {
    loop.execute {
      self.fail("the transport is stopped")
      self.state = .closed
    }
  }

  private func begin(_ outgoing: RaftOutgoing) {
    switch state {
    case .closed: outgoing.completion(.failure(.unreachable("the transport is stopped")))
    case .connected(let channel): write(outgoing, channel)
    case .connecting: waiting.append(outgoing)
    case .idle:
      waiting.append(outgoing)
      connect()
    }
  }

  private func connect() {
    guard let (host, port) = RPCConnection.split(address) else { return fail("\(address) is no address") }
    state = .connecting
    var bootstrap = ClientBootstrap(group: loop).connectTimeout(settings.timeout)
      .channelOption(.socketOption(.so_keepalive), value: 1)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
    if let local = settings.localAddress, let bound = try? SocketAddress(ipAddress: local, port: 0) {
      bootstrap = bootstrap.bind(to: bound)
    }
    bootstrap.connect(host: host, port: port)
      .flatMap { [settings, address] in RPCConnection.introduce(.raft, on: $0, settings.upgrade(address)) }
      .whenComplete { result in
        switch result {
        case .success(let channel): self.connected(channel)
        case .failure(let error): self.fail(RPCConnection.failure(error, dialling: self.address))
        }
      }
  }

  private func connected(_ channel: any Channel) {
    guard case .connecting = state else { return channel.close(promise: nil) }
    do {
      try channel.pipeline.syncOperations.addHandler(self)
    } catch {
      channel.close(promise: nil)
      return fail("\(error)")
    }
    state = .connected(channel)
    let requests = waiting
    waiting = []
    for request in requests { write(request, channel) }
  }

  // MARK: Requests

  private func write(_ outgoing: RaftOutgoing, _ channel: any Channel) {
    let allowed = TimeAmount.nanoseconds(settings.timeout.nanoseconds.multipliedClamping(outgoing.patience))
    sent.append((outgoing, .now() + allowed))
    channel.write(ByteBuffer(bytes: outgoing.request.encoded(from: outgoing.from)), promise: nil)
    // Requests of one turn leave together.
    if !isFlushScheduled {
      isFlushScheduled = true
      loop.execute {
        self.isFlushScheduled = false
        channel.flush()
      }
    }
    if let content = outgoing.content { SnapshotSender.send(content, to: channel) }
    armTimer()
  }

  private func armTimer() {
    guard timer == nil, let deadline = sent.first?.deadline else { return }
    timer = loop.scheduleTask(deadline: deadline) { self.timerFired() }
  }

  private func timerFired() {
    timer = nil
    guard let deadline = sent.first?.deadline else { return }
    if deadline <= .now() { fail("i/o timeout") } else { armTimer() }
  }

  // MARK: Answers

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    reader.append(unwrapInboundIn(data))
    do {
      while let value = try reader.value() {
        guard let text = errorText else {
          errorText = try String(decoding: value)
          continue
        }
        errorText = nil
        try answered(text, value)
      }
    } catch {
      fail("malformed answer: \(error)")
    }
  }

  private func answered(_ error: String, _ body: ByteBuffer) throws {
    guard let (outgoing, _) = sent.popFirst() else { return fail("an answer without a request") }
    hasAnswered = true
    timer?.cancel()
    timer = nil
    armTimer()
    if error.isEmpty {
      outgoing.completion(.success(try RaftResponse.decode(outgoing.request.type, body)))
    } else {
      outgoing.completion(.failure(error.contains("unexpected command") ? .unsupported : .refused(error)))
    }
  }

  func channelInactive(context: ChannelHandlerContext) { fail("EOF") }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { fail("\(error)") }

  /// Ends this connection; the next request opens another.
  private func fail(_ reason: String) {
    if case .closed = state { return }
    if case .connected(let channel) = state { channel.close(promise: nil) }
    let failed = sent.map(\.outgoing) + waiting
    // A peer that does not know pre-votes closes the connection instead of answering.
    let isPreVoteUnknown =
      reason == "EOF" && !hasAnswered && sent.count == 1 && sent.first?.outgoing.request.type == .requestPreVote
    state = .idle
    hasAnswered = false
    sent = []
    waiting = []
    reader = RaftStreamReader()
    errorText = nil
    timer?.cancel()
    timer = nil
    for outgoing in failed {
      outgoing.completion(.failure(isPreVoteUnknown ? .unsupported : .unreachable(reason)))
    }
  }
}

extension Int64 {
  fileprivate func multipliedClamping(_ factor: Int64) -> Int64 {
    let (product, overflow) = multipliedReportingOverflow(by: factor)
    return overflow ? .max / 2 : product
  }
}

/// Sends the content of a snapshot, which is read from a disk, piece by piece as the connection takes it.
private enum SnapshotSender {
  private static let queue = DispatchQueue(label: "raft-snapshots", qos: .utility, attributes: .concurrent)
  private static let pieceBytes = 256 << 10

  static func send(_ content: any SnapshotContent, to channel: any Channel) {
    queue.async {
      do {
        while true {
          var piece = channel.allocator.buffer(capacity: pieceBytes)
          let count = try piece.writeWithUnsafeMutableBytes(minimumWritableBytes: pieceBytes) { target in
            try content.read(into: UnsafeMutableRawBufferPointer(rebasing: target[0..<pieceBytes]))
          }
          if count == 0 { return }
          try channel.writeAndFlush(piece).wait()
        }
      } catch {
        channel.close(promise: nil)
      }
    }
  }
}
