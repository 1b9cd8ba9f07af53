import AccessControl

/// What the token of one request may do, found out when it is first asked.
public struct RequestAccess: Sendable {
  private let token: String
  private let resolver: any AuthorizerResolver

  public init(_ token: String, _ resolver: any AuthorizerResolver) {
    self.token = token
    self.resolver = resolver
  }

  public func authorizer() throws(ServerError) -> any Authorizer {
    do throws(AccessControlError) { return try resolver.authorizer(for: token) } catch { throw .tokenNotFound }
  }

  func require(_ permission: Permission) throws(ServerError) {
    let authorizer = try authorizer()
    if authorizer.allows(permission) { return }
    throw .denied(AccessRefusal(permission, accessor: authorizer.accessorID, isAnonymous: token.isEmpty))
  }
}

/// Who waits for an answer that depends on what a token may see: when that changes, there is something to answer.
public final class QueryAudience: Sendable, Equatable {
  private let token: String
  private let seen: ObjectIdentifier?
  private let resolver: any AuthorizerResolver

  /// - Parameter authorizer: the rights of the token when the query began.
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

  public static func == (a: QueryAudience, b: QueryAudience) -> Bool { a === b }
}
