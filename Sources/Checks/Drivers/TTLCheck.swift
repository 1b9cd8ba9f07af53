import Model
import NIOCore
import Synchronization

/// A check whose status the application reports, in time or else it is critical.
final class TTLCheck: RunningCheck {
  private struct State {
    var countdown: TTLCountdown?
    var timer: Scheduled<Void>?
    var isStopped = false
  }

  let id: String
  let kind = CheckKind.ttl
  private let ttl: GoDuration
  private let outputLimit: Int
  private let loop: any EventLoop
  private let observer: any CheckObserver
  private let state = Mutex(State())

  init(
    id: String, definition: CheckType, outputLimit: Int, observer: any CheckObserver, environment: CheckEnvironment
  ) {
    self.id = id
    ttl = definition.ttl
    self.outputLimit = outputLimit
    loop = environment.eventLoopGroup.next()
    self.observer = observer
  }

  func start() {
    state.withLock { state in
      guard state.countdown == nil, !state.isStopped else { return }
      let countdown = TTLCountdown(ttl: ttl, now: loop.now.uptimeNanoseconds)
      state.countdown = countdown
      wait(until: countdown.deadline, &state)
    }
  }

  func stop() {
    let timer = state.withLock { state in
      defer { state = State(isStopped: true) }
      return state.timer
    }
    timer?.cancel()
  }

  func setTTL(status: CheckStatus, output: String) throws(CheckError) {
    let output = truncatedReport(output, limit: outputLimit)
    let isStopped = state.withLock { state in
      guard !state.isStopped else { return true }
      if state.countdown?.reported(output: output, now: loop.now.uptimeNanoseconds) == true,
        let deadline = state.countdown?.deadline
      {
        wait(until: deadline, &state)
      }
      return false
    }
    if !isStopped { observer.checkUpdated(id: id, from: self, status: status, output: output) }
  }

  private func wait(until deadline: UInt64, _ state: inout State) {
    state.timer = loop.scheduleTask(deadline: .uptimeNanoseconds(deadline)) { self.timerFired() }
  }

  private func timerFired() {
    let expired: String? = state.withLock { state in
      switch state.countdown?.timerFired(now: loop.now.uptimeNanoseconds) {
      case .wait(let deadline):
        wait(until: deadline, &state)
        return nil
      case .expired(let output): return output
      case nil: return nil
      }
    }
    if let expired { observer.checkUpdated(id: id, from: self, status: .critical, output: expired) }
  }
}
