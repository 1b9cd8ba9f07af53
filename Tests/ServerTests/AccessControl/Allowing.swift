import AccessControl

/// A resolver under which every token but `unknown` may do the same few things.
struct Allowing: AuthorizerResolver {
  private final class Some: Authorizer {
    let accessorID = "accessor"
    let allowed: Set<Permission>

    init(_ allowed: Set<Permission>) { self.allowed = allowed }

    func allows(_ permission: Permission) -> Bool { allowed.contains(permission) }
  }

  private let authorizer: Some

  init(_ allowed: Set<Permission>) { authorizer = Some(allowed) }

  func authorizer(for token: String) throws(AccessControlError) -> any Authorizer {
    if token == "unknown" { throw .notFound }
    return authorizer
  }
}
