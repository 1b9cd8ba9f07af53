import Model
import NIOCore
import Synchronization

/// Something under way that can be given up.
protocol Abandonable: Sendable {
  /// Stops it without a result.
  func abandon()
}

/// One run of a probe: ends once, by a result, by its timeout or by being abandoned, and then closes what it opened.
final class Attempt: Abandonable {
  /// Takes the result; nil when the run learned nothing.
  typealias Finish = @Sendable (ProbeResult?) -> Void

  private struct State {
    var finish: Finish?
    var timer: Scheduled<Void>?
    var channels: [any Channel] = []
  }
  let loop: any EventLoop
  let timeout: TimeAmount
  private let state: Mutex<State>

  init(on loop: any EventLoop, timeout: GoDuration, _ finish: @escaping Finish) {
    self.loop = loop
    self.timeout = .nanoseconds(timeout.nanoseconds)
    state = Mutex(State(finish: finish))
  }

  /// Starts the clock. When it runs out, `result` is asked for what to report; `after` clears up.
  func limit(_ result: @escaping @Sendable () -> ProbeResult?, after: @escaping @Sendable () -> Void = {}) {
    let timer = loop.scheduleTask(in: timeout) {
      self.finish(result())
      after()
    }
    let isOver = state.withLock { state in
      if state.finish != nil { state.timer = timer }
      return state.finish == nil
    }
    if isOver { timer.cancel() }
  }

  /// Notes a connection, established or not, to be closed at the end.
  func opened(_ channel: any Channel) {
    let isOver = state.withLock { state in
      if state.finish != nil { state.channels.append(channel) }
      return state.finish == nil
    }
    if isOver { channel.close(promise: nil) }
  }

  var isOver: Bool { state.withLock { $0.finish == nil } }

  /// Reports a result, unless the attempt is over.
  func finish(_ result: ProbeResult?) { end()?(result) }

  func abandon() { _ = end() }

  private func end() -> Finish? {
    let ended = state.withLock { state in
      defer { state = State() }
      return state
    }
    ended.timer?.cancel()
    for channel in ended.channels { channel.close(promise: nil) }
    return ended.finish
  }
}
