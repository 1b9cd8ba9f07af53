import Model
import Synchronization

/// A check that has the health of a service or node, here or elsewhere, as that changes.
final class AliasCheck: RunningCheck {
  private struct State {
    var isStarted = false
    var isStopped = false
    var subscription: (any AliasSubscription)?
    var last: ProbeResult?
  }

  let id: String
  let kind = CheckKind.alias
  private let health: AliasHealth
  private let source: any AliasSource
  private let observer: any CheckObserver
  private let state = Mutex(State())

  init(id: String, definition: CheckType, observer: any CheckObserver, environment: CheckEnvironment) {
    self.id = id
    health = AliasHealth(
      target: AliasTarget(node: definition.aliasNode, serviceID: definition.aliasService), ownID: id,
      ownNode: environment.nodeName)
    source = environment.aliases
    self.observer = observer
  }

  func start() {
    let begins = state.withLock { state in
      defer { state.isStarted = true }
      return !state.isStarted && !state.isStopped
    }
    guard begins else { return }
    let subscription = source.follow(health.target) { [weak self] view in self?.changed(view) }
    let isStopped = state.withLock { state in
      if !state.isStopped { state.subscription = subscription }
      return state.isStopped
    }
    if isStopped { subscription.cancel() }
  }

  func stop() {
    let subscription = state.withLock { state in
      defer { state = State(isStarted: true, isStopped: true) }
      return state.subscription
    }
    subscription?.cancel()
  }

  private func changed(_ view: AliasView) {
    let result = health.result(view)
    let isNews = state.withLock { state in
      defer { state.last = result }
      return !state.isStopped && state.last != result
    }
    if isNews { observer.checkUpdated(id: id, from: self, status: result.status, output: result.output) }
  }
}
