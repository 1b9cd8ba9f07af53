import Logging
import Model
import NIOCore
import Synchronization

/// A check that probes again and again. Between two runs it is one scheduled task of an event loop.
final class IntervalCheck: RunningCheck {
  private enum Phase {
    case new
    case waiting(Scheduled<Void>)
    /// The number tells runs apart; the run itself is known once it is started.
    case running(Int, (any Abandonable)?)
    case stopped
  }
  private struct State {
    var phase = Phase.new
    var runs = 0
    var health: CheckState
    /// The status that was reported last.
    var status: CheckStatus
  }

  let id: String
  let kind: CheckKind
  private let serviceID: String
  private let probe: any Probe
  private let schedule: CheckSchedule
  private let stagger: @Sendable (GoDuration) -> GoDuration
  private let loop: any EventLoop
  private let observer: any CheckObserver
  private let logger: Logger
  private let state: Mutex<State>

  /// - Parameter serviceID: "" for a check of the node.
  init(
    id: String, serviceID: String, kind: CheckKind, probe: any Probe, definition: CheckType, initial: CheckStatus,
    observer: any CheckObserver, environment: CheckEnvironment
  ) {
    self.id = id
    self.serviceID = serviceID
    self.kind = kind
    self.probe = probe
    schedule = CheckSchedule(definition, kind: kind)
    stagger = environment.stagger
    loop = environment.eventLoopGroup.next()
    self.observer = observer
    logger = environment.logger
    state = Mutex(State(health: CheckState(StatusThresholds(definition)), status: initial))
  }

  func start() {
    state.withLock { state in
      guard case .new = state.phase else { return }
      wait(schedule.firstDelay(stagger), &state)
    }
  }

  func stop() {
    let ended = state.withLock { state in
      defer { state.phase = .stopped }
      return state.phase
    }
    switch ended {
    case .waiting(let timer): timer.cancel()
    case .running(_, let run): run?.abandon()
    case .new, .stopped: break
    }
  }

  private func wait(_ delay: GoDuration, _ state: inout State) {
    state.phase = .waiting(loop.scheduleTask(in: .nanoseconds(delay.nanoseconds)) { self.run() })
  }

  private func run() {
    let number: Int? = state.withLock { state in
      guard case .waiting = state.phase else { return nil }
      state.runs &+= 1
      state.phase = .running(state.runs, nil)
      return state.runs
    }
    guard let number else { return }
    let run = probe.run(on: loop) { self.finished(number, $0) }
    let isStopped = state.withLock { state in
      switch state.phase {
      case .running(number, _):
        state.phase = .running(number, run)
        return false
      case .stopped: return true
      default: return false
      }
    }
    if isStopped { run.abandon() }
  }

  private func finished(_ number: Int, _ result: ProbeResult?) {
    let change: (from: CheckStatus, to: CheckStatus)? = state.withLock { state in
      guard case .running(number, _) = state.phase else { return nil }
      wait(schedule.interval, &state)
      guard let result, let status = state.health.record(result.status) else { return nil }
      defer { state.status = status }
      return (state.status, status)
    }
    guard let result, let change else { return }
    if change.from != change.to { log(change.to) }
    observer.checkUpdated(id: id, from: self, status: change.to, output: result.output)
  }

  private func log(_ status: CheckStatus) {
    let level = status == .passing ? Logger.Level.info : .warning
    var metadata: Logger.Metadata = ["check": "\(id)"]
    if !serviceID.isEmpty { metadata["service"] = "\(serviceID)" }
    logger.log(level: level, "Check is now \(status)", metadata: metadata)
  }
}
