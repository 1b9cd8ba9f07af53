import AccessControl
import Model
import State

/// Creates or changes a token and answers with it.
public struct TokenSet: WriteRequest {
  public static let method = "ACL.TokenSet"

  public var token: ACLToken
  /// Whether the token must not exist yet; otherwise it has to.
  public var creates: Bool

  public init(_ token: ACLToken, creates: Bool) {
    self.token = token
    self.creates = creates
  }

  public func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<ACLToken> {
    try context.require(.aclWrite)
    if token.local { try context.requireLocalTokens() }
    var token = token
    if creates { try Self.begin(&token, context) } else { try Self.adopt(&token, context.state) }
    try Self.complete(&token, context.state)
    return Self.command(token, context)
  }

  /// The log's command; the answer is the token as it is stored then.
  static func command(_ token: ACLToken, _ context: WriteContext) -> PreparedWrite<ACLToken> {
    var token = token
    token.hash = token.contentHash
    var request = ACLTokenBatchSetRequest()
    request.tokens = [token]
    return .command(.accessControl(.setTokens(request))) { [token] (result) throws(ServerError) in
      _ = try result.success(prefix: "Failed to apply token write request: ")
      return context.current().aclToken(accessor: token.accessorID).value ?? token
    }
  }

  // MARK: a new token

  static func begin(_ token: inout ACLToken, _ context: WriteContext, isLogin: Bool = false) throws(ServerError) {
    if !isLogin, !token.authMethod.isEmpty { throw .invalid("AuthMethod field is disallowed outside of login") }
    if token.accessorID.isEmpty {
      token.accessorID = ACLIdentifiers.unused { context.state.aclToken(accessor: $0).value != nil }
    } else {
      if let problem = ACLIdentifiers.problem(token.accessorID, field: "AccessorID") { throw .invalid(problem) }
      if context.state.aclToken(accessor: token.accessorID).value != nil {
        throw .invalid("Invalid Token: AccessorID is already in use")
      }
    }
    if token.secretID.isEmpty {
      token.secretID = Secret(ACLIdentifiers.unused { context.state.aclTokenRow(secret: Secret($0)) != nil })
    } else {
      if let problem = ACLIdentifiers.problem(token.secretID.revealed, field: "SecretID") { throw .invalid(problem) }
      if context.state.aclTokenRow(secret: token.secretID) != nil {
        throw .invalid("Invalid Token: SecretID is already in use")
      }
    }
    token.createTime = context.now
    try setExpiration(&token, context)
  }

  private static func setExpiration(_ token: inout ACLToken, _ context: WriteContext) throws(ServerError) {
    let ttl = token.expirationTTL
    if ttl < .zero { throw .invalid("Token Expiration TTL '\(ttl)' should be > 0") }
    if ttl > .zero {
      if token.expirationTime != nil {
        throw .invalid("Token Expiration TTL and Expiration Time cannot both be set")
      }
      token.expirationTime = token.createTime.adding(ttl)
      token.expirationTTL = .zero
    }
    guard let expiration = token.expirationTime, !expiration.isUnset else {
      token.expirationTime = nil
      return
    }
    if expiration < token.createTime { throw .invalid("ExpirationTime cannot be before CreateTime") }
    let left = expiration.since(token.createTime)
    let minimum = context.minimumTokenTTL
    if left < minimum {
      throw .invalid("ExpirationTime cannot be less than \(minimum) in the future (was \(left))")
    }
  }

  // MARK: a token that exists

  private static func adopt(_ token: inout ACLToken, _ state: StateSnapshot) throws(ServerError) {
    if let problem = ACLIdentifiers.problem(token.accessorID, table: "token") { throw .invalid(problem) }
    guard let old = state.aclToken(accessor: token.accessorID).value else {
      throw .invalid("Cannot find token \(token.accessorID.goQuoted)")
    }
    if token.secretID.isEmpty {
      token.secretID = old.secretID
    } else if token.secretID != old.secretID {
      throw .invalid("Changing a token's SecretID is not permitted")
    }
    if token.local != old.local { throw .invalid("Cannot toggle local mode of \(token.accessorID)") }
    if token.authMethod.isEmpty {
      token.authMethod = old.authMethod
    } else if token.authMethod != old.authMethod {
      throw .invalid("Cannot change AuthMethod of \(token.accessorID)")
    }
    let changesTime = token.expirationTime.map { !$0.isUnset && $0 != old.expirationTime } ?? false
    if token.expirationTTL != .zero || changesTime {
      throw .invalid("Cannot change expiration time of \(token.accessorID)")
    }
    token.accessorID = old.accessorID
    token.expirationTime = old.expirationTime
    token.createTime = old.createTime
  }

  static func complete(_ token: inout ACLToken, _ state: StateSnapshot) throws(ServerError) {
    let rules = IdentityRules(state: state, holder: "token")
    token.policies = try rules.policies(token.policies)
    token.roles = try rules.roles(token.roles)
    token.serviceIdentities = try rules.services(token.serviceIdentities, isLocal: token.local)
    token.nodeIdentities = try rules.nodes(token.nodeIdentities)
    token.templatedPolicies = try rules.templates(token.templatedPolicies)
  }
}

/// Makes a token like another one, with a secret of its own.
public struct TokenClone: WriteRequest {
  public static let method = "ACL.TokenClone"
  public var accessor: String
  /// "" takes that of the original.
  public var description: String

  public init(accessor: String, description: String) {
    self.accessor = accessor
    self.description = description
  }

  public func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<ACLToken?> {
    try context.require(.aclWrite)
    if let problem = ACLIdentifiers.problem(accessor, table: "token") { throw .invalid(problem) }
    guard let original = context.state.aclToken(accessor: accessor).value else { return .immediate(nil) }
    if original.local { try context.requireLocalTokens() }
    if !original.authMethod.isEmpty { throw .invalid("Cannot clone a token created from an auth method") }
    var copy = original
    copy.accessorID = ""
    copy.secretID = Secret()
    copy.createIndex = 0
    if !description.isEmpty { copy.description = description }
    // The time is kept, however near it is.
    let expiration = copy.expirationTime
    copy.expirationTime = nil
    try TokenSet.begin(&copy, context)
    copy.expirationTime = expiration
    guard case .command(let command, let reply) = TokenSet.command(copy, context) else { return .immediate(nil) }
    return .command(command) { (result) throws(ServerError) in try reply(result) }
  }
}

/// Deletes a token. Answers false when there is none.
public struct TokenDelete: WriteRequest {
  public static let method = "ACL.TokenDelete"
  public var accessor: String
  /// The secret of the request: nobody saws off the branch that they sit on.
  public var requester: Secret

  public init(accessor: String, requester: Secret) {
    self.accessor = accessor
    self.requester = requester
  }

  public func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<Bool> {
    try context.require(.aclWrite)
    if let problem = ACLIdentifiers.problem(accessor, table: "token") { throw .invalid(problem) }
    guard let token = context.state.aclToken(accessor: accessor).value else { return .immediate(false) }
    if token.accessorID == ACLToken.anonymousAccessor {
      throw .invalid("Delete operation not permitted on the anonymous token")
    }
    if token.secretID == requester {
      throw .invalid("Deletion of the request's authorization token is not permitted")
    }
    return .command(.accessControl(.deleteTokens(ACLTokenBatchDeleteRequest([token.accessorID])))) {
      (result) throws(ServerError) in
      try result.success(prefix: "Failed to apply token delete request: ")
    }
  }
}

extension Timestamp {
  func adding(_ duration: GoDuration) -> Timestamp {
    let (whole, part) = duration.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    let total = Int64(nanoseconds) &+ part
    let carry: Int64 = total >= 1_000_000_000 ? 1 : total < 0 ? -1 : 0
    let (seconds, overflow) = self.seconds.addingReportingOverflow(whole &+ carry)
    return Timestamp(
      seconds: overflow ? Int64.max : seconds, nanoseconds: Int32(truncatingIfNeeded: total &- carry &* 1_000_000_000))
  }

  /// The time that lies between; at most what a duration can hold.
  func since(_ other: Timestamp) -> GoDuration {
    let (product, overflow) = (seconds &- other.seconds).multipliedReportingOverflow(by: 1_000_000_000)
    if overflow { return GoDuration(nanoseconds: seconds > other.seconds ? .max : .min) }
    let (sum, tooLarge) = product.addingReportingOverflow(Int64(nanoseconds) - Int64(other.nanoseconds))
    return GoDuration(nanoseconds: tooLarge ? .max : sum)
  }
}
