import AccessControl
import Model
import State
import Synchronization

/// Turns secrets into rights, from the state of this server.
///
/// Two memories make it quick. What a secret may do is remembered as long as no token, policy or role changes. The compiled
/// rules of a set of policies are remembered beyond that: most changes leave most sets alone.
public final class TokenResolver: AuthorizerResolver {
  private struct Known {
    let authorizer: any Authorizer
    let expiration: Timestamp?
  }

  private struct Memory {
    var version: AccessVersion?
    var tokens: [Secret: Known] = [:]
    /// By the ids of the policies and when each was changed, in their order.
    var rules: [[String]: CompiledRules] = [:]
  }

  /// Entries of either memory; beyond, it starts anew.
  private static let limit = 16_384

  public let settings: AccessControlSettings
  private let datacenter: String
  private let state: @Sendable () -> StateSnapshot
  private let now: @Sendable () -> Timestamp
  private let memory = Mutex(Memory())
  private let recovery = Mutex<(secret: Secret, authorizer: any Authorizer)?>(nil)

  public init(
    _ settings: AccessControlSettings, datacenter: String,
    now: @escaping @Sendable () -> Timestamp = { WallClock.now() },
    state: @escaping @Sendable () -> StateSnapshot
  ) {
    self.settings = settings
    self.datacenter = datacenter
    self.now = now
    self.state = state
  }

  /// The token with which an operator can look after this agent when no server can be asked; empty for none.
  public func setRecoveryToken(_ secret: Secret) {
    let authorizer = AgentRecovery.authorizer(node: settings.nodeName, fallback: settings.fallback)
    recovery.withLock { $0 = secret.isEmpty ? nil : (secret, authorizer) }
  }

  /// Whether the state has this token, or it is the one for emergencies.
  func keeps(_ token: String) -> Bool {
    let secret = token.isEmpty ? ACLToken.anonymousSecret : Secret(token)
    if let local = recovery.withLock({ $0 }), local.secret == secret { return true }
    return state().aclTokenRow(secret: secret) != nil
  }

  public func authorizer(for token: String) throws(AccessControlError) -> any Authorizer {
    let secret = token.isEmpty ? ACLToken.anonymousSecret : Secret(token)
    if let local = recovery.withLock({ $0 }), local.secret == secret { return local.authorizer }
    let snapshot = state()
    let version = snapshot.accessVersion
    let known = memory.withLock { memory in
      if memory.version != version {
        memory.version = version
        memory.tokens.removeAll(keepingCapacity: true)
      }
      return memory.tokens[secret]
    }
    if let known {
      if let expiration = known.expiration, expiration <= now() { throw .notFound }
      return known.authorizer
    }
    let found = try resolve(secret, isAnonymous: token.isEmpty, in: snapshot)
    memory.withLock { memory in
      guard memory.version == version else { return }
      if memory.tokens.count >= Self.limit { memory.tokens.removeAll() }
      memory.tokens[secret] = found
    }
    return found.authorizer
  }

  public func lifetime(of token: String) -> Int64? {
    guard let expiration = state().aclTokenRow(secret: Secret(token))?.value.expirationTime else { return nil }
    let now = now()
    let (seconds, overflow) = (expiration.seconds &- now.seconds).multipliedReportingOverflow(by: 1_000_000_000)
    return overflow ? nil : seconds &+ Int64(expiration.nanoseconds) &- Int64(now.nanoseconds)
  }

  // MARK: resolving

  private func resolve(
    _ secret: Secret, isAnonymous: Bool, in snapshot: StateSnapshot
  ) throws(AccessControlError) -> Known {
    guard let token = snapshot.aclTokenRow(secret: secret)?.value else {
      // A new cluster has no token for those without one, yet.
      guard isAnonymous else { throw .notFound }
      return Known(
        authorizer: PolicyAuthorizer(accessorID: ACLToken.anonymousAccessor, rules: rules(of: [])), expiration: nil)
    }
    if token.isExpired(at: now()) { throw .notFound }
    let policies = TokenPolicies(token, in: snapshot, datacenter: datacenter).policies
    return Known(
      authorizer: PolicyAuthorizer(accessorID: token.accessorID, rules: rules(of: policies)),
      expiration: token.expirationTime)
  }

  private func rules(of policies: [ACLPolicy]) -> CompiledRules {
    let key = policies.map { "\($0.id)@\($0.modifyIndex)" }
    if let known = memory.withLock({ $0.rules[key] }) { return known }
    let compiled = Self.compile(policies, fallback: settings.fallback)
    return memory.withLock { memory in
      if let known = memory.rules[key] { return known }
      if memory.rules.count >= Self.limit { memory.rules.removeAll() }
      memory.rules[key] = compiled
      return compiled
    }
  }

  /// A policy that cannot be read may forbid something: who has one may do nothing.
  static func compile(_ policies: [ACLPolicy], fallback: CompiledRules.Fallback) -> CompiledRules {
    var sources: [PolicySource] = []
    for policy in policies {
      guard let rules = try? PolicyRules(policy.rules) else { return CompiledRules([], fallback: .deny) }
      sources.append(PolicySource(id: policy.id, name: policy.name, rules: rules.rules))
    }
    return CompiledRules(sources, fallback: fallback)
  }
}

/// Everything that a token comes to: its own policies, those of its roles, and those that stand for identities.
public struct TokenPolicies {
  /// Each once, in the order in which the token names them; only those that are valid in the datacenter.
  public private(set) var policies: [ACLPolicy] = []
  public private(set) var roles: [ACLRole] = []
  private var seen: Set<String> = []
  private let datacenter: String?

  /// - Parameter datacenter: nil takes those that are valid in any.
  public init(_ token: ACLToken, in snapshot: StateSnapshot, datacenter: String?) {
    self.datacenter = datacenter
    roles = token.roles.compactMap { snapshot.aclRole(id: $0.id).value }
    for link in token.policies + roles.flatMap(\.policies) {
      if let policy = snapshot.aclPolicy(id: link.id).value?.value { add(policy) }
    }
    for identity in token.serviceIdentities + roles.flatMap(\.serviceIdentities) { add(identity.policy) }
    for identity in token.nodeIdentities + roles.flatMap(\.nodeIdentities) { add(identity.policy) }
    for template in token.templatedPolicies + roles.flatMap(\.templatedPolicies) {
      if let policy = template.policy { add(policy) }
    }
  }

  private mutating func add(_ policy: ACLPolicy) {
    let isValid = datacenter.map { policy.isValid(in: $0) } ?? true
    if isValid, seen.insert(policy.id).inserted { policies.append(policy) }
  }
}

extension ACLPolicy {
  func isValid(in datacenter: String) -> Bool { datacenters.isEmpty || datacenters.contains(datacenter) }
}

/// The rights of the token that an operator keeps for emergencies: the agent itself, and the names of all nodes.
public enum AgentRecovery {
  public static func authorizer(node: String, fallback: CompiledRules.Fallback) -> any Authorizer {
    var agent = Rule(.agent, .write)
    agent.name = node
    var nodes = Rule(.node, .read)
    nodes.isPrefix = true
    let source = PolicySource(id: "agent-recovery", name: "agent-recovery", rules: [agent, nodes])
    return PolicyAuthorizer(
      accessorID: "agent-recovery:\(node)", rules: CompiledRules([source], fallback: fallback))
  }
}
