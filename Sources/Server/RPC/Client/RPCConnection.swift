import Model
import NIOCore
import NIOPosix
import Synchronization
import Wire

/// The connection to one server, and the calls on it. Everything happens on its event loop.
final class RPCConnection: YamuxDelegate, @unchecked Sendable {
  // Sendable: what changes is used on `loop` only, but for `over`, which is atomic.

  private enum State {
    case new
    case connecting
    case connected(YamuxHandler, any Channel)
    case over
  }

  /// A stream that has been opened.
  private struct Stream {
    var decoder: RPCMessageDecoder<RPCResponseHeader>
    var call: RPCCall?
  }

  let address: String
  private let client: RPCClient
  private let loop: any EventLoop
  private var state = State.new
  private let over = Atomic<Bool>(false)
  private var streams: [UInt32: Stream] = [:]
  /// Streams without a call; the last one was used last.
  private var idle: [UInt32] = []
  /// Calls that wait for the connection or for a stream.
  private var waiting: [RPCCall] = []
  private var sequence: UInt64 = 0
  private var lastUse = NIODeadline.now()
  private var idleCheck: Scheduled<Void>?

  init(to address: String, client: RPCClient, on loop: any EventLoop) {
    self.address = address
    self.client = client
    self.loop = loop
  }

  /// No call can be made any more.
  var isOver: Bool { over.load(ordering: .acquiring) }

  func perform(_ call: RPCCall) {
    if loop.inEventLoop { begin(call) } else { loop.execute { self.begin(call) } }
  }

  func abandon(_ call: RPCCall) {
    if loop.inEventLoop { drop(call) } else { loop.execute { self.drop(call) } }
  }

  func shutdown() { loop.execute { self.end(.shutDown) } }

  // MARK: Calls

  private func begin(_ call: RPCCall) {
    if call.isOver { return }
    lastUse = .now()
    if case .over = state { return call.finish(.failure(.connecting("connection is closed"))) }
    call.timer = loop.scheduleTask(in: call.timeout) { [weak self] in
      call.finish(.failure(.timeout))
      self?.drop(call)
    }
    if case .connected(let handler, _) = state {
      send(call, handler)
    } else {
      waiting.append(call)
      connect()
    }
  }

  private func send(_ call: RPCCall, _ handler: YamuxHandler) {
    guard let id = idle.popLast() ?? open(handler) else { return waiting.append(call) }
    sequence += 1
    call.stream = id
    streams[id]?.call = call
    var bytes = ByteBuffer()
    bytes.writeRPCMessage(RPCRequestHeader(sequence: sequence, method: call.method), body: call.body)
    handler.write(bytes, to: id)
  }

  private func open(_ handler: YamuxHandler) -> UInt32? {
    guard let id = handler.open() else { return nil }
    streams[id] = Stream(decoder: RPCMessageDecoder(bodyBytesMax: client.settings.replyBytesMax))
    return id
  }

  /// Takes a call that nobody waits for off its stream. The other side learns it from the end of the stream.
  private func drop(_ call: RPCCall) {
    call.timer?.cancel()
    call.timer = nil
    guard let id = call.stream, streams[id]?.call === call else {
      waiting.removeAll { $0 === call }
      return
    }
    close(id)
  }

  private func close(_ id: UInt32) {
    streams[id] = nil
    if case .connected(let handler, _) = state { handler.close(id) }
  }

  private func sendWaiting() {
    guard case .connected(let handler, _) = state else { return }
    while !waiting.isEmpty, !idle.isEmpty || handler.mayOpen {
      let call = waiting.removeFirst()
      if !call.isOver { send(call, handler) }
    }
  }

  // MARK: The connection

  private func connect() {
    guard case .new = state else { return }
    state = .connecting
    guard let (host, port) = Self.split(address) else {
      return end(.connecting("address \(address): missing port in address"))
    }
    var bootstrap = ClientBootstrap(group: loop).connectTimeout(client.settings.dialTimeout)
      .channelOption(.socketOption(.so_keepalive), value: 1)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
    if let local = client.settings.localAddress, let bound = try? SocketAddress(ipAddress: local, port: 0) {
      bootstrap = bootstrap.bind(to: bound)
    }
    bootstrap.connect(host: host, port: port)
      .flatMap { [client, address] channel in Self.introduce(.multiplex, on: channel, client.settings.upgrade(address))
      }
      .whenComplete { result in
        switch result {
        case .success(let channel): self.connected(channel)
        case .failure(let error):
          let path = (self.client.settings.localAddress.map { "\($0):0->" } ?? "") + self.address
          self.end(.connecting(Self.failure(error, dialling: path)))
        }
      }
  }

  /// Says what will be spoken, in clear or inside TLS. A server of gRPC speaks as soon as it knows that: its channel reads
  /// nothing until whoever listens sets `autoRead`.
  static func introduce(
    _ protocol: ServerProtocol, on channel: any Channel,
    _ upgrade: (@Sendable (any Channel) -> EventLoopFuture<Void>)?
  ) -> EventLoopFuture<any Channel> {
    let first = ByteBuffer(bytes: [`protocol`.rawValue])
    let speaksFirst = `protocol` == .grpc
    guard let upgrade else {
      return channel.setOption(.autoRead, value: !speaksFirst).flatMap { channel.writeAndFlush(first) }.map { channel }
    }
    return channel.writeAndFlush(ByteBuffer(bytes: [ServerProtocol.tls.rawValue]))
      .flatMap { upgrade(channel) }
      .flatMap { channel.setOption(.autoRead, value: !speaksFirst) }
      .flatMap { channel.writeAndFlush(first) }
      .map { channel }
  }

  private func connected(_ channel: any Channel) {
    guard case .connecting = state else { return channel.close(promise: nil) }
    let handler = YamuxHandler(.dialler, settings: client.settings.yamux, delegate: self)
    do {
      try channel.pipeline.syncOperations.addHandler(handler)
    } catch {
      channel.close(promise: nil)
      return end(.connecting("\(error)"))
    }
    state = .connected(handler, channel)
    sendWaiting()
    checkUseLater()
  }

  private func checkUseLater() {
    idleCheck = loop.scheduleTask(deadline: lastUse + client.settings.idleTimeout) { [weak self] in self?.checkUse() }
  }

  private func checkUse() {
    guard case .connected = state else { return }
    let isUsed = streams.values.contains { $0.call != nil } || !waiting.isEmpty
    if isUsed { lastUse = .now() }
    if lastUse + client.settings.idleTimeout <= .now() {
      end(.connecting("connection is closed"))
    } else {
      checkUseLater()
    }
  }

  /// - Parameter error: what calls are told that were not sent.
  private func end(_ error: RPCError) {
    let before = state
    if case .over = before { return }
    state = .over
    over.store(true, ordering: .releasing)
    client.forget(self)
    idleCheck?.cancel()
    let unsent = waiting
    let sent = streams.values.compactMap(\.call)
    waiting = []
    streams = [:]
    idle = []
    if case .connected(let handler, _) = before { handler.disconnect(error.description) }
    for call in unsent { call.finish(.failure(error)) }
    for call in sent { call.finish(.failure(error == .shutDown ? .shutDown : .broken("EOF"))) }
  }

  static func split(_ address: String) -> (host: String, port: Int)? {
    guard let colon = address.lastIndex(of: ":"), let port = UInt16(address[address.index(after: colon)...]) else {
      return nil
    }
    var host = address[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    return host.isEmpty ? nil : (String(host), Int(port))
  }

  /// Why there is no connection to an address.
  static func failure(_ error: any Error, dialling address: String) -> String {
    if let error = error as? SecuringError { return error.description }
    return "dial tcp \(address): \(reason(error))"
  }

  static func reason(_ error: any Error) -> String {
    switch error {
    case let error as NIOConnectionError:
      let inner = error.connectionErrors.first?.error ?? error.dnsAAAAError ?? error.dnsAError
      return inner.map { reason($0) } ?? "no address"
    case let error as IOError where error.errnoCode == ECONNREFUSED: return "connect: connection refused"
    case let error as IOError: return "connect: \(error.description)"
    case ChannelError.connectTimeout: return "i/o timeout"
    default: return "\(error)"
    }
  }

  // MARK: Answers

  func yamux(_ handler: YamuxHandler, _ event: YamuxSession.Event) {
    switch event {
    case .data(let id, let bytes):
      handler.consume(bytes.readableBytes, of: id)
      receive(bytes, on: id)
      sendWaiting()
    case .ended(let id), .reset(let id):
      idle.removeAll { $0 == id }
      let call = streams.removeValue(forKey: id)?.call
      handler.close(id)
      call?.finish(.failure(.broken("EOF")))
      sendWaiting()
    case .goneAway:
      // Calls under way are still answered; new ones get a new connection.
      over.store(true, ordering: .releasing)
      client.forget(self)
      let unsent = waiting
      waiting = []
      for call in unsent { call.finish(.failure(.connecting("session shutdown"))) }
      for id in idle { close(id) }
      idle = []
      endIfDone()
    case .opened: break
    }
  }

  func yamuxClosed(_ handler: YamuxHandler, _ reason: String) { end(.connecting("session shutdown")) }

  private func receive(_ bytes: ByteBuffer, on id: UInt32) {
    guard streams[id] != nil else { return }
    streams[id]?.decoder.append(bytes)
    do throws(MessageFramingError) {
      guard let message = try streams[id]?.decoder.next(), let call = streams[id]?.call else { return }
      finish(call, on: id, message)
    } catch {
      streams[id]?.call?.finish(.failure(.malformed(error.description)))
      close(id)
    }
  }

  private func finish(_ call: RPCCall, on id: UInt32, _ message: RPCMessageDecoder<RPCResponseHeader>.Message) {
    streams[id]?.call = nil
    call.stream = nil
    lastUse = .now()
    let text = message.header.error
    guard text.isEmpty else {
      close(id)
      call.finish(.failure(.remote(text)))
      endIfDone()
      // The other side lost its connection to somebody, or to itself.
      if text.hasSuffix("EOF") || text.hasSuffix("stream closed") || text.hasSuffix("session shutdown") {
        end(.connecting("session shutdown"))
      }
      return
    }
    if idle.count < client.settings.idleStreamsMax, !isOver { idle.append(id) } else { close(id) }
    call.finish(.success(message.body))
    endIfDone()
  }

  /// Closes a connection that takes no more calls, when the last one was answered.
  private func endIfDone() {
    if isOver, streams.isEmpty { end(.connecting("session shutdown")) }
  }
}
