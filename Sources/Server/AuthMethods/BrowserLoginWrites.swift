import Authentication
import Model
import State

/// Begins a login in the browser: answers with the address at the provider that the browser is to open. Nothing is logged, but
/// the leader has to remember it, so it goes the way of writes.
public struct OIDCAuthURL: WriteRequest {
  public static let method = "ACL.OIDCAuthURL"
  public var authMethod: String
  public var redirectURI: String
  /// Chosen by the client, who repeats it when it finishes the login.
  public var clientNonce: String
  public var meta: StringMap

  public init(authMethod: String, redirectURI: String, clientNonce: String, meta: StringMap = StringMap()) {
    self.authMethod = authMethod
    self.redirectURI = redirectURI
    self.clientNonce = clientNonce
    self.meta = meta
  }

  public func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<String> {
    let logins = try context.requireLogins()
    let known = try logins.method(authMethod, context.state).known
    let method = try known.method.requireOIDC(authMethod)
    var generator = SystemRandomNumberGenerator()
    let random = (0..<96).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    let login = BrowserLogin(
      method: authMethod, redirectURI: redirectURI, clientNonce: clientNonce, meta: meta, random: random)
    let now = context.now
    return try method.begin(login, known.memory, now: now).write(on: logins.transport) { url in
      logins.begin(login, now: now)
      return .immediate(url)
    }
  }
}

/// Finishes a login in the browser: exchanges the provider's code for a token of the cluster.
public struct OIDCCallback: WriteRequest {
  public static let method = "ACL.OIDCCallback"
  public var authMethod: String
  public var state: String
  public var code: Secret
  public var clientNonce: String

  public init(authMethod: String, state: String, code: Secret, clientNonce: String) {
    self.authMethod = authMethod
    self.state = state
    self.code = code
    self.clientNonce = clientNonce
  }

  public func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<ACLToken> {
    let logins = try context.requireLogins()
    let known = try logins.method(authMethod, context.state).known
    let method = try known.method.requireOIDC(authMethod)
    let login = try logins.finish(
      state: state, method: authMethod, clientNonce: clientNonce, now: context.now)
    let progress = method.finish(login, code: code.revealed, known.memory, now: context.now)
    return try progress.write(on: logins.transport) { (identity) throws(ServerError) in
      try LoginToken(authMethod: authMethod, identity: identity, meta: login.meta).command(context, way: "OIDC login")
    }
  }
}

extension AuthMethod {
  fileprivate func requireOIDC(_ name: String) throws(ServerError) -> OIDCMethod {
    guard case .oidc(let method) = self else {
      throw .invalid("auth method \(name.goQuoted) is not of type \"oidc\"")
    }
    return method
  }
}
