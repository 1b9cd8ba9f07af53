import Model
import Testing

@testable import Authentication

@Suite struct BindingRuleTests {
  private var claims: Identity {
    var attributes = ClaimAttributes()
    attributes.values = StringMap([(key: "user", value: "Ada"), (key: "team", value: "core")])
    attributes.lists = ["groups": ["dev", "ops"]]
    return .claims(attributes)
  }

  private func rule(_ type: String, _ name: String, selector: String = "", variable: String? = nil) -> ACLBindingRule {
    var rule = ACLBindingRule()
    (rule.bindType, rule.bindName, rule.selector) = (type, name, selector)
    rule.bindVars = variable.map { ACLTemplatedPolicyVariables(name: $0) }
    return rule
  }

  @Test func `Every rule that fits gives what it names, with attributes in small letters`() throws {
    let bindings = try BindingRules.bindings(
      of: claims,
      by: [
        rule("service", "svc-${value.user}", selector: "\"dev\" in list.groups"), rule("node", "n"),
        rule("role", "Role-${value.user}", selector: "value.team==core"), rule("policy", "p/${value.team}"),
        rule("service", "never", selector: "value.team==other"), rule("service", "broken", selector: "list.groups=="),
        rule("templated-policy", "builtin/service", variable: "tp-${value.user}"),
        rule("templated-policy", "builtin/dns", variable: "ignored"),
      ])
    #expect(bindings.prefix(4) == [.service("svc-ada"), .node("n"), .role("Role-ada"), .policy("p/core")])
    guard bindings.count == 6, case .template(let service) = bindings[4], case .template(let dns) = bindings[5] else {
      Issue.record("templates are missing: \(bindings)")
      return
    }
    #expect(service.templateName == "builtin/service" && service.templateVariables?.name == "tp-ada")
    #expect(dns.templateName == "builtin/dns" && dns.templateVariables == nil)
  }

  @Test(arguments: ["", "not valid!", "-x", "a/b"])
  func `An attribute that makes no name refuses the login`(_ user: String) {
    var attributes = ClaimAttributes()
    attributes.values["user"] = user
    #expect(throws: AuthenticationError.rule("invalid bind name: \"\(user)\"")) {
      try BindingRules.bindings(of: .claims(attributes), by: [rule("service", "${value.user}")])
    }
  }

  @Test(arguments: [
    ("", "a", "", "Invalid Binding Rule: no BindType is set"),
    ("service", "", "", "Invalid Binding Rule: no BindName is set"),
    ("bogus", "a", "", "invalid Binding Rule: unknown BindType \"bogus\""),
    ("service", "${value.absent}", "", "error interpreting template: 1:3: unknown variable accessed: value.absent"),
    ("service", "bad name", "", "failed to validate bindType \"service\": invalid bind name: \"bad name\""),
    ("service", "${", "", "invalid bind name: \"${\""), ("service", "${value.user", "", "invalid bind name"),
    ("service", "a", "list.groups==dev", "Selector is invalid: Invalid match operator \"Equal\""),
    ("service", "a", "value.user is empty", "Invalid match operator \"Is Empty\" for selector \"value.user\""),
    ("service", "a", "nothing==x", "Selector is invalid"),
    ("templated-policy", "builtin/absent", "", "does not match existing template name: builtin/absent"),
    ("templated-policy", "builtin/service", "", "templated policy failed validation: 1 error occurred"),
  ])
  func `A rule that could never work is refused with the reason`(
    _ type: String, _ name: String, _ selector: String, _ expected: String
  ) throws {
    let error = #expect(throws: AuthenticationError.self) {
      try BindingRules.check(rule(type, name, selector: selector), claims)
    }
    #expect(try #require(error).description.contains(expected), "\(error.map(\.description) ?? "")")
  }

  @Test func `Rules that can work are accepted, whether or not what they name exists`() throws {
    for rule in [
      rule("service", "${value.user}", selector: "value.absent==x"), rule("role", "absent"), rule("policy", "absent"),
      rule("service", "a", selector: "dev in list.groups and value.user matches `^a`"),
      rule("templated-policy", "builtin/node", variable: "${value.user}"), rule("templated-policy", "builtin/dns"),
    ] {
      try BindingRules.check(rule, claims)
    }
    #expect(throws: AuthenticationError.self) { try BindingRules.check(rule("service", "a", variable: "x"), claims) }
  }

  @Test func `Service accounts and roles of AWS are selected by their own attributes`() throws {
    var account = ServiceAccountAttributes()
    (account.account.namespace, account.account.name) = ("default", "web")
    #expect(try Identity.serviceAccount(account).matches("serviceaccount.namespace==default"))
    #expect(try !Identity.serviceAccount(account).matches("serviceaccount.name != web"))
    #expect(throws: FilterError.self) { try Identity.serviceAccount(account).matches("value.user==x") }
    var aws = AWSAttributes()
    (aws.name, aws.accountID, aws.tags) = ("role", "123", StringMap([(key: "service-name", value: "api")]))
    #expect(try Identity.aws(aws).matches("account_id==`123` and entity_tags[\"service-name\"] == api"))
    let bindings = try BindingRules.bindings(
      of: .aws(aws), by: [rule("service", "${entity_tags.service-name}-${entity_name}")])
    #expect(bindings == [.service("api-role")])
  }
}
