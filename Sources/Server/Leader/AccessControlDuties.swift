import AccessControl
import Model
import NIOCore
import State
import Synchronization

/// What a leader does for access control: makes what every cluster has, or in a secondary datacenter takes it over from the
/// primary, and deletes tokens whose time is over.
final class AccessControlDuties: Sendable {
  private struct Reaping {
    var task: Scheduled<Void>?
    var deadline: Timestamp?
  }

  /// Tokens of one command; the rest follows at once.
  private static let batchSize = 256

  private let settings: AccessControlSettings?
  private let store: StateStore
  private let loop: any EventLoop
  private let propose: @Sendable (Command) -> Void
  /// Nil in the primary datacenter.
  private let replicator: Replicator?
  private let reaping = Mutex(Reaping())

  init(
    _ settings: AccessControlSettings?, replicator: Replicator? = nil, store: StateStore, loop: any EventLoop,
    propose: @escaping @Sendable (Command) -> Void
  ) {
    self.replicator = replicator
    self.settings = settings
    self.store = store
    self.loop = loop
    self.propose = propose
  }

  func lead() {
    guard let settings else { return }
    if let replicator {
      replicator.lead()
    } else {
      for command in Self.initialCommands(settings, store.current, now: WallClock.now()) { propose(command) }
    }
    schedule()
  }

  /// The primary may answer now what it refused before.
  func replicationTokenChanged() { replicator?.restart() }

  func follow() {
    replicator?.follow()
    reaping.withLock {
      $0.task?.cancel()
      $0 = Reaping()
    }
  }

  /// Tokens may have come, gone or changed.
  func tokensChanged() {
    if settings != nil { schedule() }
  }

  /// What a cluster lacks: the built-in policies, the initial management token, and the one for requests without any.
  static func initialCommands(
    _ settings: AccessControlSettings, _ state: StateSnapshot, now: Timestamp
  ) -> [Command] {
    var commands: [Command] = []
    for policy in BuiltinPolicies.all where state.aclPolicy(id: policy.id).value?.value.rules != policy.rules {
      commands.append(.accessControl(.setPolicies(ACLPolicyBatchSetRequest([policy]))))
    }
    if !settings.initialManagement.isEmpty, state.aclTokenRow(secret: settings.initialManagement) == nil {
      var token = ACLToken()
      token.accessorID = ACLIdentifiers.unused { state.aclToken(accessor: $0).value != nil }
      token.secretID = settings.initialManagement
      token.description = "Initial Management Token"
      token.policies = [ACLLink(id: ACLPolicy.managementID, name: BuiltinPolicies.management.name)]
      token.createTime = now
      commands.append(command(token, isBootstrap: state.aclBootstrapIndex == 0))
    }
    if state.aclToken(accessor: ACLToken.anonymousAccessor).value == nil {
      var token = ACLToken()
      token.accessorID = ACLToken.anonymousAccessor
      token.secretID = ACLToken.anonymousSecret
      token.description = "Anonymous Token"
      token.createTime = now
      commands.append(command(token, isBootstrap: false))
    }
    return commands
  }

  private static func command(_ token: ACLToken, isBootstrap: Bool) -> Command {
    var token = token
    token.hash = token.contentHash
    if isBootstrap {
      var request = ACLTokenBootstrapRequest()
      request.token = token
      return .accessControl(.bootstrap(request))
    }
    var request = ACLTokenBatchSetRequest()
    request.tokens = [token]
    return .accessControl(.setTokens(request))
  }

  // MARK: tokens whose time is over

  private func schedule() {
    let next = store.current.nextTokenExpiration
    reaping.withLock { reaping in
      guard reaping.deadline != next else { return }
      reaping.task?.cancel()
      reaping.task = nil
      reaping.deadline = next
      guard let next else { return }
      let delay = max(next.since(WallClock.now()).nanoseconds, 0)
      // Clocks are set: a day later at most it is looked again.
      reaping.task = loop.scheduleTask(in: .nanoseconds(min(delay, 86_400_000_000_000))) { [weak self] in self?.reap() }
    }
  }

  private func reap() {
    let isLeading = reaping.withLock { reaping in
      let was = reaping.task != nil
      reaping = Reaping()
      return was
    }
    guard isLeading else { return }
    let expired = store.current.expiredTokens(at: WallClock.now(), limit: Self.batchSize)
    // What is deleted changes tokens, and so calls for the next look.
    if expired.isEmpty { return schedule() }
    propose(.accessControl(.deleteTokens(ACLTokenBatchDeleteRequest(expired))))
  }
}
