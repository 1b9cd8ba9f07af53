import AccessControl
import Authentication
import Model
import State

/// Exchanges a bearer token, which an auth method can vouch for, for a token of the cluster.
public struct Login: WriteRequest {
  public static let method = "ACL.Login"
  public var authMethod: String
  public var bearerToken: Secret
  /// What the token's description tells of its holder.
  public var meta: StringMap

  public init(authMethod: String, bearerToken: Secret, meta: StringMap = StringMap()) {
    self.authMethod = authMethod
    self.bearerToken = bearerToken
    self.meta = meta
  }

  public func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<ACLToken> {
    let logins = try context.requireLogins()
    let known = try logins.method(authMethod, context.state).known
    let progress = known.method.identify(bearerToken.revealed, known.memory, now: context.now)
    return try progress.write(on: logins.transport) { (identity) throws(ServerError) in
      try LoginToken(authMethod: authMethod, identity: identity, meta: meta).command(context, way: "login")
    }
  }
}

/// The token that an identity gets.
struct LoginToken {
  var authMethod: String
  var identity: Identity
  var meta: StringMap

  /// The state may have moved on since the login began: what counts is what the leader knows now.
  func command(_ context: WriteContext, way: String) throws(ServerError) -> PreparedWrite<ACLToken> {
    var context = context
    context.state = context.current()
    context.now = WallClock.now()
    guard let method = context.state.aclAuthMethod(authMethod).value?.value else {
      throw .accessObjectNotFound("auth method \(authMethod.goQuoted) not found")
    }
    var token = ACLToken()
    token.description = description(way)
    token.local = method.tokenLocality != "global"
    token.authMethod = method.name
    token.expirationTTL = method.maxTokenTTL
    try bind(&token, context)
    try TokenSet.begin(&token, context, isLogin: true)
    try TokenSet.complete(&token, context.state)
    token.hash = token.contentHash
    var request = ACLTokenBatchSetRequest()
    request.tokens = [token]
    // What its rights come from may be deleted while the command is on its way.
    request.prohibitUnprivileged = true
    let (current, logins) = (context.current, try context.requireLogins())
    return .command(.accessControl(.setTokens(request))) { [token] (result) throws(ServerError) in
      _ = try result.success(prefix: "")
      guard let stored = current().aclToken(accessor: token.accessorID).value else {
        throw .permissionDenied("")
      }
      logins.note("login", of: stored)
      return stored
    }
  }

  private func description(_ way: String) -> String {
    let text = "token created via \(way)"
    if meta.isEmpty { return text }
    return text + ": " + Dynamic.object(DynamicObject(meta.map { ($0.key, .string($0.value)) })).json
  }

  /// - Throws: `.permissionDenied` for an identity that no rule gives anything.
  private func bind(_ token: inout ACLToken, _ context: WriteContext) throws(ServerError) {
    let rules = context.state.aclBindingRules(authMethod: authMethod).value.map(\.value)
    let bindings: [Binding]
    do throws(AuthenticationError) {
      bindings = try BindingRules.bindings(of: identity, by: rules)
    } catch {
      throw ServerError(error)
    }
    for binding in bindings {
      switch binding {
      case .service(let name):
        var identity = ACLServiceIdentity()
        identity.serviceName = name
        token.serviceIdentities.append(identity)
      case .node(let name):
        var identity = ACLNodeIdentity()
        identity.nodeName = name
        identity.datacenter = context.datacenter
        token.nodeIdentities.append(identity)
      // Rules may name roles and policies that do not exist yet.
      case .role(let name):
        if let role = context.state.aclRole(name: name).value { token.roles.append(ACLLink(id: role.id, name: name)) }
      case .policy(let name):
        if let policy = context.state.aclPolicy(name: name).value?.value {
          token.policies.append(ACLLink(id: policy.id, name: name))
        }
      case .template(let policy): token.templatedPolicies.append(policy)
      }
    }
    if token.serviceIdentities.isEmpty, token.nodeIdentities.isEmpty, token.roles.isEmpty, token.policies.isEmpty,
      token.templatedPolicies.isEmpty
    {
      throw .permissionDenied("")
    }
  }
}

/// Deletes the token that carries the request, if a login made it.
public struct Logout: WriteRequest {
  public static let method = "ACL.Logout"
  public var token: Secret

  public init(_ token: Secret) { self.token = token }

  public func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<Bool> {
    let logins = try context.requireLogins()
    if token.isEmpty { throw .accessObjectNotFound("no token was given") }
    guard let found = context.state.aclToken(secret: token).value, !found.isExpired(at: context.now) else {
      throw .tokenNotFound
    }
    if found.authMethod.isEmpty { throw .permissionDenied("token wasn't created via login") }
    return .command(.accessControl(.deleteTokens(ACLTokenBatchDeleteRequest([found.accessorID])))) {
      (result) throws(ServerError) in
      let isGone = try result.success(prefix: "")
      logins.note("logout", of: found)
      return isGone
    }
  }
}
