import Model
import Testing

@testable import AccessControl

@Suite struct DecisionTests {
  private func compiled(_ texts: String..., fallback: CompiledRules.Fallback = .deny) throws -> CompiledRules {
    CompiledRules(
      try texts.enumerated().map {
        PolicySource(id: "\($0.offset)", name: "p\($0.offset)", rules: try PolicyRules($0.element).rules)
      },
      fallback: fallback)
  }

  @Test(arguments: [
    ("key \"a\" { policy = \"write\" }", Permission.keyWrite("a"), true),
    ("key \"a\" { policy = \"write\" }", .keyWrite("ab"), false),
    ("key_prefix \"a\" { policy = \"write\" } key \"ab\" { policy = \"read\" }", .keyWrite("ab"), false),
    ("key_prefix \"a\" { policy = \"write\" } key \"ab\" { policy = \"read\" }", .keyWrite("abc"), true),
    ("key_prefix \"\" { policy = \"read\" } key_prefix \"s\" { policy = \"deny\" }", .keyRead("secret"), false),
    ("key_prefix \"a/\" { policy = \"read\" }", .keyList("a/"), false),
    ("key_prefix \"a/\" { policy = \"list\" }", .keyList("a/"), true),
    ("key_prefix \"a/\" { policy = \"write\" } key \"a/x\" { policy = \"read\" }", .keyWritePrefix("a/"), false),
    ("key_prefix \"a/\" { policy = \"write\" } key \"a/x\" { policy = \"read\" }", .keyWritePrefix("a/t"), true),
    ("key \"a/x\" { policy = \"write\" }", .keyWritePrefix("a/"), false),
    ("service \"web\" { policy = \"write\" }", .intentionRead("web"), true),
    ("service \"web\" { policy = \"write\" }", .intentionWrite("web"), false),
    ("service \"web\" { policy = \"read\" intentions = \"write\" }", .intentionWrite("web"), true),
    ("service \"web\" { policy = \"read\" intentions = \"write\" }", .intentionWrite("*"), false),
    ("service_prefix \"\" { policy = \"read\" intentions = \"write\" }", .intentionWrite("*"), true),
    ("operator = \"read\"", .meshRead, true),
    ("operator = \"write\" mesh = \"deny\"", .meshRead, false),
    ("operator = \"write\"", .peeringWrite, true),
    ("node_prefix \"\" { policy = \"read\" }", .nodeReadAll, true),
    ("node_prefix \"\" { policy = \"read\" } node \"x\" { policy = \"deny\" }", .nodeReadAll, false),
    ("service \"a\" { policy = \"write\" }", .serviceWriteAny, true),
    ("service \"\" { policy = \"read\" }", .serviceRead("web"), false),
  ])
  func oneRuleDecides(text: String, permission: Permission, expected: Bool) throws {
    #expect(try compiled(text).allows(permission) == expected)
  }

  @Test func severalPoliciesMergeSoThatOneThatDeniesWinsElseTheOneThatGrantsMost() throws {
    let read = "key \"k\" { policy = \"read\" } service \"s\" { policy = \"read\" intentions = \"write\" }"
    let write = "key \"k\" { policy = \"write\" } service \"s\" { policy = \"write\" intentions = \"read\" }"
    let deny = "key \"k\" { policy = \"deny\" } service \"s\" { policy = \"write\" intentions = \"deny\" }"
    #expect(try compiled(read, write).allows(.keyWrite("k")))
    #expect(try compiled(write, read).allows(.intentionWrite("s")))
    #expect(try !compiled(write, read, deny).allows(.keyRead("k")))
    #expect(try compiled(write, read, deny).allows(.serviceWrite("s")))
    #expect(try !compiled(deny, write, read).allows(.intentionRead("s")))
  }

  @Test func theAllowingDefaultGrantsAllButAccessControl() throws {
    let rules = try compiled("service \"web\" { policy = \"read\" }", fallback: .allow)
    #expect(rules.allows(.keyWrite("k")))
    #expect(rules.allows(.operatorWrite))
    #expect(!rules.allows(.serviceWrite("web")))
    #expect(!rules.allows(.aclRead))
    #expect(!rules.allows(.aclWrite))
  }

  @Test func managementMayDoEverythingAndReadOnlyNothingMore() throws {
    #expect(try compiled(BuiltinPolicies.management.rules).isUnlimited)
    let readOnly = try compiled(BuiltinPolicies.readOnly.rules)
    #expect(!readOnly.isUnlimited)
    #expect(readOnly.allows(.keyRead("x")) && !readOnly.allows(.keyWrite("x")) && readOnly.allows(.aclRead))
    #expect(Base64.encode(BuiltinPolicies.management.hash.bytes) == "+TzVGrd3uSVx3Bl8FV5O0BsKc1idAee6ZpEw9WDfaW8=")
    #expect(Base64.encode(BuiltinPolicies.readOnly.hash.bytes) == "4jtyawyzzig+Ys5HfPI91O3UHLHiXtPlNG7aHEmlesk=")
  }

  @Test func aRefusalIsExplainedByItsRule() throws {
    let rules = try compiled("key_prefix \"a\" { policy = \"read\" }", "key_prefix \"b\" { policy = \"write\" }")
    guard case .rule(let origin) = rules.reason(for: .keyWrite("abc")) else { return #expect(Bool(false)) }
    #expect(origin.policyName == "p0" && origin.rule.name == "a")
    #expect(rules.reason(for: .keyWrite("c")) == .fallback)
  }

  @Test func templatesMakeThePoliciesOfTheReference() {
    var identity = ACLServiceIdentity()
    identity.serviceName = "web"
    #expect(Base64.encode(identity.policy.hash.bytes) == "b04MnvCVtBXZAmGe4uDpGLABJoGo2nNhEJkqaN5E5x4=")
    #expect(identity.policy.id.hasSuffix("6c62272e07bb014262b821756295c58d"))
    var node = ACLNodeIdentity()
    (node.nodeName, node.datacenter) = ("n1", "dc1")
    #expect(Base64.encode(node.policy.hash.bytes) == "aImGoCLJNqSbyVrkVFhZP7NHwTv8ckXQQ46amx8yr+c=")
    for template in PolicyTemplate.all {
      #expect(throws: Never.self) { try PolicyRules(template.render(ACLTemplatedPolicyVariables(name: "x"))) }
    }
  }

  @Test func templatesHaveTheHashesOfTheReference() {
    let expected = [
      "builtin/node": "OruaWDZWDgT5f3Qem9WVB49jcpEBYTvenFMgJuAvM5k=",
      "builtin/dns": "YzR/kerQ/MQWGbW9xTNMzu/ItVABPjOxOWtMHDP5pK4=",
      "builtin/nomad-server": "N7Es0D9kUwDdhtZrOaKKPQl86ZoPRMKiVJSBQ9P/K44=",
      "builtin/nomad-client": "WomV4ZLAqDuntKwASl2mxeUV4Ciu0tts5EBe5dBDq8I=",
    ]
    for (name, hash) in expected {
      let policy = PolicyTemplate.named(name)?.policy(ACLTemplatedPolicyVariables(name: "n1"), datacenters: [])
      #expect(policy.map { Base64.encode($0.hash.bytes) } == hash)
    }
  }
}
