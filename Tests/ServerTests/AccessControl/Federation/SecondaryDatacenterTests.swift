import AccessControl
import Model
import NIOCore
import Testing

@testable import Server
@testable import State

/// Access control of a datacenter that takes it over from another one.
@Suite struct SecondaryDatacenterTests {
  private static func policy(_ name: String, _ rules: String = "", id: String = "") -> PolicySet {
    var policy = ACLPolicy()
    (policy.id, policy.name, policy.rules) = (id, name, rules)
    return PolicySet(policy)
  }

  private static func token(_ description: String = "", local: Bool) -> TokenSet {
    var token = ACLToken()
    (token.description, token.local) = (description, local)
    return TokenSet(token, creates: true)
  }

  /// What an error says; "" for none.
  private static func refusal(_ body: () async throws -> Void) async -> String {
    do {
      try await body()
      return ""
    } catch {
      return "\(error)"
    }
  }

  // MARK: replication

  @Test func policiesRolesAndGlobalTokensFollowThePrimary() async throws {
    let pair = try await Federation(1)
    let policy = try await pair.first.manage(Self.policy("p", "key \"a\" { policy = \"read\" }"))
    var role = ACLRole()
    (role.name, role.policies) = ("r", [ACLLink(id: policy.id)])
    let made = try await pair.first.manage(RoleSet(role))
    let global = try await pair.first.manage(Self.token("everywhere", local: false))
    let local = try await pair.first.manage(Self.token("here", local: true))
    try await eventually { pair.isEqual }
    var state = pair.second.node.store.current
    #expect(state.aclPolicy(name: "p").value?.value.rules == policy.rules)
    #expect(state.aclRole(name: "r").value?.policies.map(\.id) == [policy.id])
    #expect(state.aclToken(accessor: global.accessorID).value?.secretID == global.secretID)
    #expect(state.aclToken(accessor: local.accessorID).value == nil)
    // What every cluster has came from the primary, too.
    #expect(state.aclPolicy(id: ACLPolicy.managementID).value != nil)
    #expect(state.aclToken(accessor: ACLToken.anonymousAccessor).value != nil)

    try await pair.first.manage(Self.policy("q", "", id: policy.id))
    try await pair.first.manage(RoleDelete(id: made.id))
    try await pair.first.manage(TokenDelete(accessor: global.accessorID, requester: Secret()))
    try await eventually { pair.isEqual }
    state = pair.second.node.store.current
    #expect(state.aclPolicy(id: policy.id).value?.value.name == "q" && state.aclRole(name: "r").value == nil)
    #expect(state.aclToken(accessor: global.accessorID).value == nil)
    await pair.stop()
  }

  @Test func theStatusTellsHowFarItGot() async throws {
    let pair = try await Federation(2)
    try await pair.first.manage(Self.policy("p"))
    try await eventually { pair.isEqual }
    func status(_ datacenter: String) async throws -> ACLReplicationStatus {
      var options = QueryOptions()
      options.datacenter = datacenter
      return try await withCheckedThrowingContinuation { continuation in
        pair.first.backend.replicationStatus(options, on: pair.first.loop) {
          continuation.resume(with: $0.mapError { $0 as any Error })
        }
      }
    }
    #expect(try await status("dc1") == ACLReplicationStatus())
    let index = pair.first.node.store.current.aclPolicies().index
    try await eventually { try await status("dc2").replicatedIndex == index }
    let found = try await status("dc2")
    #expect(found.enabled && found.running && found.sourceDatacenter == "dc1" && found.replicationType == "tokens")
    #expect(found.replicatedTokenIndex == pair.first.node.store.current.aclTokens().index)
    // There may have been failures before the datacenters knew each other.
    #expect(found.lastSuccess > found.lastError)

    await pair.first.stop()
    try await eventually { pair.second.node.replicationStatus.lastError > found.lastSuccess }
    #expect(pair.second.node.replicationStatus.lastErrorMessage.hasPrefix("failed to replicate ACL "))
    await pair.second.stop()
    #expect(!pair.second.node.replicationStatus.running)
  }

  @Test func aTokenThatMayNotReadSecretsReplicatesNone() async throws {
    let pair = try await Federation(3) { $0.replicationToken = Secret() }
    let reader = try await pair.token("acl = \"read\"")
    pair.second.node.setReplicationToken(reader.secretID)
    try await eventually { pair.second.node.replicationStatus.lastErrorMessage.contains("acl:write") }
    #expect(pair.second.node.store.current.aclTokens().value.isEmpty)
    // A better one is used at once.
    pair.second.node.setReplicationToken(Secret(Federation.management))
    try await eventually { pair.isEqual }
    await pair.stop()
  }

  @Test func aStateThatWasRestoredFollowsAnew() async throws {
    let pair = try await Federation(4)
    try await eventually { pair.isEqual }
    let archive = try await withCheckedThrowingContinuation { continuation in
      var options = QueryOptions()
      options.token = Federation.management
      pair.second.backend.saveSnapshot(options, on: pair.second.loop) {
        continuation.resume(with: $0.map { $0.value }.mapError { $0 as any Error })
      }
    }
    var bytes: [UInt8] = []
    while let piece = try await pair.second.piece(of: archive) { bytes += piece }
    try await pair.first.manage(Self.policy("later"))
    try await eventually { pair.second.node.store.current.aclPolicy(name: "later").value != nil }
    try await pair.second.restore(bytes)
    try await eventually { pair.second.node.store.current.aclPolicy(name: "later").value != nil && pair.isEqual }
    await pair.stop()
  }

  // MARK: writes

  @Test func whatAllDatacentersShareIsWrittenInThePrimary() async throws {
    let pair = try await Federation(5)
    try await eventually { pair.isEqual }
    let policy = try await pair.second.manage(Self.policy("p"))
    #expect(pair.first.node.store.current.aclPolicy(id: policy.id).value != nil)
    var role = ACLRole()
    (role.name, role.policies) = ("r", [ACLLink(id: "", name: "p")])
    let made = try await pair.second.manage(RoleSet(role))
    #expect(pair.first.node.store.current.aclRole(id: made.id).value != nil)
    var token = try await pair.second.manage(Self.token("global", local: false))
    #expect(pair.first.node.store.current.aclToken(accessor: token.accessorID).value != nil)
    // Who made it can read it, and use it, before it is replicated.
    #expect(try await pair.second.read(TokenRead(.accessor(token.accessorID), datacenter: "dc2")) != nil)
    token.description = "changed"
    #expect(try await pair.second.manage(TokenSet(token, creates: false)).description == "changed")
    let copy = try await pair.second.manage(TokenClone(accessor: token.accessorID, description: ""))
    #expect(copy.map { pair.first.node.store.current.aclToken(accessor: $0.accessorID).value != nil } == true)
    #expect(try await pair.second.manage(TokenDelete(accessor: token.accessorID, requester: Secret())))
    #expect(pair.first.node.store.current.aclToken(accessor: token.accessorID).value == nil)
    #expect(try await pair.second.manage(RoleDelete(id: made.id)) == "r")
    #expect(try await pair.second.manage(PolicyDelete(id: policy.id)) == "p")
    try await eventually { pair.isEqual }
    await pair.stop()
  }

  @Test func tokensOfOneDatacenterStayThere() async throws {
    let pair = try await Federation(6)
    try await eventually { pair.isEqual }
    var token = try await pair.second.manage(Self.token("local", local: true))
    #expect(pair.first.node.store.current.aclToken(accessor: token.accessorID).value == nil)
    token.description = "changed"
    #expect(try await pair.second.manage(TokenSet(token, creates: false)).description == "changed")
    try await pair.first.manage(Self.policy("a-round-later"))
    try await eventually { pair.isEqual }
    #expect(pair.second.node.store.current.aclToken(accessor: token.accessorID).value != nil)
    let copy = try await pair.second.manage(TokenClone(accessor: token.accessorID, description: ""))
    #expect(copy?.local == true)
    #expect(try await pair.second.manage(TokenDelete(accessor: token.accessorID, requester: Secret())))
    await pair.stop()
  }

  @Test func clientsOfASecondaryAreServedTheSame() async throws {
    let pair = try await Federation(7)
    try await eventually { pair.isEqual }
    // What a client agent of the second datacenter sends to its server.
    func call<Reply: FieldValue>(_ method: String, _ body: [UInt8], _ type: Reply.Type) async throws -> Reply {
      let bytes = try await pair.second.client.call(method, body, to: pair.second.address, on: pair.second.loop)
      return try Reply(decoding: ByteBuffer(bytes: bytes))
    }
    var set = Self.policy("by-a-client").request
    (set.datacenter, set.token) = ("dc2", Federation.management)
    let policy = try await call("ACL.PolicySet", set.messagePack, ACLPolicy.self)
    #expect(pair.first.node.store.current.aclPolicy(id: policy.id).value != nil)
    var local = Self.token(local: true).request
    (local.datacenter, local.token) = ("dc2", Federation.management)
    let token = try await call("ACL.TokenSet", local.messagePack, ACLToken.self)
    #expect(pair.second.node.store.current.aclToken(accessor: token.accessorID).value != nil)
    #expect(pair.first.node.store.current.aclToken(accessor: token.accessorID).value == nil)
    let new = try await pair.token("key_prefix \"\" { policy = \"read\" }")
    var read = TokenRead(.secret(new.secretID), datacenter: "dc2").request
    read.options.token = new.secretID.revealed
    // Nobody sees it without its policy, whether it has been replicated by now or not.
    let found = try await call("ACL.TokenRead", read.messagePack, ACLTokenResponse.self)
    #expect(found.token?.accessorID == new.accessorID && found.expandedPolicies.count == 1)
    await pair.stop()
  }

  @Test func thePrimaryAloneIsBootstrapped() async throws {
    let pair = try await Federation(8)
    let said = await Self.refusal { try await pair.second.manage(ACLBootstrap(secret: Secret())) }
    #expect(said.contains("ACL support disabled") && said.contains("\"dc1\""))
    await pair.stop()
  }

  // MARK: without replication of tokens

  @Test func withoutReplicationThereAreNoTokensOfTheSecondaryAlone() async throws {
    let pair = try await Federation(9, replicatesTokens: false)
    let refused = await Self.refusal { try await pair.second.manage(Self.token(local: true)) }
    #expect(refused == "Local tokens are disabled")
    let needed = "Token replication is required for auth methods to function"
    #expect(await Self.refusal { _ = try await pair.second.read(AuthMethodList()) } == needed)
    #expect(await Self.refusal { _ = try await pair.second.read(BindingRuleList()) } == needed)
    #expect(await Self.refusal { try await pair.second.manage(AuthMethodSet(ACLAuthMethod())) } == needed)
    #expect(await Self.refusal { try await pair.second.manage(AuthMethodDelete(name: "m")) } == needed)
    #expect(
      await Self.refusal { try await pair.second.manage(Login(authMethod: "m", bearerToken: Secret("b"))) } == needed)
    let global = try await pair.second.manage(Self.token("global", local: false))
    #expect(pair.first.node.store.current.aclToken(accessor: global.accessorID).value != nil)
    await pair.stop()
  }

  @Test func withoutReplicationThePrimarySaysWhatTokensMayDo() async throws {
    let pair = try await Federation(10, replicatesTokens: false)
    let rules = "key_prefix \"\" { policy = \"read\" }"
    let reader = try await pair.token(rules)
    let here = try await pair.token(rules, datacenters: ["dc2"])
    let elsewhere = try await pair.token(rules, datacenters: ["dc1"])
    let local = try await pair.first.manage(Self.token(local: true))
    var entry = KVEntry()
    entry.key = "a"
    try await pair.second.manage(KVApply(.set, entry))
    #expect(try await pair.second.read(KVGet(key: "a"), reader.secretID.revealed) != nil)
    #expect(try await pair.second.read(KVGet(key: "a"), here.secretID.revealed) != nil)
    let invalid = await Self.refusal { _ = try await pair.second.read(KVGet(key: "a"), elsewhere.secretID.revealed) }
    #expect(invalid.contains("Permission denied"))
    let unknown = await Self.refusal { _ = try await pair.second.read(KVGet(key: "a"), Identifier.random()) }
    #expect(unknown.contains("ACL not found"))
    // The list is the primary's, but for what is the primary's alone.
    let all = try await pair.second.read(TokenList(.all)).map(\.accessorID)
    #expect(all.contains(reader.accessorID) && !all.contains(local.accessorID))
    let own = try await pair.second.read(
      TokenRead(.secret(reader.secretID), datacenter: "dc2"), reader.secretID.revealed)
    #expect(own?.token.accessorID == reader.accessorID)
    #expect(pair.second.node.store.current.aclTokens().value.isEmpty)
    try await eventually { pair.isEqual }
    #expect(pair.second.node.replicationStatus.replicationType == "policies")
    await pair.stop()
  }

  @Test func whatIsKnownOutlivesThePrimary() async throws {
    for replicates in [true, false] {
      let pair = try await Federation(replicates ? 11 : 12, replicatesTokens: replicates) {
        // Asked again at every request.
        $0.tokenTTL = .zero
        // Where tokens are replicated, nobody profits from the primary's absence.
        if replicates { $0.downPolicy = .allow }
      }
      let reader = try await pair.token("key_prefix \"\" { policy = \"read\" }")
      try await eventually { pair.isEqual }
      #expect(try await pair.second.read(KVGet(key: "a"), reader.secretID.revealed) == nil)
      await pair.first.stop()
      #expect(try await pair.second.read(KVGet(key: "a"), reader.secretID.revealed) == nil)
      let unknown = await Self.refusal { _ = try await pair.second.read(KVGet(key: "a"), Identifier.random()) }
      #expect(unknown.contains(replicates ? "ACL not found" : "Permission denied"))
      // What all share cannot be changed meanwhile; what is of this datacenter alone can.
      #expect(await !Self.refusal { try await pair.second.manage(Self.policy("p")) }.isEmpty)
      if replicates { #expect(try await pair.second.manage(Self.token(local: true)).local) }
      await pair.second.stop()
    }
  }

  // MARK: between datacenters

  @Test func aTokenOfOneDatacenterIsNotShownToAnother() async throws {
    let pair = try await Federation(13)
    try await eventually { pair.isEqual }
    var local = ACLToken()
    local.local = true
    local.policies = [ACLLink(id: ACLPolicy.managementID)]
    let secret = try await pair.second.manage(TokenSet(local, creates: true)).secretID.revealed
    #expect(try await pair.second.read(KVGet(key: "a"), secret) == nil)
    // The first would not know it, and take the request for a wrong one; so it counts as none.
    let there = await Self.refusal { _ = try await pair.second.read(KVGet(key: "a"), secret, in: "dc1") }
    #expect(there.contains("anonymous token"))
    let write = await Self.refusal { try await pair.second.manage(Self.policy("p"), secret) }
    #expect(write.contains("anonymous token"))
    var request = KVGet(key: "a").request
    (request.datacenter, request.options.token) = ("dc1", secret)
    let body = request.messagePack
    let bytes = await Self.refusal {
      _ = try await pair.second.client.call("KVS.Get", body, to: pair.second.address, on: pair.second.loop)
    }
    #expect(bytes.contains("anonymous token"))
    await pair.stop()
  }

  @Test func anotherDatacenterIsAskedWhatATokenMayDoThere() async throws {
    let pair = try await Federation(14)
    let token = try await pair.token("key \"a\" { policy = \"read\" }", datacenters: ["dc2"])
    try await eventually { pair.isEqual }
    var question = ACLAuthorizationRequest()
    (question.resource, question.access, question.segment) = ("key", "read", "a")
    for (datacenter, isAllowed) in [("dc1", false), ("dc2", true)] {
      var options = QueryOptions()
      (options.datacenter, options.token) = (datacenter, token.secretID.revealed)
      let answers = try await withCheckedThrowingContinuation { continuation in
        pair.second.backend.authorize([question], options, on: pair.second.loop) {
          continuation.resume(with: $0.mapError { $0 as any Error })
        }
      }
      #expect(answers.map(\.allow) == [isAllowed])
    }
    await pair.stop()
  }
}

extension TestServer {
  /// The next piece of an archive; nil at its end.
  func piece(of archive: any SnapshotArchiveStream) async throws -> [UInt8]? {
    try await withCheckedThrowingContinuation { continuation in
      archive.next(on: loop) { continuation.resume(with: $0.mapError { $0 as any Error }) }
    }
  }
}
