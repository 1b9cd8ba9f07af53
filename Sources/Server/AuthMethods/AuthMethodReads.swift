import Model
import State

/// One auth method, by its name.
public struct AuthMethodRead: ReadQuery {
  public static let method = "ACL.AuthMethodRead"
  public var name: String

  public init(name: String) { self.name = name }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<Row<ACLAuthMethod>?> { state.aclAuthMethod(name) }
}

/// All auth methods, without their settings.
public struct AuthMethodList: ReadQuery {
  public static let method = "ACL.AuthMethodList"

  public init() {}

  public func evaluate(_ state: StateSnapshot) -> QueryResult<[ACLAuthMethodListStub]> {
    state.aclAuthMethods().map { $0.map { ACLAuthMethodListStub($0.value) } }
  }
}

/// One binding rule, by its id.
public struct BindingRuleRead: ReadQuery {
  public static let method = "ACL.BindingRuleRead"
  public var id: String

  public init(id: String) { self.id = id }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<Row<ACLBindingRule>?> { state.aclBindingRule(id) }
}

/// Binding rules, all or those of an auth method.
public struct BindingRuleList: ReadQuery {
  public static let method = "ACL.BindingRuleList"
  /// "" for all.
  public var authMethod: String

  public init(authMethod: String = "") { self.authMethod = authMethod }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<[Row<ACLBindingRule>]> {
    state.aclBindingRules(authMethod: authMethod)
  }
}
