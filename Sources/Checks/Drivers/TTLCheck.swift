import Logging
import Model
import NIOCore
import Synchronization

/// A check whose status the application reports, in time or else it is critical.
final class TTLCheck: RunningCheck {
  private struct State {
    var countdown: TTLCountdown?
    var timer: Scheduled<Void>?
    var isStopped = false
    /// The last report, and how many there were.
    var report: ProbeResult?
    var reports = 0
  }

  let id: String
  let kind = CheckKind.ttl
  private let ttl: GoDuration
  private let outputLimit: Int
  private let loop: any EventLoop
  private let observer: any CheckObserver
  private let logger: Logger
  private let state = Mutex(State())

  init(
    id: String, definition: CheckType, outputLimit: Int, observer: any CheckObserver, environment: CheckEnvironment
  ) {
    self.id = id
    ttl = definition.ttl
    self.outputLimit = outputLimit
    loop = environment.eventLoopGroup.next()
    self.observer = observer
    logger = environment.logger
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
      state.report = ProbeResult(status: status, output: output)
      state.reports &+= 1
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
    let expired: (output: String, reports: Int)? = state.withLock { state in
      switch state.countdown?.timerFired(now: loop.now.uptimeNanoseconds) {
      case .wait(let deadline):
        wait(until: deadline, &state)
        return nil
      case .expired(let output): return (output, state.reports)
      case nil: return nil
      }
    }
    guard let expired else { return }
    logger.warning("Check missed TTL, is now critical", metadata: ["check": "\(id)"])
    observer.checkUpdated(id: id, from: self, status: .critical, output: expired.output)
    repeatReport(after: expired.reports)
  }

  /// A report that came from another thread while the expiry was being told has the last word.
  private func repeatReport(after told: Int) {
    let (report, count) = state.withLock { ($0.report, $0.reports) }
    guard count != told, let report else { return }
    observer.checkUpdated(id: id, from: self, status: report.status, output: report.output)
    repeatReport(after: count)
  }
}
