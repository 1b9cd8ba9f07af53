import Logging
import Model
import NIOCore
import Server
import Synchronization

/// What synchronisation did so far.
public struct SyncCounters: Sendable, Equatable {
  /// Comparisons of the whole.
  public var comparisons: UInt64 = 0
  /// Rounds that sent single changes.
  public var rounds: UInt64 = 0
  public var writes: UInt64 = 0
  /// Writes refused for lack of rights.
  public var denials: UInt64 = 0
  /// Comparisons and writes that failed for other reasons.
  public var failures: UInt64 = 0
}

/// Makes the catalog agree with the local state: runs `SyncSchedule` on an event loop and carries out what it says.
/// Nothing runs while nothing changes, but for one timer.
final class AntiEntropy: Sendable {
  private struct State {
    var schedule = SyncSchedule()
    var timer: Scheduled<Void>?
    var counters = SyncCounters()
  }

  private let state = Mutex(State())
  private let catalog: any CatalogAccess
  private let loop: any EventLoop
  private let logger: Logger
  private let clusterSize: @Sendable () -> Int
  private let host: any SyncHost

  init(
    _ catalog: any CatalogAccess, host: any SyncHost, on loop: any EventLoop, logger: Logger,
    clusterSize: @escaping @Sendable () -> Int
  ) {
    self.catalog = catalog
    self.host = host
    self.loop = loop
    self.logger = logger
    self.clusterSize = clusterSize
  }

  var counters: SyncCounters { state.withLock { $0.counters } }

  /// Tells the schedule what happened. Callable from any thread.
  func signal(_ event: SyncSchedule.Event) {
    if loop.inEventLoop { handle(event) } else { loop.execute { self.handle(event) } }
  }

  private func handle(_ event: SyncSchedule.Event) {
    let effects = state.withLock { state in
      if event == .stopped {
        state.timer?.cancel()
        state.timer = nil
      }
      return state.schedule.step(
        event, now: NIODeadline.now().uptimeNanoseconds, clusterSize: clusterSize(),
        random: { $0 == 0 ? 0 : .random(in: 0..<$0) })
    }
    for effect in effects {
      switch effect {
      case .compareAll(let periodic): compareAll(periodic: periodic)
      case .sendChanges: sendChanges()
      case .wake(let time): wake(at: time)
      }
    }
  }

  private func wake(at time: UInt64) {
    let timer = loop.scheduleTask(deadline: .uptimeNanoseconds(time)) { [weak self] in
      guard let self else { return }
      handle(.timer)
    }
    let old = state.withLock { state in
      let old = state.timer
      state.timer = timer
      return old
    }
    old?.cancel()
  }

  private func compareAll(periodic: Bool) {
    state.withLock { $0.counters.comparisons += 1 }
    let node = host.node
    catalog.view(node: node.name, token: host.tokens.node, on: loop) { [self] result in
      switch result {
      case .success(let view):
        host.changeState { $0.reconcile(with: view, adoptsVirtualAddresses: periodic) }
        runRound()
      case .failure(let error):
        logger.error("failed to compare the node's services with the catalog", metadata: ["error": "\(error)"])
        state.withLock { $0.counters.failures += 1 }
        signal(.finished(success: false))
      }
    }
  }

  private func sendChanges() {
    state.withLock { $0.counters.rounds += 1 }
    guard host.hasNativeNews else { return runRound() }
    // An application with its own mesh support reads its address in the mesh from its agent. It learns it by the time its
    // health is first known; proxies get theirs from the servers and can wait for the next comparison.
    catalog.view(node: host.node.name, token: host.tokens.node, on: loop) { [self] result in
      if case .success(let view) = result { host.changeState { $0.adoptVirtualAddresses(from: view.services) } }
      runRound()
    }
  }

  private func runRound() {
    let round = SyncRound(host.pendingActions) { [self] action, settled in
      perform(action, settled)
    } completion: { [self] success in
      // In a new turn of the loop: where every answer comes at once, rounds would pile up on the stack.
      loop.execute { [self] in
        // What changed while the writes were under way.
        if success, !host.pendingActions.isEmpty { handle(.changed) }
        handle(.finished(success: success))
      }
    }
    round.run()
  }

  private func perform(_ action: SyncAction, _ settled: @escaping @Sendable (Bool) -> Void) {
    guard let write = host.write(for: action) else { return settled(true) }
    state.withLock { $0.counters.writes += 1 }
    let completion: @Sendable (Result<Bool, ServerError>) -> Void = { [self] result in
      settled(conclude(action, write, result))
    }
    switch write.request {
    case .register(let request): catalog.register(request, token: write.token, on: loop, completion)
    case .deregister(let request): catalog.deregister(request, token: write.token, on: loop, completion)
    }
  }

  /// Whether nothing more is to be done about the action for now.
  private func conclude(_ action: SyncAction, _ write: SyncWrite, _ result: Result<Bool, ServerError>) -> Bool {
    switch result {
    case .success:
      logger.debug("the catalog follows", metadata: ["action": "\(action)"])
    case .failure(.permissionDenied(let reason)):
      denied(action, reason: reason)
    case .failure(.denied(let refusal)):
      denied(action, reason: refusal.reason)
    case .failure(.tokenNotFound):
      denied(action, reason: "ACL not found")
    case .failure(let error):
      logger.warning("failed to update the catalog", metadata: ["action": "\(action)", "error": "\(error)"])
      state.withLock { $0.counters.failures += 1 }
      return false
    }
    host.changeState { $0.completed(action, revisions: write.revisions) }
    return true
  }

  private func denied(_ action: SyncAction, reason: String) {
    logger.warning("update of the catalog blocked by ACLs", metadata: ["action": "\(action)", "reason": "\(reason)"])
    state.withLock { $0.counters.denials += 1 }
  }
}

/// What synchronisation needs from the local agent.
protocol SyncHost: AnyObject, Sendable {
  var node: OwnNode { get }
  var tokens: AgentTokens { get }
  var pendingActions: [SyncAction] { get }
  /// Whether the health of a native mesh service is about to be sent whose address in the mesh is not known yet.
  var hasNativeNews: Bool { get }
  func changeState(_ body: (inout LocalState) -> Void)
  /// The request for an action; nil when it is no longer needed.
  func write(for action: SyncAction) -> SyncWrite?
}
