import Authentication
import Logging
import Model
import State
import Synchronization

/// What a leader keeps for logins: auth methods with their settings read, what was learned of their providers, and the logins
/// in a browser that are under way. All of it is memory: a new leader asks again, and a login in a browser that was begun
/// before has to be begun once more.
public final class LoginService: Sendable {
  /// An auth method, ready to be asked.
  struct Known: Sendable {
    let method: AuthMethod
    let memory: ProviderMemory
    let modifyIndex: UInt64
  }

  let transport: any ProviderTransport
  private let logger: Logger
  private let known = Mutex<[String: Known]>([:])
  private let browserLogins = Mutex(BrowserLogins())

  public init(_ transport: any ProviderTransport, logger: Logger = Logger(label: "server")) {
    self.transport = transport
    self.logger = logger
  }

  /// Tells the log who came or went, and with what rights; never what proved it.
  func note(_ event: String, of token: ACLToken) {
    let bindings =
      token.serviceIdentities.map { "service:\($0.serviceName)" }
      + token.nodeIdentities.map { "node:\($0.nodeName)" } + token.roles.map { "role:\($0.name)" }
      + token.policies.map { "policy:\($0.name)" }
      + token.templatedPolicies.map { policy in
        "template:\(policy.templateName)" + (policy.templateVariables.map { ":\($0.name)" } ?? "")
      }
    logger.info(
      "\(event)",
      metadata: [
        "accessor": "\(token.accessorID)", "auth_method": "\(token.authMethod)",
        "bindings": "\(bindings.joined(separator: ","))", "local": "\(token.local)",
      ])
  }

  /// The method of that name in the state, with what is known of its provider as long as nobody changes the method.
  func method(_ name: String, _ state: StateSnapshot) throws(ServerError) -> (record: ACLAuthMethod, known: Known) {
    guard let record = state.aclAuthMethod(name).value?.value else {
      known.withLock { $0[name] = nil }
      throw .accessObjectNotFound("auth method \(name.goQuoted) not found")
    }
    let found = known.withLock { $0[name] }
    if let found, found.modifyIndex == record.modifyIndex { return (record, found) }
    do throws(AuthenticationError) {
      let fresh = Known(
        method: try AuthMethod(record), memory: ProviderMemory(), modifyIndex: record.modifyIndex)
      known.withLock { $0[name] = fresh }
      return (record, fresh)
    } catch {
      throw .invalid("\(error)")
    }
  }

  func begin(_ login: BrowserLogin, now: Timestamp) { browserLogins.withLock { $0.begin(login, now: now) } }

  func finish(
    state: String, method: String, clientNonce: String, now: Timestamp
  ) throws(ServerError) -> BrowserLogin {
    let result = browserLogins.withLock { logins in
      Result { () throws(AuthenticationError) in
        try logins.finish(state: state, method: method, clientNonce: clientNonce, now: now)
      }
    }
    do throws(AuthenticationError) { return try result.get() } catch { throw .invalid("\(error)") }
  }
}

/// Stands where no identity provider can be reached.
public struct NoProviders: ProviderTransport {
  public init() {}

  public func perform(
    _ request: OutboundRequest, _ completion: @escaping @Sendable (Result<OutboundResponse, OutboundFailure>) -> Void
  ) {
    completion(.failure(OutboundFailure("this server asks no identity providers")))
  }
}

extension WriteContext {
  func requireLogins() throws(ServerError) -> LoginService {
    guard let logins else { throw .invalid("ACL support disabled") }
    if !allowsLocalTokens { throw Secondary.needsTokenReplication }
    return logins
  }
}

extension Progress {
  /// The write that goes on with the value as soon as it is there.
  func write<Reply>(
    on transport: any ProviderTransport,
    _ next: @escaping @Sendable (Value) throws(ServerError) -> PreparedWrite<Reply>
  ) throws(ServerError) -> PreparedWrite<Reply> {
    switch self {
    case .done(let value): return try next(value)
    case .failed(let error): throw ServerError(error)
    case .ask:
      return .later { completion in
        run(on: transport) { result in
          switch result {
          case .failure(let error): completion(.failure(ServerError(error)))
          case .success(let value):
            completion(Result { () throws(ServerError) in try next(value) })
          }
        }
      }
    }
  }
}

extension ServerError {
  init(_ error: AuthenticationError) { self = .invalid("\(error)") }
}
