import AccessControl

/// What the token of a request may do. Copies share what they know: a query that waited asks again what its token may do,
/// and whoever took a copy before answers with the rights of then.
struct Rights {
  /// Sendable: used on the event loop of its request only.
  private final class Holder: @unchecked Sendable {
    var authorizer: any Authorizer
    var isUnlimited: Bool

    init(_ authorizer: any Authorizer, isUnlimited: Bool) {
      self.authorizer = authorizer
      self.isUnlimited = isUnlimited
    }
  }

  private let holder: Holder
  /// Whether the request carries no token. Nobody is told then that something is kept from them.
  let isAnonymous: Bool

  static let unlimited = Rights(AllowAll.shared, isUnlimited: true, isAnonymous: false)

  init(_ authorizer: any Authorizer, isUnlimited: Bool, isAnonymous: Bool) {
    holder = Holder(authorizer, isUnlimited: isUnlimited)
    self.isAnonymous = isAnonymous
  }

  init(_ authorizer: any Authorizer, isAnonymous: Bool) {
    self.init(authorizer, isUnlimited: authorizer.isUnlimited, isAnonymous: isAnonymous)
  }

  var authorizer: any Authorizer { holder.authorizer }
  /// Whether everything is allowed, so that lists need no filtering.
  var isUnlimited: Bool { holder.isUnlimited }

  /// Takes note of what the token may do now.
  func renew(_ authorizer: any Authorizer) {
    holder.authorizer = authorizer
    holder.isUnlimited = authorizer.isUnlimited
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
