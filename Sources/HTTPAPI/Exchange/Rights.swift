import AccessControl

/// What the token of a request may do.
struct Rights {
  let authorizer: any Authorizer
  /// Whether everything is allowed, so that lists need no filtering.
  let isUnlimited: Bool
  /// Whether the request carries no token. Nobody is told then that something is kept from them.
  let isAnonymous: Bool

  static let unlimited = Rights(AllowAll.shared, isAnonymous: false)

  init(_ authorizer: any Authorizer, isAnonymous: Bool) {
    self.authorizer = authorizer
    isUnlimited = authorizer.isUnlimited
    self.isAnonymous = isAnonymous
  }

  func allows(_ permission: Permission) -> Bool { isUnlimited || authorizer.allows(permission) }

  /// - Throws: the answer that a token without this right gets.
  func require(_ permission: Permission) throws(HTTPError) {
    if let refusal = refusal(of: permission) { throw refusal }
  }

  /// The answer that a token without this right gets; nil for one that has it.
  func refusal(of permission: Permission) -> HTTPError? {
    allows(permission)
      ? nil : HTTPError(AccessRefusal(permission, accessor: authorizer.accessorID, isAnonymous: isAnonymous))
  }
}
