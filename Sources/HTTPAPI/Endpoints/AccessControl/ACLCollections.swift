import Model
import Server

/// `/v1/acl/policy…`
enum ACLPolicies: NamedACLCollection {
  typealias Item = ACLPolicy
  typealias List = PolicyList
  typealias Listed = ACLPolicyListStub
  typealias Read = PolicyRead
  typealias Shown = Row<ACLPolicy>
  typealias Change = PolicySet
  typealias Deletion = PolicyDelete

  static let noun = "policy"
  static let bodyName = "Policy"
  static let keyName = "ID"
  static func key(of item: ACLPolicy) -> String { item.id }
  static func setKey(_ key: String, of item: inout ACLPolicy) { item.id = key }
  static let refusalOfKey: HTTPError? = .badRequest("Cannot specify the ID when creating a new policy")

  static func list(_ request: borrowing Request) -> PolicyList { PolicyList() }
  static func read(_ key: String) -> PolicyRead { PolicyRead(id: key) }
  static func read(named name: String) -> PolicyRead { PolicyRead(name: name) }
  static func change(_ item: ACLPolicy) -> PolicySet { PolicySet(item) }
  static func deletion(_ key: String) -> PolicyDelete { PolicyDelete(id: key) }
  static func isDeleted(_ name: String) -> Bool { !name.isEmpty }
}

/// `/v1/acl/role…`
enum ACLRoles: NamedACLCollection {
  typealias Item = ACLRole
  typealias List = RoleList
  typealias Listed = ACLRole
  typealias Read = RoleRead
  typealias Shown = ACLRole
  typealias Change = RoleSet
  typealias Deletion = RoleDelete

  static let noun = "role"
  static let bodyName = "Role"
  static let keyName = "ID"
  static func key(of item: ACLRole) -> String { item.id }
  static func setKey(_ key: String, of item: inout ACLRole) { item.id = key }

  static func list(_ request: borrowing Request) -> RoleList { RoleList(policy: request.query["policy"] ?? "") }
  static func read(_ key: String) -> RoleRead { RoleRead(id: key) }
  static func read(named name: String) -> RoleRead { RoleRead(name: name) }
  static func change(_ item: ACLRole) -> RoleSet { RoleSet(item) }
  static func deletion(_ key: String) -> RoleDelete { RoleDelete(id: key) }
  static func isDeleted(_ name: String) -> Bool { !name.isEmpty }
}

/// `/v1/acl/auth-method…`
enum ACLAuthMethods: ACLCollection {
  typealias Item = ACLAuthMethod
  typealias List = AuthMethodList
  typealias Listed = ACLAuthMethodListStub
  typealias Read = AuthMethodRead
  typealias Shown = Row<ACLAuthMethod>
  typealias Change = AuthMethodSet
  typealias Deletion = AuthMethodDelete

  static let noun = "auth method"
  static let bodyName = "AuthMethod"
  static let keyName = "Name"
  static func key(of item: ACLAuthMethod) -> String { item.name }
  static func setKey(_ key: String, of item: inout ACLAuthMethod) { item.name = key }
  static func problem(with key: String) -> String? { nil }
  static let refusalOfKey: HTTPError? = nil

  static func list(_ request: borrowing Request) -> AuthMethodList { AuthMethodList() }
  static func read(_ key: String) -> AuthMethodRead { AuthMethodRead(name: key) }
  static func change(_ item: ACLAuthMethod) -> AuthMethodSet { AuthMethodSet(item) }
  static func deletion(_ key: String) -> AuthMethodDelete { AuthMethodDelete(name: key) }
  static func isDeleted(_ wasThere: Bool) -> Bool { wasThere }
}

/// `/v1/acl/binding-rule…`
enum ACLBindingRules: ACLCollection {
  typealias Item = ACLBindingRule
  typealias List = BindingRuleList
  typealias Listed = Row<ACLBindingRule>
  typealias Read = BindingRuleRead
  typealias Shown = Row<ACLBindingRule>
  typealias Change = BindingRuleSet
  typealias Deletion = BindingRuleDelete

  static let noun = "binding rule"
  static let bodyName = "BindingRule"
  static let keyName = "ID"
  static func key(of item: ACLBindingRule) -> String { item.id }
  static func setKey(_ key: String, of item: inout ACLBindingRule) { item.id = key }

  static func list(_ request: borrowing Request) -> BindingRuleList {
    BindingRuleList(authMethod: request.query["authmethod"] ?? "")
  }

  static func read(_ key: String) -> BindingRuleRead { BindingRuleRead(id: key) }
  static func change(_ item: ACLBindingRule) -> BindingRuleSet { BindingRuleSet(item) }
  static func deletion(_ key: String) -> BindingRuleDelete { BindingRuleDelete(id: key) }
  static func isDeleted(_ wasThere: Bool) -> Bool { wasThere }
}
