import AccessControl
import AgentConfiguration
import HTTPAPI
import Model
import Server
import Synchronization

/// The agent's own tokens that were set while it ran, in `acl-tokens.json` of the data directory, where the configuration
/// wants them kept (`acl.enable_token_persistence`). What was set at run time wins over what files say.
final class AgentTokenStore: Sendable {
  private let path: String?
  private let kept = Mutex<[AgentTokenKind: String]>([:])

  init(_ configuration: RuntimeConfiguration, dataDirectory: String?) {
    path = configuration.acl.enableTokenPersistence ? dataDirectory.map { $0 + "/acl-tokens.json" } : nil
  }

  /// The order in which the file lists them.
  private static let order: [AgentTokenKind] = [
    .recovery, .user, .agent, .replication, .configFileRegistration, .dns,
  ]

  /// Puts what is kept in the place of what the configuration says.
  ///
  /// - Throws: `AgentError` for a file that cannot be read or understood.
  func load(into tokens: inout RuntimeConfiguration.ACL.Tokens) throws(AgentError) {
    guard let path, let text = try SmallFile.read(path) else { return }
    let document: Dynamic
    do throws(JSONError) {
      document = try Dynamic(json: Array(text.utf8))
    } catch {
      throw .unusableFile(path: path, reason: "\(error)")
    }
    var found: [AgentTokenKind: String] = [:]
    for (name, value) in document.object ?? DynamicObject() {
      if let kind = AgentTokenKind(path: name), let token = value.string, !token.isEmpty { found[kind] = token }
    }
    for (kind, token) in found { tokens[kind] = token }
    kept.withLock { [found] in $0 = found }
  }

  /// Keeps a token; "" forgets it.
  func keep(_ kind: AgentTokenKind, _ token: String) throws(AgentError) {
    guard let path else { return }
    let all = kept.withLock { kept in
      kept[kind] = token.isEmpty ? nil : token
      return kept
    }
    var writer = JSONWriter()
    writer.beginObject()
    for kind in Self.order {
      guard let token = all[kind] else { continue }
      writer.member(kind.rawValue)
      writer.string(token)
    }
    writer.endObject()
    try SmallFile.replace(path, with: String(decoding: writer.finish(), as: UTF8.self))
  }
}

extension RuntimeConfiguration.ACL.Tokens {
  subscript(kind: AgentTokenKind) -> String {
    get {
      switch kind {
      case .user: `default`
      case .agent: agent
      case .recovery: agentRecovery
      case .replication: replication
      case .configFileRegistration: configFileServiceRegistration
      case .dns: dns
      }
    }
    set {
      switch kind {
      case .user: `default` = newValue
      case .agent: agent = newValue
      case .recovery: agentRecovery = newValue
      case .replication: replication = newValue
      case .configFileRegistration: configFileServiceRegistration = newValue
      case .dns: dns = newValue
      }
    }
  }
}

/// The tokens that requests and lookups without their own are made with. Asked for each of them.
final class AgentCredentials: Sendable {
  private let tokens: Mutex<RuntimeConfiguration.ACL.Tokens>

  init(_ tokens: RuntimeConfiguration.ACL.Tokens) { self.tokens = Mutex(tokens) }

  func set(_ new: RuntimeConfiguration.ACL.Tokens) { tokens.withLock { $0 = new } }

  /// Of requests without a token.
  var user: String { tokens.withLock { $0.default } }
  /// For the agent's own requests; without one, the default token.
  var agent: String { tokens.withLock { $0.agent.isEmpty ? $0.default : $0.agent } }

  /// Of DNS lookups.
  var dns: String { tokens.withLock { $0.dns.isEmpty ? $0.default : $0.dns } }
}

/// What turns tokens into rights, on an agent that has a token for emergencies.
protocol AgentAccess: AuthorizerResolver {
  func setRecoveryToken(_ secret: Secret)
}

extension TokenResolver: AgentAccess {}
extension RemoteTokenResolver: AgentAccess {}
