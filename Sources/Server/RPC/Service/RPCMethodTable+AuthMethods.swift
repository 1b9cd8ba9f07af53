import AccessControl

extension RPCMethodTable {
  /// Auth methods, binding rules, and what they are for: logging in, which needs no right.
  mutating func registerAuthMethods() {
    write(AuthMethodSet.self)
    write(AuthMethodDelete.self)
    read(AuthMethodRead.self, Protection { _ in .aclRead })
    read(AuthMethodList.self, Protection { _ in .aclRead })
    write(BindingRuleSet.self)
    write(BindingRuleDelete.self)
    read(BindingRuleRead.self, Protection { _ in .aclRead })
    read(BindingRuleList.self, Protection { _ in .aclRead })
    write(Login.self)
    write(Logout.self)
    write(OIDCAuthURL.self)
    write(OIDCCallback.self)
  }
}
