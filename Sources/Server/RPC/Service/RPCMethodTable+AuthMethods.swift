extension RPCMethodTable {
  /// Auth methods, binding rules, and what they are for: logging in, which needs no right.
  mutating func registerAuthMethods() {
    write(AuthMethodSet.self)
    write(AuthMethodDelete.self)
    read(AuthMethodRead.self)
    read(AuthMethodList.self)
    write(BindingRuleSet.self)
    write(BindingRuleDelete.self)
    read(BindingRuleRead.self)
    read(BindingRuleList.self)
    write(Login.self)
    write(Logout.self)
    write(OIDCAuthURL.self)
    write(OIDCCallback.self)
  }
}
