/// The thread that applies entries and calls completions, and the right to do so in its place.
///
/// Every change of thread costs tens of microseconds when nothing else is going on. So if this thread has nothing to do,
/// `runInPlace` lets the consensus thread do the work itself; the order of work is the same either way.
final class ApplyExecutor: Sendable {
  private struct State {
    var queue: [ApplyWork] = []
    var isRunning = false
    var isWaiting = false
    var isStopping = false
  }

  private let state = Monitor(State())
  private let worker: ApplyWorker
  /// Called after work, if `ApplyProgress.isAwaited` was set.
  private let reportProgress: @Sendable () -> Void

  init(worker: ApplyWorker, reportProgress: @escaping @Sendable () -> Void) {
    self.worker = worker
    self.reportProgress = reportProgress
  }

  /// The body of the apply thread.
  func runLoop() {
    while true {
      let work = state.waitUntil { state -> [ApplyWork]? in
        state.isRunning = false
        state.isWaiting = false
        if !state.queue.isEmpty {
          state.isRunning = true
          defer { state.queue = [] }
          return state.queue
        }
        if state.isStopping { return [] }
        state.isWaiting = true
        return nil
      }
      if work.isEmpty { return }
      run(work)
    }
  }

  /// Only ever called by the consensus thread, so nothing can be queued while work runs in place.
  func submit(_ work: [ApplyWork]) {
    guard !work.isEmpty else { return }
    state.withLockNotifying { state in
      if state.queue.isEmpty { state.queue = work } else { state.queue += work }
      return state.isWaiting
    }
  }

  /// - Returns: false, having done nothing, if the apply thread is busy.
  func runInPlace(_ work: [ApplyWork]) -> Bool {
    let isIdle = state.withLock { $0.queue.isEmpty && !$0.isRunning && $0.isWaiting }
    guard isIdle else { return false }
    run(work)
    return true
  }

  private func run(_ work: [ApplyWork]) {
    for item in work { worker.run(item) }
    if worker.progress.isAwaited.exchange(false, ordering: .sequentiallyConsistent) { reportProgress() }
  }

  /// Lets the thread end after everything that was submitted.
  func stop() {
    state.withLockNotifying { state in
      state.isStopping = true
      return true
    }
  }
}
