import AccessControl
import Model

extension RPCMethodTable {
  /// What the token of the request may do, as this datacenter sees it.
  mutating func authorize() {
    anyServer("ACL.Authorize") { (request: RemoteACLAuthorizationRequest, call) in
      call.conclude(
        Result { () throws(ServerError) in
          RPCList(try request.answers(call.server.requestAccess(request.options.token)))
        })
    }
  }

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
