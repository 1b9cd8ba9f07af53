import AccessControl

/// What the token of one request may do, found out when it is first asked.
public struct RequestAccess: Sendable {
  let token: String
  let resolver: any AuthorizerResolver
  /// Whether lists of keys need a right of their own (`acl.enable_key_list_policy`).
  let listsKeysByPolicy: Bool

  public init(_ token: String, _ resolver: any AuthorizerResolver, listsKeysByPolicy: Bool = false) {
    self.token = token
    self.resolver = resolver
    self.listsKeysByPolicy = listsKeysByPolicy
  }

  /// - Throws: `ServerError.tokenNotFound`.
  public func authorizer() throws(ServerError) -> any Authorizer {
    do throws(AccessControlError) { return try resolver.authorizer(for: token) } catch { throw .tokenNotFound }
  }

  /// Who reads, as of now.
  /// - Throws: `ServerError.tokenNotFound`.
  public func reader() throws(ServerError) -> Reader { Reader(try authorizer(), self) }

  func require(_ permission: Permission) throws(ServerError) { try reader().require(permission) }

  /// Nanoseconds until the token stops being valid; nil for never.
  func lifetime() -> Int64? { resolver.lifetime(of: token) }
}

/// Somebody who follows a stream: when what their token may see changes, the stream ends.
public final class QueryAudience: Sendable {
  private let token: String
  private let seen: ObjectIdentifier?
  private let resolver: any AuthorizerResolver

  /// - Parameter authorizer: the rights of the token when the stream began.
  public init(_ token: String, _ authorizer: any Authorizer, _ resolver: any AuthorizerResolver) {
    self.token = token
    seen = authorizer.identity
    self.resolver = resolver
  }

  /// Whether the token may do something else now, or is not valid any more.
  func hasChanged() -> Bool {
    guard let seen else { return false }
    guard let now = try? resolver.authorizer(for: token) else { return true }
    return now.identity != seen
  }

  /// Nanoseconds until the token stops being valid; nil for never.
  func lifetime() -> Int64? { resolver.lifetime(of: token) }
}

/// Somebody who reads, and what they may see at one moment.
public struct Reader: Sendable {
  private let authorizer: any Authorizer
  private let access: RequestAccess

  fileprivate init(_ authorizer: any Authorizer, _ access: RequestAccess) {
    self.authorizer = authorizer
    self.access = access
    isUnlimited = authorizer.isUnlimited
  }

  /// Whether everything may be seen, so that nothing need be looked at.
  let isUnlimited: Bool
  /// Whether the request carries no token. Nobody is told then that something is kept from them.
  var isAnonymous: Bool { access.token.isEmpty }
  var token: String { access.token }
  var listsKeysByPolicy: Bool { access.listsKeysByPolicy }
  /// The same for readers who may see the same; nil where nobody knows.
  var identity: ObjectIdentifier? { authorizer.identity }

  func allows(_ permission: Permission) -> Bool { isUnlimited || authorizer.allows(permission) }

  /// - Throws: `ServerError.denied`.
  func require(_ permission: Permission) throws(ServerError) {
    if let refusal = refusal(of: permission) { throw .denied(refusal) }
  }

  /// Why this is not allowed; nil if it is.
  func refusal(of permission: Permission) -> AccessRefusal? {
    allows(permission)
      ? nil : AccessRefusal(permission, accessor: authorizer.accessorID, isAnonymous: isAnonymous)
  }

  /// Who reads with another token of the request; nil for one that does not exist.
  func with(token: String) -> Reader? {
    let other = RequestAccess(token, access.resolver, listsKeysByPolicy: listsKeysByPolicy)
    return try? other.reader()
  }
}
