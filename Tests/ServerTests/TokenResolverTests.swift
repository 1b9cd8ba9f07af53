import AccessControl
import Model
import Synchronization
import Testing

@testable import Server
@testable import State

/// Tokens become rights, from the state of a server.
@Suite final class TokenResolverTests {
  private final class Clock: Sendable {
    let time = Mutex(Timestamp(unixSeconds: 1_000_000))
    var now: Timestamp { time.withLock { $0 } }
    func advance(_ seconds: Int64) { time.withLock { $0.seconds += seconds } }
  }

  private let store = StateStore()
  private let clock = Clock()
  private let resolver: TokenResolver
  private let index = Mutex<UInt64>(0)

  init() {
    let (store, clock) = (store, clock)
    resolver = TokenResolver(AccessControlSettings(nodeName: "s1"), datacenter: "dc1", now: { clock.now }) {
      store.current
    }
  }

  @discardableResult
  private func apply(_ command: AccessControlCommand) -> CommandResult {
    store.apply(
      index: index.withLock {
        $0 += 1
        return $0
      }, .accessControl(command))
  }

  private func policy(_ id: String, _ rules: String, datacenters: [String] = []) {
    var policy = ACLPolicy()
    (policy.id, policy.name, policy.rules, policy.datacenters) = (id, "policy-\(id)", rules, datacenters)
    apply(.setPolicies(ACLPolicyBatchSetRequest([policy])))
  }

  private func token(_ secret: String, _ change: (inout ACLToken) -> Void) {
    var token = ACLToken()
    (token.accessorID, token.secretID) = ("accessor-\(secret)", Secret(secret))
    change(&token)
    var request = ACLTokenBatchSetRequest()
    request.tokens = [token]
    apply(.setTokens(request))
  }

  private func allows(_ secret: String, _ permission: Permission) -> Bool? {
    (try? resolver.authorizer(for: secret))?.allows(permission)
  }

  @Test func rightsComeFromPoliciesRolesAndIdentities() {
    policy("p", #"key_prefix "a/" { policy = "write" }"#)
    policy("elsewhere", #"key_prefix "b/" { policy = "write" }"#, datacenters: ["dc2"])
    var role = ACLRole()
    (role.id, role.name) = ("r", "role")
    role.policies = [ACLLink(id: "p")]
    apply(.setRoles(ACLRoleBatchSetRequest([role])))
    token("t") { token in
      token.roles = [ACLLink(id: "r")]
      token.policies = [ACLLink(id: "elsewhere")]
      var service = ACLServiceIdentity()
      service.serviceName = "web"
      token.serviceIdentities = [service]
      var node = ACLNodeIdentity()
      (node.nodeName, node.datacenter) = ("n1", "dc2")
      token.nodeIdentities = [node]
    }
    #expect(allows("t", .keyWrite("a/x")) == true)
    #expect(allows("t", .keyWrite("b/x")) == false)
    #expect(allows("t", .serviceWrite("web-sidecar-proxy")) == true)
    #expect(allows("t", .nodeWrite("n1")) == false)
    #expect(allows("other", .keyRead("a/x")) == nil)
    #expect(allows("", .keyRead("a/x")) == false)
  }

  @Test func changesOfPoliciesAndTokensCountAtOnce() throws {
    policy("p", #"key "a" { policy = "read" }"#)
    token("t") { $0.policies = [ACLLink(id: "p")] }
    #expect(allows("t", .keyWrite("a")) == false)
    let before = try resolver.authorizer(for: "t").identity
    token("unrelated") { _ in }
    #expect(try resolver.authorizer(for: "t").identity == before)
    policy("p", #"key "a" { policy = "write" }"#)
    #expect(allows("t", .keyWrite("a")) == true)
    #expect(try resolver.authorizer(for: "t").identity != before)
    apply(.deletePolicies(ACLPolicyBatchDeleteRequest(["p"])))
    #expect(allows("t", .keyRead("a")) == false)
    apply(.deleteTokens(ACLTokenBatchDeleteRequest(["accessor-t"])))
    #expect(allows("t", .keyRead("a")) == nil)
  }

  @Test func aTokenWhoseTimeIsOverIsUnknownBeforeItIsDeleted() {
    policy("p", #"key "a" { policy = "read" }"#)
    token("t") { token in
      token.policies = [ACLLink(id: "p")]
      token.expirationTime = Timestamp(unixSeconds: 1_000_060)
    }
    #expect(allows("t", .keyRead("a")) == true)
    #expect(resolver.lifetime(of: "t") == 60_000_000_000)
    clock.advance(60)
    #expect(allows("t", .keyRead("a")) == nil)
    #expect(store.current.expiredTokens(at: clock.now, limit: 10) == ["accessor-t"])
  }

  @Test func aPolicyThatCannotBeReadGrantsNothing() {
    policy("broken", "key {")
    policy("p", #"key "a" { policy = "read" }"#)
    token("t") { $0.policies = [ACLLink(id: "p"), ACLLink(id: "broken")] }
    #expect(allows("t", .keyRead("a")) == false)
  }

  @Test func theRecoveryTokenLooksAfterItsAgentOnly() throws {
    resolver.setRecoveryToken(Secret("emergency"))
    #expect(allows("emergency", .agentWrite("s1")) == true)
    #expect(allows("emergency", .agentWrite("s2")) == false)
    #expect(allows("emergency", .nodeRead("any")) == true)
    #expect(allows("emergency", .keyRead("a")) == false)
    #expect(try resolver.authorizer(for: "emergency").accessorID == "agent-recovery:s1")
    resolver.setRecoveryToken(Secret(""))
    #expect(allows("emergency", .nodeRead("any")) == nil)
  }

  @Test func aNewLeaderMakesWhatEveryClusterHasAndNothingTwice() throws {
    var settings = AccessControlSettings(nodeName: "s1")
    settings.initialManagement = Secret("root")
    let commands = AccessControlDuties.initialCommands(settings, store.current, now: clock.now)
    #expect(commands.count == 4)
    for command in commands { if case .accessControl(let inner) = command { apply(inner) } }
    #expect(allows("root", .aclWrite) == true)
    #expect(allows("", .keyRead("a")) == false)
    #expect(store.current.aclBootstrapIndex > 0)
    #expect(AccessControlDuties.initialCommands(settings, store.current, now: clock.now).isEmpty)
  }

  @Test func secretsDoNotShow() {
    let secret = Secret("5c1f7c2e")
    #expect("\(secret)" == "<secret>")
    #expect(String(reflecting: secret) == "<secret>")
    var text = ""
    dump(secret, to: &text)
    #expect(!text.contains("5c1f"))
    #expect(secret == Secret("5c1f7c2e") && secret != Secret("5c1f7c2f") && secret != Secret("5c1f"))
  }
}
