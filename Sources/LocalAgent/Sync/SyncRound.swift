import Logging
import Model
import NIOCore
import Server
import Synchronization

/// Carries out a list of writes, a few at a time, and calls back when all have been answered.
///
/// Rows of the node come first, services next, single checks last: a check cannot be registered before its service.
/// Runs on one event loop, on which the writes are answered, too.
final class SyncRound: Sendable {
  /// Writes under way at the same time.
  static let parallelWrites = 8

  private struct Progress {
    var phases: [[SyncAction]]
    var underWay = 0
    var failed = false
    var isStarting = false
    var completion: (@Sendable (Bool) -> Void)?
  }

  private let progress: Mutex<Progress>
  private let perform: @Sendable (SyncAction, @escaping @Sendable (Bool) -> Void) -> Void

  /// - Parameters:
  ///   - perform: carries out one action and reports whether it is settled.
  ///   - completion: whether all actions are settled.
  init(
    _ actions: [SyncAction], perform: @escaping @Sendable (SyncAction, @escaping @Sendable (Bool) -> Void) -> Void,
    completion: @escaping @Sendable (Bool) -> Void
  ) {
    var phases: [[SyncAction]] = [[], [], []]
    for action in actions { phases[action.phase].append(action) }
    // The last actions of a list are taken first.
    progress = Mutex(Progress(phases: phases.map { $0.reversed() }, completion: completion))
    self.perform = perform
  }

  /// Starts what may start. An answer that comes at once finds the loop below at work and leaves the rest to it.
  func run() {
    let isReentered = progress.withLock { progress in
      defer { progress.isStarting = true }
      return progress.isStarting
    }
    guard !isReentered else { return }
    while let action = next() {
      perform(action) { [self] settled in
        progress.withLock {
          $0.underWay -= 1
          if !settled { $0.failed = true }
        }
        run()
      }
    }
    progress.withLock { $0.isStarting = false }
    finishIfDone()
  }

  /// The next action that may start now. A phase starts when the one before has ended.
  private func next() -> SyncAction? {
    progress.withLock { progress in
      guard progress.underWay < Self.parallelWrites else { return nil }
      while let phase = progress.phases.first, phase.isEmpty, progress.underWay == 0 { progress.phases.removeFirst() }
      guard let action = progress.phases.first?.last else { return nil }
      progress.phases[0].removeLast()
      progress.underWay += 1
      return action
    }
  }

  private func finishIfDone() {
    let done: (completion: @Sendable (Bool) -> Void, failed: Bool)? = progress.withLock { progress in
      guard progress.underWay == 0, progress.phases.allSatisfy(\.isEmpty), let completion = progress.completion else {
        return nil
      }
      progress.completion = nil
      return (completion, progress.failed)
    }
    done?.completion(done?.failed == false)
  }
}

extension SyncAction {
  fileprivate var phase: Int {
    switch self {
    case .updateNode: 0
    case .registerService, .deregisterService: 1
    case .registerCheck, .deregisterCheck: 2
    }
  }
}
