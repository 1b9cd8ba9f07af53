import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import GRPC

/// Calls over loopback, both ends ours.
@Suite struct GRPCCallTests {
  /// What became of a call, for tests that wait.
  final class Recorder: GRPCResponses {
    private struct State {
      var messages: [[UInt8]] = []
      var status: GRPCStatus?
      var waiting: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }
    private let state = Mutex(State())

    var messages: [[UInt8]] { state.withLock { $0.messages } }

    func received(_ message: ByteBuffer) {
      change { $0.messages.append(Array(message.readableBytesView)) }
    }

    func ended(_ status: GRPCStatus) { change { $0.status = status } }

    private func change(_ body: (inout State) -> Void) {
      let woken = state.withLock { state in
        body(&state)
        let woken = state.waiting.filter { $0.count <= state.messages.count || state.status != nil }
        state.waiting.removeAll { $0.count <= state.messages.count || state.status != nil }
        return woken
      }
      for waiting in woken { waiting.continuation.resume() }
    }

    /// Waits for so many messages, or the end.
    func wait(_ count: Int) async {
      await withCheckedContinuation { continuation in
        let isThere = state.withLock { state in
          if state.messages.count >= count || state.status != nil { return true }
          state.waiting.append((count, continuation))
          return false
        }
        if isThere { continuation.resume() }
      }
    }

    func status() async -> GRPCStatus? {
      await wait(.max)
      return state.withLock { $0.status }
    }
  }

  /// Sends as many messages as it was asked for, as fast as they are taken.
  final class Counter: GRPCCallHandler {
    private let call: GRPCServerCall
    private var rest: Int
    private let size: Int
    private let sent: Atomic<Int>

    init(_ call: GRPCServerCall, _ count: Int, _ size: Int) {
      self.call = call
      self.size = size
      rest = count
      sent = Atomic(0)
    }

    func received(_ message: ByteBuffer) {}

    func becameWritable() {
      while rest > 0, call.isWritable {
        rest -= 1
        call.send(ByteBuffer(grpcMessage: [UInt8](repeating: UInt8(truncatingIfNeeded: rest), count: size)))
      }
      if rest == 0 { call.finish(.ok) }
    }
  }

  static func server(_ settings: GRPCSettings = GRPCSettings()) -> GRPCServer {
    var server = GRPCServer(settings: settings)
    server.unary("/test.Echo/Echo") { request, message, loop, done in
      if request.metadata.first(name: "fail") != nil { return done(.failure(GRPCStatus(.aborted, "as wished: ü"))) }
      done(.success(Array(message.readableBytesView)))
    }
    server.unary("/test.Echo/Never") { _, _, _, _ in }
    server.serverStreaming("/test.Echo/Count") { _, message, call in
      let counter = Counter(call, message.readableBytes, 10_000)
      counter.becameWritable()
      return counter
    }
    return server
  }

  /// Runs `body` with a connection to a server.
  static func with(
    _ settings: GRPCSettings = GRPCSettings(), _ body: (GRPCConnection) async throws -> Void
  ) async throws {
    let group = MultiThreadedEventLoopGroup.singleton
    let server = server(settings)
    let listening = try await ServerBootstrap(group: group)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandlers(server.handlers(on: channel.eventLoop))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    let address = try #require(listening.localAddress)
    // Before it is open: the server speaks at once.
    let made = Mutex<GRPCConnection?>(nil)
    _ = try await ClientBootstrap(group: group).channelInitializer { channel in
      channel.eventLoop.makeCompletedFuture {
        let connection = try GRPCConnection(on: channel, authority: "test")
        made.withLock { $0 = connection }
      }
    }.connect(to: address).get()
    let connection = try #require(made.withLock { $0 })
    do {
      try await body(connection)
    } catch {
      connection.close()
      try await listening.close()
      throw error
    }
    connection.close()
    try await listening.close()
  }

  @Test("a call is answered with its message and OK; a failure with its status; the connection goes on")
  func unary() async throws {
    try await Self.with { connection in
      let first = Recorder()
      connection.call("/test.Echo/Echo", [1, 2, 3], first)
      #expect(await first.status() == .ok)
      #expect(first.messages == [[1, 2, 3]])
      let failing = Recorder()
      connection.call("/test.Echo/Echo", [], metadata: ["fail": "1"], failing)
      #expect(await failing.status() == GRPCStatus(.aborted, "as wished: ü"))
      #expect(!connection.isOver)
    }
  }

  @Test(
    "what nobody offers is refused as unimplemented, and the connection goes on",
    arguments: [
      ("/test.Other/Echo", "unknown service test.Other"),
      ("/test.Echo/Other", "unknown method Other for service test.Echo"),
      ("nonsense", "malformed method name: \"nonsense\""),
    ])
  func unknown(path: String, message: String) async throws {
    try await Self.with { connection in
      let refused = Recorder()
      connection.call(path, [1], refused)
      #expect(await refused.status() == GRPCStatus(.unimplemented, message))
      let echo = Recorder()
      connection.call("/test.Echo/Echo", [7], echo)
      #expect(await echo.status() == .ok)
    }
  }

  @Test("a stream of more bytes than any window arrives whole")
  func stream() async throws {
    try await Self.with { connection in
      let all = Recorder()
      connection.call("/test.Echo/Count", [UInt8](repeating: 0, count: 500), all)
      #expect(await all.status() == .ok)
      #expect(all.messages.count == 500)
      #expect(all.messages.allSatisfy { $0.count == 10_000 })
    }
  }

  @Test("who takes nothing more holds the other side back, and takes it up again")
  func backPressure() async throws {
    try await Self.with { connection in
      let slow = Recorder()
      let call = connection.call("/test.Echo/Count", [UInt8](repeating: 0, count: 2000), slow)
      call.setReading(false)
      let echo = Recorder()
      connection.call("/test.Echo/Echo", [7], echo)
      #expect(await echo.status() == .ok)
      #expect(slow.messages.count < 2000)
      call.setReading(true)
      #expect(await slow.status() == .ok)
      #expect(slow.messages.count == 2000)
    }
  }

  @Test("a message that is too large ends its call only")
  func tooLarge() async throws {
    var settings = GRPCSettings()
    settings.messageBytesMax = 100
    try await Self.with(settings) { connection in
      let large = Recorder()
      connection.call("/test.Echo/Echo", [UInt8](repeating: 1, count: 101), large)
      #expect(await large.status()?.code == .resourceExhausted)
      let small = Recorder()
      connection.call("/test.Echo/Echo", [UInt8](repeating: 1, count: 100), small)
      #expect(await small.status() == .ok)
    }
  }

  @Test("a call whose time is over is answered so")
  func deadline() async throws {
    try await Self.with { connection in
      let late = Recorder()
      connection.call("/test.Echo/Never", [], metadata: ["grpc-timeout": "1m"], late)
      let status = await late.status()
      #expect(status?.code == .deadlineExceeded, "\(String(describing: status))")
    }
  }

  @Test("calls end with their connection, and later ones at once")
  func closed() async throws {
    try await Self.with { connection in
      let open = Recorder()
      connection.call("/test.Echo/Never", [], open)
      connection.close()
      #expect(await open.status()?.code == .unavailable)
      let late = Recorder()
      connection.call("/test.Echo/Echo", [], late)
      #expect(await late.status()?.code == .unavailable)
    }
  }
}
