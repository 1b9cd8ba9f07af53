import Model
import State

// Which requests of access control the primary datacenter carries out, wherever they are made: it alone changes policies,
// roles and global tokens, and it knows of tokens that are not kept here.

extension PolicySet { public func belongsInPrimary(_ here: SecondaryView) -> Bool { true } }
extension PolicyDelete { public func belongsInPrimary(_ here: SecondaryView) -> Bool { true } }
extension RoleSet { public func belongsInPrimary(_ here: SecondaryView) -> Bool { true } }
extension RoleDelete { public func belongsInPrimary(_ here: SecondaryView) -> Bool { true } }

extension TokenSet {
  /// Where a token is does not change, whatever a request says.
  public func belongsInPrimary(_ here: SecondaryView) -> Bool {
    !token.local && (creates || !here.isLocalToken(accessor: token.accessorID))
  }
}

extension TokenClone {
  public func belongsInPrimary(_ here: SecondaryView) -> Bool { !here.isLocalToken(accessor: accessor) }
}

extension TokenDelete {
  public func belongsInPrimary(_ here: SecondaryView) -> Bool { !here.isLocalToken(accessor: accessor) }
}

extension Logout {
  /// Logins in the primary may make global tokens.
  public func belongsInPrimary(_ here: SecondaryView) -> Bool {
    here.state.aclTokenRow(secret: token).map { !$0.value.local } ?? !here.allowsLocalTokens
  }
}

extension TokenRead {
  /// A token that is not here may just have been made there.
  public func inPrimary(_ here: SecondaryView) -> TokenRead? {
    let isHere =
      switch name {
      case .accessor(let id): here.state.aclToken(accessor: id).value != nil
      case .secret(let secret): here.state.aclTokenRow(secret: secret) != nil
      }
    return here.allowsLocalTokens && isHere ? nil : self
  }
}

extension TokenList {
  /// The primary's own tokens are not this datacenter's.
  public func inPrimary(_ here: SecondaryView) -> TokenList? {
    if here.allowsLocalTokens { return nil }
    var copy = self
    copy.includesLocal = false
    return copy
  }
}

extension TokenBatchRead {
  public func inPrimary(_ here: SecondaryView) -> TokenBatchRead? { here.allowsLocalTokens ? nil : self }
}

extension AuthMethodRead { public static var needsLocalTokens: Bool { true } }
extension AuthMethodList { public static var needsLocalTokens: Bool { true } }
extension BindingRuleRead { public static var needsLocalTokens: Bool { true } }
extension BindingRuleList { public static var needsLocalTokens: Bool { true } }

extension WriteContext {
  /// - Throws: where there can be no tokens of one datacenter alone.
  func requireLocalTokens() throws(ServerError) {
    if !allowsLocalTokens { throw .invalid("Local tokens are disabled") }
  }
}
