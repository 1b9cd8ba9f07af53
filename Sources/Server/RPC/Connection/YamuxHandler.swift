import NIOCore
import Wire

/// What happens on a multiplexed connection. All calls come on its event loop.
protocol YamuxDelegate: AnyObject {
  func yamux(_ handler: YamuxHandler, _ event: YamuxSession.Event)
  /// The connection is over; no other call follows.
  func yamuxClosed(_ handler: YamuxHandler, _ reason: String)
}

/// Runs a yamux session on a connection: bytes in, events out, its timers, and the patience with a peer that does not read.
final class YamuxHandler: ChannelInboundHandler, RemovableChannelHandler, @unchecked Sendable {
  // Sendable: everything is used on the event loop of the channel only.
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// How long a peer may take to read anything of what was sent.
  private static let writeTimeout = TimeAmount.seconds(10)

  private var session: YamuxSession
  private var delegate: (any YamuxDelegate)?
  private var context: ChannelHandlerContext?
  private var isReading = false
  private var isFlushScheduled = false
  private var timer: (deadline: UInt64, task: Scheduled<Void>)?
  private var writeDeadline: Scheduled<Void>?
  private var writtenBytes = 0

  init(_ role: YamuxSession.Role, settings: YamuxSettings = YamuxSettings(), delegate: any YamuxDelegate) {
    session = YamuxSession(role, settings: settings, now: MonotonicClock.now())
    self.delegate = delegate
  }

  // MARK: Streams

  var mayOpen: Bool { context != nil && session.mayOpen }
  var streamCount: Int { session.streamCount }

  func open() -> UInt32? {
    guard context != nil else { return nil }
    defer { scheduleFlush() }
    return session.open(now: MonotonicClock.now())
  }

  func write(_ bytes: ByteBuffer, to stream: UInt32) {
    session.write(bytes, to: stream)
    scheduleFlush()
  }

  func consume(_ count: Int, of stream: UInt32) {
    session.consume(count, of: stream)
    scheduleFlush()
  }

  func close(_ stream: UInt32) {
    session.close(stream, now: MonotonicClock.now())
    scheduleFlush()
  }

  func reset(_ stream: UInt32) {
    session.reset(stream)
    scheduleFlush()
  }

  /// Ends the connection; the delegate is told.
  func disconnect(_ reason: String) {
    guard let context else { return }
    session.goAway(.normal)
    end(context, reason)
  }

  // MARK: Channel

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    armTimer(context)
  }

  func handlerRemoved(context: ChannelHandlerContext) { finish("the connection is closed") }

  func channelInactive(context: ChannelHandlerContext) {
    finish("EOF")
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { end(context, "\(error)") }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard self.context != nil else { return }
    isReading = true
    do throws(YamuxError) {
      for event in try session.receive(unwrapInboundIn(data), now: MonotonicClock.now()) {
        delegate?.yamux(self, event)
      }
    } catch {
      context.fireUserInboundEventTriggered(ProtocolBreach(reason: "yamux: \(error)"))
      end(context, error.description)
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    isReading = false
    flush()
    context.fireChannelReadComplete()
  }

  /// A peer that does not read gets nothing more to answer, and not much time.
  func channelWritabilityChanged(context: ChannelHandlerContext) {
    let isWritable = context.channel.isWritable
    context.channel.setOption(.autoRead, value: isWritable).whenFailure { _ in }
    writeDeadline?.cancel()
    writeDeadline = nil
    if !isWritable { expectProgress(context, sent: sentBytes(context)) }
    context.fireChannelWritabilityChanged()
  }

  /// Bytes that have left this process, of all that were written.
  private func sentBytes(_ context: ChannelHandlerContext) -> Int {
    writtenBytes &- ((try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0)
  }

  /// A slow connection may take long for what waits, but not without anything moving.
  private func expectProgress(_ context: ChannelHandlerContext, sent: Int) {
    writeDeadline = context.eventLoop.assumeIsolated().scheduleTask(in: Self.writeTimeout) { [self] in
      guard let context = self.context else { return }
      let now = sentBytes(context)
      if now != sent { expectProgress(context, sent: now) } else { end(context, "connection write timeout") }
    }
  }

  // MARK: Output and timers

  /// What happens in one turn of the event loop leaves together.
  private func scheduleFlush() {
    guard !isReading, !isFlushScheduled, let context else { return }
    isFlushScheduled = true
    context.eventLoop.assumeIsolated().execute { [self] in
      isFlushScheduled = false
      flush()
    }
  }

  private func flush() {
    guard let context, session.hasOutput else { return }
    for buffer in session.takeOutput() {
      writtenBytes &+= buffer.readableBytes
      context.write(wrapOutboundOut(buffer), promise: nil)
    }
    context.flush()
    armTimer(context)
  }

  private func armTimer(_ context: ChannelHandlerContext) {
    let deadline = session.nextDeadline
    if let timer, timer.deadline <= deadline { return }
    timer?.task.cancel()
    guard deadline != .max else { return timer = nil }
    let delay = TimeAmount.nanoseconds(Int64(clamping: deadline) &- Int64(clamping: MonotonicClock.now()))
    let task = context.eventLoop.assumeIsolated().scheduleTask(in: delay) { [self] in timerFired() }
    timer = (deadline, task)
  }

  private func timerFired() {
    timer = nil
    guard let context else { return }
    do throws(YamuxError) {
      for event in try session.tick(now: MonotonicClock.now()) { delegate?.yamux(self, event) }
      flush()
      armTimer(context)
    } catch {
      end(context, error.description)
    }
  }

  // MARK: End

  private func end(_ context: ChannelHandlerContext, _ reason: String) {
    for buffer in session.takeOutput() { context.write(wrapOutboundOut(buffer), promise: nil) }
    context.flush()
    finish(reason)
    context.close(promise: nil)
  }

  private func finish(_ reason: String) {
    timer?.task.cancel()
    timer = nil
    writeDeadline?.cancel()
    writeDeadline = nil
    context = nil
    let delegate = delegate
    self.delegate = nil
    delegate?.yamuxClosed(self, reason)
  }
}
