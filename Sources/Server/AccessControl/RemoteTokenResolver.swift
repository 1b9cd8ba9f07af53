import AccessControl
import Model
import NIOCore
import Synchronization

/// Turns secrets into rights where the state does not have them: on an agent that has no server of its own, and for tokens
/// that only the primary datacenter has. It asks the servers and remembers what they said.
///
///     request ── knows? ──yes──▶ authorizer
///                  └─no──▶ find ──ACL.TokenRead──▶ servers, once for all who wait for the same token
public final class RemoteTokenResolver: AuthorizerResolver {
  /// What tokens may do while no server can be asked (`acl.down_policy`).
  public enum DownPolicy: String, Sendable {
    case allow
    case deny
    /// What is remembered, however old; nothing beyond that.
    case extendCache = "extend-cache"
    /// The same, and who asks never waits for a token that is remembered: it is fetched anew behind their back.
    case asyncCache = "async-cache"
  }

  public struct Settings: Sendable {
    public var nodeName: String
    /// What a token without a matching rule may do.
    public var fallback = CompiledRules.Fallback.deny
    public var downPolicy = DownPolicy.extendCache
    /// How long tokens, policies and roles are remembered; they are fetched together, so that the shortest counts.
    public var tokenTTL = GoDuration.seconds(30)
    public var policyTTL = GoDuration.seconds(30)
    public var roleTTL = GoDuration.seconds(30)

    public init(nodeName: String) { self.nodeName = nodeName }
  }

  private struct Known {
    /// Nil for a secret that no token has.
    let authorizer: PolicyAuthorizer?
    let expiration: Timestamp?
    /// The ids of the policies and when each was changed: equal ones need not be compiled again.
    let policies: [String]
    var fetchedAt: NIODeadline
  }

  private struct Memory {
    var known: [Secret: Known] = [:]
    /// Who waits for a token that is being fetched.
    var waiting: [Secret: [@Sendable () -> Void]] = [:]
    var recovery: (secret: Secret, authorizer: any Authorizer)?
  }

  /// Tokens that are remembered; beyond, it starts anew.
  private static let limit = 16_384

  private let settings: Settings
  private let lifetime: TimeAmount
  /// How the servers are asked.
  typealias Ask =
    @Sendable (
      TokenRead, QueryOptions, any EventLoop, @escaping @Sendable (Result<Answer<TokenRead.Reply>, ServerError>) -> Void
    ) -> Void

  private let datacenter: String
  private let ask: Ask
  private let loop: any EventLoop
  private let clock: @Sendable () -> NIODeadline
  private let now: @Sendable () -> Timestamp
  private let memory = Mutex(Memory())

  /// - Parameters:
  ///   - loop: where answers of the servers are taken.
  ///   - clock: tells how old what is remembered is.
  public convenience init(
    _ settings: Settings, backend: any Backend, on loop: any EventLoop,
    clock: @escaping @Sendable () -> NIODeadline = { .now() },
    now: @escaping @Sendable () -> Timestamp = { WallClock.now() }
  ) {
    self.init(settings, datacenter: backend.datacenter, on: loop, clock: clock, now: now) {
      backend.query($0, $1, on: $2, $3)
    }
  }

  /// - Parameter datacenter: that of this agent: where policies have to be valid.
  init(
    _ settings: Settings, datacenter: String, on loop: any EventLoop,
    clock: @escaping @Sendable () -> NIODeadline = { .now() },
    now: @escaping @Sendable () -> Timestamp = { WallClock.now() }, ask: @escaping Ask
  ) {
    self.settings = settings
    self.datacenter = datacenter
    self.ask = ask
    self.loop = loop
    self.clock = clock
    self.now = now
    lifetime = .nanoseconds(max(min(settings.tokenTTL, settings.policyTTL, settings.roleTTL).nanoseconds, 0))
  }

  /// The token with which an operator can look after this agent when no server can be asked; empty for none.
  public func setRecoveryToken(_ secret: Secret) {
    let authorizer = AgentRecovery.authorizer(node: settings.nodeName, fallback: settings.fallback)
    memory.withLock { $0.recovery = secret.isEmpty ? nil : (secret, authorizer) }
  }

  private static func secret(_ token: String) -> Secret { token.isEmpty ? ACLToken.anonymousSecret : Secret(token) }

  // MARK: asking

  public func authorizer(for token: String) throws(AccessControlError) -> any Authorizer {
    let secret = Self.secret(token)
    let (known, recovery) = memory.withLock { ($0.known[secret], $0.recovery) }
    if let recovery, recovery.secret == secret { return recovery.authorizer }
    guard let known else { return downAuthorizer }
    guard let authorizer = known.authorizer else { throw .notFound }
    if let expiration = known.expiration, expiration <= now() { throw .notFound }
    return authorizer
  }

  /// What a token may do of which nothing is known.
  private var downAuthorizer: any Authorizer {
    let fallback: CompiledRules.Fallback = settings.downPolicy == .allow ? .allow : .deny
    return PolicyAuthorizer(accessorID: "", rules: CompiledRules([], fallback: fallback))
  }

  /// Whether the servers ever said something about this token.
  func remembers(_ token: String) -> Bool { memory.withLock { $0.known[Self.secret(token)] != nil } }

  public func knows(_ token: String) -> Bool {
    let secret = Self.secret(token)
    let (known, recovery) = memory.withLock { ($0.known[secret], $0.recovery) }
    if recovery?.secret == secret { return true }
    guard let known else { return false }
    if known.fetchedAt + lifetime > clock() { return true }
    // A token that does not exist may have been made by now: whoever has it waits.
    guard settings.downPolicy == .asyncCache, known.authorizer != nil else { return false }
    find(token) {}
    return true
  }

  // MARK: fetching

  public func find(_ token: String, _ done: @escaping @Sendable () -> Void) {
    let secret = Self.secret(token)
    let isFirst = memory.withLock { memory in
      memory.waiting[secret, default: []].append(done)
      return memory.waiting[secret]?.count == 1
    }
    guard isFirst else { return }
    loop.execute { self.fetch(secret, .stale) }
  }

  /// Any server may answer; that there is no such token is believed the leader only.
  private func fetch(_ secret: Secret, _ consistency: QueryOptions.Consistency) {
    var options = QueryOptions()
    options.token = secret == ACLToken.anonymousSecret ? "" : secret.revealed
    options.consistency = consistency
    let query = TokenRead(.secret(secret), datacenter: datacenter)
    ask(query, options, loop) { [self] result in
      switch result {
      case .success(let answer):
        if answer.value == nil, consistency == .stale { return fetch(secret, .leaseBased) }
        keep(answer.value, secret)
      case .failure(.tokenNotFound):
        if consistency == .stale { return fetch(secret, .leaseBased) }
        keep(nil, secret)
      case .failure: failed(secret)
      }
    }
  }

  private func keep(_ found: TokenRead.Found?, _ secret: Secret) {
    let policies = found.map { $0.policies.map { "\($0.id)@\($0.modifyIndex)" } } ?? []
    let before = memory.withLock { $0.known[secret] }
    var authorizer: PolicyAuthorizer?
    if let found {
      // The same rules stay the same value: who compares sees that nothing changed.
      if let old = before?.authorizer, before?.policies == policies, old.accessorID == found.token.accessorID {
        authorizer = old
      } else {
        authorizer = found.authorizer(fallback: settings.fallback, in: datacenter)
      }
    } else if secret == ACLToken.anonymousSecret {
      // A new cluster has no token for those without one, yet.
      authorizer = PolicyAuthorizer(
        accessorID: ACLToken.anonymousAccessor, rules: CompiledRules([], fallback: settings.fallback))
    }
    let known = Known(
      authorizer: authorizer, expiration: found?.token.expirationTime, policies: policies, fetchedAt: clock())
    finish(secret) { memory in
      if memory.known.count >= Self.limit { memory.known.removeAll() }
      memory.known[secret] = known
    }
  }

  /// No server can be asked.
  private func failed(_ secret: Secret) {
    finish(secret) { memory in
      switch settings.downPolicy {
      // Not every request is to wait until the servers do not answer.
      case .extendCache, .asyncCache: memory.known[secret]?.fetchedAt = clock()
      case .allow, .deny: memory.known[secret] = nil
      }
    }
  }

  private func finish(_ secret: Secret, _ change: (inout sending Memory) -> Void) {
    let waiting = memory.withLock { memory in
      change(&memory)
      return memory.waiting.removeValue(forKey: secret) ?? []
    }
    for done in waiting { done() }
  }
}
