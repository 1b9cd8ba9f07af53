import Model
import Testing

@testable import State

@Suite struct AccessControlStateTests {
  private func token(_ name: String) -> ACLToken {
    var token = ACLToken()
    (token.accessorID, token.secretID, token.description) = ("accessor-\(name)", Secret("secret-\(name)"), name)
    return token
  }

  private func set(_ token: ACLToken) -> Command {
    var request = ACLTokenBatchSetRequest()
    request.tokens = [token]
    return .accessControl(.setTokens(request))
  }

  @Test func commandsSurviveTheLog() throws {
    var policy = ACLPolicy()
    (policy.id, policy.name) = ("p", "policy")
    var template = ACLTemplatedPolicy()
    template.templateName = "builtin/service"
    template.templateVariables = ACLTemplatedPolicyVariables(name: "api")
    var full = token("a")
    full.templatedPolicies = [template]
    full.expirationTime = Timestamp(unixSeconds: 5)
    var bootstrap = ACLTokenBootstrapRequest()
    (bootstrap.token, bootstrap.resetIndex) = (full, 7)
    let commands: [Command] = [
      set(full), .accessControl(.bootstrap(bootstrap)),
      .accessControl(.setPolicies(ACLPolicyBatchSetRequest([policy]))),
      .accessControl(.deletePolicies(ACLPolicyBatchDeleteRequest(["p"]))),
      .accessControl(.deleteRoles(ACLRoleBatchDeleteRequest(["r"]))),
      .accessControl(.deleteAuthMethods(ACLAuthMethodBatchDeleteRequest(["m"]))),
    ]
    for command in commands { #expect(try Command(decoding: command.encode()) == command) }
  }

  @Test func bootstrapWorksOnceAndAgainAfterAReset() {
    let store = StateStore()
    func bootstrap(_ name: String, index: UInt64, reset: UInt64 = 0) -> CommandResult {
      var request = ACLTokenBootstrapRequest()
      (request.token, request.resetIndex) = (token(name), reset)
      return store.apply(index: index, .accessControl(.bootstrap(request)))
    }
    #expect(bootstrap("a", index: 3) == .done)
    #expect(bootstrap("b", index: 4) == .failed("ACL bootstrap no longer allowed (reset index: 3)"))
    #expect(
      bootstrap("b", index: 5, reset: 2) == .failed("Invalid bootstrap reset index (specified 2, reset index: 3)"))
    #expect(bootstrap("b", index: 6, reset: 3) == .done)
    #expect(store.current.aclTokens().value.map(\.description) == ["a", "b"])
  }

  @Test func tokensAreFoundByAccessorSecretAndWhatTheyHold() {
    let store = StateStore()
    var policy = ACLPolicy()
    (policy.id, policy.name) = ("p1", "policy")
    store.apply(index: 1, .accessControl(.setPolicies(ACLPolicyBatchSetRequest([policy]))))
    var holder = token("a")
    holder.policies = [ACLLink(id: "p1", name: "old name")]
    store.apply(index: 2, set(holder))
    store.apply(index: 3, set(token("b")))
    let state = store.current
    #expect(state.aclToken(accessor: "ACCESSOR-A").value?.policies.first?.name == "policy")
    #expect(state.aclToken(secret: Secret("secret-b")).value?.description == "b")
    #expect(state.aclToken(secret: Secret("secret-")).value == nil)
    #expect(state.aclToken(secret: Secret("")).value == nil)
    #expect(state.aclTokens(.policy(id: "p1")).value.map(\.description) == ["a"])
    store.apply(index: 4, .accessControl(.deletePolicies(ACLPolicyBatchDeleteRequest(["p1"]))))
    #expect(store.current.aclToken(accessor: "accessor-a").value?.policies.isEmpty == true)
    #expect(store.current.aclToken(accessor: "accessor-a").index == 3)
  }

  @Test func linksToWhatDoesNotExistAreRefusedAsAWhole() {
    let store = StateStore()
    var broken = token("b")
    broken.policies = [ACLLink(id: "absent")]
    var request = ACLTokenBatchSetRequest()
    request.tokens = [token("a"), broken]
    #expect(
      store.apply(index: 1, .accessControl(.setTokens(request))) == .failed("No such ACL policy with ID \"absent\""))
    #expect(store.current.aclTokens().value.isEmpty)
  }

  @Test func anAuthMethodTakesItsRulesAndTokensWithIt() {
    let store = StateStore()
    var method = ACLAuthMethod()
    method.name = "m"
    store.apply(index: 1, .accessControl(.setAuthMethods(ACLAuthMethodBatchSetRequest([method]))))
    var rule = ACLBindingRule()
    (rule.id, rule.authMethod) = ("rule", "m")
    store.apply(index: 2, .accessControl(.setBindingRules(ACLBindingRuleBatchSetRequest([rule]))))
    var made = token("a")
    (made.authMethod, made.local) = ("m", true)
    store.apply(index: 3, set(made))
    // Made by a method of the primary datacenter, which has the same name.
    var foreign = token("b")
    foreign.authMethod = "m"
    store.apply(index: 4, set(foreign))
    store.apply(index: 5, .accessControl(.deleteAuthMethods(ACLAuthMethodBatchDeleteRequest(["m"]))))
    #expect(store.current.aclBindingRules().value.isEmpty)
    #expect(store.current.aclTokens().value.map(\.accessorID) == [foreign.accessorID])
    // In the primary itself the method makes global tokens, and takes all of its own with it.
    method.tokenLocality = "global"
    store.apply(index: 6, .accessControl(.setAuthMethods(ACLAuthMethodBatchSetRequest([method]))))
    store.apply(index: 7, set(made))
    store.apply(index: 8, .accessControl(.deleteAuthMethods(ACLAuthMethodBatchDeleteRequest(["m"]))))
    #expect(store.current.aclTokens().value.isEmpty)
  }

  @Test func everythingIsInASnapshot() throws {
    let store = StateStore()
    var policy = ACLPolicy()
    (policy.id, policy.name, policy.rules) = ("p1", "policy", "acl = \"read\"")
    store.apply(index: 1, .accessControl(.setPolicies(ACLPolicyBatchSetRequest([policy]))))
    var role = ACLRole()
    (role.id, role.name) = ("r1", "role")
    store.apply(index: 2, .accessControl(.setRoles(ACLRoleBatchSetRequest([role]))))
    var method = ACLAuthMethod()
    (method.name, method.config) = ("m", DynamicMap(DynamicObject([("Key", "value")])))
    store.apply(index: 3, .accessControl(.setAuthMethods(ACLAuthMethodBatchSetRequest([method]))))
    var rule = ACLBindingRule()
    (rule.id, rule.authMethod) = ("rule", "m")
    store.apply(index: 4, .accessControl(.setBindingRules(ACLBindingRuleBatchSetRequest([rule]))))
    var full = token("a")
    full.policies = [ACLLink(id: "p1", name: "policy")]
    full.expirationTime = Timestamp(unixSeconds: 99)
    store.apply(index: 5, set(full))
    var bytes: [UInt8] = []
    try store.current.write { bytes.append(contentsOf: $0) }
    let copy = StateStore()
    var rest = bytes[...]
    try copy.restore { buffer in
      let piece = rest.prefix(buffer.count)
      rest = rest.dropFirst(piece.count)
      buffer.copyBytes(from: piece)
      return piece.count
    }
    var again: [UInt8] = []
    try copy.current.write { again.append(contentsOf: $0) }
    #expect(again == bytes)
    #expect(
      copy.current.aclToken(secret: Secret("secret-a")).value == store.current.aclToken(accessor: "accessor-a").value)
    #expect(copy.current.aclAuthMethod("m").value?.value.config["Key"]?.string == "value")
  }

  @Test func contentHashesAreThoseOfTheReference() {
    var policy = ACLPolicy()
    policy.name = "a1"
    #expect(Base64.encode(policy.contentHash.bytes) == "RMsb2Za9DZLGdLnhuDjNmhAu/3iYX0yFcS2UqT36dcE=")
    var anonymous = ACLToken()
    anonymous.description = "Anonymous Token"
    #expect(Base64.encode(anonymous.contentHash.bytes) == "RNVFSWnfd5DUOuB8vplp+imivlIna3fKQVnkUHh21cA=")
    var template = ACLTemplatedPolicy()
    (template.templateID, template.templateName) = ("00000000-0000-0000-0000-000000000003", "builtin/service")
    template.templateVariables = ACLTemplatedPolicyVariables(name: "web")
    var token = ACLToken()
    (token.description, token.templatedPolicies) = ("t-tp", [template])
    #expect(Base64.encode(token.contentHash.bytes) == "jlN7FtaFpWz8aP84Ipllcsbix1FS80PtMyJT3ADYZrM=")
  }

  @Test func blake2bIsThatOfTheStandard() {
    // RFC 7693, appendix A.
    let digest = BLAKE2b.digest("abc", length: 64).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
    #expect(digest.joined().hasPrefix("ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"))
    #expect(digest.joined().hasSuffix("7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"))
  }
}
