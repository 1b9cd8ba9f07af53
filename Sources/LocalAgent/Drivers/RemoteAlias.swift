import Checks
import Model
import NIOCore
import Server
import Synchronization

/// Feeds an alias check that follows another node: reads its checks from the catalog, and again whenever they change.
final class RemoteAlias: Sendable {
  /// Between attempts while servers do not answer; doubles up to the maximum.
  static let retryDelay = TimeAmount.seconds(1)
  static let retryDelayMaximum = TimeAmount.seconds(60)

  private struct Progress {
    var index: UInt64 = 0
    var version: UInt64 = 0
    var failures = 0
  }

  private let follower: AliasFollower
  private let backend: any Backend
  private let loop: any EventLoop
  private let token: @Sendable () -> String
  private let progress = Mutex(Progress())

  init(
    _ follower: AliasFollower, backend: any Backend, loop: any EventLoop, token: @escaping @Sendable () -> String
  ) {
    self.follower = follower
    self.backend = backend
    self.loop = loop
    self.token = token
  }

  func start() { loop.execute { self.readChecks() } }

  private func readChecks() {
    guard !follower.isCancelled else { return }
    var options = QueryOptions(token: token())
    options.consistency = .stale
    options.minIndex = progress.withLock { $0.index }
    let query = backend.query(HealthNodeChecks(node: follower.target.node), options, on: loop) { [self] result in
      switch result {
      case .success(let answer): readService(checks: answer.value.map(\.value), index: answer.index)
      case .failure: retry()
      }
    }
    follower.hold(query)
  }

  private func readService(checks: [HealthCheck], index: UInt64) {
    guard !follower.isCancelled else { return }
    var options = QueryOptions(token: token())
    options.consistency = .stale
    let id = follower.target.serviceID
    backend.query(CatalogNodeServices(node: follower.target.node), options, on: loop) { [self] result in
      guard case .success(let answer) = result else { return retry() }
      let exists = answer.value?.services.contains { $0.value.id == id } ?? false
      offer(AliasView(checks: checks, serviceExists: exists), index: index)
    }
  }

  private func offer(_ view: AliasView, index: UInt64) {
    let version = progress.withLock { progress in
      // An index that went back means that the servers started anew.
      progress.index = index < progress.index ? 0 : index
      progress.failures = 0
      progress.version += 1
      return progress.version
    }
    follower.offer(view, version: version)
    // Never in the same turn: an answer from memory would otherwise recurse.
    loop.execute { self.readChecks() }
  }

  private func retry() {
    let failures = progress.withLock { progress in
      progress.index = 0
      progress.failures = min(progress.failures + 1, 10)
      return progress.failures
    }
    let delay = min(
      Self.retryDelay.nanoseconds << Int64(failures - 1), Self.retryDelayMaximum.nanoseconds)
    loop.scheduleTask(in: .nanoseconds(delay)) { self.readChecks() }
  }
}
