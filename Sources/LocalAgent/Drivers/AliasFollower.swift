import Checks
import Model
import NIOCore
import Server
import Synchronization

/// An alias check's view of a service or node, delivered in order: of several changes in a row the last counts.
final class AliasFollower: AliasSubscription, Sendable {
  private struct State {
    var changed: (@Sendable (AliasView) -> Void)?
    var latest: AliasView?
    var latestVersion: UInt64 = 0
    var delivered: AliasView?
    var isDelivering = false
    var query: (any PendingQuery)?
  }

  let target: AliasTarget
  private let state: Mutex<State>
  private let ended: @Sendable (AliasFollower) -> Void

  init(
    _ target: AliasTarget, _ changed: @escaping @Sendable (AliasView) -> Void,
    ended: @escaping @Sendable (AliasFollower) -> Void
  ) {
    self.target = target
    self.ended = ended
    state = Mutex(State(changed: changed))
  }

  /// Delivers a view unless a later one was offered, or the same was delivered.
  func offer(_ view: AliasView, version: UInt64) {
    let begins = state.withLock { state in
      guard version >= state.latestVersion, state.changed != nil else { return false }
      state.latest = view
      state.latestVersion = version
      defer { state.isDelivering = true }
      return !state.isDelivering
    }
    guard begins else { return }
    while let (changed, view) = next() { changed(view) }
  }

  private func next() -> (@Sendable (AliasView) -> Void, AliasView)? {
    state.withLock { state in
      guard let changed = state.changed, let latest = state.latest, latest != state.delivered else {
        state.isDelivering = false
        return nil
      }
      state.delivered = latest
      return (changed, latest)
    }
  }

  var isCancelled: Bool { state.withLock { $0.changed == nil } }

  /// Keeps the query that feeds this follower, to cancel it with the follower.
  func hold(_ query: (any PendingQuery)?) {
    let isCancelled = state.withLock { state in
      state.query = query
      return state.changed == nil
    }
    if isCancelled { query?.cancel() }
  }

  func cancel() {
    let query = state.withLock { state in
      defer { state.query = nil }
      state.changed = nil
      return state.query
    }
    query?.cancel()
    ended(self)
  }
}

extension LocalAgent.Core {
  /// What the aliases of this agent's services see now, for those that follow one of `services`.
  func aliasNotices(_ services: Set<String>) -> [@Sendable () -> Void] {
    aliases.compactMap { follower in
      guard services.contains("") || services.contains(follower.target.serviceID) else { return nil }
      let (view, version) = aliasView(of: follower.target.serviceID)
      return { follower.offer(view, version: version) }
    }
  }

  func aliasView(of serviceID: String) -> (AliasView, version: UInt64) {
    let view = AliasView(
      checks: state.checksAffecting(serviceID), serviceExists: state.service(serviceID) != nil)
    return (view, state.version)
  }
}

extension LocalAgent: AliasSource {
  public func follow(
    _ target: AliasTarget, _ changed: @escaping @Sendable (AliasView) -> Void
  ) -> any AliasSubscription {
    let follower = AliasFollower(target, changed) { [weak self] follower in
      self?.core.withLock { core in core.aliases.removeAll { $0 === follower } }
    }
    let isLocal = target.node.isEmpty || target.node.lowercased() == node.name.lowercased()
    if isLocal {
      let (view, version) = core.withLock { core in
        core.aliases.append(follower)
        return core.aliasView(of: target.serviceID)
      }
      follower.offer(view, version: version)
    } else {
      RemoteAlias(follower, backend: backend, loop: loop, token: { [weak self] in self?.tokens.node ?? "" }).start()
    }
    return follower
  }
}
